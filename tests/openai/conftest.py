"""Fixtures: the SDK with an in-memory sink, and what it exported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.openai.spans import Seen

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

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


class Recorded:
    """The SDK, running; call it for the spans that have ended since the last call."""

    def __init__(self) -> None:
        self.exporter = MemoryExporter()

    def start(self, **settings: object) -> None:
        agentops.init(exporters=[self.exporter], max_value_bytes=10_000_000, **settings)  # type: ignore[arg-type]  # any settings

    def __call__(self) -> list[Seen]:
        assert agentops.flush(10).remaining == 0
        spans = self.exporter.finished_spans()
        self.exporter.clear()
        return [Seen(span) for span in spans]

    def one(self) -> Seen:
        spans = self()
        assert len(spans) == 1, [span.name for span in spans]
        return spans[0]


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    running = Recorded()
    running.start()
    yield running
    agentops.shutdown()
