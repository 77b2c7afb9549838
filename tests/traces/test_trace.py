"""The tree and its totals, on records made by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.traces import samples
from tests.traces.samples import agent, chat, run, span, tool

from agentops_sdk import semconv
from agentops_sdk.errors import TraceError
from agentops_sdk.traces import Cost, Trace, Usage


def test_a_run_answers_every_question() -> None:
    trace = Trace(run())
    assert trace.name == "invoke_agent travel"
    assert trace.outcome == "ok"
    assert trace.complete
    assert trace.duration == pytest.approx(3.4)
    assert [call.attributes[semconv.USAGE_INPUT_TOKENS] for call in trace.llm_calls] == [800, 900, 1012]
    assert [call.attributes[semconv.TOOL_NAME] for call in trace.tool_calls] == ["weather", "weather", "clock"]
    assert [made.name for made in trace.agents] == ["invoke_agent travel"]
    assert [made.outcome for made in trace.errors] == ["error"]
    assert trace.models == ["gpt-4o-mini-2024-07-18"]
    assert trace.session_id == "s-1"
    assert (trace.usage.input, trace.usage.output) == (2712, 257)
    assert trace.usage.by_source.keys() == {"reported", "injected"}
    assert trace.usage.reported == trace.usage
    assert trace.cost.amount == Decimal("0.002561")
    assert trace.cost < 0.01
    assert trace.cost == 0.002561
    assert len(trace.children(trace.root)) == 7
    assert all(trace.parent(child) is trace.root for child in trace.children(trace.root))
    (decision,) = trace.decisions
    assert (decision.chosen, decision.options, decision.confidence, decision.by) == (
        "retry",
        ("retry", "give up"),
        0.9,
        "code",
    )


def test_trouble_is_tolerated_and_shown() -> None:
    trace = Trace(samples.troubled())
    assert trace.name == "plan the trip"
    assert len(trace.roots) == 2
    assert [orphan.name for orphan in trace.orphans] == ["execute_tool search"]
    assert [found.name for found in trace if trace.skewed(found)] == ["chat my-own-model"]
    assert trace.cost.lower_bound
    assert not trace.cost < 1
    assert trace.cost != trace.cost.amount
    assert str(trace.cost) == "≥~$0.000144"
    assert trace.usage.estimated.input == 800
    assert trace.usage.reported.input == 800


def test_nothing_and_mixtures_are_refused() -> None:
    with pytest.raises(TraceError, match="at least one"):
        Trace([])
    with pytest.raises(TraceError, match="2 traces"):
        Trace([span("a"), span("b", trace_id="f" * 32)])


def test_a_span_recorded_twice_counts_once() -> None:
    records = run()
    assert len(Trace(records + records)) == len(records)
    assert Trace(records + records).cost == Trace(records).cost


def test_circles_end() -> None:
    one = span("one", parent="00000000000000bb", span_id="00000000000000aa")
    two = span("two", parent="00000000000000aa", span_id="00000000000000bb")
    own = span("own", parent="00000000000000cc", span_id="00000000000000cc")
    trace = Trace([one, two, own])
    assert len(list(trace.walk())) == 3
    assert trace.parent(own) is None
    assert len(list(trace.ancestors(two))) == 1


def test_a_remote_parent_is_no_orphan() -> None:
    trace = Trace([span("served", parent="00000000000000ab", flags=0x301)])
    assert trace.orphans == []
    assert trace.complete


# --- counting once ----------------------------------------------------------------------------


def test_framework_over_provider_counts_the_provider() -> None:
    top = agent("a")
    outer = chat(top, tokens=(100, 10), cost=None, attributes={semconv.RESPONSE_ID: None})
    inner = chat(outer, tokens=(100, 10), cost=0.5)
    trace = Trace([top, outer, inner])
    assert trace.llm_calls == [inner]
    assert trace.usage.total == 110
    assert trace.cost == 0.5


def test_the_layer_that_knows_counts_even_if_outer() -> None:
    outer = chat(None, tokens=(100, 10), cost=0.5)
    http = span("POST", parent=outer)
    inner = chat(http, tokens=None, cost=None)
    trace = Trace([outer, http, inner])
    assert trace.llm_calls == [outer]
    assert (trace.usage.total, trace.cost) == (110, 0.5)


def test_two_attempts_below_one_framework_call_both_count() -> None:
    outer = chat(None, tokens=(100, 10), cost=0.1)
    first, second = chat(outer, tokens=(60, 0), cost=0.06), chat(outer, tokens=(100, 10), cost=0.1, at=5)
    trace = Trace([outer, first, second])
    assert trace.llm_calls == [first, second]
    assert trace.cost == Decimal("0.16")


def test_a_model_call_inside_a_tool_is_another_call() -> None:
    outer = chat(None, tokens=(100, 10), cost=0.1)
    used = tool("ask", outer)
    inner = chat(used, tokens=(1, 1), cost=0.01)
    assert Trace([outer, used, inner]).usage.total == 112


def test_totals_on_agents_count_only_where_nothing_below_does() -> None:
    total = {semconv.USAGE_INPUT_TOKENS: 999, semconv.USAGE_OUTPUT_TOKENS: 1, semconv.COST_AMOUNT: 9.0}
    telling = agent("telling", attributes=total)
    assert Trace([telling, chat(telling, tokens=(100, 10), cost=0.1)]).cost == 0.1
    assert Trace([telling, chat(telling, tokens=(100, 10), cost=0.1)]).usage.total == 110
    assert Trace([telling]).cost == 9
    # What the calls below did not tell is in the agent's total, so it is not unknown.
    silent = Trace([telling, chat(telling, tokens=None, cost=None)])
    assert (silent.cost, silent.usage.total, silent.usage.unknown) == (9, 1000, 0)


def test_a_tools_own_price_adds_up() -> None:
    top = agent("a", attributes={semconv.COST_AMOUNT: 0.3})
    used = tool("search", top, attributes={semconv.COST_AMOUNT: 0.002})
    inner = chat(used, cost=0.1)
    assert Trace([top, used, inner]).cost == Decimal("0.102")


def test_a_refused_call_costs_nothing_and_a_lost_one_is_unknown() -> None:
    refused = chat(None, tokens=None, cost=None, status="error")
    assert Trace([refused]).cost == 0
    assert str(Trace([chat(None, tokens=None, cost=None)]).cost) == "unknown"
    assert Trace([chat(None, tokens=None, cost=None)]).usage.unknown == 1


def test_a_deep_chain_and_a_wide_fan_are_fine() -> None:
    records = [span("top")]
    for _ in range(5_000):
        records.append(span("step", parent=records[-1]))
    fan = [chat(records[-1], cost=0.000001) for _ in range(5_000)]
    trace = Trace([*records, *fan])
    assert len(trace.llm_calls) == 5_000
    assert trace.cost == Decimal("0.005")
    assert trace.cost_below(records[5]) == Decimal("0.005")
    assert len(trace.tree(width=80).splitlines()) > 10_000


# --- money and tokens ---------------------------------------------------------------------------


def test_a_million_costs_add_up_to_the_cent() -> None:
    total, one = Cost.nothing(), Cost.of({semconv.COST_AMOUNT: 0.1})
    assert one is not None
    for _ in range(1_000_000):
        total.add(one)
    assert total.amount == 100_000


def test_comparisons_are_true_only_if_certain() -> None:
    certain, open_end = Cost("0.5"), Cost("0.5") + Cost.unknown("no price")
    assert certain < 0.6
    assert certain <= 0.5
    assert certain > 0.4
    assert certain >= 0.5
    assert certain == 0.5
    assert open_end > 0.4
    assert open_end >= 0.5
    assert not (open_end < 100)
    assert not (open_end <= 100)
    assert open_end != 0.5
    assert certain < Cost("0.6")
    assert not certain < open_end
    assert not certain > open_end
    assert not certain >= open_end
    assert certain != "0.5"


def test_a_second_currency_is_unknown_in_the_first() -> None:
    total = Cost("1") + Cost("2", "EUR")
    assert (total.amount, total.currency, total.lower_bound) == (1, "USD", True)
    assert Cost.nothing() + Cost("2", "EUR") == Cost("2", "EUR")


@pytest.mark.parametrize(
    ("cost", "shown"),
    [
        (Cost("0"), "$0.00"),
        (Cost("12.347"), "$12.35"),
        (Cost("0.0123456"), "$0.0123"),
        (Cost("0.00000042"), "$0.000000420"),
        (Cost("1", "EUR"), "EUR 1.00"),
        (Cost("0.5", estimated="0.1"), "~$0.500"),
        (Cost.unknown("x"), "unknown"),
        (Cost("0.5") + Cost.unknown("x"), "≥$0.500"),
        (Cost.nothing(), "$0.00"),
    ],
)
def test_money_for_people(cost: Cost, shown: str) -> None:
    assert str(cost) == shown


def test_usage_keeps_sources_apart() -> None:
    usage = Usage({"reported": {"input": 10}}) + Usage({"counted": {"input": 5, "output": 1}}, unknown=1)
    assert (usage.input, usage.reported.input, usage.estimated.input) == (15, 10, 5)
    assert usage.lower_bound
    assert usage.is_estimated
    assert repr(usage) == "Usage(input=15, output=1, ~6 estimated, 1 unknown)"
