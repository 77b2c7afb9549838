"""An SDK that keeps its spans in memory, and the spans that ended since they were last asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

if TYPE_CHECKING:
    from tests.openai.spans import Seen


class Recorded:
    """The SDK, running; call it for the spans that have ended since the last call."""

    def __init__(self) -> None:
        self.exporter = MemoryExporter()

    def start(self, **settings: object) -> None:
        agentops.init(exporters=[self.exporter], max_value_bytes=10_000_000, **settings)  # type: ignore[arg-type]  # any settings

    def __call__(self) -> list[Seen]:
        from tests.openai.spans import Seen  # with it come the conventions, which few tests ask for

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
