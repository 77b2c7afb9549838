"""An SDK that keeps its spans in memory, and a way to read what left it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter


class Seen:
    """Spans as they were exported."""

    def __init__(self, exporter: MemoryExporter) -> None:
        self.exporter = exporter

    def all(self) -> list[Any]:
        assert agentops.flush(timeout=60)
        return list(self.exporter.finished_spans())

    def names(self) -> list[str]:
        return sorted(span.name for span in self.all())

    def one(self, name: str) -> Any:
        found = [span for span in self.all() if span.name == name]
        assert len(found) == 1, f"{len(found)} spans called {name!r} among {self.names()}"
        return found[0]

    def parent_of(self, name: str) -> str | None:
        parent = self.one(name).parent
        if parent is None:
            return None
        return next((span.name for span in self.all() if span.context.span_id == parent.span_id), "<not exported>")

    def value(self, name: str, attribute: str) -> Any:
        return json.loads(self.one(name).attributes[attribute])

    def outcome(self, name: str) -> str:
        return self.one(name).attributes["agentops.outcome"]

    def tree(self) -> dict[str, str | None]:
        spans = self.all()
        names = {span.context.span_id: span.name for span in spans}
        parents = {span.name: span.parent.span_id if span.parent is not None else None for span in spans}
        return {name: names.get(above, "<not exported>") if above else None for name, above in parents.items()}


@pytest.fixture
def seen(caplog: pytest.LogCaptureFixture) -> Iterator[Seen]:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], queue_size=50_000)  # bursts are whole on a busy machine too
    with caplog.at_level(logging.DEBUG):
        yield Seen(exporter)
    bad = [record.getMessage() for record in caplog.get_records("call") if "detach" in record.getMessage().lower()]
    assert not bad
