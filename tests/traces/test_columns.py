"""What columns tell of a span is what its record tells, whatever its line holds."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from tests.shared import shared
from tests.traces.samples import run, span, troubled

from agentops_sdk import semconv
from agentops_sdk.errors import TraceError
from agentops_sdk.traces import Trace, load
from agentops_sdk.traces.figures.outline import Outline
from agentops_sdk.traces.figures.span_facts import KIND_BITS, OUTCOME_BITS, OUTCOME_SHIFT, Fact
from agentops_sdk.traces.formats.parse import as_records, looks_like_record
from agentops_sdk.traces.record import Kind, Outcome

ODD: tuple[Any, ...] = (
    *(None, True, 0, 1, -1, 0x300, 2**63 - 1, 2**63, -(2**63), 2**70, 1.5, "", "x", "running", "error", "llm", "2025"),
    *("f" * 16, "F" * 16, "0" * 16, " " * 16, "f" * 32, "g" * 32),
    *([], [1], ["x"], {}, {"a": 1}, [{}], [{"name": "e", "time_ns": 1}], [{"name": "e", "time_ns": "x"}]),
)
FIELDS = (
    *("v", "trace_id", "span_id", "parent_id", "name", "kind", "span_kind", "start_ns", "end_ns", "start", "end"),
    *("status", "status_message", "outcome", "attributes", "events", "links", "resource", "resource_schema_url"),
    *("scope", "trace_state", "flags", "dropped", "process", "open_below", "new"),
)
ATTRIBUTES = (
    *(semconv.USAGE_INPUT_TOKENS, semconv.USAGE_SOURCE, semconv.COST_AMOUNT, semconv.COST_CURRENCY),
    *(semconv.COST_UNKNOWN_REASON, semconv.COST_ESTIMATED, semconv.RESPONSE_MODEL, semconv.REQUEST_MODEL),
    *(semconv.SESSION_ID, semconv.CONVERSATION_ID, semconv.CACHED, semconv.MISSING_SPANS, semconv.SAMPLED_ELSEWHERE),
    *(semconv.RESPONSE_ID, semconv.RESPONSE_FINISH_REASONS, semconv.TAGS, semconv.USAGE_TRAINED, semconv.USAGE_OF),
    *(semconv.RESPONSE_TIME_TO_FIRST_CHUNK, semconv.OPERATION_COST, semconv.USAGE_CACHE_WRITE),
    *(semconv.DECISION_NAME, semconv.DECISION_CHOSEN, semconv.DECISION_BY),
)


def call() -> dict[str, Any]:
    """A model call's line in which every field stands."""
    attributes = {
        semconv.OPERATION_NAME: "chat",
        semconv.REQUEST_MODEL: "m",
        semconv.USAGE_INPUT_TOKENS: 7,
        semconv.USAGE_OUTPUT_TOKENS: 3,
        semconv.USAGE_SOURCE: "reported",
        semconv.COST_AMOUNT: 0.25,
        semconv.COST_CURRENCY: "USD",
        semconv.RESPONSE_FINISH_REASONS: ["stop"],
    }
    events = [{"name": "e", "time_ns": 5, "attributes": {}}]
    links = [{"trace_id": "a" * 32, "span_id": "b" * 16}]
    record = span("chat m", attributes, events=events, links=links, flags=257, span_id="1" * 16)
    raw: dict[str, Any] = json.loads(record.model_dump_json())
    return {key: value for key, value in raw.items() if key not in ("process", "open_below")}


def figures(trace: Trace) -> dict[str, Any]:
    """What tables and trees ask of a trace."""
    return {
        "name": trace.name,
        "outcome": trace.outcome,
        "complete": trace.complete,
        "models": trace.models,
        "session": trace.session_id,
        "usage": trace.usage.as_dict(),
        "cost": trace.cost.as_dict(),
        "missing": trace.missing_spans,
        "calls": [one.span_id for one in trace.model_calls],
        "orphans": [one.span_id for one in trace.orphans],
        "open": [one.span_id for one in trace.open],
        "errors": [one.span_id for one in trace.errors],
        "decisions": [(one.name, one.choices, one.kind) for one in trace.decisions],
        "choices": trace.choices,
    }


