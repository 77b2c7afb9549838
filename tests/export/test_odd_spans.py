"""Spans that no encoder takes as they are: each gets through every sink, marked, and never costs another one."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags
from tests.export.receiver import RESOURCE, SCOPE, Receiver, spans

import agentops_sdk as agentops
from agentops_sdk._pipeline.sinks import Sink, ThreadedSink
from agentops_sdk.exporters.console import ConsoleExporter
from agentops_sdk.exporters.jsonl import JsonlExporter
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.exporters.otlp import OTLPExporter
from agentops_sdk.traces import load
from agentops_sdk.traces.formats.wire_values import encodable
from agentops_sdk.traces.otlp import to_otlp

NOW = 1_700_000_000_000_000_000
LONE = "a\ud800b"
ESCAPED = "a\\ud800b"
ITSELF: list[Any] = []
ITSELF += [ITSELF, ITSELF]
DEEP: list[Any] = []
for _ in range(3_000):
    DEEP = [DEEP]


def odd(name: str = "odd", **changes: Any) -> ReadableSpan:
    fields: dict[str, Any] = {
        "context": SpanContext(0xABC, 0xDEF, False, TraceFlags(1)),
        "resource": RESOURCE,
        "attributes": {"plain": "text"},
        "start_time": NOW,
        "end_time": NOW + 5,
        "instrumentation_scope": SCOPE,
    }
    return ReadableSpan(name, **{**fields, **changes})


def attribute(value: Any) -> ReadableSpan:
    return odd(attributes={"plain": "text", "value": value})


ODD = {
    "name": odd(LONE),
    "message": odd(status=Status(StatusCode.ERROR, LONE)),
    "attribute": attribute(LONE),
    "attribute name": odd(attributes={LONE: 1}),
    "list": attribute(["x", LONE]),
    "nested": attribute({"list": [{LONE: LONE}], "none": None}),
    "event": odd(events=[Event(LONE, {"x": LONE}, NOW)]),
    "event time": odd(events=[Event("e", {}, 10**30)]),
    "link": odd(links=[Link(SpanContext(1, 2, True), {"x": LONE})]),
    "resource": odd(resource=Resource({"service.name": LONE, "bytes": b"\xff"})),
    "scope": odd(instrumentation_scope=InstrumentationScope(LONE, LONE)),
    "year 20000": odd(start_time=569_000_000_000 * 10**9, end_time=10**40),
    "before 1970": odd(start_time=-(10**18)),
    "time of 64 bits": odd(end_time=2**64 - 1),
    "fraction": odd(end_time=NOW + 0.5),
    "large number": attribute(2**63),
    "larger number": attribute(-(10**30)),
    "largest number": attribute(10**5000),
    "numbers": attribute([1, 2**70]),
    "not a number": attribute(math.nan),
    "infinite": attribute([math.inf, -math.inf]),
    "bytes": attribute(b"\xff\x00"),
    "bytearray": attribute(bytearray(b"\xff")),
    "object": attribute(object()),
    "set": attribute({1, 2}),
    "itself": attribute(ITSELF),
    "deep": attribute(DEEP),
    "name of another type": odd(7),  # type: ignore[arg-type]  # wrong on purpose
    "attribute name of another type": odd(attributes={7: "seven", None: "none"}),
}
every = pytest.mark.parametrize("span", ODD.values(), ids=ODD)
BROKEN = {
    "no context": odd(context=None),
    "a kind of its own": odd(kind="server"),
    "no status": odd(status=None),
    "id too large": odd(context=SpanContext(2**130, 2**70, False)),
}
broken = pytest.mark.parametrize("span", BROKEN.values(), ids=BROKEN)


def among(span: ReadableSpan) -> list[ReadableSpan]:
    return [*spans(30), span, *spans(30, start=30)]


NEIGHBOURS = {f"s{number}" for number in range(60)}


@every
def test_over_otlp(span: ReadableSpan, receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sink = OTLPExporter(receiver.url, directory=tmp_path)
    with caplog.at_level(logging.DEBUG):
        sink.export(among(span))
        assert sink.force_flush(20_000)
    assert len(receiver.names) == 61
    assert set(receiver.names) > NEIGHBOURS
    assert sink.stats()["dropped"] == {}
    assert [record for record in caplog.records if "proto" in record.name] == []  # nothing left out by the encoder
    sink.shutdown()


@every
def test_as_jsonl(span: ReadableSpan, tmp_path: Path) -> None:
    sink = JsonlExporter(tmp_path)
    sink.export(among(span))
    sink.shutdown()
    assert (sink.stats()["exported"], sink.stats()["dropped"]) == (61, {})
    traces = load(tmp_path)
    assert (len(traces), traces.foreign, traces.torn) == (61, 0, 0)
    assert {trace.name for trace in traces} > NEIGHBOURS
    record = traces["abc".zfill(32)].root
    assert sum(len(scope.spans) for group in to_otlp([record]).resource_spans for scope in group.scope_spans) == 1


@every
def test_on_the_console_and_in_memory(span: ReadableSpan, capsys: pytest.CaptureFixture[str]) -> None:
    console, memory = ConsoleExporter(), MemoryExporter()
    for sink in (console, memory):
        assert sink.export(among(span)) is SpanExportResult.SUCCESS
        assert sink.force_flush()
    shown = capsys.readouterr().err
    assert all(name in shown for name in NEIGHBOURS)
    assert len(memory.finished_spans()) == 61


@every
def test_what_is_encodable_stays_so(span: ReadableSpan) -> None:
    fit = encodable(span)
    assert encodable(fit) is fit
    json.dumps(dict(fit.attributes or {}), default=repr).encode()


def test_a_span_without_fault_is_not_copied() -> None:
    for span in (*spans(1), odd(attributes={"ü": "ö", "n": 1, "list": ("a", "b"), "none": None, "map": {"k": [1.5]}})):
        assert encodable(span) is span


def test_what_was_changed_is_named_and_nothing_else_is() -> None:
    span = encodable(
        odd(
            LONE,
            attributes={"good": "x", "bad": LONE, "large": 2**64, LONE: [1]},
            events=[Event("e", {"bad": LONE}, -1)],
            start_time=-5,
            status=Status(StatusCode.ERROR, "good"),
        )
    )
    attributes = dict(span.attributes or {})
    assert attributes.pop("agentops.altered") == sorted(
        ["name", "bad", "large", ESCAPED, "events.bad", "events.time", "start_time"]
    )
    assert attributes == {"good": "x", "bad": ESCAPED, "large": str(2**64), ESCAPED: [1]}
    assert (span.name, span.start_time, span.end_time) == (ESCAPED, 0, NOW + 5)
    assert (span.events[0].attributes, span.events[0].timestamp) == ({"bad": ESCAPED}, 0)
    assert (span.resource, span.instrumentation_scope) == (RESOURCE, SCOPE)


def test_what_did_not_fit_before_is_still_counted() -> None:
    from opentelemetry.sdk.trace import SpanLimits

    provider = TracerProvider(span_limits=SpanLimits(max_span_attributes=2, max_events=1, max_links=1))
    links = [Link(SpanContext(1, 2, True)), Link(SpanContext(3, 4, True))]
    span = provider.get_tracer("t").start_span(LONE, links=links)
    for number in range(5):
        span.set_attribute(f"k{number}", number)
        span.add_event(f"e{number}")
    span.end()
    fit = encodable(span)  # type: ignore[arg-type]  # wrong on purpose
    assert fit is not span
    assert (fit.dropped_attributes, fit.dropped_events, fit.dropped_links) == (3, 4, 1)


@broken
def test_what_cannot_be_written_at_all_is_lost_alone_and_counted(
    span: ReadableSpan, receiver: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    otlp = OTLPExporter(receiver.url, directory=tmp_path)
    jsonl = JsonlExporter(tmp_path / "traces")
    console = ConsoleExporter()
    for sink in (otlp, jsonl, console):
        sink.export(among(span))
        assert sink.force_flush(20_000)
    assert set(receiver.names) >= NEIGHBOURS
    shown = capsys.readouterr().err
    assert all(name in shown for name in NEIGHBOURS)
    for sink in (otlp, jsonl):
        stats = sink.stats()
        assert stats["accepted"] == stats["exported"] + sum(stats["dropped"].values()) == 61
        assert set(stats["dropped"]) <= {"unencodable"}
        assert not stats["dropped"] or stats["last_error"]
    assert {trace.name for trace in load(tmp_path / "traces")} >= NEIGHBOURS
    otlp.shutdown()
    jsonl.shutdown()


class Picky:
    """Somebody's exporter that encodes a whole batch and raises if it does not like a span."""

    def __init__(self, hates: set[str]) -> None:
        self.hates = hates
        self.names: list[str] = []
        self.calls = 0

    def export(self, batch: Any) -> SpanExportResult:
        self.calls += 1
        if self.hates & {span.name for span in batch}:
            raise RuntimeError("not this one")
        self.names += [span.name for span in batch]
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True

    def shutdown(self) -> None: ...


