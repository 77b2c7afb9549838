"""Spans of others between ours: in our files each has a parent that is in them; the program's exporter sees all."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agentops_sdk as agentops
from agentops_sdk.traces import SpanRecord, Trace, load


class World:
    """A program with spans of its own, through a provider that we join or one that we know nothing of."""

    def __init__(self, provider: TracerProvider, home: Path) -> None:
        self.exporter = InMemorySpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = provider.get_tracer("theirs")
        self.home = home
        agentops.init(directory=home, integrations=[])

    def ours(self) -> Trace:
        agentops.flush()
        (trace,) = load(self.home / "traces")
        assert trace.orphans == []
        assert "(parent missing)" not in trace.tree()
        assert all(one.scope.name == "agentops_sdk" for one in trace)
        return trace

    def their_parent(self, name: str) -> str | None:
        """The name of the parent that the program's exporter sees."""
        spans = {span.context.span_id: span for span in self.exporter.get_finished_spans()}
        (span,) = (span for span in spans.values() if span.name == name)
        return spans[span.parent.span_id].name if span.parent is not None else None


@pytest.fixture(params=["joined", "separate"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    provider = TracerProvider()
    if request.param == "joined":
        monkeypatch.setattr(otel, "_TRACER_PROVIDER", provider)
    world = World(provider, tmp_path)
    yield world
    provider.shutdown()


def joined(world: World) -> bool:
    return hasattr(otel.get_tracer_provider(), "add_span_processor")


def linked(span: SpanRecord) -> list[str]:
    return [link.span_id for link in span.links if link.attributes.get("agentops.link.type") == "parent"]


def hex_of(span: Any) -> str:
    return f"{span.get_span_context().span_id:016x}"


def by_name(trace: Trace) -> dict[str, SpanRecord]:
    return {one.name.split()[-1]: one for one in trace}


def test_the_nearest_ancestor_of_ours_is_the_parent_and_the_true_one_a_link(world: World) -> None:
    with agentops.span("A", kind="agent"):
        with (
            world.tracer.start_as_current_span("one"),
            world.tracer.start_as_current_span("two") as two,
            agentops.span("B", kind="tool"),
            agentops.span("C", kind="tool"),
        ):
            pass
        with agentops.span("D", kind="tool"):
            pass
    trace = world.ours()
    spans = by_name(trace)
    assert [one.name for one in trace.ancestors(spans["C"])] == ["execute_tool B", "invoke_agent A"]
    assert trace.parent(spans["D"]) is spans["A"]
    assert linked(spans["B"]) == [hex_of(two)]
    assert linked(spans["A"]) == linked(spans["C"]) == linked(spans["D"]) == []
    assert (trace.complete, trace.outcome, trace.root.name) == (True, "ok", "invoke_agent A")
    if joined(world):
        assert world.their_parent("execute_tool B") == "two"
        assert [span.links for span in world.exporter.get_finished_spans() if span.name == "execute_tool B"] == [()]
    assert world.their_parent("two") == "one"


def test_below_a_request_of_the_programs_own_a_run_is_whole(world: World) -> None:
    with (
        world.tracer.start_as_current_span("GET /") as request,
        agentops.span("A", kind="agent"),
        agentops.span("B", kind="tool"),
    ):
        pass
    trace = world.ours()
    assert (trace.root.parent_id, trace.complete, trace.outcome) == (None, True, "ok")
    assert linked(trace.root) == [hex_of(request)]
    assert trace.trace_id == f"{request.get_span_context().trace_id:032x}"


def test_a_parent_in_another_service_stays_the_parent(world: World) -> None:
    elsewhere = otel.SpanContext(0xAB << 96, 0xCD, is_remote=True, trace_flags=otel.TraceFlags(1))
    remote = otel.set_span_in_context(otel.NonRecordingSpan(elsewhere), Context())
    with world.tracer.start_as_current_span("GET /", context=remote) as request, agentops.span("A", kind="agent"):
        pass
    trace = world.ours()
    assert (trace.root.parent_id, trace.root.flags & 0x300) == (f"{0xCD:016x}", 0x300)
    assert linked(trace.root) == [hex_of(request)]
    assert "(parent elsewhere)" in trace.tree()
    assert trace.complete


def test_a_trace_that_is_carried_on_by_hand(world: World) -> None:
    """By its ids alone, without saying that they come from elsewhere; also those of a span of ours."""
    elsewhere = otel.SpanContext(0xAB << 96, 0xCD, is_remote=False, trace_flags=otel.TraceFlags(1))
    token = attach(otel.set_span_in_context(otel.NonRecordingSpan(elsewhere), Context()))
    try:
        with agentops.span("A", kind="agent") as span:
            bare = otel.SpanContext(
                int(span.trace_id, 16), int(span.span_id, 16), is_remote=False, trace_flags=otel.TraceFlags(1)
            )
            inner = attach(otel.set_span_in_context(otel.NonRecordingSpan(bare), Context()))
            with agentops.span("B", kind="tool"):
                pass
            detach(inner)
    finally:
        detach(token)
    trace = world.ours()
    assert (trace.root.parent_id, trace.root.links, trace.complete) == (f"{0xCD:016x}", [], True)
    assert "(parent elsewhere)" in trace.tree()
    assert trace.parent(by_name(trace)["B"]) is trace.root


def test_a_span_that_is_handed_to_a_thread_by_itself(world: World) -> None:
    with agentops.span("A", kind="agent"), world.tracer.start_as_current_span("theirs") as span:

        def work() -> None:
            with otel.use_span(span), agentops.span("B", kind="tool"):
                pass

        thread = threading.Thread(target=work)
        agentops.init(propagate_threads=False)
        thread.start()
        thread.join()
    trace = world.ours()
    assert trace.parent(by_name(trace)["B"]) is trace.root
    assert linked(by_name(trace)["B"]) == [hex_of(span)]


def test_two_of_theirs_handed_over_without_a_context_of_ours(world: World) -> None:
    with agentops.span("A", kind="agent"), world.tracer.start_as_current_span("outer") as outer:
        above = otel.set_span_in_context(outer, Context())
    with world.tracer.start_as_current_span("inner", context=above):
        pass
    inner = world.tracer.start_span("inner 2", context=above)
    with otel.use_span(inner, end_on_exit=True), agentops.span("B", kind="tool"):
        pass
    trace = world.ours()
    assert linked(by_name(trace)["B"]) == [hex_of(inner)]
    if joined(world):  # of a provider that we are no part of, only one step up can be seen
        assert trace.parent(by_name(trace)["B"]) is by_name(trace)["A"]


def test_a_span_of_theirs_that_outlives_ours(world: World) -> None:
    async def main() -> None:
        started = asyncio.Event()

        async def later() -> None:
            with world.tracer.start_as_current_span("theirs"):
                await started.wait()
                with agentops.span("B", kind="tool"):
                    pass

        with agentops.span("A", kind="agent"):
            task = asyncio.create_task(later())
            await asyncio.sleep(0)
        started.set()
        await task

    asyncio.run(main())
    trace = world.ours()
    assert trace.parent(by_name(trace)["B"]) is by_name(trace)["A"]


def test_another_trace_of_theirs_inside_ours_is_another_trace(world: World, tmp_path: Path) -> None:
    with (
        agentops.span("A", kind="agent"),
        world.tracer.start_as_current_span("theirs", context=Context()),
        agentops.span("B", kind="tool"),
    ):
        pass
    agentops.flush()
    traces = {trace.name: trace for trace in load(tmp_path / "traces")}
    assert set(traces) == {"invoke_agent A", "execute_tool B"}
    assert all(trace.complete and not trace.orphans for trace in traces.values())


def test_what_is_open_below_a_span_of_theirs(world: World, tmp_path: Path) -> None:
    with (
        agentops.span("A", kind="agent"),
        world.tracer.start_as_current_span("theirs"),
        agentops.span("B", kind="tool"),
    ):
        deadline = time.monotonic() + 30
        while not (opened := list(tmp_path.rglob("*.open"))) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert opened
        trace = world.ours()
        assert [one.name for one in trace.ancestors(by_name(trace)["B"])] == ["invoke_agent A"]
        assert [one.outcome for one in trace] == ["running", "running"]
    assert world.ours().complete


def test_leaving_forgets_and_takes_nothing_along(world: World) -> None:
    with world.tracer.start_as_current_span("theirs"):
        with agentops.span("A", kind="agent"):
            pass
        agentops.shutdown()
        with world.tracer.start_as_current_span("after"):
            pass
    assert [span.name for span in world.exporter.get_finished_spans()][-1] == "theirs"
