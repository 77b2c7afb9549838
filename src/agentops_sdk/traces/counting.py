"""Which span's figures count: every call once, however many layers reported it.

- A model call below a model call is the same call, seen by a framework and by the provider's client.
  The layer that knows most counts (figures the provider reported, then a response id, then a price;
  the inner one if they know the same), the other does not.
- An answer from a cache of the program's is no call, and adds nothing.
- Work in the background that is begun by one span and read by others is one call, where its end is told first;
  where nobody told it, it is unknown.
- Tokens on any other span are a total of what lies below: they count only if nothing below has any.
- Money on an agent, workflow or unclassified span is such a total too; on a tool or another step it is
  the step's own price and adds up.
- What has not ended may still use more, and spans that were not kept may have used something: unknown comes
  on top, once for each outermost open span and for each span that is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from agentops_sdk import semconv
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentops_sdk.traces.background_work import Role
    from agentops_sdk.traces.record import SpanRecord

T = TypeVar("T")
Total = TypeVar("Total", Usage, Cost)
MODEL_KINDS: Final = ("llm", "embedding")
_TOTAL_KINDS: Final = ("agent", "workflow", "span")
_OPEN: Final = "in the background: its end was not told"
_NOT_ENDED: Final = {"running": "still running", "unfinished": "never finished"}


@dataclass(slots=True)
class Share:
    """What one span itself adds to every total it lies in."""

    call: bool = False
    """Whether the span is a model call that counts."""
    usage: Usage | None = None
    cost: Cost | None = None


def shares(
    post_order: Iterable[SpanRecord],
    parent: Callable[[SpanRecord], SpanRecord | None],
    role: Callable[[str], Role | None],
) -> dict[str, Share]:
    """Each span's own share by span id, for spans given children first. One pass, linear.

    Args:
        role: of a span, by its id, in work that goes on in the background.
    """
    made: dict[str, Share] = {}
    below: dict[str, _Below] = {}
    for span in post_order:
        mine = below.pop(span.span_id, None) or _Below()
        share = made[span.span_id] = Share()
        part = role(span.span_id)
        if span.attributes.get(semconv.CACHED) is True or part in ("repeats", "begins"):
            pass  # answered from a cache, or told by another span: no model was called here, and nothing was used
        elif part == "unused":
            share.call = span.kind in MODEL_KINDS
        elif part == "open":
            share.call = span.kind in MODEL_KINDS
            _add_unknown(share, str(span.attributes.get(semconv.COST_UNKNOWN_REASON) or _OPEN))
        elif span.kind in MODEL_KINDS:
            _model_call(span, share, mine, made)
        else:
            _other(span, share, mine, made)
        above = parent(span)
        if not span.ended and not share.call and (above is None or above.ended):
            _add_unknown(share, _NOT_ENDED[span.outcome])
        missing = span.attributes.get(semconv.MISSING_SPANS)
        if type(missing) is int and missing > 0:
            _add_unknown(share, "span not kept", missing)
        if span.attributes.get(semconv.SAMPLED_ELSEWHERE) is True:
            _add_unknown(share, "perhaps not kept elsewhere")
        if above is not None:
            below.setdefault(above.span_id, _Below()).merge(mine)
    return made


def unrecorded(outcome: str) -> Share:
    """What comes on top where a run's outermost span should be here and is not."""
    share = Share()
    _add_unknown(share, _NOT_ENDED.get(outcome, "its outermost span is missing"))
    return share


def _add_unknown(share: Share, reason: str, count: int = 1) -> None:
    share.usage = (share.usage or Usage()) + Usage(unknown=count)
    share.cost = (share.cost or Cost.nothing()) + Cost(known=0, unknowns={reason: count})


