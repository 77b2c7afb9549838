"""What tests of settings share: a place and an environment that say nothing of any."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentops_sdk import config


@pytest.fixture
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "_warned", set())
    for name in list(os.environ):
        if name.startswith(("AGENTOPS_", "OTEL_")):
            monkeypatch.delenv(name)
