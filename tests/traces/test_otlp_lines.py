"""Lines of OTLP/JSON: read like the message classes read them, without a message for each span."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.traces.samples import run, span, troubled

from agentops_sdk.traces import SpanRecord, load
from agentops_sdk.traces.otlp import from_otlp_json, to_otlp_json

PLAIN: dict[str, Any] = {
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "step",
    "startTimeUnixNano": "1786000000000000000", "endTimeUnixNano": "1786000001000000000",
}  # fmt: skip
VALUES: tuple[Any, ...] = (
    {}, {"stringValue": ""}, {"stringValue": "é\u0000"}, {"boolValue": False}, {"intValue": "-9223372036854775808"},
    {"intValue": 7}, {"intValue": "007"}, {"doubleValue": 0.5}, {"doubleValue": 3}, {"doubleValue": "NaN"},
    {"doubleValue": "-Infinity"}, {"doubleValue": "1.5"}, {"bytesValue": "AAEC"}, {"bytesValue": "_-8"},
    {"arrayValue": {}}, {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "a"}, {}]}},
    {"kvlistValue": {"values": [{"key": "$bytes", "value": {"stringValue": "x"}}]}},
    {"kvlistValue": {"values": [{"key": "b", "value": {"bytesValue": "AAEC"}}, {"key": "n"}]}},
    {"string_value": "snake"}, {"kvlistValue": {"values": [{"key": "$float", "value": {"doubleValue": "NaN"}}]}},
)  # fmt: skip
SPANS: dict[str, dict[str, Any]] = {
    "plain": {},
    **{f"value {number}": {"attributes": [{"key": "a", "value": value}]} for number, value in enumerate(VALUES)},
    "no value": {"attributes": [{"key": "a"}]},
    "said twice": {"attributes": [{"key": "a", "value": {"intValue": 1}}, {"key": "a", "value": {"intValue": 2}}]},
    "words for numbers": {"kind": "SPAN_KIND_CLIENT", "status": {"code": "STATUS_CODE_ERROR", "message": "no"}},
    "numbers": {"kind": 3, "status": {"code": 2}, "startTimeUnixNano": 5, "flags": 257, "traceState": "a=b"},
    "capitals": {"traceId": PLAIN["traceId"].upper()},
    "no parent": {"parentSpanId": ""},
    "a parent": {"parentSpanId": "00f067aa0ba902b8"},
    "null": {"parentSpanId": None, "attributes": None, "status": None},
    "snake case": {"parent_span_id": "APBnqgupArg="},
    "unknown": {"colour": "red", "shape_of": [1]},
    "dropped": {"droppedAttributesCount": 1, "droppedEventsCount": 2, "droppedLinksCount": 3},
    "event": {"events": [{"name": "e", "timeUnixNano": "5", "droppedAttributesCount": 2}, {}]},
    "link": {"links": [{"traceId": "a" * 32, "spanId": "b" * 16, "flags": 1, "traceState": "c=d"}]},
    "ours": {"attributes": [{"key": "agentops.kind", "value": {"stringValue": "tool"}},
                            {"key": "agentops.outcome", "value": {"stringValue": "abandoned"}}]},
}  # fmt: skip
SHARED: tuple[dict[str, Any], ...] = (
    {},
    {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]}, "schemaUrl": "https://r"},
    {"resource": None},
    {"resource": {"attributes": [{"key": "n", "value": {"doubleValue": "1e3"}}]}},
)


def line(*spans: dict[str, Any], scope: dict[str, Any] | None = None, **group: Any) -> dict[str, Any]:
    return {"resourceSpans": [{**group, "scopeSpans": [{**(scope or {}), "spans": list(spans)}]}]}


def read(*lines: Any) -> list[SpanRecord]:
    traces = load([json.dumps(one) for one in lines])
    assert traces.foreign == 0
    return [record for trace_id in traces.ids for record in traces.records(trace_id)]


def plain(records: Any) -> list[dict[str, Any]]:
    return [json.loads(record.model_dump_json(exclude_defaults=True)) for record in records]


@pytest.mark.parametrize("more", SPANS.values(), ids=SPANS)
@pytest.mark.parametrize("shared", SHARED, ids=str)
def test_a_span_is_read_as_the_message_classes_read_it(more: dict[str, Any], shared: dict[str, Any]) -> None:
    scope = {"scope": {"name": "n", "version": "1"}, "schemaUrl": "https://s"}
    data = line({**PLAIN, **more}, scope=scope, **shared)
    assert plain(read(data)) == plain(from_otlp_json(copy.deepcopy(data)))


def test_what_we_write_comes_back() -> None:
    records = [*run(), *troubled()]
    data = to_otlp_json(records)
    assert sorted(plain(read(data)), key=str) == sorted(plain(from_otlp_json(data)), key=str)


@pytest.mark.parametrize("bad", [7, None, [], "x", {"traceId": "zz"}, {**PLAIN, "attributes": 3}], ids=str)
def test_a_bad_span_costs_no_other(bad: Any) -> None:
    traces = load([json.dumps(line(PLAIN, bad, {**PLAIN, "spanId": "1" * 16}))])
    assert (len(traces.latest), traces.foreign) == (2, 1)


@pytest.mark.parametrize("bad", [7, None, [], {"scopeSpans": 3}, {"scopeSpans": [3]}], ids=str)
def test_a_bad_group_costs_no_other(bad: Any) -> None:
    whole = line(PLAIN)
    traces = load([json.dumps({"resourceSpans": [bad, *whole["resourceSpans"]]})])
    assert len(traces.latest) == 1


CODE = """
import sys
from agentops_sdk.cli import main
assert main(["show", "--dir", sys.argv[1]]) == 0
print(sorted(name for name in sys.modules if name.startswith("google.protobuf")))
"""


def test_usual_lines_need_no_message_classes(tmp_path: Path) -> None:
    """They take ten times as long: a trace of a million spans would be read for minutes."""
    path = tmp_path / "t.jsonl"
    records = [span(f"s{number}", span_id=f"{number + 1:016x}") for number in range(50)]
    path.write_text(json.dumps(to_otlp_json(records)) + "\n")
    out = subprocess.check_output([sys.executable, "-c", CODE, str(path)], encoding="utf-8")
    assert "s49" in out
    assert out.splitlines()[-1] == "[]"