def totals(
    post_order: Iterable[SpanRecord], parent: Callable[[SpanRecord], SpanRecord | None], made: dict[str, Share]
) -> tuple[dict[str, Usage], dict[str, Cost]]:
    """Per span id, its own share and all below it; only where there is any. One pass, linear."""
    usages: dict[str, Usage] = {}
    costs: dict[str, Cost] = {}
    for span in post_order:
        own = made[span.span_id]
        above = parent(span)
        usage = _grown(usages.get(span.span_id), own.usage)
        if usage is not None:
            usages[span.span_id] = usage
            if above is not None:
                usages.setdefault(above.span_id, Usage()).add(usage)
        cost = _grown(costs.get(span.span_id), own.cost)
        if cost is not None:
            costs[span.span_id] = cost
            if above is not None:
                costs.setdefault(above.span_id, Cost.nothing()).add(cost)
    return usages, costs


def _grown(below: Total | None, own: Total | None) -> Total | None:
    """What is below and the span's own; a leaf's own total is taken as it is."""
    if below is None or own is None:
        return own if below is None else below
    below.add(own)
    return below


class _Below:
    """What is already counted below a span."""

    __slots__ = ("calls", "cost", "unpriced", "unsized", "usage")

    def __init__(self) -> None:
        self.usage = False
        self.cost = False
        self.unsized: list[str] = []
        self.unpriced: list[str] = []
        self.calls: list[tuple[str, int]] = []  # model calls with nothing but plain spans in between, and their worth

    def merge(self, other: _Below) -> None:
        self.usage |= other.usage
        self.cost |= other.cost
        self.calls = _joined(self.calls, other.calls)
        self.unsized = _joined(self.unsized, other.unsized)
        self.unpriced = _joined(self.unpriced, other.unpriced)


def _joined(one: list[T], other: list[T]) -> list[T]:
    """Both lists in the longer one: a deep chain stays linear."""
    if not other:
        return one
    if len(one) < len(other):
        one, other = other, one
    one.extend(other)
    return one


def _other(span: SpanRecord, share: Share, mine: _Below, made: dict[str, Share]) -> None:
    usage, cost = Usage.of(span.attributes), Cost.of(span.attributes)
    if usage is not None and not mine.usage:
        share.usage = usage
        mine.usage = True
        for inner in mine.unsized:
            made[inner].usage = None  # the total covers what the calls below did not tell
        mine.unsized = []
    if cost is not None and span.kind not in _TOTAL_KINDS:
        share.cost = cost
    elif cost is not None and cost.known and not mine.cost:
        share.cost = cost
        mine.cost = True
        for inner in mine.unpriced:
            made[inner].cost = None
        mine.unpriced = []
    elif (share.usage is not None or semconv.USAGE_TRAINED in span.attributes) and not mine.cost and not mine.unpriced:
        share.cost = cost if cost is not None else Cost.unknown("no price recorded")  # used, and nobody says its price
        mine.unpriced.append(span.span_id)
    if span.kind != "span":
        mine.calls = []  # a tool or agent in between: what lies above it is another call


def _model_call(span: SpanRecord, share: Share, mine: _Below, made: dict[str, Share]) -> None:
    usage, cost = Usage.of(span.attributes), Cost.of(span.attributes)
    worth = _worth(span, usage, cost)
    if mine.calls and max(inner for _, inner in mine.calls) >= worth:
        return  # the provider's own spans below tell it at least as well
    for inner, _ in mine.calls:
        made[inner] = Share()
    mine.calls = [(span.span_id, worth)]
    share.call = True
    # A refused call used nothing; of any other call without figures nobody knows.
    answered = span.outcome != "error" or usage is not None
    share.usage = usage if usage is not None else Usage(unknown=1) if answered else None
    reason = _NOT_ENDED.get(span.outcome, "no price recorded")
    share.cost = cost if cost is not None else Cost.unknown(reason) if answered else None
    if usage is not None:
        mine.usage = True
    elif answered:
        mine.unsized.append(span.span_id)
    if cost is not None and cost.known:
        mine.cost = True
    elif share.cost is not None:
        mine.unpriced.append(span.span_id)


def _worth(span: SpanRecord, usage: Usage | None, cost: Cost | None) -> int:
    return (
        (8 if usage is not None and not usage.is_estimated else 0)
        + (4 if usage is not None else 0)
        + (2 if span.attributes.get(semconv.RESPONSE_ID) else 0)
        + (1 if cost is not None and cost.known else 0)
    )
