"""Tables over many traces."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.traces.samples import agent, chat, run, span, tool, troubled

from agentops_sdk import semconv
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces import Trace
from agentops_sdk.traces.figures.table_rows import percentile
from agentops_sdk.traces.figures.tables import stats


def test_by_model() -> None:
    made = stats([Trace(run()), Trace(troubled())])
    rows = {row.key: row for row in made.rows}
    mini = rows["gpt-4o-mini-2024-07-18"]
    assert (mini.calls, mini.errors, mini.traces) == (4, 0, 2)
    assert (mini.percentile(50), mini.percentile(95)) == (0.64, 1.45)
    assert mini.first_chunks == [0.31]
    assert mini.cost.amount == Decimal("0.000705")
    assert mini.wasted.amount == Decimal("0.000144")
    assert rows["my-own-model-2024-07-18"].cost.lower_bound
    assert made.total.calls == 5
    assert made.total.traces == 2
    assert sum(made.share(row) for row in made.rows) == pytest.approx(1)


def test_by_tool_and_agent_take_what_is_nearest() -> None:
    top = agent("boss")
    used = tool("delegate", top, took=50)
    inner = agent("worker", used)
    call = chat(inner, cost=0.1)
    trace = Trace([top, used, inner, call, chat(top, cost=0.01)])
    agents = {row.key: row for row in stats([trace], "agent").rows}
    assert (agents["worker"].cost, agents["boss"].cost) == (Decimal("0.1"), Decimal("0.01"))
    assert (agents["worker"].calls, agents["boss"].calls) == (1, 1)
    tools = {row.key: row for row in stats([trace], "tool").rows}
    assert (tools["delegate"].cost, tools["delegate"].calls) == (Decimal("0.1"), 1)
    assert tools["(no tool)"].cost == Decimal("0.01")


def test_by_session_tag_and_day() -> None:
    top = span("run", {semconv.TAGS: ["a", "b"], semconv.CONVERSATION_ID: "c-1"})
    trace = Trace([top, chat(top, cost=0.5), chat(top, cost=0.5, attributes={semconv.SESSION_ID: "s-2"})])
    assert {row.key: row.cost.amount for row in stats([trace], "session").rows} == {
        "c-1": Decimal("0.5"),
        "s-2": Decimal("0.5"),
    }
    assert {row.key: row.cost.amount for row in stats([trace], "tag").rows} == {"a": 1, "b": 1}
    assert {row.key: row.calls for row in stats([trace], "day").rows} == {"2026-08-06": 2}


def test_cache_hits() -> None:
    call = chat(None, tokens=(1000, 1), attributes={semconv.USAGE_CACHE_READ: 250})
    assert stats([Trace([call])]).rows[0].usage.cache_hit_share == 0.25


def test_a_wrong_word() -> None:
    with pytest.raises(ConfigError, match="by='colour'"):
        stats([], "colour")


def test_percentiles_by_nearest_rank() -> None:
    assert percentile([], 50) is None
    assert percentile([3.0], 95) == 3
    assert percentile([float(n) for n in range(1, 101)], 95) == 95
    assert percentile([1.0, 2.0], 50) == 1
