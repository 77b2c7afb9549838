"""Amounts by hour of what lies in a folder: cost, tokens, calls and errors of model calls."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

MEASURES: Final = ("cost", "tokens", "calls", "errors")
BY: Final = {"agent": semconv.AGENT_NAME, "model": semconv.REQUEST_MODEL, "user": semconv.USER_ID}


def observed(
    traces: Iterable[Trace], measure: str, by: tuple[str, ...], currency: str = "USD"
) -> dict[str, list[tuple[float, float]]]:
    """By what the calls are told apart by: when each ended, in seconds since the epoch, and what it came to."""
    amounts: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for trace in traces:
        for call in trace.llm_calls:
            key = " / ".join(str(call.attributes.get(BY[name], "-")) for name in by)
            amounts[key].append((call.end_ns / 1e9, _amount(call, measure, currency)))
    return amounts


def _amount(call: SpanRecord, measure: str, currency: str) -> float:
    get = call.attributes.get
    if measure == "cost":
        return float(get(semconv.COST_AMOUNT) or 0) if get(semconv.COST_CURRENCY, "USD") == currency else 0.0
    if measure == "tokens":
        return float((get(semconv.USAGE_INPUT_TOKENS) or 0) + (get(semconv.USAGE_OUTPUT_TOKENS) or 0))
    return float(measure == "calls" or call.outcome == "error")
