"""Our encoder writes the bytes that OpenTelemetry's own writes, whatever a span holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from agentops_sdk.exporters.otlp import span_encoding
from agentops_sdk.exporters.otlp.span_encoding import encode, requests
from agentops_sdk.traces.formats.finished_span import FinishedEvent, FinishedSpan
from agentops_sdk.traces.formats.official_span import official

TEXT = st.text("aé€𝄞\0\n", max_size=6) | st.sampled_from(["x" * 64, "x" * 130, "ü" * 9_000])
INT64 = st.integers(-(2**63), 2**63 - 1)
PLAIN = st.none() | TEXT | st.booleans() | INT64 | st.floats() | st.binary(max_size=20)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)
ATTRIBUTES = st.dictionaries(TEXT, VALUES, max_size=5)
TIMES = st.none() | st.integers(0, 2**63 - 1)
STATES = st.none() | st.dictionaries(
    st.sampled_from(["vendor", "other"]), st.sampled_from(["1", "a-b"]), max_size=2
).map(lambda entries: TraceState(list(entries.items())))
CONTEXTS = st.builds(
    SpanContext, st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans(),
    st.sampled_from([TraceFlags(0), TraceFlags(1)]), STATES,
)  # fmt: skip
STATUSES = st.builds(Status, st.sampled_from([StatusCode.UNSET, StatusCode.OK])) | st.builds(
    Status, st.just(StatusCode.ERROR), st.none() | TEXT
)
SCOPES = [None, InstrumentationScope("ours", "1.0", "https://schema", {"k": 1}), InstrumentationScope("x", None, "")]
RESOURCES = [Resource({"service.name": "a", "n": 3, "l": ["x"]}, "https://schema"), Resource({}), Resource({"b": True})]
SPANS = st.builds(
    ReadableSpan,
    name=TEXT, context=CONTEXTS, parent=st.none() | CONTEXTS, resource=st.sampled_from(RESOURCES),
    attributes=ATTRIBUTES, kind=st.sampled_from(SpanKind), status=STATUSES, start_time=TIMES, end_time=TIMES,
    events=st.lists(st.builds(Event, TEXT, ATTRIBUTES, st.integers(0, 2**63 - 1)), max_size=2),
    links=st.lists(st.builds(Link, CONTEXTS, ATTRIBUTES), max_size=2),
    instrumentation_scope=st.sampled_from(SCOPES),
)  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
@given(st.lists(SPANS, min_size=1, max_size=4))
def test_the_bytes_are_those_of_opentelemetry(spans: list[ReadableSpan]) -> None:
    [(ours, count)] = requests(map(encode, spans), most_bytes=10**9, most_spans=100)
    theirs = encode_spans(spans)
    # Field by field first: that says what is wrong. NaN is equal to nothing.
    if "nan" not in str(theirs):
        assert ExportTraceServiceRequest.FromString(ours) == theirs
    assert ours == theirs.SerializeToString()
    assert count == len(spans)
    [(own, _)] = requests(map(encode, map(finished, spans)), most_bytes=10**9, most_spans=100)
    assert own == ours
    [(back, _)] = requests(map(encode, map(official, map(finished, spans))), most_bytes=10**9, most_spans=100)
    assert back == ours


def finished(span: ReadableSpan) -> Any:
    """The same as a span of ours."""
    return FinishedSpan(
        span.name, span.context, span.parent, span.resource, span.instrumentation_scope, dict(span.attributes or {}),
        span.kind, span.status, span.start_time, span.end_time,  # type: ignore[arg-type]  # None, too
        [FinishedEvent(event.name, event.attributes or {}, event.timestamp) for event in span.events], span.links,
    )  # fmt: skip


def span(**fields: Any) -> ReadableSpan:
    context = SpanContext(1, 2, is_remote=False)
    return ReadableSpan(**{"name": "n", "context": context, "resource": RESOURCES[0], **fields})


def test_no_span_of_ours_needs_the_other_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(span_encoding, "_by_opentelemetry")
    encode(span(attributes={"a": 1, "b": "x", "c": ["y"], "d": 1.5, "e": True, "f": {"g": b"h"}}))
    with pytest.raises(NameError):
        encode(span(attributes={"unknown": object()}))


def test_a_request_is_bounded() -> None:
    encoded = [encode(span(attributes={"text": "x" * size})) for size in (10, 500, 500, 2_000, 10)]
    parts = list(requests(encoded, most_bytes=1_300, most_spans=2))
    assert [count for _, count in parts] == [2, 1, 1, 1]  # the one that is too large goes alone
    sent = [ExportTraceServiceRequest.FromString(data) for data, _ in parts]
    texts = [
        one.attributes[0].value.string_value for part in sent for one in part.resource_spans[0].scope_spans[0].spans
    ]
    assert [len(text) for text in texts] == [10, 500, 500, 2_000, 10]
    assert all(part.resource_spans[0].resource == sent[0].resource_spans[0].resource for part in sent)


@pytest.mark.parametrize("size", [0, 1, *(2**bits + more for bits in (7, 11, 14, 21) for more in (-1, 0, 1))])
def test_lengths_of_any_size_are_written_as_protobuf_does(size: int) -> None:
    """A text of that length: what holds it, and holds that, is a few bytes longer, on either side of each limit."""
    for more in (0, -7, -14) if size > 2**20 else range(0, -min(size, 40) - 1, -3):
        span = ReadableSpan(
            "x", SpanContext(1, 2, is_remote=False), attributes={"text": "x" * (size + more)}, start_time=1, end_time=2
        )
        [(ours, _)] = requests([encode(span)], most_bytes=10**9, most_spans=1)
        assert ours == encode_spans([span]).SerializeToString()
