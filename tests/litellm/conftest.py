"""What LiteLLM warns of, and what it leaves behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.litellm.clients import WARNINGS

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
