"""Numbers formatted for people: durations, token counts, money."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_sdk.traces.cost import Cost
    from agentops_sdk.traces.usage import Usage


def duration(seconds: float | None, *, at_least: bool = False, ascii_only: bool = False) -> str:
    """A duration in at most eight characters: ``0.08 ms``, ``3.4 ms``, ``1.23 s``, ``2m 05s``, ``1h 02m``.

    ``at_least`` marks the age of what has not ended: ``≥12.3 s``.
    """
    if seconds is None:
        return "-"
    mark = (">=" if ascii_only else "≥") if at_least else ""
    if seconds < 0.001:
        return f"{mark}{seconds * 1000:.2f} ms"
    if seconds < 0.9995:
        return f"{mark}{seconds * 1000:.3g} ms"
    if seconds < 59.995:
        return f"{mark}{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{mark}{minutes}m {rest:02}s"
    return f"{mark}{minutes // 60:,}h {minutes % 60:02}m"


def count(number: int) -> str:
    """A count in at most five characters: ``812``, ``1.2k``, ``35k``, ``4.1M``."""
    if number < 1000:
        return str(number)
    size = float(number)
    for unit in ("k", "M", "G"):
        size /= 1000
        if size < 9.95:
            return f"{size:.1f}{unit}"
        if size < 999.5:
            return f"{size:.0f}{unit}"
    return f"{size / 1000:.0f}T"


def traces(number: int) -> str:
    """So many traces: ``1 trace``, ``1,204 traces``."""
    return f"{number:,} {'trace' if number == 1 else 'traces'}"


def tokens(usage: Usage, kind: str | None = None, *, ascii_only: bool = False) -> str:
    """Input and output, marked ``~`` if partly estimated and ``≥`` if a call's size is unknown; empty if none.

    A side that nobody told is ``?``, as the output is of a call that only says what it was given; but of embeddings,
    which is the kind of the span or of all calls that are added up, there is none.
    """
    if not usage.by_source:
        return "?" if usage.unknown else ""
    mark = (">=" if ascii_only else "≥") if usage.lower_bound else ""
    arrow = ">" if ascii_only else "→"
    told = set().union(*usage.by_source.values())
    given = count(usage.input) if "input" in told else "?"
    made = count(usage.output) if "output" in told or kind == "embedding" else "?"
    return f"{mark}{'~' if usage.is_estimated else ''}{given}{arrow}{made}"


def all_tokens(usage: Usage, *, minutes: float = 1, ascii_only: bool = False) -> str:
    """Input and output in one figure, marked like :func:`tokens`; of several ``minutes``, what it comes to in one."""
    if not usage.by_source:
        return "?" if usage.unknown else ""
    mark = (">=" if ascii_only else "≥") if usage.lower_bound else ""
    return f"{mark}{'~' if usage.is_estimated else ''}{count(round(usage.total / minutes))}"


def cost(total: Cost, *, ascii_only: bool = False) -> str:
    """Money with its marks; empty if there is no figure at all."""
    if not total.known and not total.lower_bound:
        return ""
    shown = total.text()
    return shown.replace("≥", ">=") if ascii_only else shown
