"""The trace as a tree for a terminal, a pipe or a picture.

Long because each kind of line of the tree is one method of the class that draws it.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, TextIO

from agentops_sdk import semconv
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.decisions.decision_kinds import KINDS
from agentops_sdk.traces.decisions.wording import predicate, subject
from agentops_sdk.traces.display.conversation import contents
from agentops_sdk.traces.display.folding import Folding, Siblings
from agentops_sdk.traces.display.terminal_text import block, line
from agentops_sdk.traces.figures import number_format
from agentops_sdk.traces.figures.loops import loops
from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.trace import has_absent_parent, has_remote_parent
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console
    from rich.text import Text

    from agentops_sdk.traces.decisions.model import Decision
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

_BAD: Final = "bold red"
_UNBOUNDED: Final = 1_048_576
_MAX_DEPTH: Final = 12  # deeper spans stay at this indent and say how deep they are


class Tree:
    """Draws one trace as lines of rich text, at most ``width`` cells wide; nothing here recurses.

    Without a width nothing is cut, wrapped or aligned: for programs that read it. Of a large trace a part is shown,
    unless the ``whole`` is asked for; what is left out is counted, and ``more`` says how to see it.
    """

    def __init__(
        self,
        trace: Trace,
        width: int | None,
        *,
        ascii_only: bool = False,
        messages: bool = False,
        internal: bool = False,
        whole: bool = False,
        depth: int | None = None,
        more: str = "print(trace.tree()) shows them",
    ) -> None:
        from rich.console import Console

        self.trace = trace
        self.width = _UNBOUNDED if width is None else max(40, width)
        self._aligned = width is not None
        self._longest = 500 if width is not None else _UNBOUNDED
        self._ruler = Console(file=io.StringIO(), width=self.width)
        self.ascii_only = ascii_only
        self.messages = messages
        self._more = more
        self._folded = 0
        self._totals: dict[int, tuple[Usage, Cost]] = {}
        self._in_head = self._told_by_head()
        self._decisions: dict[str, list[Decision]] = {}
        self._beginning = trace.beginning
        for decision in self._beginning.decisions:
            self._decisions.setdefault(decision.span.span_id, []).append(decision)
        decided = {trace.outline.number(span_id) for span_id in self._decisions}
        self._folding = Folding(trace.outline, internal=internal, whole=whole or messages, apart=decided, depth=depth)
        self.branch, self.last, self.bar = ("|- ", "`- ", "|  ") if ascii_only else ("├─ ", "└─ ", "│  ")

    def lines(self) -> Iterator[Text]:
        """The head, the tree, and what should be known about missing or doubtful parts."""
        yield from self._head()
        rows: Iterable[Row] = self._rows()
        if self._folding.is_partial:
            rows = list(rows)
            summed = {row.number for row in rows if row.number >= 0 and self._is_summed(row.number)}
            self._totals = self.trace.outline.totals(summed)
        for row in rows:
            if row.number < 0:
                yield from self._left_out(row)
                continue
            span = self.trace.record(row.number)
            if row.number != self._in_head:
                yield self._span(row, span)
            yield from self._details(span, row.below)
            if alike := row.siblings.alike.get(row.number):
                yield from self._others(alike, row.below)
        yield from self._foot()

    def _rows(self) -> Iterator[Row]:
        """Parents before children, and for what is left out a row without a number."""
        first = self.trace.outline.first
        stack = self._rows_below(None)
        while stack:
            row = stack.pop()
            if row.number < 0:
                yield row
                continue
            children = self._rows_below(row) if first[row.number] < first[row.number + 1] else []
            yield replace(row, below=row.below + (self.bar if children else "   "))
            stack += children

    def _rows_below(self, row: Row | None) -> list[Row]:
        """The rows of a span's children, or of the roots, last one first."""
        siblings = self._folding.below(None if row is None else row.number, 0 if row is None else row.depth + 1)
        numbers = [*siblings.shown, -1] if siblings.folded else siblings.shown
        rows: list[Row] = []
        for number in reversed(numbers):
            lead = below = ""
            if row is not None:
                lead = row.below + (self.branch if rows else self.last)
                below = row.below + ("" if row.depth >= _MAX_DEPTH else self.bar if rows else "   ")
            rows.append(Row(number, lead, below, 0 if row is None else row.depth + 1, siblings))
        return rows

    def _left_out(self, row: Row) -> Iterator[Text]:
        from rich.text import Text

        self._folded += row.siblings.folded
        failed = f" ({row.siblings.failed:,} failed)" if row.siblings.failed else ""
        dots = "..." if self.ascii_only else "…"
        yield from self._wrapped(Text(f"{dots} {row.siblings.folded:,} more{failed}", "dim"), row.lead)

    def _others(self, alike: Sequence[int], lead: str) -> Iterator[Text]:
        """How many steps like the one above are left out, and what they took together."""
        from rich.text import Text

        self._folded += len(alike)
        usage, cost = Usage(), Cost(known=0)
        self.trace.outline.add_all(alike, usage, cost)
        seconds = sum(self.trace.outline.duration(number) for number in alike)
        facts = (
            number_format.duration(seconds, ascii_only=self.ascii_only),
            number_format.tokens(usage, self.trace.outline.kind(alike[0]), ascii_only=self.ascii_only),
            number_format.cost(cost, ascii_only=self.ascii_only),
        )
        dots = "..." if self.ascii_only else "…"
        yield from self._wrapped(
            Text(f"{dots} {len(alike):,} more like it: {', '.join(filter(None, facts))}", "dim"), lead
        )

    def _head(self) -> list[Text]:
        from rich.text import Text

        trace = self.trace
        head = Text("  ")
        head.append(trace.outcome, style_of(trace.outcome))
        took, tokens, cost = self._sums
        facts = [took, f"{tokens} tokens" if tokens else "", f"cost {cost}" if cost == "unknown" else cost]
        head.append("  " + "  ".join(filter(None, facts)))
        if self._in_head is not None:
            root = Row(self._in_head, "", "", 0, Siblings(()))
            head.append("".join(f" {note}" for note in self._notes(root, trace.record(root.number))), "dim")
        name = Text(line(trace.name, self._longest), "bold")
        _fit(name, max(8, self.width - head.cell_len), self.ascii_only)
        about = f"trace {trace.trace_id}  {trace.start:%Y-%m-%d %H:%M:%S} UTC"
        lines = [*self._wrapped(name + head, ""), *self._wrapped(Text(about, "dim"), "")]
        return [*lines, Text()] if self._in_head is None else lines

    @cached_property
    def _sums(self) -> tuple[str, str, str]:
        """Duration, tokens and cost of the whole trace."""
        trace = self.trace
        took = number_format.duration(trace.duration, at_least=bool(trace.outline.open), ascii_only=self.ascii_only)
        usage, cost = trace.sums
        tokens = number_format.tokens(usage, trace.outline.kind_of_calls, ascii_only=self.ascii_only)
        return took, tokens, number_format.cost(cost, ascii_only=self.ascii_only)

    def _told_by_head(self) -> int | None:
        """The only root, if its own line would repeat what the head says."""
        root, *others = self.trace.outline.roots
        if others:
            return None
        if self.trace.unrecorded.usage is None:  # then tokens and cost are the same
            return root if self._took(root) == self._sums[0] else None
        return root if self._figures(root) == self._sums else None

    def _span(self, row: Row, span: SpanRecord) -> Text:
        from rich.text import Text

        took, tokens, cost = self._figures(row.number)
        right = f"{took:>8} {tokens:>10} {cost:>9}"
        room = self.width - len(right) - 1
        left = Text()
        left.append(row.lead, "dim")
        look = semconv.SPAN_KINDS[span.kind]
        mark = look.marks[self.ascii_only]
        bad = span.outcome != "ok"
        alarm = style_of(span.outcome)
        style = look.style
        left.append(mark + " ", alarm if bad else style)
        notes = "".join(f" {note}" for note in self._notes(row, span))
        behind = len(notes) + (len(span.outcome) + 1 if bad else 0)
        name = Text(line(span.name, self._longest), alarm if bad and not style else style)
        _fit(name, max(8, room - left.cell_len - behind), self.ascii_only)
        left.append_text(name)
        if bad:
            left.append(f" {span.outcome}", alarm)
        left.append(notes, "dim")
        _fit(left, room, self.ascii_only)
        if self._aligned:
            left.append(" " * (self.width - left.cell_len - len(right)))
            left.append(right)
        else:
            left.append("  " + "  ".join(figure for figure in (took, tokens, cost) if figure))
        left.rstrip()
        return left

    def _figures(self, number: int) -> tuple[str, str, str]:
        """Duration, tokens and cost: a model call's own, an agent's or root's total of all below."""
        outline = self.trace.outline
        usage: Usage | None
        cost: Cost | None
        if self._is_summed(number):
            usage, cost = self._totals.get(number) or outline.total(number)
        else:
            usage, cost = outline.usage(number), outline.cost(number)
        kind = outline.kind(number)
        tokens = number_format.tokens(usage, kind, ascii_only=self.ascii_only) if usage is not None else ""
        money = number_format.cost(cost, ascii_only=self.ascii_only) if cost is not None else ""
        return self._took(number), tokens, money

    def _took(self, number: int) -> str:
        outline = self.trace.outline
        return number_format.duration(
            outline.duration(number), at_least=not outline.ended(number), ascii_only=self.ascii_only
        )

    def _is_summed(self, number: int) -> bool:
        outline = self.trace.outline
        return outline.parents[number] < 0 or outline.kind(number) in ("agent", "workflow")

    def _notes(self, row: Row, span: SpanRecord) -> Iterator[str]:
        attributes = span.attributes
        if row.depth > _MAX_DEPTH:
            yield f"(depth {row.depth})"
        chunks = attributes.get(semconv.STREAM_CHUNKS)
        if attributes.get(semconv.CACHED) is True:
            yield "from a cache"
        if attributes.get(semconv.REQUEST_STREAM) or chunks:
            yield f"stream ({chunks} chunks)" if isinstance(chunks, int) else "stream"
        tries = parsed(attributes.get(semconv.ATTEMPTS))
        if isinstance(tries, list) and len(tries) > 1:
            yield f"{len(tries)} attempts"
        if self.trace.outline.parents[row.number] < 0 and span.parent_id is not None:
            missing = "(parent not kept)" if has_absent_parent(span) else "(parent missing)"
            yield "(parent elsewhere)" if has_remote_parent(span) else missing
        if self.trace.outline.skews and self.trace.outline.skewed(row.number):
            yield "(clock skew)"

    def _details(self, span: SpanRecord, lead: str) -> Iterator[Text]:
        from rich.text import Text

        if span.outcome != "ok" and (error := error_of(span)):
            yield from self._wrapped(Text(line(error), "red"), lead)
        for decision in self._decisions.get(span.span_id, ()):
            yield from self._wrapped(Text(line(_decided(decision))), lead)
        if self.messages:
            for label, content in contents(span):
                yield from self._wrapped(Text(f"{line(label)}:", "bold"), lead)
                for part in block(content).split("\n"):
                    yield from self._wrapped(Text(part), lead + "  ")

    def _foot(self) -> Iterator[Text]:
        from rich.text import Text

        trace, outline = self.trace, self.trace.outline
        (usage, cost), beginning = trace.sums, self._beginning
        remarks = []
        if self._folded:
            remarks.append(f"{self._folded:,} of {outline.count:,} spans are left out; {self._more}")
        if outline.orphans:
            remarks.append(f"{len(outline.orphans)} span(s) whose parent is missing")
        if outline.skews:
            remarks.append(f"{outline.skews} span(s) with clock skew")
        if trace.missing_spans:
            remarks.append(f"{trace.missing_spans} span(s) were not kept")
        if cost.unknowns:
            reasons = "; ".join(f"{count} × {line(reason)}" for reason, count in cost.unknowns.items())
            mark = "a lower bound" if cost.known else "unknown"
            remarks.append(f"cost is {mark}: " + (reasons.replace("×", "x") if self.ascii_only else reasons))
        if cost.is_estimated or usage.is_estimated:
            remarks.append("~ marks figures that were estimated, not reported")
        remarks += [f"loop: {line(str(loop))}" for loop in loops(beginning)]
        if beginning is not trace:
            remarks.append(f"decisions and loops of the first {len(beginning):,} spans alone were looked for")
        if remarks:
            yield Text()
        for sentence in remarks:
            yield from self._wrapped(Text(sentence, "dim"), "")

    def _wrapped(self, text: Text, lead: str) -> list[Text]:
        """The text in lines that fit behind the lead; words break only where they must."""
        from rich.text import Text

        lines = []
        for part in (self._aligned and text.wrap(self._ruler, max(20, self.width - len(lead)))) or [text]:
            text_line = Text()
            text_line.append(lead, "dim")
            text_line.append_text(part)
            text_line.rstrip()
            lines.append(text_line)
        return lines


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tree: a span by its number, or, below 0, those of its siblings that are left out."""

    number: int
    lead: str
    below: str
    depth: int
    siblings: Siblings


def style_of(outcome: str) -> str:
    """How an outcome is shown."""
    return {"ok": "green", "running": "yellow"}.get(outcome, _BAD)


def error_of(span: SpanRecord) -> str:
    """What went wrong, in one sentence: the exception's type and message as far as they were recorded."""
    kind = span.attributes.get(semconv.ERROR_TYPE)
    message = span.status_message
    for event in span.events:
        if event.name == semconv.EXCEPTION_EVENT:
            kind = kind or event.attributes.get(semconv.EXCEPTION_TYPE)
            message = message or event.attributes.get(semconv.EXCEPTION_MESSAGE)
    parts = [str(part) for part in (kind, message) if part]
    return parts[1] if len(parts) == 2 and parts[1].startswith(parts[0]) else ": ".join(parts)


