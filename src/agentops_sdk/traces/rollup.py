"""Totals that do not lie: tokens by where the figure came from, and money with its unknowns."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self, overload

from agentops_sdk import semconv

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ATTRIBUTES: Final = {
    "input": semconv.USAGE_INPUT_TOKENS,
    "output": semconv.USAGE_OUTPUT_TOKENS,
    "cache_read": semconv.USAGE_CACHE_READ,
    "cache_creation": semconv.USAGE_CACHE_CREATION,
    "cache_creation_5m": semconv.USAGE_CACHE_CREATION_5M,
    "cache_creation_1h": semconv.USAGE_CACHE_CREATION_1H,
    "reasoning": semconv.USAGE_REASONING,
    "audio_input": semconv.USAGE_AUDIO_INPUT,
    "audio_output": semconv.USAGE_AUDIO_OUTPUT,
    "audio_cache_read": semconv.USAGE_AUDIO_CACHE_READ,
    "image_input": semconv.USAGE_IMAGE_INPUT,
    "image_output": semconv.USAGE_IMAGE_OUTPUT,
    "accepted_prediction": semconv.USAGE_ACCEPTED_PREDICTION,
    "rejected_prediction": semconv.USAGE_REJECTED_PREDICTION,
}
_FROM_PROVIDER: Final = ("reported", "injected")


class _Tokens:
    """One kind of token, summed over every source. A descriptor, so that each is a typed attribute."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, usage: None, owner: type) -> Self: ...
    @overload
    def __get__(self, usage: Usage, owner: type) -> int: ...
    def __get__(self, usage: Usage | None, owner: type) -> Self | int:
        return self if usage is None else sum(counts.get(self.name, 0) for counts in usage.by_source.values())


