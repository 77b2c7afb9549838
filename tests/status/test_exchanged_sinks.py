"""The figures of a process's life go on when its sinks are exchanged, and what the old ones did is not forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

import agentops_sdk as agentops


class Failing(SpanExporter):
    """A sink that takes nothing."""

    def export(self, spans: object) -> SpanExportResult:
        return SpanExportResult.FAILURE


def make(count: int) -> None:
    for number in range(count):
        with agentops.span(f"s{number}"):
            pass
    agentops.flush()


@pytest.mark.parametrize("exchange", [agentops.init, agentops.configure])
def test_sinks_that_are_all_exchanged_leave_the_figures_as_they_are(exchange: object, tmp_path: Path) -> None:
    assert callable(exchange)
    agentops.init(exporters=[f"jsonl:{tmp_path / 'one'}", Failing()])
    make(3)
    exchange(exporters=[f"jsonl:{tmp_path / 'two'}"])
    make(2)
    now = agentops.status()
    assert (now.spans["started"], now.spans["ended"]) == (5, 5)
    assert now.sinks["jsonl"].exported == 2
    assert now.closed_sinks["jsonl"].exported == 3
    assert now.closed_sinks["Failing"].lost == 3
    assert "(closed) Failing: 0 exported, 0 pending, 3 lost" in str(now)
    exchange(exporters=[f"jsonl:{tmp_path / 'three'}"])
    make(1)
    now = agentops.status()
    assert now.spans["started"] == 6
    assert (now.sinks["jsonl"].exported, now.closed_sinks["jsonl"].exported) == (1, 5)


def test_who_begins_anew_has_figures_anew() -> None:
    agentops.init(exporters=["memory"])
    make(2)
    agentops.init(exporters=["memory"], restart=True)
    make(1)
    now = agentops.status()
    assert (now.spans["started"], now.closed_sinks) == (1, {})
