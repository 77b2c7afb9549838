"""What several model calls used and cost that one reply tells together; each is priced by its own model and length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._usage.counts import count
from agentops_sdk._usage.enrich import enrich
from agentops_sdk._usage.price_arithmetic import COUNTS

_COST = (semconv.COST_CURRENCY, semconv.COST_SOURCE, semconv.COST_VERSION)
_SUMS = (*COUNTS.values(), semconv.USAGE_CACHE_CREATION_5M)


def summed_cost(calls: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Sums of the tokens of ``calls``, which are attributes of model calls, and their cost.

    Returns:
        token attributes, and those of a cost; or the reason of the first whose cost is unknown.
    """
    result: dict[str, Any] = {}
    total, unknown = Decimal(0), ""
    for call in calls:
        attributes = dict(call)
        enrich(attributes)
        for name in _SUMS:
            tokens = count(attributes.get(name))
            if tokens is not None:
                result[name] = result.get(name, 0) + tokens
        if semconv.COST_AMOUNT in attributes:
            total += Decimal(str(attributes[semconv.COST_AMOUNT]))
            result.update((name, attributes[name]) for name in _COST if name in attributes)
        else:
            unknown = unknown or str(attributes.get(semconv.COST_UNKNOWN_REASON) or "not known of each call")
    if unknown:
        for name in _COST:
            result.pop(name, None)
        result[semconv.COST_UNKNOWN_REASON] = unknown
    elif result:
        result[semconv.COST_AMOUNT] = float(total)
    return result
