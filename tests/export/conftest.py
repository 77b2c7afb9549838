"""A receiver of OTLP beside a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.export.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()
