"""Looks a model up in ``genai-prices``, with our overlay on top. Consumer thread: the first use takes a second.

What was found is remembered for the day, with what else it depends on: a look takes 80 µs, and each model call one.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from functools import cache
from typing import Any

from agentops_sdk._usage.model_names import overlay, provider_id, route, spellings
from agentops_sdk._usage.price_arithmetic import EXACT, NoPriceError, Rates

_PER_MILLION, _PER_THOUSAND, _PER_HOUR = Decimal(1_000_000), Decimal(1000), Decimal(3600)
_KEYS = {
    "input_mtok": ("input", _PER_MILLION),
    "output_mtok": ("output", _PER_MILLION),
    "cache_read_mtok": ("cache_read", _PER_MILLION),
    "cache_write_mtok": ("cache_creation", _PER_MILLION),
    "cache_write_1h_mtok": ("cache_creation_1h", _PER_MILLION),
    "input_audio_mtok": ("audio_input", _PER_MILLION),
    "output_audio_mtok": ("audio_output", _PER_MILLION),
    "cache_audio_read_mtok": ("audio_cache_read", _PER_MILLION),
    "input_image_mtok": ("image_input", _PER_MILLION),
    "output_image_mtok": ("image_output", _PER_MILLION),
    "cache_image_read_mtok": ("image_cache_read", _PER_MILLION),
    "input_video_mtok": ("video_input", _PER_MILLION),
    "output_reasoning_mtok": ("reasoning", _PER_MILLION),
    "web_searches_kcount": ("web_searches", _PER_THOUSAND),
    "rerank_searches_kcount": ("search_units", _PER_THOUSAND),
    "storage_searches_kcount": ("file_searches", _PER_THOUSAND),
    "input_document_kpages": ("pages", _PER_THOUSAND),
    "input_annotated_document_kpages": ("annotated_pages", _PER_THOUSAND),
    "input_mchars": ("characters", _PER_MILLION),
    "requests_kcount": ("request", _PER_THOUSAND),
    "audio_hours": ("audio_seconds", _PER_HOUR),
    "input_audio_hours": ("audio_seconds", _PER_HOUR),
}
_TIMES = frozenset(("web_searches", "search_units", "file_searches", "request"))
"""Rates that no discount on tokens touches."""


_CONTEXTS = {"batch": "processing", "fast": "speed"}
"""What the table calls it that a tier is one of."""


class _Basis:
    """What a price depends on beside who asks for it, and on which day."""

    __slots__ = ("by_hour", "steps")

    def __init__(self) -> None:
        self.steps: list[int] = []
        """Lengths of a prompt, in order, past which a rate is another."""
        self.by_hour = False
        """Whether the time of the day matters."""


_Found = dict[int, Rates | str]
"""By how many of the steps a prompt is past: the rates, or why there are none."""
_NOTHING: tuple[list[int], _Found] = [], {}
_LONGEST = 256
_MOST = 1_024
_known: dict[tuple[str | float | None, ...], tuple[list[int], _Found]] = {}
_table: Any = None
"""The prices that those are of: an update replaces all of them."""


@cache  # of each call, an import would take a microsecond or two
def _snapshots() -> Callable[[], Any]:
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot


def load_table() -> None:
    """Have the table loaded, and one model found in it: the first look takes a second."""
    with suppress(NoPriceError):
        rates_of("gpt-4o-mini", "openai", tier=None, geo=None, at=None, input_tokens=0)


def rates_of(
    model: str, provider: str | None, *, tier: str | None, geo: str | None, at: datetime | None, input_tokens: int
) -> Rates:
    """What the model costs at that time, in that tier, for a prompt of that length.

    Raises:
        NoPriceError: it is not known; the text says why.
    """
    global _known, _table
    if at is not None or len(model) > _LONGEST:
        return _looked_up(model, provider, tier, geo, at or datetime.now(tz=UTC), input_tokens, _Basis())
    if (table := _snapshots()()) is not _table:
        # Another dict: who looks something up in the table of before puts it into the old one.
        _known, _table = {}, table
    known = _known
    key = model, provider, tier, geo, time.time() // 86_400  # the day in UTC
    steps, found = known.get(key) or _NOTHING
    rates = found.get(bisect_left(steps, input_tokens) if steps else 0)
    if rates is None:
        basis = _Basis()
        try:
            rates = _looked_up(model, provider, tier, geo, datetime.now(tz=UTC), input_tokens, basis)
        except NoPriceError as reason:
            rates = str(reason)
        if not basis.by_hour:
            if len(known) >= _MOST:
                known.clear()
            known[key] = basis.steps, {**found, bisect_left(basis.steps, input_tokens): rates}
    if isinstance(rates, str):
        raise NoPriceError(rates)
    return rates


def _looked_up(
    model: str,
    provider: str | None,
    tier: str | None,
    geo: str | None,
    when: datetime,
    input_tokens: int,
    basis: _Basis,
) -> Rates:
    wanted = overlay()["tiers"].get((tier or "").lower(), (tier or "").lower())
    table = provider_id(provider)
    for name, owner in spellings(model, table):
        entry = _in_table(name, owner, wanted, when, input_tokens, basis)
        added = _at_this_length(_rules("rates", name, entry[1] if entry else owner, when), input_tokens, basis)
        if entry is None and not added:
            continue
        if added and entry is not None and entry[2]:  # what is added is of no tier
            entry = _in_table(name, owner, "", when, input_tokens, basis)
        values, owner, tiered = entry or ({}, owner, False)
        rules = [*added, *_factors(name, owner, "" if tiered else wanted, geo, when)]
        _refuse(name, owner, "" if tiered else wanted, rules, when)
        once = frozenset(fee for rule in _rules("once", name, owner, when) for fee in rule["fees"])
        return replace(_combined(values, rules, bool(entry)), once=once)
    routed = route(model)
    owner = provider or (routed[1] if routed else None)
    raise NoPriceError(f"no price known for model {_short(model)}" + (f" of {_short(owner)}" if owner else ""))


def _short(name: str) -> str:
    return name if len(name) <= 120 else f"{name[:117]}..."


def _in_table(
    model: str, provider: str | None, tier: str, when: datetime, input_tokens: int, basis: _Basis
) -> tuple[dict[str, Decimal], str, bool] | None:
    """Rates per unit, the provider's id, and whether they are already those of ``tier``."""
    from genai_prices.types import StartDateConstraint

    try:
        owner, entry = _snapshots()().find_provider_model(model, None, provider, None)
    except LookupError:
        return None
    context: dict[str, Any] = {}
    if tier:
        context = {_CONTEXTS.get(tier, "service_tier"): tier}
    own = any(entry is one for one in owner.models)
    tiered = own and any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(when))
        for variant in entry.price_variants or ()
    )
    prices = entry.get_prices(when, context if tiered else None)
    conditional = [*(entry.prices if isinstance(entry.prices, list) else ()), *(entry.price_variants or ())]
    basis.by_hour = any(not isinstance(one.constraint, StartDateConstraint | None) for one in conditional)
    values: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for key, (name, per) in _KEYS.items():
            price = getattr(prices, key, None)
            if price is not None:
                if not isinstance(price, Decimal):
                    basis.steps = sorted({*basis.steps, *(step.start for step in price.tiers)})
                    price = _at_length(price, input_tokens)
                values[name] = price / per
    return values, owner.id, tiered


