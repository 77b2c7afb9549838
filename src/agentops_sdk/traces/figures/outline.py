"""One trace as a tree of numbers: which figures of its spans count, and what they add up to."""

from __future__ import annotations

from array import array
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agentops_sdk import semconv
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.figures.accounts import IN_BACKGROUND, NOT_ENDED, Counted, counted
from agentops_sdk.traces.figures.span_facts import Fact
from agentops_sdk.traces.figures.span_tree import SpanTree
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

__all__ = ["Outline"]


class Outline(SpanTree):
    """A tree of spans, and the tokens and the money of each part of it."""

    @cached_property
    def shares(self) -> bytearray:
        """By number what its figures add to every total it lies in: bits of :class:`Counted`."""
        return counted(self)

    @cached_property
    def calls(self) -> array[int]:
        """Every model call once, also where a framework reported it a second time."""
        call = Counted.CALL
        return array("I", (number for number, bits in enumerate(self.shares) if bits & call))

    @property
    def kind_of_calls(self) -> str | None:
        """The kind of all :attr:`calls`; ``None`` where there are several, or none."""
        kinds = set(map(self.kind, self.calls))
        return kinds.pop() if len(kinds) == 1 else None

    @property
    def llm_calls(self) -> int:
        """How many of the :attr:`calls` are to a language model."""
        return sum(self.kind(number) == "llm" for number in self.calls)

    @cached_property
    def models(self) -> list[str]:
        """The models that answered, each once, in the order of their first call."""
        return list(dict.fromkeys(name for name in map(self.model, self.calls) if name is not None))

    def usage(self, number: int) -> Usage | None:
        """The tokens that a span itself adds."""
        if not self.shares[number] & Counted.ANY_USAGE:
            return None
        usage = Usage()
        self.add(number, usage, None)
        return usage

    def cost(self, number: int) -> Cost | None:
        """The money that a span itself adds."""
        if not self.shares[number] & Counted.ANY_COST:
            return None
        cost = Cost(known=0)
        self.add(number, None, cost)
        return cost

    def add(self, number: int, usage: Usage | None, cost: Cost | None) -> None:
        """Add what a span itself adds."""
        bits = self.shares[number]
        if not bits & Counted.ANY:
            return
        self.columns.add_figures(
            self.rows[number],
            usage if bits & Counted.USAGE else None,
            cost if bits & Counted.COST else None,
        )
        if bits & Counted.UNSIZED and usage is not None:
            usage.unknown += 1
        if bits & Counted.UNPRICED and cost is not None:
            cost.miss(NOT_ENDED.get(self.outcome(number), "no price recorded"))
        if bits & Counted.OPEN:
            if usage is not None:
                usage.unknown += 1
            if cost is not None:
                cost.miss(str(self.told(number).get(semconv.COST_UNKNOWN_REASON) or IN_BACKGROUND))
        if bits & Counted.MORE:
            for reason, count in self._more(number):
                if bits & Counted.MORE_USAGE and usage is not None:
                    usage.unknown += count
                if bits & Counted.MORE_COST and cost is not None:
                    cost.miss(reason, count)

    def add_all(self, numbers: Iterable[int], usage: Usage | None, cost: Cost | None) -> None:
        """:meth:`add` for many spans, those with nothing but figures of their own in one go."""
        shares, rows = self.shares, self.rows
        used, paid, both = array("I"), array("I"), array("I")
        plain = {Counted.USAGE: used, Counted.COST: paid, Counted.USAGE | Counted.COST: both}
        for number in numbers:
            some = plain.get(shares[number] & Counted.ANY)
            if some is not None:
                some.append(rows[number])
            else:
                self.add(number, usage, cost)
        if both:
            self.columns.add_all_figures(both, usage, cost)
        if used and usage is not None:
            self.columns.add_all_figures(used, usage, None)
        if paid and cost is not None:
            self.columns.add_all_figures(paid, None, cost)

    def _more(self, number: int) -> Iterator[tuple[str, int]]:
        """What comes on top of a span's own figures and nobody knows: why, and how many of it."""
        above = self.parents[number]
        if not self.ended(number) and not self.shares[number] & Counted.CALL and (above < 0 or self.ended(above)):
            yield NOT_ENDED[self.outcome(number)], 1
        if self.fact(number, Fact.MISSING) and (count := _count(self.told(number)[semconv.MISSING_SPANS])):
            yield "span not kept", count
        if self.fact(number, Fact.ELSEWHERE):
            yield "perhaps not kept elsewhere", 1

    def misses(self, number: int) -> bool:
        """Whether the span knows of others that were not kept."""
        return self.fact(number, Fact.ELSEWHERE) or bool(_count(self.told(number).get(semconv.MISSING_SPANS)))

    def total(self, number: int | None = None) -> tuple[Usage, Cost]:
        """Tokens and money of a span and all below it, or of the whole trace; not to be changed."""
        if number is None or self.roots == (number,):
            return self._total
        position = self.places[number]
        return self._sum(self.preorder[position : position + self.sizes[number]])

    @cached_property
    def _total(self) -> tuple[Usage, Cost]:
        return self._sum(self.preorder)

    def _sum(self, numbers: Sequence[int]) -> tuple[Usage, Cost]:
        usage, cost = Usage(), Cost(known=0)
        shares, some = self.shares, Counted.ANY
        self.add_all((number for number in reversed(numbers) if shares[number] & some), usage, cost)
        return usage, cost

    def totals(self, wanted: Collection[int]) -> dict[int, tuple[Usage, Cost]]:
        """:meth:`total` of several spans, in one pass over all at most."""
        sizes, whole = self.sizes, self.roots[0] if len(self.roots) == 1 else -1
        if sum(sizes[number] for number in wanted if number != whole) <= self.count:
            return {number: self.total(number) for number in wanted}
        sums: dict[int, tuple[Usage, Cost]] = {}
        totals: dict[int, tuple[Usage, Cost]] = {}
        shares, parents = self.shares, self.parents
        for number in reversed(self.preorder):
            mine = sums.pop(number, None)
            counts = shares[number] & Counted.ANY
            if number in wanted:
                mine = mine or (Usage(), Cost(known=0))
                if counts:
                    self.add(number, *mine)
                totals[number] = (mine[0].copy(), mine[1].copy())
                counts = 0
            above = parents[number]
            if above < 0 or (mine is None and not counts):
                continue
            theirs = sums.get(above)
            if theirs is None:
                theirs = sums[above] = mine or (Usage(), Cost(known=0))
            elif mine is not None:
                theirs[0].add(mine[0])
                theirs[1].add(mine[1])
            if counts:
                self.add(number, *theirs)
        return totals


def _count(value: Any) -> int:
    return value if type(value) is int and value > 0 else 0
