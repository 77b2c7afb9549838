"""What a notebook shows: HTML without scripts or anything from elsewhere, every text of a trace escaped."""

from __future__ import annotations

import io
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Final

from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentops_sdk.traces.files import Traces
    from agentops_sdk.traces.trace import Trace

__all__ = ["of_trace", "of_traces", "table"]

_WIDTH: Final = 110
_LINES: Final = 400
_TRACES: Final = 20
_SHOWN: Final = 200
_GOOD: Final = frozenset(("ok", "patched"))
_BAD: Final = frozenset(("error", "interrupted", "abandoned", "cancelled", "unfinished", "failing", "failed"))
_PRE: Final = "font-family:ui-monospace,Menlo,Consolas,monospace;line-height:1.35;margin:0;overflow-x:auto"
_CODE: Final = '<pre style="' + _PRE + '">{code}</pre>'


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]], foot: str = "") -> str:
    """A table; words for how something ended are coloured, figures stand to the right."""
    parts = [f"<div><b>{_text(title)}</b>"] if title else ["<div>"]
    parts.append('<table style="border-collapse:collapse"><thead><tr>')
    parts += [f'<th style="text-align:left">{_text(cell)}</th>' for cell in head]
    parts.append("</tr></thead><tbody>")
    for row in rows:
        parts.append("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>")
    parts.append("</tbody></table>")
    if foot:
        parts.append(f"<small>{_text(foot)}</small>")
    return "".join([*parts, "</div>"])


def _cell(value: object) -> str:
    style = "text-align:right" if isinstance(value, int | float) else "text-align:left"
    word = value if isinstance(value, str) else ""
    colour = "green" if word in _GOOD else "crimson" if word in _BAD else ""
    return f'<td style="{style}{f";color:{colour}" if colour else ""}">{_text(value)}</td>'


def _text(value: object) -> str:
    return escape(line(str(value), _SHOWN))


def of_trace(trace: Trace) -> str:
    """The tree, in colour, as ``agentops show`` prints it; of a very long one its beginning."""
    from rich.console import Console

    from agentops_sdk.traces.display.render import Tree

    console = Console(
        file=io.StringIO(), width=_WIDTH, record=True, force_terminal=True, markup=False, emoji=False, highlight=False
    )
    lines = Tree(trace, _WIDTH).lines()
    for part in islice(lines, _LINES):
        console.print(part, no_wrap=True)
    drawn = console.export_html(inline_styles=True, code_format=_CODE)
    return drawn if next(lines, None) is None else f"{drawn}<small>… and more: print(trace.tree()) shows more</small>"


def of_traces(traces: Traces) -> str:
    """The latest traces, one per row."""
    from agentops_sdk.traces.figures import number_format

    rows = [
        (
            trace.trace_id[:8],
            f"{trace.start:%Y-%m-%d %H:%M:%S}",
            trace.name,
            number_format.duration(trace.duration),
            ", ".join(trace.models),
            number_format.all_tokens(trace.usage),
            number_format.cost(trace.cost),
            trace.outcome,
        )
        for trace in islice(traces, _TRACES)
    ]
    more = len(traces) - len(rows)
    head = ("trace", "when (UTC)", "name", "took", "models", "tokens", "cost", "")
    return table(number_format.traces(len(traces)), head, rows, f"{more:,} more" if more > 0 else "")