def _at_length(price: Any, input_tokens: int) -> Decimal:
    """The rate in tiers for a prompt of that length: past a threshold every token costs the higher rate."""
    rate: Decimal = price.base
    for step in price.tiers:
        if input_tokens > step.start:
            rate = step.price
    return rate


def _rules(kind: str, model: str, provider: str | None, when: datetime) -> list[Mapping[str, Any]]:
    """The overlay's rules of one kind for this model on that day; ``until`` is the first day without."""
    day = f"{when:%Y-%m-%d}"
    return [
        rule
        for rule in overlay()[kind]
        if re.fullmatch(rule["provider"], provider or "")
        and re.fullmatch(rule.get("model", ".*"), model.lower())
        and rule.get("from", day) <= day < rule.get("until", "9999")
    ]


def _at_this_length(rules: list[Mapping[str, Any]], input_tokens: int, basis: _Basis) -> list[Mapping[str, Any]]:
    """Those that hold for a prompt so long; ``above`` is the length past which one does."""
    basis.steps = sorted({*basis.steps, *(rule["above"] for rule in rules if "above" in rule)})
    return [rule for rule in rules if rule.get("above", -1) < input_tokens]


def _factors(model: str, provider: str | None, tier: str, geo: str | None, when: datetime) -> list[Mapping[str, Any]]:
    return [
        rule
        for rule in _rules("multipliers", model, provider, when)
        if ("tier" not in rule or rule["tier"] == tier) and ("geo" not in rule or rule["geo"] == geo)
    ]


def _refuse(model: str, provider: str | None, tier: str, rules: list[Mapping[str, Any]], when: datetime) -> None:
    """A tier that nobody published a price for must not cost what the standard one costs."""
    for rule in _rules("refused", model, provider, when):
        if re.fullmatch(rule.get("tier", ".*"), tier):
            raise NoPriceError(str(rule["reason"]))
    if tier and not any(rule.get("tier") == tier for rule in rules):
        raise NoPriceError(f"no price known for service tier {_short(tier)} of model {_short(model)}")


def _combined(values: dict[str, Decimal], rules: list[Mapping[str, Any]], from_table: bool) -> Rates:
    with localcontext(EXACT):
        for rule in rules:
            for name, rate in rule.get("values", {}).items():
                values[name] = Decimal(rate) / _PER_MILLION
            factor = Decimal(rule.get("factor", 1))
            of = rule.get("of", values.keys() - _TIMES)
            values = {name: rate * factor if name in of else rate for name, rate in values.items()}
    if not values:
        raise NoPriceError("the price table lists the model, but no price for it")
    adopted = {str(n): {"source": rule["source"], "date": rule["date"]} for n, rule in enumerate(rules)}
    if not rules:
        return Rates(values, source="genai-prices", version=table_version())
    version = str(overlay()["version"]) + (f" on genai-prices {table_version()}" if from_table else "")
    return Rates(values, source="overlay", version=version, adopted=adopted)


def table_version() -> str:
    """The version of the price table, with the date of an update that was asked for."""
    import genai_prices
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    updated = f" updated {snapshot.timestamp:%Y-%m-%d}" if snapshot.from_auto_update else ""
    return f"{genai_prices.__version__}{updated}"