def _decided(decision: Decision) -> str:
    who = f"{subject(decision)} " if KINDS[decision.kind].names_subject else ""
    sentence = who + predicate(decision, named=decision.span.kind != "decision")
    return f"{sentence}: {decision.reason}" if decision.reason else sentence


def _fit(text: Text, room: int, ascii_only: bool) -> None:
    if text.cell_len > room:
        text.truncate(max(1, room - (3 if ascii_only else 1)))
        text.append("..." if ascii_only else "…")


def console_for(file: TextIO | None = None) -> Console:
    """A console that interprets nothing in what it prints: no markup, no emoji codes, no highlighting.

    When the reader of a pipe has left, :class:`BrokenPipeError` is raised, as by any other file.
    """
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise  # noqa: PLE0704 (called while it is being handled; the library would exit the process)

    return Plain(file=file, markup=False, emoji=False, highlight=False, soft_wrap=True)


def text(
    trace: Trace, *, width: int = 100, ascii_only: bool = False, messages: bool = False, whole: bool = True
) -> str:
    """The tree as plain text without colours, one trailing newline."""
    tree = Tree(trace, width, ascii_only=ascii_only, messages=messages, whole=whole)
    return "\n".join(part.plain for part in tree.lines()) + "\n"


def svg(
    trace: Trace, *, width: int = 80, title: str = "agentops show", messages: bool = False, whole: bool = False
) -> str:
    """The tree as a picture that needs no font or style from elsewhere."""
    from rich.console import Console

    console = Console(
        file=io.StringIO(), width=width, record=True, force_terminal=True, markup=False, emoji=False, highlight=False
    )
    for part in Tree(trace, width, messages=messages, whole=whole, more="--all shows them").lines():
        console.print(part, no_wrap=True)
    # The library's own template fetches its font from a public server: whoever opens the picture would, too.
    drawn = console.export_svg(title=title, unique_id="agentops")
    return re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
