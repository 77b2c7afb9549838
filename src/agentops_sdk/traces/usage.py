"""Tokens used, added up by where each figure came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self, overload

from agentops_sdk import semconv
from agentops_sdk.traces.formats.json_values import is_figure

if TYPE_CHECKING:
    from collections.abc import Mapping

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
_NAMES: Final = {
    **{attribute: name for name, attribute in ATTRIBUTES.items()},
    semconv.USAGE_CACHE_WRITE: "cache_creation",
    **{semconv.MAIN_NAMES[own]: name for name, own in ATTRIBUTES.items() if own in semconv.MAIN_NAMES},
}
FROM_PROVIDER: Final = ("reported", "injected")


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
        usage = cls()
        return usage if usage.count(attributes.get(semconv.USAGE_SOURCE), attributes) else None

    def count(self, source: Any, attributes: Mapping[str, Any]) -> bool:
        """Add what one span's attributes tell; whether they tell of tokens.

        Of a cache's writes the conventions' newer name counts only where the older one is not there.
        """
        counts: dict[str, int] | None = None
        for name in _NAMES.keys() & attributes.keys():  # few spans have any: let C find out
            value = attributes[name]
            if not is_figure(value):
                continue
            if name == semconv.USAGE_CACHE_WRITE and is_figure(attributes.get(semconv.USAGE_CACHE_CREATION)):
                continue
            if counts is None:
                counts = self.by_source.setdefault(source if source in semconv.USAGE_SOURCES else "reported", {})
            field = _NAMES[name]
            counts[field] = counts.get(field, 0) + int(value)
        return counts is not None

    @property
    def total(self) -> int:
        """Input and output together."""
        return self.input + self.output

    @property
    def reported(self) -> Usage:
        """The part that the provider reported."""
        return Usage({source: n for source, n in self.by_source.items() if source in FROM_PROVIDER})

    @property
    def estimated(self) -> Usage:
        """The part that was counted or estimated here."""
        return Usage({source: n for source, n in self.by_source.items() if source not in FROM_PROVIDER})

    @property
    def is_estimated(self) -> bool:
        """Whether any part was counted or estimated here instead of reported by the provider."""
        return any(source not in FROM_PROVIDER for source in self.by_source)

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

    def copy(self) -> Usage:
        """The same figures, to which others can be added."""
        return Usage(self.by_source, self.unknown)

    def __add__(self, other: Usage) -> Usage:
        total = self.copy()
        total.add(other)
        return total

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Usage):
            return NotImplemented
        return self.by_source == other.by_source and self.unknown == other.unknown

    __hash__ = None  # type: ignore[assignment]  # totals grow in place

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: every total that is not zero, the parts by source, the unknowns."""
        totals = {name: count for name in ATTRIBUTES if (count := getattr(self, name))}
        by_source = {
            source: {name: counts[name] for name in ATTRIBUTES if name in counts}
            for source, counts in self.by_source.items()
        }
        return {"input": 0, "output": 0, **totals, "by_source": by_source, "unknown": self.unknown}

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}={count}" for name in ATTRIBUTES if (count := getattr(self, name)))
        marks = [f"~{self.estimated.total} estimated"] if self.is_estimated else []
        marks += [f"{self.unknown} unknown"] if self.unknown else []
        return f"Usage({', '.join([parts or 'none', *marks])})"
