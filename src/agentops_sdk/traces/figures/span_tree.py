"""One trace as a tree: who is below whom, and what each span is.

A span's number here is its place in the order of starts, so ``0`` started first. Nothing recurses and
nothing is made per span but a few bytes: a million spans, or a chain that deep, are fine.
Long because whatever is asked of a tree is asked of these numbers.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from functools import cached_property
from itertools import accumulate, repeat
from typing import TYPE_CHECKING, Any, Final, Self

from agentops_sdk.errors import TraceError
from agentops_sdk.traces.classify import OUTCOMES, from_ns
from agentops_sdk.traces.figures.span_facts import ENDED, KIND_BITS, KINDS, OUTCOME_BITS, OUTCOME_SHIFT, Fact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from agentops_sdk.traces.figures.background_work import Role
    from agentops_sdk.traces.figures.columns import Columns
    from agentops_sdk.traces.record import Outcome, SpanRecord

__all__ = ["SpanTree"]

SKEW_NS: Final = 1_000_000
"""A child may start this much before its parent (clock resolution) before it counts as skewed."""
_UNFINISHED: Final = OUTCOMES.index("unfinished")
_ERROR: Final = OUTCOMES.index("error")


class SpanTree:
    """The tree over rows of :class:`Columns` that belong to one trace.

    A span recorded twice counts once: the line of its end takes the place of those that were written while
    it was open. A parent link that would close a circle is cut, at the span of the circle that started first.
    """

    def __init__(
        self, columns: Columns, rows: Sequence[int], roles: Callable[[], Mapping[str, Role]] | None = None
    ) -> None:
        """Build the tree.

        Args:
            columns: where the spans are.
            rows: those of this trace, in any order.
            roles: gives by span id what spans are to work in the background; the others may be missing.

        Raises:
            TraceError: there is no row.
        """
        if not rows:
            raise TraceError("a trace needs at least one span")
        self.columns = columns
        self._roles = roles
        ordered = self._in_order(self._once(rows))
        self.rows = array("I", ordered)
        self.count = len(ordered)
        del ordered
        self.ends = array("q", map(columns.ends.__getitem__, self.rows))
        self.parents = self._resolved()
        self._link()
        self._walk()
        if len(self.preorder) < self.count:
            self._break_circles()
        self._outlive_children()

    def first_spans(self, count: int) -> Self:
        """The tree over those that started first."""
        return type(self)(self.columns, self.rows[:count], self._roles)

    # --- building ----------------------------------------------------------------------------

    def _once(self, rows: Sequence[int]) -> Sequence[int]:
        ids, ends, facts = self.columns.ids, self.columns.ends, self.columns.facts
        if len(set(map(ids.__getitem__, rows))) == len(rows):
            return rows
        best: dict[int, int] = {}
        for row in rows:
            known = best.setdefault(ids[row], row)
            if known != row and _ends(known, ends, facts) < _ends(row, ends, facts):
                best[ids[row]] = row
        return list(best.values())

    def _in_order(self, rows: Sequence[int]) -> list[int]:
        starts, ids = self.columns.starts, self.columns.ids
        ordered = sorted(rows, key=starts.__getitem__)
        if len(set(map(starts.__getitem__, ordered))) == len(ordered):
            return ordered
        first = 0
        for index in range(1, len(ordered) + 1):  # what started together goes by its id
            if index == len(ordered) or starts[ordered[index]] != starts[ordered[first]]:
                if index - first > 1:
                    ordered[first:index] = sorted(ordered[first:index], key=ids.__getitem__)
                first = index
        return ordered

    def _resolved(self) -> array[int]:
        """By number the parent's number, -1 where it is not here."""
        ids, parents, facts = self.columns.ids, self.columns.parents, self.columns.facts
        wanted = set(map(parents.__getitem__, self.rows))
        where = {ids[row]: number for number, row in enumerate(self.rows) if ids[row] in wanted}
        find = where.get
        if 0 not in where:  # as which a parent stands that there is not
            return array("i", map(find, map(parents.__getitem__, self.rows), repeat(-1)))
        return array("i", (find(parents[row], -1) if facts[row] & Fact.PARENT else -1 for row in self.rows))

    def _outlive_children(self) -> None:
        """What never finished was alive at least until the last end below it."""
        if not any(self.outcome_number(number) == _UNFINISHED for number in self.open):
            return
        ends, parents = self.ends, self.parents
        for number in reversed(self.preorder):
            above = parents[number]
            if above >= 0 and ends[above] < ends[number] and self.outcome_number(above) == _UNFINISHED:
                ends[above] = ends[number]

    def _link(self) -> None:
        """Children side by side, in the order they started: those of ``n`` from ``first[n]`` to ``first[n + 1]``."""
        count, parents = self.count, self.parents
        first = array("I", bytes(4 * (count + 2)))
        for above in parents:
            if above >= 0:
                first[above + 2] += 1
        first = array("I", accumulate(first))
        children = array("I", bytes(4 * (count - parents.count(-1))))
        for number, above in enumerate(parents):
            if above >= 0:
                children[first[above + 1]] = number
                first[above + 1] += 1
        self.first, self.below = first, children
        facts, rows = self.columns.facts, self.rows
        tops = [number for number in range(count) if parents[number] < 0]
        # A span that says it has no parent goes before those whose parent is missing.
        if len(tops) > 1:
            tops.sort(key=lambda number: (bool(facts[rows[number]] & Fact.PARENT), number))
        self.roots: tuple[int, ...] = tuple(tops)

    def _walk(self) -> None:
        """Parents before children; what lies below a span stands behind it, ``sizes`` spans with itself."""
        first, below = self.first, self.below
        preorder = array("I")
        stack = list(reversed(self.roots))
        pop, push, append = stack.pop, stack.extend, preorder.append
        while stack:
            number = pop()
            append(number)
            start, end = first[number], first[number + 1]
            if start < end:
                push(reversed(below[start:end]))
        self.preorder = preorder

    def _break_circles(self) -> None:
        reached = bytearray(self.count)
        for number in self.preorder:
            reached[number] = 1
        for number in range(
            self.count
        ):  # reached only for records that a faulty program wrote: the earliest of a circle becomes a root
            if not reached[number]:
                self.parents[number] = -1
                stack = [number]
                while stack:
                    inner = stack.pop()
                    if not reached[inner]:
                        reached[inner] = 1
                        stack.extend(self.children(inner))
        self._link()
        self._walk()

    # --- one span ----------------------------------------------------------------------------

    def children(self, number: int) -> array[int]:
        """The spans directly below, in the order they started."""
        return self.below[self.first[number] : self.first[number + 1]]

    def ancestors(self, number: int) -> Iterator[int]:
        """The spans above, nearest first."""
        number = self.parents[number]
        while number >= 0:
            yield number
            number = self.parents[number]

    def fact(self, number: int, bit: int) -> bool:
        """Whether a bit of :class:`Fact` is set."""
        return bool(self.columns.facts[self.rows[number]] & bit)

    def kind(self, number: int) -> str:
        """What the span is."""
        return str(KINDS[self.columns.facts[self.rows[number]] & KIND_BITS])

    def outcome_number(self, number: int) -> int:
        return (self.columns.facts[self.rows[number]] & OUTCOME_BITS) >> OUTCOME_SHIFT

    def outcome(self, number: int) -> Outcome:
        """How the span ended, or that it has not."""
        outcome: Outcome = OUTCOMES[(self.columns.facts[self.rows[number]] & OUTCOME_BITS) >> OUTCOME_SHIFT]
        return outcome

    def ended(self, number: int) -> bool:
        """Whether it has."""
        return ENDED[(self.columns.facts[self.rows[number]] & OUTCOME_BITS) >> OUTCOME_SHIFT]

    def start(self, number: int) -> int:
        """Nanoseconds since the epoch."""
        return self.columns.starts[self.rows[number]]

    def duration(self, number: int) -> float:
        """Seconds; never negative."""
        return max(0, self.ends[number] - self.columns.starts[self.rows[number]]) / 1e9

    def told(self, number: int) -> dict[str, Any]:
        """The attributes that totals and tables are made of."""
        return self.columns.told(self.rows[number])

    def words(self, number: int) -> dict[str, Any]:
        """Of :meth:`told` what many spans have in common; not to be changed."""
        return self.columns.words(self.rows[number])

    def name(self, number: int) -> str:
        """The span's name."""
        return self.columns.name(self.rows[number])

    def model(self, number: int) -> str | None:
        """The model that answered, or else the one that was asked for."""
        return self.columns.model(self.rows[number])

    def record(self, number: int) -> SpanRecord:
        """The whole record.

        Raises:
            TraceError: its line cannot be read again.
        """
        row = self.rows[number]
        record = self.columns.record(row)
        if self.ends[number] != self.columns.ends[row]:  # it outlived what its own line says
            end = self.ends[number]
            record = record.model_copy(update={"end_ns": end, "end": from_ns(end)})
        return record

    def skewed(self, number: int) -> bool:
        """Whether the clocks disagree: it starts before its parent does, or ends before it starts."""
        start, above = self.start(number), self.parents[number]
        return self.ends[number] < start or (above >= 0 and start < self.start(above) - SKEW_NS)

    def find(self, span_id: str) -> int | None:
        """The number of the span with this id."""
        try:
            wanted = int(span_id, 16) if len(span_id) == 16 else -1
        except ValueError:
            return None
        position = bisect_left(self._by_id, wanted, key=self._id)
        number = self._by_id[position] if position < self.count else -1
        return number if number >= 0 and self._id(number) == wanted else None

    def number(self, span_id: str) -> int:
        """The number of the span with this id.

        Raises:
            KeyError: it is not here.
        """
        number = self.find(span_id)
        if number is None:
            raise KeyError(span_id)
        return number

    def _id(self, number: int) -> int:
        return self.columns.ids[self.rows[number]]

    @cached_property
    def _by_id(self) -> array[int]:
        return array("I", sorted(range(self.count), key=self._id))

    # --- many --------------------------------------------------------------------------------

    def having(self, bit: int) -> Iterator[int]:
        """The spans with a bit of :class:`Fact` set, in the order they started."""
        if not any(some & bit for some in self._different_facts):
            return iter(())
        facts = self.columns.facts
        return (number for number, row in enumerate(self.rows) if facts[row] & bit)

    @property
    def kinds(self) -> set[str]:
        """What spans there are."""
        return {KINDS[some & KIND_BITS] for some in self._different_facts}

    @cached_property
    def _different_facts(self) -> set[int]:
        """The facts of all spans, each once: few, so that what none has is found out at once."""
        return set(map(self.columns.facts.__getitem__, self.rows))

    def of_kind(self, *kinds: str) -> Iterator[int]:
        """The spans of these kinds, in the order they started."""
        facts, wanted = self.columns.facts, {KINDS.index(kind) for kind in kinds}
        return (number for number, row in enumerate(self.rows) if facts[row] & KIND_BITS in wanted)

    @cached_property
    def orphans(self) -> list[int]:
        """Roots whose parent should be here and is not: not written yet, lost, or filtered out."""
        facts, rows = self.columns.facts, self.rows
        return [n for n in self.roots if facts[rows[n]] & (Fact.PARENT | Fact.ABSENT) == Fact.PARENT]

    @cached_property
    def errors(self) -> array[int]:
        """The spans that failed."""
        facts, failed = self.columns.facts, _ERROR << OUTCOME_SHIFT
        return array("I", (number for number, row in enumerate(self.rows) if facts[row] & OUTCOME_BITS == failed))

    @cached_property
    def open(self) -> array[int]:
        """The spans that have not ended."""
        facts, different = self.columns.facts, self._different_facts
        states = {some for some in different if not ENDED[(some & OUTCOME_BITS) >> OUTCOME_SHIFT]}
        return array("I", (number for number, row in enumerate(self.rows) if facts[row] in states) if states else ())

    @cached_property
    def roles(self) -> dict[int, Role]:
        """By number what a span is to work in the background; few are anything."""
        roles = {int(span_id, 16): role for span_id, role in (self._roles() if self._roles is not None else {}).items()}
        ids = self.columns.ids
        return {number: roles[ids[row]] for number, row in enumerate(self.rows) if ids[row] in roles} if roles else {}

    @cached_property
    def skews(self) -> int:
        """How many spans are :meth:`skewed`."""
        # Only what started before its parent has a smaller number.
        starts = map(self.columns.starts.__getitem__, self.rows)
        spans = enumerate(zip(starts, self.ends, self.parents, strict=True))
        return sum(
            1 for number, (start, end, above) in spans if end < start or (above > number and self.skewed(number))
        )

    @cached_property
    def end_ns(self) -> int:
        """When the last span ended, but for what people thought of it later: a run gets no longer by that."""
        verdicts = self.columns.verdicts
        if verdicts and (own := [number for number in range(self.count) if self.rows[number] not in verdicts]):
            return max(self.columns.starts[self.rows[own[-1]]], *(self.ends[number] for number in own))
        return max(self.columns.starts[self.rows[-1]], max(self.ends))  # noqa: PLW3301 - a million arguments are no answer

    @cached_property
    def sizes(self) -> array[int]:
        """By number, how many spans are in the part of the tree from it down, with itself."""
        sizes = array("I", [1]) * self.count
        parents = self.parents
        for number in reversed(self.preorder):
            if (above := parents[number]) >= 0:
                sizes[above] += sizes[number]
        return sizes

    @cached_property
    def places(self) -> array[int]:
        """By number, its place in :attr:`preorder`."""
        places = array("I", bytes(4 * self.count))
        for position, number in enumerate(self.preorder):
            places[number] = position
        return places

    @cached_property
    def llm_places(self) -> array[int]:
        """Where in :attr:`preorder` calls to a language model stand."""
        return array("I", sorted(map(self.places.__getitem__, self.of_kind("llm"))))

    def nearest_above(self, *kinds: str) -> array[int]:
        """By number the nearest span above that is of these kinds, -1 where there is none. One pass from the roots."""
        nearest = array("i", [-1]) * self.count
        wanted = set(self.of_kind(*kinds))
        for number in self.preorder:
            if (above := self.parents[number]) >= 0:
                nearest[number] = above if above in wanted else nearest[above]
        return nearest


def _ends(row: int, ends: array[int], facts: array[int]) -> tuple[bool, int]:
    return ENDED[(facts[row] & OUTCOME_BITS) >> OUTCOME_SHIFT], ends[row]
