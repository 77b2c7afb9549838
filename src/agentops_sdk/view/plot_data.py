"""Statistics and trends as the page plots them: each figure as a number and as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format
from agentops_sdk.traces.figures.table_rows import percentile
from agentops_sdk.traces.figures.tables import stats
from agentops_sdk.traces.figures.trend_sentences import per_run, sentences
from agentops_sdk.traces.figures.trends import trends
from agentops_sdk.traces.search.attribute_condition import SHORT_NAMES
from agentops_sdk.traces.search.filters import table

if TYPE_CHECKING:
    from agentops_sdk.traces.figures.table_rows import Row, Stats
    from agentops_sdk.traces.figures.trends import Period
    from agentops_sdk.traces.files import Traces

__all__ = ["stats_data", "trends_data"]

_MOST: Final = 500
_MOST_CHANGES: Final = 20


def stats_data(traces: Traces, by: str) -> dict[str, Any]:
    """What ``agentops stats`` shows, costliest first.

    Raises:
        ConfigError: ``by`` is nothing that runs are grouped by.
    """
    added_up = traces.sums(by) or stats(traces, by)
    return {
        "by": added_up.by,
        "rows": [_row(added_up, row) for row in added_up.rows[:_MOST]],
        "count": len(added_up.rows),
        "total": _row(added_up, added_up.total),
        "unknown": [f"{count} × {line(why)}" for why, count in added_up.total.cost.unknowns.items()],
    }


def trends_data(traces: Traces, by: str, split: str) -> dict[str, Any]:
    """What ``agentops trends`` shows: the periods, each figure once as a number, and what changed last.

    Raises:
        ConfigError: a word is none of those that ``agentops trends`` takes.
    """
    told = trends(traces, by, split)
    changes = [
        {"lines": [line(each, 500) for each in sentences(change)], "worse": change.is_worse, "sure": change.is_sure}
        for change in told.moved[:_MOST_CHANGES]
    ]
    return {"by": told.by, "split": told.split, "periods": [_period(row) for row in told.periods], "changes": changes}


def _row(whole: Stats, row: Row) -> dict[str, Any]:
    return {
        "key": line(row.key, 300),
        "choice": _choice(whole.by, row),
        "calls": row.calls,
        "errors": row.errors,
        "p50": number_format.duration(row.percentile(50)),
        "p95": number_format.duration(row.percentile(95)),
        "tokens": number_format.all_tokens(row.usage),
        "cost": number_format.cost(row.cost),
        "wasted": number_format.cost(row.wasted),
        "share": whole.share(row),
        "measures": {
            "cost": float(row.cost.amount), "tokens": row.usage.total, "calls": row.calls, "errors": row.errors,
            "p95": row.percentile(95) or 0.0,
        },
    }  # fmt: skip


def _choice(by: str, row: Row) -> dict[str, str]:
    """The filter that chooses the runs of a row; nothing where none does."""
    if row.key.startswith("(no ") or by == "decision":
        return {}
    if by in table():
        return {by: row.key}
    if by == "day":
        return {"since": row.key, "until": row.key}
    return {"where": f"{by} = {row.key}"} if "." in by or by in SHORT_NAMES else {}


def _period(row: Period) -> dict[str, Any]:
    seconds = row.figures.get("seconds", [])
    values: dict[str, float | None] = {
        "runs": row.runs,
        "failed runs": row.mean("errors"),
        "seconds (median)": percentile(seconds, 50),
        "seconds (95 %)": percentile(seconds, 95),
        "tokens per run": row.mean("tokens"),
        "cost per run": row.mean("cost"),
        **{f"score {line(name, 100)}": row.score(name) for name in sorted(row.scores)},
    }
    measures = {"failed runs": "errors", "seconds (median)": "seconds", "seconds (95 %)": "seconds",
                "tokens per run": "tokens", "cost per run": "cost"}  # fmt: skip
    texts = {
        name: f"{value:,}" if name == "runs" else per_run(measures.get(name, ""), value)
        for name, value in values.items()
    }
    return {"period": row.name, "of": line(row.of, 200), "values": values, "texts": texts,
            "unknown": row.parts.unknown["cost"]}  # fmt: skip