@pytest.mark.parametrize("adapter", [Sink, ThreadedSink])
@pytest.mark.parametrize("hates", [{"s0"}, {"s59"}, {"s31"}, {"s0", "s7", "s8", "s58"}, {"s0", "s1"}])
def test_an_exporter_that_raises_over_one_span_gets_the_others(adapter: type[Sink], hates: set[str]) -> None:
    exporter = Picky(hates)
    sink = adapter("picky", exporter)  # type: ignore[arg-type]  # an exporter by its methods
    sink.put(spans(60))
    assert sink.flush(20)
    assert sorted(exporter.names) == sorted(NEIGHBOURS - hates)
    account = sink.account()
    assert (account["accepted"], account["exported"], account["dropped"]) == (
        60,
        60 - len(hates),
        {"RuntimeError": len(hates)},
    )
    assert exporter.calls < 60
    sink.shutdown(5)


def test_an_exporter_that_raises_over_everything_is_not_asked_over_and_over() -> None:
    exporter = Picky(NEIGHBOURS)
    sink = Sink("picky", exporter)  # type: ignore[arg-type]  # an exporter by its methods
    sink.put(spans(60))
    assert exporter.calls == 3
    assert sink.account()["dropped"] == {"RuntimeError": 60}
    assert sink.account()["pending"] == 0


@pytest.mark.parametrize("joined", [False, True])
def test_from_the_users_code_to_every_sink(
    joined: bool, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opentelemetry import trace

    provider = TracerProvider()
    if joined:
        monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    third = Picky(set())
    agentops.init(exporters=["jsonl", f"otlp:{receiver.url}", third], directory=tmp_path)

    @agentops.tool(name=LONE)
    def tool(text: str) -> str:
        raise ValueError(LONE)

    with agentops.span("outer"):
        with pytest.raises(ValueError, match="a"):
            tool(LONE)
        with agentops.span(LONE):
            agentops.decide(LONE, LONE, options=[LONE, "other"], reason=LONE)
        with agentops.span("inner"):
            pass
    result = agentops.flush(20)
    assert (result.lost, result.remaining) == (0, 0)
    shown = sorted(span.name for span in load(tmp_path / "traces").latest)
    assert shown == sorted(receiver.names) == sorted(third.names)
    assert {"outer", "inner"} < set(shown)
    assert len(shown) == 5
