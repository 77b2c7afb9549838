"""A run that may be chosen: its columns at once, its tree only if a condition asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentops_sdk.traces.figures.columns import Columns
    from agentops_sdk.traces.trace import Trace

__all__ = ["Candidate", "Condition"]


class Candidate:
    """One run, before anything but its columns is read."""

    def __init__(self, columns: Columns, rows: Sequence[int], start_ns: int, trace: Callable[[], Trace]) -> None:
        self.columns = columns
        self.rows = rows
        self.start_ns = start_ns
        self._trace = trace

    @cached_property
    def trace(self) -> Trace:
        """The tree and its figures."""
        return self._trace()

    @cached_property
    def different_rows(self) -> Sequence[int]:
        """One row for each combination of words, name, kind, outcome and service: few of a million."""
        return self.columns.different(self.rows)


class Effort:
    """What it takes to tell whether a condition holds; the cheap ones are asked first."""

    START = 0
    WORDS = 1
    TREE = 2
    MONEY = 3
    LINES = 4


@dataclass(frozen=True, slots=True)
class Condition:
    """What a run must meet.

    Attributes:
        holds: whether a run does.
        effort: one of :class:`Effort`.
        attributes: of spans and resources that are asked for; a reader who keeps them in columns is faster.
        remark: what is to be said after all runs were asked.
    """

    holds: Callable[[Candidate], bool]
    effort: int
    attributes: tuple[str, ...] = ()
    remark: Callable[[], str | None] = lambda: None
