"""What a tree shows of a trace: no internal steps of frameworks, whose children move up, and of a large trace a part.

Of a large one each row of siblings shows its first and those in which something failed, until enough is shown.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import TYPE_CHECKING, Final

from agentops_sdk.traces.figures.span_facts import Fact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from agentops_sdk.traces.figures.outline import Outline

MOST: Final = 1_000
"""Spans that are shown of a trace that has more."""
_FIRST: Final = 20
_FAILED: Final = 10
_ALIKE: Final = 5
"""Steps in a row that are all shown though they look alike."""


@dataclass(frozen=True, slots=True)
class Siblings:
    """The spans below one span, or the roots, by their numbers.

    ``folded`` counts spans that are left out, siblings and all below them, ``failed`` those of them that failed.
    ``alike`` has by the number of a span that is shown those behind it that are left out because they are like it.
    """

    shown: Sequence[int]
    folded: int = 0
    failed: int = 0
    alike: Mapping[int, Sequence[int]] = field(default_factory=dict)


class Folding:
    """Which spans of a trace a tree shows. To be asked from the top down."""

    def __init__(
        self,
        outline: Outline,
        *,
        internal: bool = False,
        whole: bool = False,
        apart: Collection[int] = (),
        depth: int | None = None,
    ) -> None:
        """Prepare.

        Args:
            outline: the trace.
            internal: whether what frameworks put in between is shown, too.
            whole: whether everything is shown, however much it is.
            apart: spans of which more is told than their line, so that none is like them.
            depth: how many levels below the roots are shown.
        """
        self._folds_alike = not whole
        self._apart = apart
        self._depth = depth
        self._outline = outline
        self._folds = not internal and next(outline.having(Fact.INTERNAL), None) is not None
        self.is_partial = outline.count > MOST and not whole
        """Whether something is left out beside internal steps."""
        self._left = MOST
        self._failed = _failed(outline) if self.is_partial else array("I")

    def below(self, number: int | None, depth: int = 0) -> Siblings:
        """What is shown below a span, in the order of their starts; ``None`` asks for the roots.

        ``depth`` is that of the spans that are asked for.
        """
        outline = self._outline
        if self._depth is not None and depth > self._depth and number is not None:
            first, last = outline.places[number], outline.places[number] + outline.sizes[number]
            failed_below = sum(first < outline.places[failed] < last for failed in outline.errors)
            return Siblings((), last - first - 1, failed_below)
        numbers: Iterable[int] = outline.roots if number is None else outline.children(number)
        if self._folds:
            numbers = self._moved_up(numbers)
        if not self.is_partial:
            every = list(numbers)
            return self._without_alike(every) if self._folds_alike and len(every) > _ALIKE else Siblings(every)
        siblings = array("I", numbers)
        first = min(_FIRST, self._left)
        shown = list(siblings[:first])
        sizes, failed = outline.sizes, self._failed
        bad = min(_FAILED, self._left - len(shown))
        shown += islice((child for child in siblings[first:] if failed[child]), bad)
        self._left -= len(shown)
        return Siblings(shown, _sum(sizes, siblings) - _sum(sizes, shown), _sum(failed, siblings) - _sum(failed, shown))

    def _without_alike(self, numbers: list[int]) -> Siblings:
        """Of many steps in a row that nothing but their figures tells apart, the first."""
        shown: list[int] = []
        alike: dict[int, Sequence[int]] = {}
        for _, group in groupby(numbers, self._looks):
            members = list(group)
            if len(members) > _ALIKE:
                alike[members[0]] = members[1:]
                del members[1:]
            shown += members
        return Siblings(shown, alike=alike)

    def _looks(self, number: int) -> tuple[object, ...]:
        """What a line of the tree says beside figures; of its own kind is what has something below or went wrong."""
        outline = self._outline
        first = outline.first
        if first[number] < first[number + 1] or outline.outcome(number) != "ok" or number in self._apart:
            return (number,)
        return outline.kind(number), outline.name(number)

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
