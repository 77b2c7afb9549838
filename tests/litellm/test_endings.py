"""The ways out of a stream."""

from __future__ import annotations

import pytest
from tests.litellm.clients import OpenAICase, package
from tests.model_clients.endings import StreamEndings


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


class TestEndings(StreamEndings):
    case = OpenAICase()
