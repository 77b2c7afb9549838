"""The ways out of a stream."""

from __future__ import annotations

import pytest
from tests.model_clients.endings import StreamEndings
from tests.ollama.clients import Case, library


@pytest.fixture(autouse=True)
def _needed() -> None:
    library()


class TestEndings(StreamEndings):
    case = Case()
