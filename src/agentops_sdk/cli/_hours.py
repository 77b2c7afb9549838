"""Amounts by hour of what lies in a folder: cost, tokens, calls and errors of model calls."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

MEASURES: Final = ("cost", "tokens", "calls", "errors")
BY: Final = {"agent": semconv.AGENT_NAME, "model": semconv.REQUEST_MODEL, "user": semconv.USER_ID}


def observed(
    traces: Iterable[Trace],
    measure: str,
    by: tuple[str, ...],
    currency: str = "USD",
    missing: Counter[str] | None = None,
) -> dict[str, list[tuple[float, float]]]:
    """By what the calls are told apart by: when each ended, in seconds since the epoch, and what it came to.

    ``missing`` counts those whose cost in that currency nobody knows.
    """
    amounts: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for trace in traces:
        for call in trace.llm_calls:
            if call.refused:
                continue
            key = " / ".join(str(call.attributes.get(BY[name], "-")) for name in by)
            amounts[key].append((call.end_ns / 1e9, _amount(call, measure, currency)))
            if missing is not None and _is_missing(call, currency):
                missing[key] += 1
    return amounts


def _amount(call: SpanRecord, measure: str, currency: str) -> float:
    get = call.attributes.get
    if measure == "cost":
        return float(get(semconv.COST_AMOUNT) or 0) if get(semconv.COST_CURRENCY, "USD") == currency else 0.0
    if measure == "tokens":
        return float((get(semconv.USAGE_INPUT_TOKENS) or 0) + (get(semconv.USAGE_OUTPUT_TOKENS) or 0))
    return float(measure == "calls" or call.outcome == "error")


def _is_missing(call: SpanRecord, currency: str) -> bool:
    attributes = call.attributes
    is_unknown = semconv.COST_UNKNOWN_REASON in attributes and semconv.USAGE_OF not in attributes
    return is_unknown or attributes.get(semconv.COST_CURRENCY, currency) != currency
