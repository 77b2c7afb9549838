"""The SDK with an in-memory sink, as the tests of the OpenAI client have it."""

from __future__ import annotations

import pytest
from tests.openai.conftest import Recorded


@pytest.fixture
def recorded() -> Recorded:
    running = Recorded()
    running.start()
    return running
