"""Spans of one trace lie in the order in which they began, whatever the clocks do."""

from __future__ import annotations

import time

import pytest

import agentops_sdk as agentops
from agentops_sdk._recorder import recorder
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.testing import frozen_clock

SECOND = 1_000_000_000


@pytest.fixture
def exporter() -> MemoryExporter:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[])
    return exporter


def _started(exporter: MemoryExporter) -> list[str]:
    agentops.flush(10)
    return [span.name for span in sorted(exporter.finished_spans(), key=lambda span: span.start_time or 0)]


def test_wall_clock_that_is_set_back(exporter: MemoryExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = [0]
    monkeypatch.setattr(recorder, "now_ns", lambda: time.time_ns() - slow[0])
    with agentops.span("root"):
        for number in range(5):
            slow[0] += SECOND // 100  # as a time server does it
            with agentops.span(f"step {number}"):
                pass
    assert _started(exporter) == ["root", *(f"step {number}" for number in range(5))]
    spans = {span.name: span for span in exporter.finished_spans()}
    for number in range(4):
        assert (spans[f"step {number}"].end_time or 0) <= (spans[f"step {number + 1}"].start_time or 0)


def test_coarse_clocks(exporter: MemoryExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    wall, monotonic = time.time_ns(), time.perf_counter_ns()
    monkeypatch.setattr(recorder, "ticks_ns", recorder.ticks_of(lambda: monotonic))
    monkeypatch.setattr(recorder, "now_ns", lambda: wall)
    names = [f"step {number}" for number in range(50)]
    with agentops.span("root"):
        for name in names:
            with agentops.span(name):
                pass
    assert _started(exporter) == ["root", *names]


def test_wall_clock_that_is_set_far(exporter: MemoryExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a night in which the machine slept: what starts in the morning starts in the morning."""
    slept = [0]
    monkeypatch.setattr(recorder, "now_ns", lambda: time.time_ns() + slept[0])
    with agentops.span("root"):
        slept[0] = 8 * 3600 * SECOND
        with agentops.span("morning"):
            pass
    agentops.flush(10)
    spans = {span.name: span for span in exporter.finished_spans()}
    hours = ((spans["morning"].start_time or 0) - (spans["root"].start_time or 0)) / SECOND / 3600
    assert 7.9 < hours < 8.1


def test_a_frozen_clock_stands_still(exporter: MemoryExporter) -> None:
    with frozen_clock(step=0), agentops.span("root"), agentops.span("step"):
        pass
    agentops.flush(10)
    assert len({moment for span in exporter.finished_spans() for moment in (span.start_time, span.end_time)}) == 1
