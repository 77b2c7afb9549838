"""The ways out of a stream."""

from __future__ import annotations

import pytest
from tests.model_clients.endings import StreamEndings
from tests.xai.clients import Case, package


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


class TestEndings(StreamEndings):
    case = Case()
