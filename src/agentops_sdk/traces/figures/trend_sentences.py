"""What changed from one period to the next, in sentences: the figure, how sure it is, and what accounts for it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from agentops_sdk.traces.cost import money
from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    from agentops_sdk.traces.figures.trends import Change

__all__ = ["per_run", "sentences"]

_CAUSES: Final = 5


def sentences(change: Change) -> list[str]:
    """How a figure moved, then its largest causes, one each. Not yet safe for a terminal: names are as captured."""
    of = f"{change.of}: " if change.of else ""
    p = "<0.001" if change.p < 0.001 else f"{change.p:.3f}"
    each_run = "" if change.name == "errors" else " per run"
    moved = f"{per_run(change.name, change.before)} -> {per_run(change.name, change.after)}"
    told = [f"{of}{change.name}{each_run} {moved} (p {p}{' *' if change.is_sure else ''})"]
    contributing = [cause for cause in change.causes if cause.change]
    for cause in contributing[:_CAUSES]:
        often, each = _signed(change.name, cause.more_often), _signed(change.name, cause.each)
        share = "" if cause.share is None else f", {cause.share:.0%} of it"
        parts = f"more or fewer calls {often}, each call {each}{share}"
        told.append(f"{_signed(change.name, cause.change)} {cause.component} ({parts})")
    if rest := contributing[_CAUSES:]:
        amount = sum(cause.change for cause in rest)
        told.append(f"{_signed(change.name, amount)} {len(rest)} more")
    return told


def per_run(name: str, value: float | None) -> str:
    """A figure per run: ``cost``, ``seconds``, ``tokens``, ``errors`` (the share of runs that failed), or a score."""
    if value is None:
        return ""
    if name == "seconds":
        return number_format.duration(value)
    if name == "errors":
        return f"{value:.1%}"
    if name == "cost":
        return money(Decimal(f"{value:.6g}"))
    return f"{value:,.0f}" if name == "tokens" else f"{value:.3g}"


def _signed(name: str, value: float) -> str:
    return f"{'-' if value < 0 else '+'}{per_run(name, abs(value))}"
