"""Money spent, added up exactly, with what is estimated and what is unknown."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.formats.json_values import is_figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_UNITS: Final = 1e12
_EXACT: Final = 10**15


class Cost:
    """Cost: ``amount`` in ``currency``, how much of it is an estimate, and what is unknown.

    Compares with numbers and with other costs, and a comparison is True only if it is **certain**: with
    an unknown part, ``cost < 0.01`` is False whatever the known part, since it cannot be verified.
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
        self.unknowns: dict[str, int] = dict(unknowns) if unknowns else {}

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
        if is_figure(amount):
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
        """Whether part of the cost is unknown, so that ``amount`` is a lower bound."""
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
            self.miss(f"in {other.currency}, not {self.currency}", other.known)
        else:
            self.amount += other.amount
            self.estimated += other.estimated
            self.known += other.known
        for reason, count in other.unknowns.items():
            self.miss(reason, count)

    def count(self, amount: Decimal, currency: str, *, guessed: bool) -> None:
        """Add one figure that a span told, in place."""
        if self.known and currency == self.currency:
            self.amount += amount
            self.known += 1
            if guessed:
                self.estimated += amount
        else:
            self.add(Cost(amount, currency, estimated=amount if guessed else 0))

    def miss(self, reason: str, count: int = 1) -> None:
        """Add figures that nobody knows, in place."""
        self.unknowns[reason] = self.unknowns.get(reason, 0) + count

    def copy(self) -> Cost:
        """The same figures, to which others can be added."""
        return Cost(self.amount, self.currency, estimated=self.estimated, known=self.known, unknowns=self.unknowns)

    def __add__(self, other: Cost) -> Cost:
        total = self.copy()
        total.add(other)
        return total

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

    def text(self, digits: int = 3) -> str:
        """For people: ``unknown``, or the amount with ``≥`` before a lower bound and ``~`` before an estimate."""
        if self.unknowns and not self.known:
            return "unknown"
        mark = ("≥" if self.unknowns else "") + ("~" if self.estimated else "")
        return f"{mark}{money(self.amount, self.currency, digits)}"

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        reasons = "; ".join(f"{count} × {reason}" for reason, count in self.unknowns.items())
        return f"Cost({self}{f', {self.unknown_count} unknown: {reasons}' if reasons else ''})"


def exact_sum(amounts: Iterable[float]) -> Decimal:
    """The sum of amounts as they are written in decimal.

    One that is a whole number of 10⁻¹² and has no more than fifteen digits, as nearly all do, is added up as that.
    """
    whole, rest = 0, Decimal(0)
    for amount in amounts:
        units = round(amount * _UNITS)
        if -_EXACT < units < _EXACT and units / _UNITS == amount:
            whole += units
        else:
            rest += Decimal(repr(amount))
    return rest + Decimal(whole).scaleb(-12).normalize()


def money(amount: Decimal, currency: str = "USD", digits: int = 3) -> str:
    """An amount for people: two decimals from one unit up, else so many significant digits."""
    places = 2 if abs(amount) >= 1 or not amount else digits - 1 - amount.adjusted()
    shown = f"{amount:,.{places}f}"
    return f"${shown}" if currency == "USD" else f"{line(currency, 12)} {shown}"


def _exact(number: Decimal | float) -> Decimal:
    return number if isinstance(number, Decimal) else Decimal(repr(number))


def _lowest(other: Cost | Decimal | float) -> Decimal:
    return other.amount if isinstance(other, Cost) else _exact(other)


def _highest(other: Cost | Decimal | float) -> Decimal:
    return other.at_most if isinstance(other, Cost) else _exact(other)
