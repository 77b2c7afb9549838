"""Figures of spans in typed columns: a count takes four bytes, an amount eight.

Spans whose figures have the same names and the usual types share a table. What is odd (a text, a bool, a count that is
negative or beyond 32 bits, an amount beyond all reason) is not taken: whoever has it keeps it elsewhere.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["FigureTable"]

_FLOATS: Final = frozenset((semconv.COST_AMOUNT, semconv.OPERATION_COST, semconv.RESPONSE_TIME_TO_FIRST_CHUNK))
_MOST: Final = 1e15


class FigureTable:
    """The figures of all spans that have those with these names, one place for each span."""

    def __init__(self, number: int, names: tuple[str, ...]) -> None:
        """Make an empty table.

        Args:
            number: what its owner knows it by.
            names: of the attributes, at least one.
        """
        self.number = number
        self.names = names
        self._types = tuple(float if name in _FLOATS else int for name in names)
        self.columns = {name: array("d" if name in _FLOATS else "I") for name in names}
        """By name, one place for each span."""
        self._appends = tuple(column.append for column in self.columns.values())
        self._first = self.columns[names[0]]
        self._amounts = tuple(index for index, name in enumerate(names) if name in _FLOATS)

    def put(self, values: tuple[Any, ...]) -> int | None:
        """Where the figures of one span are kept; ``None`` if one is odd."""
        if tuple(map(type, values)) != self._types:
            return None
        for index in self._amounts:
            if not -_MOST < values[index] < _MOST:
                return None
        position = len(self._first)
        try:
            for append, value in zip(self._appends, values):  # noqa: B905 - as many as there are types; twice as fast
                append(value)
        except OverflowError:
            for column in self.columns.values():
                del column[position:]
            return None
        return position

    @property
    def size(self) -> int:
        """How many spans' figures there are."""
        return len(self._first)

    def extend(self, columns: Mapping[str, array[Any]]) -> None:
        """Add those of another table with the same names."""
        for name, column in self.columns.items():
            column.extend(columns[name])

    def below_zero(self) -> set[int]:
        """The places of figures that are less than nothing."""
        amounts = [column for name, column in self.columns.items() if name in _FLOATS and len(column)]
        return {place for column in amounts if min(column) < 0 for place, value in enumerate(column) if value < 0}

    def at(self, position: int) -> dict[str, Any]:
        """The figures of one span, by the names of their attributes."""
        return {name: column[position] for name, column in self.columns.items()}

    def column(self, name: str, positions: Sequence[int]) -> Iterable[Any]:
        """One figure of each of these spans."""
        return map(self.columns[name].__getitem__, positions)

    def counts(self, positions: Sequence[int]) -> dict[str, int]:
        """The sum over these spans of each figure that is a count."""
        columns = self.columns.items()
        return {name: sum(map(column.__getitem__, positions)) for name, column in columns if name not in _FLOATS}
