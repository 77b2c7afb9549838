"""Random forests of spans against a plain, slow reference."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.traces.samples import agent, chat, span, tool

from agentops_sdk import semconv
from agentops_sdk.traces import SpanRecord, Trace
from agentops_sdk.traces.figures.tables import BY, stats


@st.composite
def forests(draw: st.DrawFn) -> list[SpanRecord]:
    made: list[SpanRecord] = []
    for index in range(draw(st.integers(1, 14))):
        at = draw(st.integers(0, 50))
        what = draw(st.sampled_from(["chat", "chat", "tool", "agent", "span"]))
        link = draw(st.integers(-2, max(0, index - 1)))
        parent = made[link] if made and link >= 0 else None
        if what == "chat":
            known = draw(st.booleans())
            record = chat(parent, at=at, tokens=(10, 1) if known else None, cost=0.1 if known else None)
        elif what == "tool":
            record = tool(f"t{index % 3}", parent, at=at, attributes={semconv.COST_AMOUNT: 0.5})
        elif what == "agent":
            record = agent(f"a{index % 3}", parent, at=at)
        else:
            record = span("step", parent=parent, at=at)
        if link == -2:
            record = record.model_copy(update={"parent_id": "ffffffffffffffff"})
        made.append(record)
    return draw(st.permutations(made))


def naive_counted(records: list[SpanRecord]) -> list[SpanRecord]:
    """Model calls that count, by the rule as it is told: of the layers of one call the one that knows most."""
    by_id = {record.span_id: record for record in records}
    worth = lambda call: (semconv.USAGE_INPUT_TOKENS in call.attributes, semconv.COST_AMOUNT in call.attributes)  # noqa: E731 - short, and used below

    def layer_above(record: SpanRecord) -> SpanRecord | None:
        above = by_id.get(record.parent_id or "")
        while above is not None and above.kind == "span":
            above = by_id.get(above.parent_id or "")
        return above if above is not None and above.kind == "llm" else None

    def chosen(call: SpanRecord) -> list[SpanRecord]:
        inner = [record for record in records if record.kind == "llm" and layer_above(record) is call]
        below = [one for record in inner for one in chosen(record)]
        return below if below and max(map(worth, below)) >= worth(call) else [call]

    return [one for top in records if top.kind == "llm" and layer_above(top) is None for one in chosen(top)]


@settings(max_examples=120, deadline=None)
@given(forests())
def test_trees_and_totals(records: list[SpanRecord]) -> None:
    trace = Trace(records)
    ids = {record.span_id for record in records}
    assert sorted(record.span_id for _, record in trace.walk()) == sorted(ids)
    for record in trace:
        assert all(child.parent_id == record.span_id for child in trace.children(record))
        above = trace.parent(record)
        assert (above.span_id if above else None) == (record.parent_id if record.parent_id in ids else None)
        starts = [child.start_ns for child in trace.children(record)]
        assert starts == sorted(starts)
        below = [inner for _, inner in trace.walk(record)]
        assert trace.usage_below(record).input == sum(
            share.input for inner in below if (share := trace.share(inner).usage) is not None
        )
    assert {root.span_id for root in trace.roots} == {r.span_id for r in records if r.parent_id not in ids}
    assert trace.duration >= 0

    counted = naive_counted(records)
    assert {call.span_id for call in trace.llm_calls} == {call.span_id for call in counted}
    known = [call for call in counted if semconv.COST_AMOUNT in call.attributes]
    assert trace.usage.input == 10 * len(known)
    assert trace.cost.amount == Decimal("0.1") * len(known) + Decimal("0.5") * len(trace.tool_calls)
    assert trace.cost.unknown_count == len(counted) - len(known)


@settings(max_examples=50, deadline=None)
@given(forests())
def test_every_table_adds_up_to_the_trace(records: list[SpanRecord]) -> None:
    trace = Trace(records)
    for by in set(BY) - {"decision", "finding"}:  # these have only what belongs to them
        made = stats([trace], by)
        assert sum((row.cost.amount for row in made.rows), Decimal(0)) == trace.cost.amount == made.total.cost.amount
        assert sum(row.usage.total for row in made.rows) == trace.usage.total == made.total.usage.total
        assert sum(row.calls for row in made.rows) == made.total.calls


@settings(max_examples=60, deadline=None)
@given(forests(), st.integers(40, 100), st.booleans())
def test_the_tree_shows_every_span_within_the_width(records: list[SpanRecord], width: int, ascii_only: bool) -> None:
    from agentops_sdk.traces.display.render import text

    trace = Trace(records)
    drawn = text(trace, width=width, ascii_only=ascii_only)
    assert all(len(line) <= width for line in drawn.splitlines())
    assert drawn.isascii() or not ascii_only
    # The head of several roots has a duration too, the sum's; an only root stands in the head.
    rows = drawn if len(trace.roots) == 1 else drawn.partition("\n\n")[2]
    durations = [line for line in rows.splitlines() if " 100 ms" in line]
    assert len(durations) == len(records)
