"""Fills in what a span's reply did not say: where its tokens come from, and what they cost. Consumer thread only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._usage.cost_of_call import cost_of
from agentops_sdk._usage.counts import amount, count, each
from agentops_sdk._usage.price_arithmetic import COUNTS

_SHORT_NAMES = {attribute: name for name, attribute in COUNTS.items()}
_WORKED_OUT = ("counted", "estimated")
_TOKENS = (semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS)
_TOLD = (*_TOKENS, semconv.COST_AMOUNT, semconv.MODEL_CALLS, semconv.CACHED)
_USED = frozenset((*_TOKENS, semconv.USAGE_AUDIO_SECONDS, semconv.USAGE_SEARCH_UNITS, semconv.USAGE_PAGES))
_TIERS = (semconv.OPENAI_RESPONSE_SERVICE_TIER, semconv.USAGE_SERVICE_TIER, semconv.OPENAI_REQUEST_SERVICE_TIER)


def enrich(attributes: dict[str, Any]) -> None:
    """Complete the usage and the cost of an ended model call, in place.

    No network. Values that are no counts are removed, so that no total can be spoiled by them.
    """
    if attributes.get(semconv.COST_UNKNOWN_REASON) == semconv.KEPT_BY_PROVIDER and not _is_untold(attributes):
        del attributes[semconv.COST_UNKNOWN_REASON]
    if attributes.get(semconv.MODEL_CALLS):
        return  # its tokens and its cost are those of the calls it made, on their own spans
    if attributes.get(semconv.CACHED):
        attributes[semconv.COST_AMOUNT] = attributes[semconv.OPERATION_COST] = 0.0
        attributes.update({semconv.COST_CURRENCY: "USD", semconv.COST_SOURCE: "cache"})
        return  # no model was asked: nothing was used, and nothing is left to count
    counted = _used_in(attributes)
    hostile = _clean(attributes, counted)
    used = not _USED.isdisjoint(attributes.keys())
    if used:  # of what is billed by the piece, no tokens are left to count
        attributes.setdefault(semconv.USAGE_SOURCE, "reported")
        if not hostile and _lacks_answer(attributes):
            _work_out_answer(attributes)
            counted = _used_in(attributes)
    elif not hostile and _is_over(attributes):
        _work_out(attributes)
        counted = _used_in(attributes)
        used = not _USED.isdisjoint(attributes.keys())
    if attributes.get(semconv.COST_AMOUNT) is not None:
        _keep_told(attributes)
        return
    if attributes.get(semconv.COST_UNKNOWN_REASON):
        return
    if hostile:
        attributes[semconv.COST_UNKNOWN_REASON] = f"the reply's {hostile[0]} is not a count"
    elif used or (semconv.USAGE_CHARACTERS in attributes and attributes.get(semconv.OUTCOME) != "error"):
        _price(attributes, counted)
    elif attributes.get(semconv.OUTCOME) != "error" or attributes.get(semconv.STREAM_CHUNKS):
        # A refused call used nothing, so nothing of it is unknown. Of any other, nobody knows.
        attributes[semconv.COST_UNKNOWN_REASON] = "no usage was reported, and there was nothing to count"


def _is_untold(attributes: Mapping[str, Any]) -> bool:
    """Whether nobody has told what a request used, which may have gone on from more than it shows."""
    if any(attributes.get(name) is not None for name in _TOLD):
        return False
    answered = semconv.OUTPUT_MESSAGES in attributes or semconv.STREAM_CHUNKS in attributes
    return answered or attributes.get(semconv.OUTCOME) != "error"  # a refused call read nothing


def _is_over(attributes: Mapping[str, Any]) -> bool:
    """Whether what is here is all there will be: work in the background goes on, and whoever reads its end is told."""
    return semconv.USAGE_OF not in attributes


def _lacks_answer(attributes: Mapping[str, Any]) -> bool:
    """Whether a stream told what was read, at its start, and not what it said, which it tells at its end."""
    return (
        bool(attributes.get(semconv.REQUEST_STREAM) or semconv.STREAM_CHUNKS in attributes)
        and semconv.USAGE_INPUT_TOKENS in attributes
        and semconv.USAGE_OUTPUT_TOKENS not in attributes
    )


def _clean(attributes: dict[str, Any], counted: Iterable[str]) -> list[str]:
    hostile = []
    for name in counted:
        value = attributes[name]
        is_seconds = name == semconv.USAGE_AUDIO_SECONDS and type(value) in (int, float)
        figure = amount(value) if is_seconds else count(value)
        if figure is None:
            del attributes[name]
            if value is not None:
                hostile.append(name)
        elif type(figure) is int:
            attributes[name] = figure
    return hostile


def _used_in(attributes: Mapping[str, Any]) -> list[str]:
    """Those that count something, in an order that is always the same: few, and found in C."""
    return sorted(_SHORT_NAMES.keys() & attributes.keys())


def _work_out(attributes: dict[str, Any]) -> None:
    from agentops_sdk._usage.token_count import work_out

    work_out(attributes)


def _work_out_answer(attributes: dict[str, Any]) -> None:
    from agentops_sdk._usage.token_count import work_out_answer

    work_out_answer(attributes)
    if semconv.USAGE_OUTPUT_TOKENS not in attributes and attributes.get(semconv.OUTCOME, "ok") == "ok":
        attributes.setdefault(semconv.COST_UNKNOWN_REASON, "a streamed reply did not say how long it was")


def _price(attributes: dict[str, Any], counted: Iterable[str]) -> None:
    # Stands if a callback of the user's raises: no call that used tokens may end without a word on its cost.
    attributes[semconv.COST_UNKNOWN_REASON] = "working out the price failed"
    tier, geo = _tier(attributes), _text(attributes.get(semconv.USAGE_INFERENCE_GEO))
    # Of what is told, where that is not what is billed; or of how much was worked out.
    is_told = attributes.pop(semconv.COST_ESTIMATED, False) is True
    estimated = is_told or attributes.get(semconv.USAGE_SOURCE) in _WORKED_OUT
    provider = _text(attributes.get(semconv.PROVIDER_NAME))
    models = _names(attributes, semconv.RESPONSE_MODEL, semconv.REQUEST_MODEL)
    cost = cost_of(models, provider, _counts(attributes, counted), tier=tier, geo=geo, estimated=estimated)
    exact, reason = cost.amount, cost.unknown_reason
    for one in each(attributes[semconv.USAGE_OTHER_MODELS]) if semconv.USAGE_OTHER_MODELS in attributes else ():
        other = cost_of([one["model"]], provider, _counts(one, _used_in(one)), tier=tier, geo=geo, estimated=estimated)
        exact = None if exact is None or other.amount is None else exact + other.amount
        reason = reason or other.unknown_reason
    if exact is None:
        attributes[semconv.COST_UNKNOWN_REASON] = reason
        return
    del attributes[semconv.COST_UNKNOWN_REASON]
    figure = round(float(exact), 12)
    attributes[semconv.COST_AMOUNT] = attributes[semconv.OPERATION_COST] = figure
    attributes[semconv.COST_CURRENCY] = cost.currency
    attributes[semconv.COST_SOURCE] = cost.source
    if cost.version:
        attributes[semconv.COST_VERSION] = cost.version
    if cost.estimated:
        attributes[semconv.COST_ESTIMATED] = True


def _keep_told(attributes: dict[str, Any]) -> None:
    """A cost that is already there, from the provider or the user, is passed on unchanged if it is one."""
    exact = amount(attributes[semconv.COST_AMOUNT])
    if exact is None:
        del attributes[semconv.COST_AMOUNT]
        attributes[semconv.COST_UNKNOWN_REASON] = "the reported cost is not an amount"
        return
    attributes[semconv.COST_AMOUNT] = attributes[semconv.OPERATION_COST] = round(float(exact), 12)
    attributes.setdefault(semconv.COST_CURRENCY, "USD")
    attributes.setdefault(semconv.COST_SOURCE, "user")


def _counts(attributes: Mapping[str, Any], counted: Iterable[str]) -> dict[str, int | Decimal]:
    return {
        _SHORT_NAMES[name]: value if type(value) is int else Decimal(str(value))
        for name in counted
        if (value := attributes.get(name))
    }


def _names(attributes: Mapping[str, Any], *keys: str) -> list[str]:
    return [name for key in keys if isinstance(name := attributes.get(key), str) and name]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _tier(attributes: Mapping[str, Any]) -> str | None:
    """The tier that answered; the one asked for only if the reply does not say."""
    for name in _TIERS if not attributes.keys().isdisjoint(_TIERS) else ():
        if tier := _text(attributes.get(name)):
            return tier
    return None