def check(raw: dict[str, Any], tmp_path: Path) -> None:
    """Loading the line gives what its record gives, or counts the line where it is no record."""
    path = tmp_path / "t.jsonl"
    good = span("beside", trace_id="c" * 32)
    path.write_text(json.dumps(raw) + "\n" + good.model_dump_json() + "\n")
    raw = orjson.loads(json.dumps(raw))  # integers of more than 64 bits are floats to it
    expected: Trace | None = None
    if looks_like_record(raw):
        with suppress(ValueError):
            expected = Trace(list(as_records(raw, path)), missing="unfinished")
    traces = load(path)
    assert traces.foreign == (expected is None)
    if expected is None:
        assert traces.ids == [good.trace_id]
        return
    trace = traces[expected.trace_id]
    if expected.outcome not in semconv.NOT_ENDED:
        assert list(trace.spans) == list(expected.spans)
    assert figures(trace) == figures(expected)


@pytest.mark.parametrize("field", FIELDS)
def test_a_line_with_an_odd_field_is_read_as_its_record_or_counted(field: str, tmp_path: Path) -> None:
    for odd in ODD:
        if field == "trace_id" and odd == "c" * 32:
            continue
        check({**call(), field: odd}, tmp_path)
    check({key: value for key, value in call().items() if key != field}, tmp_path)


@pytest.mark.parametrize("outer", ["events", "links", "scope", "dropped", "resource"])
def test_a_line_with_an_odd_field_within_is_read_as_its_record_or_counted(outer: str, tmp_path: Path) -> None:
    for field in ("name", "time_ns", "attributes", "dropped", "trace_id", "span_id", "flags", "version", "events"):
        for odd in ODD:
            raw = deepcopy(call())
            inner = raw[outer][0] if isinstance(raw[outer], list) else raw[outer]
            inner[field] = odd
            check(raw, tmp_path)


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_an_odd_attribute_adds_up_alike(attribute: str, tmp_path: Path) -> None:
    for odd in (*ODD, "counted", "stop", ["refusal"], ["content_filter"]):
        raw = call()
        raw["attributes"][attribute] = odd
        check(raw, tmp_path)


@pytest.mark.parametrize("records", [run(), troubled()])
def test_samples_are_the_same_from_a_file_and_from_memory(records: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(record.model_dump_json() + "\n" for record in records))
    assert figures(load(path).latest) == figures(Trace(records, missing="unfinished"))


def test_foreign_formats_are_the_same_from_a_file_and_from_memory() -> None:
    folder = shared("faults")
    if folder is None:
        pytest.skip("../shared/faults is missing")
    compared = 0
    for path in sorted((folder / "files").glob("*.jsonl")):
        try:
            traces = load(path)
        except TraceError:
            continue
        for trace in traces:
            assert figures(trace) == figures(Trace(trace.spans, missing="unfinished")), path
            compared += 1
    assert compared > 1


def test_kinds_and_outcomes_have_room_beside_the_facts() -> None:
    assert len(get_args(Kind)) <= KIND_BITS + 1
    assert len(get_args(Outcome)) <= (OUTCOME_BITS >> OUTCOME_SHIFT) + 1
    bits = [value for name, value in vars(Fact).items() if name.isupper()]
    assert len(set(bits)) == len(bits)
    assert all(bit & (bit - 1) == 0 and not bit & (KIND_BITS | OUTCOME_BITS) for bit in bits)


def test_many_different_names_and_values_are_kept_without_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    from agentops_sdk.traces.figures import columns

    monkeypatch.setattr(columns, "_MOST_TEXTS", 3)
    monkeypatch.setattr(columns, "_MOST_WORDS", 3)
    monkeypatch.setattr(columns, "_MOST_SHAPES", 1)
    records = [span(f"chat {n}", {semconv.OPERATION_NAME: "chat", semconv.RESPONSE_MODEL: f"m{n}"}) for n in range(9)]
    trace = Trace(records)
    assert isinstance(trace.outline, Outline)
    assert [trace.outline.name(number) for number in range(9)] == [record.name for record in records]
    assert trace.models == [f"m{n}" for n in range(9)]
