"""What a capture holds, whatever init() the program calls, in threads and tasks, nested and out of order."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.testing import CapturedTraces, capture, frozen_clock, incremental_ids


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@agentops.tool
def search(q: str) -> list[str]:
    return [q]


@agentops.agent
def planner(q: str) -> list[str]:
    return search(q)


def names(traces: CapturedTraces) -> list[str]:
    return traces.spans.names


def test_without_init() -> None:
    with capture() as traces:
        planner("a")
        assert names(traces) == ["planner", "search"]  # up to date while it runs
    assert names(traces) == ["planner", "search"]
    planner("b")
    assert len(traces) == 1
    assert not agentops.status().enabled
    assert not Path(".agentops").exists()


def test_what_was_stopped_was_not_called() -> None:
    def program() -> None:
        with agentops.span("run"):
            for wanted in (search, planner, lambda q: agentops.span(q, kind="llm").__enter__()):
                with pytest.raises((agentops.LimitExceeded, agentops.Paused)):
                    wanted("a")

    with capture() as traces:
        with agentops.limits(tool_calls=0, model_calls=0, depth=0):
            program()
        agentops.pause()
        program()
        agentops.resume()
    traces.assert_no_tool_called()
    traces.assert_llm_calls(0)
    assert (traces.agents, traces[0].tool_calls, len(traces.errors)) == ([], [], 6)


def test_init_before_inside_and_twice(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path / "program", integrations=[])
    planner("before")
    with capture() as traces:
        planner("first")
        agentops.init(directory=tmp_path / "inside", service_name="mine", integrations=[])
        planner("second")
        agentops.init(enabled=False)
        planner("third")
        agentops.init(sample_ratio=0.0, exporters=["jsonl", "otlp:http://127.0.0.1:9"])
        planner("fourth")
        agentops.shutdown()
        planner("off, as the program wants")
    planner("after")
    agentops.flush()
    assert [trace.tool_calls.one().result for trace in traces] == [["first"], ["second"], ["third"], ["fourth"]]
    assert traces[1].spans[0].resource["service.name"] == "mine"
    assert not (tmp_path / "inside").exists()
    program = agentops.traces.load(tmp_path / "program")
    assert [CapturedTraces.of([t]).tool_calls.one().result for t in program] == [["after"], ["before"]]


def test_settings_of_the_program_count() -> None:
    agentops.init(capture_content=False, exporters=["memory"], integrations=[])
    with capture() as traces:
        planner("secret")
        assert traces.tool_calls.one().arguments == {}
        agentops.init(capture_content=True, integrations=[])
        planner("told")
    assert traces.last.tool_calls.one().arguments == {"q": "told"}


def test_wrong_settings_are_refused_inside_too() -> None:
    with capture() as traces:
        with pytest.raises(agentops.ConfigError):
            agentops.init(exporters=["nope"])
        planner("still captured")
    assert len(traces) == 1


def test_configure_inside_changes_settings_and_leaves_the_sinks(tmp_path: Path) -> None:
    agentops.init(enabled=False, directory=tmp_path / "program", integrations=[])
    with capture() as traces:
        planner("one")
        agentops.configure(capture_content=False, exporters=["jsonl"], sample_ratio=0.0)
        planner("two")
    agentops.configure(enabled=True)  # what init() had left switched off can still be switched on
    planner("three")
    agentops.flush()
    assert [trace.tool_calls.one().arguments for trace in traces] == [{"q": "one"}, {}]
    assert len(agentops.traces.load(tmp_path / "program")) == 1


def test_the_programs_own_memory_stays() -> None:
    mine = MemoryExporter()
    with capture() as traces:
        agentops.init(exporters=[mine, "jsonl"], integrations=[])
        planner("x")
        agentops.flush()
        assert len(mine.finished_spans()) == 2
    assert len(traces.spans) == 2
    assert not Path(".agentops").exists()


def test_threads_and_tasks() -> None:
    @agentops.tool
    async def fetch(place: int) -> int:
        await asyncio.sleep(0)
        return place

    @agentops.agent
    async def crowd() -> None:
        await asyncio.gather(*(fetch(place) for place in range(5)))

    with capture() as traces:
        asyncio.run(crowd())
        threads = [threading.Thread(target=planner, args=(str(place),)) for place in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(traces) == 4
    assert sorted(call.result for call in traces.tool_calls("fetch")) == [0, 1, 2, 3, 4]
    assert len({span.parent_id for span in traces.spans("fetch")}) == 1
    assert sorted(call.arguments["q"] for call in traces.tool_calls("search")) == ["0", "1", "2"]


def test_nested_captures_and_an_open_span_around_the_inner_one() -> None:
    with capture() as outer, agentops.span("around"):
        with capture() as inner:
            planner("x")
        planner("y")
    assert names(inner) == ["planner", "search"]
    assert names(outer) == ["around", "planner", "search", "planner", "search"]
    assert len(outer) == 1
    assert {span.outcome for span in outer.spans} == {"ok"}


def test_captures_may_end_in_any_order() -> None:
    agentops.init(exporters=["memory"], integrations=[])
    program = agentops.status()
    with ExitStack() as first, ExitStack() as second, ExitStack() as third:
        one = first.enter_context(capture())
        two = second.enter_context(capture())
        planner("both")
        first.close()
        planner("two")
        three = third.enter_context(capture())
        second.close()
        planner("three")
        third.close()
    assert [len(each) for each in (one, two, three)] == [1, 2, 1]
    assert agentops.status().sinks.keys() == program.sinks.keys()
    assert agentops.status().spans["started"] == program.spans["started"] == 0


def test_what_is_open_at_the_end_is_interrupted() -> None:
    with ExitStack() as stack, capture() as traces:
        stack.enter_context(agentops.span("open"))
    assert traces.spans.one().outcome == "interrupted"


def test_a_sampled_out_parent_hides_nothing() -> None:
    from opentelemetry import trace
    from opentelemetry.context import attach, detach

    above = trace.NonRecordingSpan(trace.SpanContext(5, 6, is_remote=True))
    with capture() as traces:
        token = attach(trace.set_span_in_context(above))
        planner("x")
        detach(token)
    assert names(traces) == ["planner", "search"]
    assert traces.one().complete


def test_frozen_clock_and_incremental_ids() -> None:
    def run() -> list[tuple[str, str, str, int, int]]:
        with frozen_clock() as clock, incremental_ids(), capture() as traces, agentops.span("one"):
            clock.advance(1.5)
            with agentops.span("two"):
                pass
        return [(s.name, s.trace_id, s.span_id, s.start_ns, s.end_ns) for s in traces.spans]

    assert run() == run()
    (name, trace_id, span_id, start, end), two = run()
    assert (name, int(trace_id, 16), int(span_id, 16)) == ("one", 1, 1)
    assert int(two[2], 16) == 2
    assert 1.5e9 < end - start < 1.51e9
    assert start < two[3] < two[4] < end


def test_a_clock_needs_a_time_zone() -> None:
    from datetime import datetime

    with pytest.raises(agentops.ConfigError, match="time zone"), frozen_clock(datetime(2026, 1, 1)):  # noqa: DTZ001 - without a zone on purpose
        pass


PROGRAM = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import agentops_sdk as agentops
from agentops_sdk.testing import capture

seen = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(seen))
trace.set_tracer_provider(provider)
agentops.init(exporters=["memory"], integrations=[])

@agentops.agent
def planner():
    pass

planner()
with capture() as traces:
    with trace.get_tracer("mine").start_as_current_span("request"):
        planner()
        agentops.init(integrations=[])
        planner()
planner()
assert traces.spans.names == ["planner", "planner"], traces
assert len(traces) == 1  # the program's own span holds them together
assert [span.name for span in seen.get_finished_spans()] == ["invoke_agent planner", "request", "invoke_agent planner"]
"""


def test_a_program_with_its_own_provider(tmp_path: Path) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
