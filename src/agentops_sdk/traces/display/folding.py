"""What a tree shows of a trace: no internal steps of frameworks, whose children move up, and of a large trace a part.

Of a large one each row of siblings shows its first and those in which something failed, until enough is shown.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from agentops_sdk.traces.figures.columns import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agentops_sdk.traces.figures.outline import Outline

MOST: Final = 1_000
"""Spans that are shown of a trace that has more."""
_FIRST: Final = 20
_FAILED: Final = 10


@dataclass(frozen=True, slots=True)
class Siblings:
    """The spans below one span, or the roots, by their numbers.

    ``folded`` counts spans that are left out, siblings and all below them, ``failed`` those of them that failed.
    """

    shown: Sequence[int]
    folded: int = 0
    failed: int = 0


class Folding:
    """Which spans of a trace a tree shows. To be asked from the top down."""

    def __init__(self, outline: Outline, *, internal: bool = False, whole: bool = False) -> None:
        """Prepare.

        Args:
            outline: the trace.
            internal: whether what frameworks put in between is shown, too.
            whole: whether everything is shown, however much it is.
        """
        self._outline = outline
        self._folds = not internal and next(outline.having(Fact.INTERNAL), None) is not None
        self.is_partial = outline.count > MOST and not whole
        """Whether something is left out beside internal steps."""
        self._left = MOST
        self._failed = _failed(outline) if self.is_partial else array("I")

    def below(self, number: int | None) -> Siblings:
        """What is shown below a span, in the order of their starts; ``None`` asks for the roots."""
        outline = self._outline
        numbers: Iterable[int] = outline.roots if number is None else outline.children(number)
        if self._folds:
            numbers = self._moved_up(numbers)
        if not self.is_partial:
            return Siblings(list(numbers))
        siblings = array("I", numbers)
        first = min(_FIRST, self._left)
        shown = list(siblings[:first])
        sizes, failed = outline.sizes, self._failed
        bad = min(_FAILED, self._left - len(shown))
        shown += islice((child for child in siblings[first:] if failed[child]), bad)
        self._left -= len(shown)
        return Siblings(shown, _sum(sizes, siblings) - _sum(sizes, shown), _sum(failed, siblings) - _sum(failed, shown))

    def _moved_up(self, numbers: Iterable[int]) -> Iterator[int]:
        """The spans with those below an internal one in its place."""
        stack = [iter(numbers)]
        while stack:
            number = next(stack[-1], None)
            if number is None:
                stack.pop()
            elif self._outline.parents[number] >= 0 and is_folded(self._outline, number):
                stack.append(iter(self._outline.children(number)))
            else:
                yield number


def _sum(figures: array[int], numbers: Iterable[int]) -> int:
    return sum(map(figures.__getitem__, numbers))


def is_folded(outline: Outline, number: int) -> bool:
    """Whether a span is internal and hides nothing: what went wrong in it alone stays in sight."""
    if not outline.fact(number, Fact.INTERNAL):
        return False
    outcome = outline.outcome(number)
    return outcome == "ok" or any(outline.outcome(child) == outcome for child in outline.children(number))


def _failed(outline: Outline) -> array[int]:
    """By number how many spans failed in the part of the tree from it down."""
    failed = array("I", bytes(4 * outline.count))
    for number in outline.errors:
        failed[number] = 1
    parents = outline.parents
    for number in reversed(outline.preorder):
        if (above := parents[number]) >= 0:
            failed[above] += failed[number]
    return failed
