"""Records to OTLP and back: nothing is lost, whatever the attributes hold."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from tests.traces.samples import run, span, troubled

from agentops_sdk import semconv
from agentops_sdk.traces import SpanRecord
from agentops_sdk.traces.classify import kind_of, outcome_of
from agentops_sdk.traces.formats.json_values import from_json, to_json
from agentops_sdk.traces.otlp import from_otlp, from_otlp_json, to_otlp, to_otlp_json

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalar = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), text, st.binary(max_size=8),
    st.sampled_from(["$bytes", "$float", "$map"]),
)  # fmt: skip
keys = st.one_of(text, st.sampled_from(["$bytes", "$float", "$map"]))
value = st.recursive(
    scalar, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=2)), max_leaves=6
)
attributes = st.dictionaries(text, value.map(to_json), max_size=4)
told = st.fixed_dictionaries(
    {},
    optional={
        semconv.OPERATION_NAME: st.sampled_from([*semconv.KIND_OF_OPERATION, "other"]),
        semconv.KIND: st.sampled_from(semconv.KINDS),
        semconv.OUTCOME: st.sampled_from(semconv.OUTCOMES),
    },
)
ns = st.integers(0, 2**62)
small = st.integers(0, 2**32 - 1)


def hex_id(size: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=size, max_size=size).map(bytes.hex)


@st.composite
def records(draw: st.DrawFn) -> SpanRecord:
    own = {**draw(attributes), **draw(told)}
    status = draw(st.sampled_from(["unset", "ok", "error"]))
    made: dict[str, Any] = {
        "trace_id": draw(hex_id(16)),
        "span_id": draw(hex_id(8)),
        "parent_id": draw(st.none() | hex_id(8)),
        "name": draw(text),
        "kind": kind_of(own),
        "span_kind": draw(st.sampled_from(["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"])),
        "start_ns": draw(ns),
        "end_ns": draw(ns),
        "status": status,
        "status_message": draw(st.none() | text.filter(bool)),
        "outcome": outcome_of(own, status),
        "attributes": own,
        "events": draw(
            st.lists(
                st.fixed_dictionaries({"name": text, "time_ns": ns, "attributes": attributes, "dropped": small}),
                max_size=2,
            )
        ),
        "links": draw(
            st.lists(
                st.fixed_dictionaries(
                    {"trace_id": hex_id(16), "span_id": hex_id(8), "trace_state": text, "flags": small,
                     "attributes": attributes, "dropped": small}
                ),
                max_size=2,
            )
        ),
        "resource": draw(attributes),
        "resource_schema_url": draw(st.none() | text.filter(bool)),
        "scope": {"name": draw(text), "version": draw(st.none() | text.filter(bool)), "attributes": draw(attributes)},
        "trace_state": draw(text),
        "flags": draw(small),
        "dropped": {"attributes": draw(small), "events": draw(small), "links": draw(small)},
    }  # fmt: skip
    return SpanRecord.model_validate(made)


def lines(given: list[SpanRecord]) -> list[str]:
    # Typed and NaN-proof; OTLP groups by resource, so the order may change.
    return sorted(repr(record.model_dump()) for record in given)


@settings(max_examples=50, deadline=None)
@given(st.lists(records(), max_size=3))
def test_protobuf_round_trip(given: list[SpanRecord]) -> None:
    wire = to_otlp(given).SerializeToString()
    assert lines(list(from_otlp(TracesData.FromString(wire)))) == lines(given)


@settings(max_examples=50, deadline=None)
@given(st.lists(records(), max_size=3))
def test_json_round_trip(given: list[SpanRecord]) -> None:
    wire = json.dumps(to_otlp_json(given))
    assert lines(list(from_otlp_json(json.loads(wire)))) == lines(given)


@settings(max_examples=100, deadline=None)
@given(value)
def test_values_come_back_as_they_were(given: Any) -> None:
    read = json.loads(json.dumps(to_json(given), allow_nan=False))
    assert repr(from_json(read)) == repr(given)


def test_json_has_hex_ids_and_grouping() -> None:
    data = to_otlp_json([*run(), *troubled()])
    (group,) = data["resourceSpans"]
    (scope,) = group["scopeSpans"]
    assert scope["spans"][0]["traceId"] == run()[0].trace_id
    assert scope["spans"][0]["kind"] == 3
    assert len(scope["spans"]) == len(run()) + len(troubled())


def test_a_kind_the_attributes_do_not_tell_is_added() -> None:
    record = span("x").model_copy(update={"kind": "guardrail", "outcome": "cancelled"})
    (back,) = from_otlp(to_otlp([record]))
    assert (back.kind, back.outcome) == ("guardrail", "cancelled")
    assert back.attributes == {semconv.KIND: "guardrail", semconv.OUTCOME: "cancelled"}
