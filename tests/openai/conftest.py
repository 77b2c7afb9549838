"""What older clients leave behind."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Older clients leave sockets to the collector; that is theirs, and no test here is about it."""
    quiet = pytest.mark.filterwarnings("ignore:.*unclosed <socket:pytest.PytestUnraisableExceptionWarning")
    raw = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(quiet)
            item.add_marker(raw)


@pytest.fixture(autouse=True)
def _collected(collected: None) -> None:
    """After each test here."""
