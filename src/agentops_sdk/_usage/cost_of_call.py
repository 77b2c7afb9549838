"""What a model call costs: the user's price first, then our overlay over the price table; else why it is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from agentops_sdk._usage import user_prices
from agentops_sdk._usage.counts import amount
from agentops_sdk._usage.model_names import provider_id, spellings
from agentops_sdk._usage.price_arithmetic import EXACT, NoPriceError, Rates, breakdown
from agentops_sdk._usage.price_table import rates_of


@dataclass(frozen=True)
class Price:
    """A cost with its provenance.

    ``amount`` is None where it is unknown, and ``unknown_reason`` says why. ``source`` is ``user``,
    ``callback``, ``overlay``, ``genai-prices`` or ``provider``; ``version`` names the price list.
    ``estimated`` is True where the tokens were worked out here. ``breakdown`` has the amount per kind
    of use and adds up to ``amount``.
    """

    amount: Decimal | None
    currency: str | None = "USD"
    source: str | None = None
    version: str | None = None
    unknown_reason: str | None = None
    estimated: bool = False
    breakdown: Mapping[str, Decimal] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.amount is None:
            return f"unknown: {self.unknown_reason}"
        return f"{'~' if self.estimated else ''}{self.amount:f} {self.currency}"


def unknown(reason: str, *, estimated: bool = False) -> Price:
    """A cost that nobody knows, and why."""
    return Price(None, None, unknown_reason=reason, estimated=estimated)


def cost_of(
    models: Iterable[str],
    provider: str | None,
    counts: Mapping[str, int | Decimal],
    *,
    tier: str | None = None,
    geo: str | None = None,
    at: datetime | None = None,
    estimated: bool = False,
) -> Price:
    """The cost of one call.

    Args:
        models: names of the model, the most telling first; the first that has a price decides, one of the user's
            before published ones: whoever asks for ``gpt-4o`` and has set its price is answered by a dated one.
        counts: what was used, by the short names of ``rates.COUNTS``; parts are counted in their wholes.
    """
    names = [user_prices.aliased(name) for name in dict.fromkeys(models) if name]
    if not names:
        return unknown("the model is not known", estimated=estimated)
    if user_prices.callback is not None:
        price = _from_callback(user_prices.callback, names[0], provider, dict(counts), estimated)
        if price is not None:
            return price
    is_priced_by_user = user_prices.are_set()
    if is_priced_by_user and len(names) > 1:
        names.sort(key=lambda name: own_rates(name, provider) is None)
    reasons = []
    for name in names:
        try:
            rates = (own_rates(name, provider) if is_priced_by_user else None) or rates_of(
                name, provider, tier=tier, geo=geo, at=at, input_tokens=int(counts.get("input", 0))
            )
            parts = breakdown(rates, counts)
        except NoPriceError as reason:
            reasons.append(str(reason))
            continue
        total = Decimal(0)
        for part in parts.values():
            total = EXACT.add(total, part)
        return Price(total, rates.currency, rates.source, rates.version or None, None, estimated, parts)
    return unknown(reasons[0], estimated=estimated)


def own_rates(model: str, provider: str | None) -> Rates | None:
    for name, owner in spellings(model, provider_id(provider)):
        rates = user_prices.find(name, owner)
        if rates is not None:
            return rates
    return None


def _from_callback(
    callback: user_prices.Callback, model: str, provider: str | None, counts: dict[str, int | Decimal], estimated: bool
) -> Price | None:
    answer = callback(model, provider, counts)
    if answer is None or isinstance(answer, Price):
        return answer
    exact = amount(answer)
    if exact is None:
        return unknown(
            f"the price callback returned a {type(answer).__name__} that is not an amount", estimated=estimated
        )
    return Price(exact, source="callback", estimated=estimated)
