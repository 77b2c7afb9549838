"""The SDK with a folder, in which limits are counted together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import agentops_sdk as agentops


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Path]:
    agentops.init(exporters=["memory"], directory=tmp_path, integrations=[])
    yield tmp_path
    agentops.shutdown()
