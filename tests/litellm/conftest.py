"""The SDK with an in-memory sink, as the tests of the OpenAI client have it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.litellm.clients import WARNINGS
from tests.openai.conftest import Recorded

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What LiteLLM, and nothing of ours, warns of."""
    for item in items:
        if item.path.parent == HERE:
            for warning in WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """What LiteLLM leaves to the collector, event loops among it, is collected while its marks hold."""
    gc.freeze()
    yield
    gc.collect()
    gc.unfreeze()


@pytest.fixture
def recorded() -> Recorded:
    running = Recorded()
    running.start()
    return running
