"""What a call that has ended used, by what its span says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from agentops_sdk import semconv
from agentops_sdk._limits.expectation import Expectation, dear

__all__ = ["MODEL_KINDS", "Used", "is_remote", "use_of"]

MODEL_KINDS = frozenset(("llm", "embedding"))
_CONTAINERS = ("agent", "workflow")


class Used(NamedTuple):
    """What an ended call used; ``None`` where nobody knows.

    Attributes:
        cost: in ``currency``.
        currency: of the cost.
        tokens: input and output.
        estimate: of a model without a price, what the tokens that it has told would cost at the rates of dear ones.
    """

    cost: float | None
    currency: str | None
    tokens: float | None
    estimate: float | None = None


def use_of(kind: str, attributes: Mapping[str, Any], expectation: Expectation | None) -> Used:
    """What a call of that kind used, by the attributes of its span; ``expectation`` is what it was expected to."""
    get = attributes.get
    error = str(get(semconv.ERROR_TYPE, ""))
    # Who no longer waited for an answer does not know what became of it; where nothing was sent, there is none.
    is_late = "Timeout" in error and "ConnectTimeout" not in error
    is_cut = get(semconv.LIMIT_ACTION) == "cut"
    failed = get(semconv.OUTCOME) == "error" and not is_late and not is_cut
    # Who reads the end of what went on in the background has made the model's call.
    called = get(semconv.KIND) if semconv.USAGE_OF in attributes else kind
    is_model = called in MODEL_KINDS and not get(semconv.MODEL_CALLS)
    tokens: float | None = 0.0
    estimate = None
    if is_model and not get(semconv.CACHED):
        asked, answered = get(semconv.USAGE_INPUT_TOKENS), get(semconv.USAGE_OUTPUT_TOKENS)
        is_kept = get(semconv.COST_UNKNOWN_REASON) == semconv.KEPT_BY_PROVIDER
        if (asked is not None or answered is not None) and not is_kept:
            tokens = float((asked or 0) + (answered or 0))
            if expectation is not None and not expectation.priced:
                estimate = dear(asked or 0, answered or 0)
        elif is_kept or not failed:  # one that failed without telling of any used none
            tokens = None
    has_no_parts = kind == "agent" and is_remote(attributes)
    if has_no_parts:
        tokens = float(get(semconv.USAGE_INPUT_TOKENS, 0) + get(semconv.USAGE_OUTPUT_TOKENS, 0))
    cost = get(semconv.COST_AMOUNT)
    is_sum = kind in _CONTAINERS and get(semconv.COST_SOURCE) != "user" and not has_no_parts
    if is_sum or get(semconv.COST_TOTAL):
        cost = 0.0  # the calls inside tell their own parts of it
    elif cost is None and not get(semconv.COST_UNKNOWN_REASON) and (failed or not is_model):
        cost = 0.0
    return Used(cost, get(semconv.COST_CURRENCY, "USD"), tokens, estimate)


def is_remote(attributes: Mapping[str, Any]) -> bool:
    """Whether an agent runs at its provider's, with no calls below it here that would tell what it uses."""
    return semconv.SERVER_ADDRESS in attributes