class Usage:
    """Tokens used. ``input`` includes what was read from a cache, ``output`` includes reasoning.

    ``by_source`` keeps apart what the provider said (``reported``, ``injected``: said because we asked
    for it) from what was worked out here (``counted`` by a tokenizer, ``estimated`` by a rule of thumb).
    ``unknown`` counts model calls of which no figure exists: the totals are then a lower bound.
    """

    __slots__ = ("by_source", "unknown")

    input = _Tokens()
    output = _Tokens()
    cache_read = _Tokens()
    cache_creation = _Tokens()
    cache_creation_5m = _Tokens()
    cache_creation_1h = _Tokens()
    reasoning = _Tokens()
    audio_input = _Tokens()
    audio_output = _Tokens()
    audio_cache_read = _Tokens()
    image_input = _Tokens()
    image_output = _Tokens()
    accepted_prediction = _Tokens()
    rejected_prediction = _Tokens()

    def __init__(self, by_source: Mapping[str, Mapping[str, int]] | None = None, unknown: int = 0) -> None:
        self.by_source: dict[str, dict[str, int]] = {source: dict(n) for source, n in (by_source or {}).items()}
        self.unknown = unknown

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> Usage | None:
        """What one span's attributes tell, or None if they tell of no tokens."""
        counts = {}
        for name, attribute in ATTRIBUTES.items():
            value = attributes.get(attribute)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                counts[name] = int(value)
        if not counts:
            return None
        source = attributes.get(semconv.USAGE_SOURCE)
        made = cls()
        made.by_source[source if source in semconv.USAGE_SOURCES else "reported"] = counts
        return made

    @property
    def total(self) -> int:
        """Input and output together."""
        return self.input + self.output

    @property
    def reported(self) -> Usage:
        """The part that the provider said."""
        return Usage({source: n for source, n in self.by_source.items() if source in _FROM_PROVIDER})

    @property
    def estimated(self) -> Usage:
        """The part that was worked out here."""
        return Usage({source: n for source, n in self.by_source.items() if source not in _FROM_PROVIDER})

    @property
    def is_estimated(self) -> bool:
        """Whether any part was worked out here instead of said by the provider."""
        return any(source not in _FROM_PROVIDER for source in self.by_source)

    @property
    def lower_bound(self) -> bool:
        """Whether a call of unknown size makes the totals too small."""
        return self.unknown > 0

    @property
    def cache_hit_share(self) -> float | None:
        """The share of input tokens that came from a cache, 0 to 1; None without input."""
        return self.cache_read / self.input if self.input else None

    def add(self, other: Usage) -> None:
        """Add another usage to this one, in place."""
        for source, counts in other.by_source.items():
            mine = self.by_source.setdefault(source, {})
            for name, count in counts.items():
                mine[name] = mine.get(name, 0) + count
        self.unknown += other.unknown

    def __add__(self, other: Usage) -> Usage:
        made = Usage(self.by_source, self.unknown)
        made.add(other)
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Usage):
            return NotImplemented
        return self.by_source == other.by_source and self.unknown == other.unknown

    __hash__ = None  # type: ignore[assignment]  # totals grow in place

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: every total that is not zero, the parts by source, the unknowns."""
        totals = {name: count for name in ATTRIBUTES if (count := getattr(self, name))}
        return {"input": 0, "output": 0, **totals, "by_source": self.by_source, "unknown": self.unknown}

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}={count}" for name in ATTRIBUTES if (count := getattr(self, name)))
        marks = [f"~{self.estimated.total} estimated"] if self.is_estimated else []
        marks += [f"{self.unknown} unknown"] if self.unknown else []
        return f"Usage({', '.join([parts or 'none', *marks])})"


class Cost:
    """Money spent: ``amount`` in ``currency``, how much of it is an estimate, and what is not known.

    Compares with numbers and with other costs, and a comparison is True only if it is **certain**: with
    an unknown part, ``cost < 0.01`` is False whatever the known part, since nobody can say.
    ``known`` counts the figures that were added, ``unknowns`` the missing ones by their reason.
    """

    __slots__ = ("amount", "currency", "estimated", "known", "unknowns")

    def __init__(
        self,
        amount: Decimal | int | str = 0,
        currency: str = "USD",
        *,
        estimated: Decimal | int | str = 0,
        known: int = 1,
        unknowns: Mapping[str, int] | None = None,
    ) -> None:
        self.amount = Decimal(amount)
        self.currency = currency
        self.estimated = Decimal(estimated)
        self.known = known
        self.unknowns: Counter[str] = Counter(unknowns or {})

    @classmethod
    def nothing(cls) -> Cost:
        """The empty total: no figure yet, known or unknown."""
        return cls(known=0)

    @classmethod
    def unknown(cls, reason: str) -> Cost:
        """One figure that nobody knows, and why."""
        return cls(known=0, unknowns={reason: 1})

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> Cost | None:
        """What one span's attributes tell, or None if they tell nothing of money."""
        amount = attributes.get(semconv.COST_AMOUNT, attributes.get(semconv.OPERATION_COST))
        if isinstance(amount, (int, float)) and not isinstance(amount, bool):
            exact = Decimal(repr(amount))
            guessed = attributes.get(semconv.COST_ESTIMATED) is True or attributes.get(semconv.USAGE_SOURCE) in (
                "counted",
                "estimated",
            )
            currency = attributes.get(semconv.COST_CURRENCY)
            return cls(exact, currency if isinstance(currency, str) else "USD", estimated=exact if guessed else 0)
        reason = attributes.get(semconv.COST_UNKNOWN_REASON)
        return cls.unknown(str(reason)) if reason else None

    @property
    def unknown_count(self) -> int:
        """How many figures are missing."""
        return sum(self.unknowns.values())

    @property
    def lower_bound(self) -> bool:
        """Whether something unknown comes on top of ``amount``."""
        return bool(self.unknowns)

    @property
    def is_estimated(self) -> bool:
        """Whether any part of ``amount`` is an estimate."""
        return bool(self.estimated)

    def add(self, other: Cost) -> None:
        """Add another cost, in place. Money in a second currency cannot be added: it counts as unknown."""
        if other.known and not self.known:
            self.currency = other.currency
        if other.known and other.currency != self.currency:
            self.unknowns[f"in {other.currency}, not {self.currency}"] += other.known
        else:
            self.amount += other.amount
            self.estimated += other.estimated
            self.known += other.known
        self.unknowns.update(other.unknowns)

    def __add__(self, other: Cost) -> Cost:
        return Cost.sum((self, other))

    @classmethod
    def sum(cls, costs: Iterable[Cost]) -> Cost:
        """The total of many."""
        total = cls.nothing()
        for cost in costs:
            total.add(cost)
        return total

    @property
    def at_most(self) -> Decimal:
        """What it cannot exceed: ``amount``, or infinity if something is unknown."""
        return Decimal("Infinity") if self.lower_bound else self.amount

    def __lt__(self, other: Cost | Decimal | float) -> bool:
        return self.at_most < _lowest(other)

    def __le__(self, other: Cost | Decimal | float) -> bool:
        return not self.lower_bound and self.amount <= _lowest(other)

    def __gt__(self, other: Cost | Decimal | float) -> bool:
        return self.amount > _highest(other)

    def __ge__(self, other: Cost | Decimal | float) -> bool:
        return self.amount >= _highest(other)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Cost):
            return (self.amount, self.currency, self.estimated, self.unknowns) == (
                other.amount,
                other.currency,
                other.estimated,
                other.unknowns,
            )
        if isinstance(other, (int, float, Decimal)):
            return not self.lower_bound and self.amount == _exact(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # totals grow in place

    def __float__(self) -> float:
        return float(self.amount)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; money as floats rounded at 12 places, ``amount`` null if nothing is known."""
        return {
            "amount": None if self.unknowns and not self.known else round(float(self.amount), 12),
            "currency": self.currency,
            "estimated": round(float(self.estimated), 12),
            "lower_bound": self.lower_bound,
            "unknown": dict(self.unknowns),
        }

    def __str__(self) -> str:
        if self.unknowns and not self.known:
            return "unknown"
        mark = ("≥" if self.lower_bound else "") + ("~" if self.is_estimated else "")
        return f"{mark}{money(self.amount, self.currency)}"

    def __repr__(self) -> str:
        reasons = "; ".join(f"{count} × {reason}" for reason, count in self.unknowns.items())
        return f"Cost({self}{f', {self.unknown_count} unknown: {reasons}' if reasons else ''})"


def money(amount: Decimal, currency: str = "USD") -> str:
    """An amount for people: two decimals from one unit up, else three significant digits."""
    if abs(amount) >= 1 or not amount:
        digits = f"{amount:,.2f}"
    else:
        digits = f"{amount:.{2 - amount.adjusted()}f}"
    return f"${digits}" if currency == "USD" else f"{currency} {digits}"


def _exact(number: Decimal | float) -> Decimal:
    return number if isinstance(number, Decimal) else Decimal(repr(number))


def _lowest(other: Cost | Decimal | float) -> Decimal:
    return other.amount if isinstance(other, Cost) else _exact(other)


def _highest(other: Cost | Decimal | float) -> Decimal:
    return other.at_most if isinstance(other, Cost) else _exact(other)
