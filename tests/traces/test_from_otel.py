"""A real SDK span as a record: every field, every attribute type, and JSON that is always valid."""

from __future__ import annotations

import json
import subprocess
import sys

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from opentelemetry import trace as otel
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags, TraceState
from tests.export.test_span_encoding import SPANS, finished

from agentops_sdk import semconv
from agentops_sdk.traces import SpanRecord
from agentops_sdk.traces.formats.from_otel import record_dict, record_line
from agentops_sdk.traces.otlp import from_otlp


@pytest.fixture
def spans() -> list[ReadableSpan]:
    sink = InMemorySpanExporter()
    provider = TracerProvider(
        resource=Resource({"service.name": "demo", "n": 1}, "https://example.test/schema"),
        span_limits=SpanLimits(max_events=1),
    )
    provider.add_span_processor(SimpleSpanProcessor(sink))
    tracer = provider.get_tracer("demo", "1.2", "https://example.test/scope", {"a": True})
    elsewhere = SpanContext(0xAB, 0xCD, True, TraceFlags(1), TraceState([("vendor", "x")]))
    context = otel.set_span_in_context(NonRecordingSpan(elsewhere))
    with tracer.start_as_current_span(
        "chat m",
        context,
        kind=SpanKind.CLIENT,
        links=[Link(elsewhere, {"why": "handoff"})],
        attributes={
            semconv.OPERATION_NAME: "chat",
            "i": 2**40,
            "f": 1.0,
            "b": False,
            "s": "ü\x00",
            "list": ["a", "b"],
            "floats": [1.5, 2.0],
        },
    ) as outer:
        outer.add_event("first")
        outer.add_event("second", {"x": 1})
        with pytest.raises(ZeroDivisionError), tracer.start_as_current_span("inner"):
            _ = 1 / 0
    provider.shutdown()
    return list(sink.get_finished_spans())


def test_every_field(spans: list[ReadableSpan]) -> None:
    inner, outer = (SpanRecord.model_validate_json(record_line(span)) for span in spans)
    assert outer.trace_id == f"{0xAB:032x}"
    assert outer.parent_id == f"{0xCD:016x}"
    assert (outer.kind, outer.span_kind, outer.status, outer.outcome) == ("llm", "CLIENT", "unset", "ok")
    assert outer.flags == 0x301
    assert outer.trace_state == "vendor=x"
    assert outer.attributes == {
        semconv.OPERATION_NAME: "chat",
        "i": 2**40,
        "f": 1.0,
        "b": False,
        "s": "ü\x00",
        "list": ["a", "b"],
        "floats": [1.5, 2.0],
    }
    assert type(outer.attributes["f"]) is float
    assert [event.name for event in outer.events] == ["second"]
    assert outer.dropped.events == 1
    assert (outer.links[0].trace_id, outer.links[0].attributes) == (f"{0xAB:032x}", {"why": "handoff"})
    assert outer.resource == {"service.name": "demo", "n": 1}
    assert outer.resource_schema_url == "https://example.test/schema"
    assert (outer.scope.name, outer.scope.version, outer.scope.attributes) == ("demo", "1.2", {"a": True})
    assert outer.end_ns >= outer.start_ns
    assert outer.start is not None
    assert inner.parent_id == outer.span_id
    assert (inner.status, inner.outcome, inner.flags) == ("error", "error", 0x101)
    assert inner.status_message == "ZeroDivisionError: division by zero"
    assert inner.events[0].attributes[semconv.EXCEPTION_TYPE] == "ZeroDivisionError"


def test_the_same_as_the_reference_encoder(spans: list[ReadableSpan]) -> None:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    theirs = {record.span_id: record for record in from_otlp(encode_spans(spans).resource_spans)}
    for span in spans:
        ours = SpanRecord.model_validate(record_dict(span))
        other = theirs[ours.span_id].model_dump()
        mine = ours.model_dump()
        # The reference encoder leaves these out: trace flags, a link's trace state, a scope's attributes' order.
        for record in (mine, other):
            del record["flags"]
            for link in record["links"]:
                del link["flags"], link["trace_state"]
        assert mine == other


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
@given(SPANS)
def test_a_line_put_together_of_pieces_is_the_same(span: ReadableSpan) -> None:
    one, other = finished(span), finished(span)
    one.is_fit = True
    for fields in (one, other):
        fields.attributes[semconv.KIND] = "task"
    for _ in range(2):  # what has been written once is known the second time
        assert record_line(one) == record_line(other) == orjson.dumps(record_dict(other)) + b"\n"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (float("nan"), {"$float": "nan"}),
        (float("-inf"), {"$float": "-inf"}),
        (b"\x00\xff", {"$bytes": "AP8="}),
        (2**70, str(2**70)),
        ("\ud800!", "???!"),
        ({"$bytes": "x"}, {"$map": {"$bytes": "x"}}),
        ({"a": [b"1"]}, {"a": [{"$bytes": "MQ=="}]}),
        ([None, True], [None, True]),
    ],
)
def test_values_json_cannot_hold(value: object, written: object) -> None:
    context = SpanContext(1, 2, False)
    span = ReadableSpan("x", context, attributes={"k": value}, start_time=1, end_time=2)  # type: ignore[dict-item]  # wrong on purpose
    read = orjson.loads(record_line(span))["attributes"]["k"]
    if isinstance(written, str) and "?" in written:
        assert read.endswith("!")
    else:
        assert read == written


def test_an_unfinished_span_is_no_problem() -> None:
    record = SpanRecord.model_validate(record_dict(ReadableSpan("x", SpanContext(1, 2, False))))
    assert record.start_ns == record.end_ns == 0


def test_no_pydantic_and_no_vendor_on_the_writing_path() -> None:
    code = (
        "import sys, json, agentops_sdk.traces.formats.from_otel\n"
        "print(json.dumps([m for m in ('pydantic', 'rich', 'google') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
