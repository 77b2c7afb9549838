"""What a failed assertion says: a sentence, the nearest miss, and the tree with the lines that matter marked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from agentops_sdk.traces.display.render import Row, Tree

if TYPE_CHECKING:
    from rich.text import Text

    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

_MOST_LINES: Final = 60
_AROUND: Final = 6  # lines kept around a marked one where not all are shown
_MOST_TREES: Final = 3
SHOWN: Final = "agentops_trace_shown"


def failure(
    sentence: str,
    traces: Sequence[Trace],
    marks: Mapping[str, str] | None = None,
    near: Iterable[str] = (),
) -> AssertionError:
    """The error to raise.

    Args:
        sentence: what was expected and what was.
        traces: the runs to show.
        marks: by span id, a note beside its line.
        near: sentences on what came closest.
    """
    error = AssertionError("\n".join([sentence, *near, *picture(traces, marks or {})]))
    vars(error)[SHOWN] = True
    return error


def picture(traces: Sequence[Trace], marks: Mapping[str, str]) -> list[str]:
    """The trees as lines, the marked ones pointed at."""
    marked = [trace for trace in traces if any(span.span_id in marks for span in trace.spans)]
    shown = (marked or list(traces))[:_MOST_TREES]
    lines = [line for trace in shown for line in ["", *_shortened(list(_Marked(trace, marks).marked()))]]
    if len(traces) > len(shown):
        lines += ["", f"({len(traces) - len(shown)} more traces)"]
    return lines


class _Marked(Tree):
    """The tree with a margin for marks, and without what changes from run to run."""

    def __init__(self, trace: Trace, marks: Mapping[str, str]) -> None:
        super().__init__(trace, 88, whole=True)  # it is shortened around the marks
        self._marks = marks
        self._note: str | None = None

    def marked(self) -> Iterator[str]:
        for line in self.lines():
            note, self._note = self._note, None
            text = line.plain.rstrip()
            if note is None:
                yield f"  {text}".rstrip()
            else:
                yield f"> {text}  <- {note}" if note else f"> {text}"

    def _head(self) -> list[Text]:
        return []  # ids and the date tell nothing here, the totals are on the first line

    def _told_by_head(self) -> int | None:
        return None

    def _foot(self) -> Iterator[Text]:
        return iter(())

    def _span(self, row: Row, span: SpanRecord) -> Text:
        self._note = self._marks.get(span.span_id)
        return super()._span(row, span)


def _shortened(lines: list[str]) -> list[str]:
    if len(lines) <= _MOST_LINES:
        return lines
    marked = [number for number, line in enumerate(lines) if line.startswith("> ")]
    keep = set(range(_AROUND * 2))
    for number in marked[: _MOST_LINES // _AROUND]:
        keep.update(range(number - _AROUND, number + _AROUND + 1))
    result: list[str] = []
    left_out = 0
    for number, line in enumerate(lines):
        if number in keep:
            if left_out:
                result.append(f"  ... {left_out} lines")
            left_out = 0
            result.append(line)
        else:
            left_out += 1
    return [*result, f"  ... {left_out} lines"] if left_out else result


def times(count: int) -> str:
    """``once``, ``twice``, ``3 times``."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def here(count: int) -> str:
    """``here``, ``here and here``: as many as there are marks, up to three."""
    return " and ".join(["here"] * count) if count <= 3 else "at every mark"


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, and so on."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def numbered(spans: Sequence[SpanRecord], what: str = "call") -> dict[str, str]:
    """Marks that number the spans."""
    if len(spans) == 1:
        return {spans[0].span_id: f"this {what}"}
    return {span.span_id: f"{ordinal(number)} {what}" for number, span in enumerate(spans, 1)}


def listed(names: Iterable[str]) -> str:
    """Each name once with how often it occurs: ```search` (twice), `answer```."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(f"`{name}`" + (f" ({times(count)})" if count > 1 else "") for name, count in counts.items())


def similar(name: str, known: Iterable[str]) -> str | None:
    """The known name that was most likely meant."""
    matches = difflib.get_close_matches(name, list(dict.fromkeys(known)), n=1, cutoff=0.6)
    return matches[0] if matches else None
