"""Random span forests: every query and every shape assertion agrees with a naive reference."""

from __future__ import annotations

import contextlib
from collections import Counter
from fnmatch import fnmatchcase
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.traces.samples import MS, T0, agent, chat, span, tool

from agentops_sdk import semconv
from agentops_sdk.testing import CapturedTrace, CapturedTraces
from agentops_sdk.testing.assertions.tree_pattern import write
from agentops_sdk.testing.records import as_elements, label
from agentops_sdk.traces import SpanRecord

NAMES = ["search", "answer", "plan"]

_row = st.tuples(
    st.integers(0, 30),  # the parent, by place, where it is one before
    st.sampled_from(["tool", "llm", "agent", "task", "decision"]),
    st.sampled_from(NAMES),
    st.booleans(),  # failed
    st.integers(0, 1000),  # tokens, cost
    st.integers(0, 2),  # trace
)
forests = st.lists(_row, max_size=24)


def build(rows: list[tuple[int, str, str, bool, int, int]]) -> list[SpanRecord]:
    spans: list[SpanRecord] = []
    for place, (above, kind, name, failed, size, trace) in enumerate(rows):
        trace_id = f"{trace + 1:032x}"
        parent = spans[above % place] if place and above % (place + 1) else None
        if parent is not None and parent.trace_id != trace_id:
            parent = None
        more: dict[str, Any] = {
            "trace_id": trace_id,
            "at": place * 10,
            "took": 5000 - place,
            "span_id": f"{place + 1:016x}",
        }
        if failed:
            more["status"] = "error"
        if kind == "tool":
            spans.append(tool(name, parent, **more))
        elif kind == "llm":
            spans.append(chat(parent, model=name, tokens=(size, 1), cost=size / 1000, **more))
        elif kind == "agent":
            spans.append(agent(name, parent, **more))
        elif kind == "decision":
            told = {semconv.KIND: "decision", semconv.DECISION_NAME: name, semconv.DECISION_CHOSEN: '["x"]'}
            spans.append(span(f"decision {name}", told, parent=parent, **more))
        else:
            spans.append(span(name, {semconv.KIND: "task"}, parent=parent, **more))
    return as_elements(spans)


def above(record: SpanRecord, spans: list[SpanRecord]) -> list[SpanRecord]:
    found: list[SpanRecord] = []
    while record.parent_id is not None:
        record = next(other for other in spans if other.span_id == record.parent_id)
        found.append(record)
    return found


def called(record: SpanRecord) -> list[str]:
    return [record.name, label(record), str(record.attributes.get(semconv.RESPONSE_MODEL))]


def holds(check: Any, *args: Any, **kwargs: Any) -> bool:
    with contextlib.suppress(AssertionError):
        check(*args, **kwargs)
        return True
    return False


quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(forests, st.randoms())
def test_queries(rows: list[Any], random: Any) -> None:
    spans = build(rows)
    shuffled = list(spans)
    random.shuffle(shuffled)
    traces = CapturedTraces.of(shuffled)

    assert len(traces) == len({one.trace_id for one in spans})
    assert [one.start_ns for one in traces] == sorted(one.start_ns for one in traces)
    assert list(traces.spans) == spans
    for kind, found in [("tool", traces.tool_calls), ("agent", traces.agents)]:
        assert list(found) == [one for one in spans if one.kind == kind]
    for name in [*NAMES, "*", "se?rch", "nothing"]:
        assert list(traces.spans(name)) == [
            one for one in spans if any(fnmatchcase(each, name) for each in called(one))
        ]
    assert list(traces.errors) == list(traces.spans(outcome="error")) == [one for one in spans if one.status == "error"]
    assert Counter(made.name for made in traces.decisions) == Counter(
        label(one) for one in spans if one.kind == "decision"
    )

    # A model call below another, with nothing but plain spans in between, is the same call.
    calls = [one for one in spans if one.kind == "llm"]
    nested = any("llm" in [up.kind for up in above(one, spans)] for one in calls)
    assert nested or list(traces.llm_calls) == calls
    if not nested:
        assert traces.usage.input == sum(one.attributes[semconv.USAGE_INPUT_TOKENS] for one in calls)
        assert abs(float(traces.cost.amount) - sum(one.attributes[semconv.COST_AMOUNT] for one in calls)) < 1e-9
    assert traces.usage.total == sum(one.usage.total for one in traces)
    for trace in traces:
        own = [one for one in spans if one.trace_id == trace.trace_id]
        assert list(trace.spans) == own
        assert trace.duration == (max(one.end_ns for one in own) - min(one.start_ns for one in own)) / 1e9
        for one in own:
            assert list(trace.ancestors(one)) == above(one, own)


@quick
@given(forests, st.lists(st.sampled_from(NAMES), max_size=4))
def test_tools(rows: list[Any], names: list[str]) -> None:
    spans = build(rows)
    traces = CapturedTraces.of(spans)
    tools = [label(one) for one in spans if one.kind == "tool"]
    assert holds(traces.assert_tools, names, ordered=True) == (tools == names)
    assert holds(traces.assert_tools, names) == (sorted(tools) == sorted(names))
    assert holds(traces.assert_tools, names, exact=False) == (not Counter(names) - Counter(tools))
    rest = iter(tools)
    assert holds(traces.assert_tools, names, ordered=True, exact=False) == all(name in rest for name in names)
    for name in NAMES:
        assert holds(traces.assert_tool_called, name) == (name in tools)
        assert holds(traces.assert_tool_called, name, times=2) == (tools.count(name) == 2)
        assert holds(traces.assert_no_tool_called, name) == (name not in tools)


def paths(spans: list[SpanRecord], steps: list[tuple[str, bool]], last: SpanRecord | None = None) -> bool:
    """Every way is tried."""
    if not steps:
        return True
    name, inside = steps[0]
    return any(
        paths(spans, steps[1:], one)
        for one in spans
        if fnmatchcase(label(one), name)
        and (last is None or (last in above(one, spans) if inside else one.start_ns > last.start_ns))
    )


@quick
@given(forests, st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), min_size=1, max_size=4))
def test_paths(rows: list[Any], steps: list[tuple[str, bool]]) -> None:
    spans = build([(*row[:5], 0) for row in rows])
    if not spans:
        return
    steps[0] = (steps[0][0], False)
    path = steps[0][0] + "".join(f" {'/' if inside else '>'} {name}" for name, inside in steps[1:])
    assert holds(CapturedTrace(spans).assert_path, path) == paths(spans, steps)


@quick
@given(forests, st.integers(0, 30))
def test_a_tree_fits_its_own_pattern_and_no_other(rows: list[Any], place: int) -> None:
    spans = build([(*row[:5], 0) for row in rows])
    if not spans:
        return
    trace = CapturedTrace(spans)
    lines = list(write(trace))
    trace.assert_tree("\n".join(lines))
    trace.assert_tree("...")
    wrong = [*lines]
    wrong[place % len(lines)] += "-another"
    assert not holds(trace.assert_tree, "\n".join(wrong))
    assert not holds(trace.assert_tree, "\n".join([*lines, "another"]))
    assert T0 <= trace.start_ns < T0 + 1000 * MS
