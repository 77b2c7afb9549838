"""The pattern language of ``assert_tree``: read it, compare a trace with it, write a trace in it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv
from agentops_sdk.errors import ConfigError
from agentops_sdk.testing.records import is_named, label

if TYPE_CHECKING:
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

ANYTHING: Final = "..."
_OUTCOME = re.compile(r"^(?P<name>.*?)\s*\[(?P<outcome>" + "|".join((*semconv.OUTCOMES, *semconv.NOT_ENDED)) + r")\]$")


@dataclass(slots=True)
class Node:
    """One line of a pattern."""

    text: str
    name: str = ""
    kind: str | None = None
    outcome: str | None = None
    open: bool = False
    """Whether anything may be below."""
    children: list[Node] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        return self.text == ANYTHING

    def fits(self, span: SpanRecord) -> bool:
        """Whether the span is what the line says; what is below it is another question."""
        return (self.outcome is None or span.outcome == self.outcome) and self.names(span)

    def names(self, span: SpanRecord) -> bool:
        """The same, whatever the outcome."""
        whole = f"{self.kind} {self.name}" if self.kind else self.name
        return is_named(span, whole) or (self.kind == span.kind and is_named(span, self.name))


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where the comparison ended."""

    sentence: str
    span: SpanRecord | None
    note: str
    matched: int
    """Spans that fitted before it."""


def parse(pattern: str) -> list[Node]:
    """The lines as a forest, by their indentation.

    Raises:
        ConfigError: a line is indented like none above it.
    """
    tops: list[Node] = []
    stack: list[tuple[int, list[Node]]] = [(0, tops)]
    for line in textwrap.dedent(pattern.expandtabs(4)).splitlines():
        text = line.strip()
        if not text:
            continue
        indent = len(line) - len(line.lstrip())
        if indent > stack[-1][0]:
            above = stack[-1][1]
            if not above:
                raise ConfigError("pattern", text, "a first line that is not indented")
            stack.append((indent, above[-1].children))
        while indent < stack[-1][0]:
            stack.pop()
        if indent != stack[-1][0]:
            raise ConfigError("pattern", text, "the indentation of a line above")
        stack[-1][1].append(_node(text))
    return tops


def _node(text: str) -> Node:
    node = Node(text)
    if node.anything:
        return node
    rest = text
    if rest.endswith(" ..."):
        node.open, rest = True, rest[: -len(ANYTHING)].rstrip()
    if match := _OUTCOME.match(rest):
        node.outcome, rest = match["outcome"], match["name"]
    first, _, more = rest.partition(" ")
    if more and first in semconv.KINDS:
        node.kind, rest = first, more.strip()
    node.name = rest
    return node


def compare(trace: Trace, wanted: list[Node]) -> Mismatch | None:
    """None if the trace has the shape."""
    return _Comparison(trace).forest(wanted, list(trace.roots), None)


class _Comparison:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.matched = 0

    def forest(self, wanted: Sequence[Node], spans: Sequence[SpanRecord], above: SpanRecord | None) -> Mismatch | None:
        """Nodes against siblings, in order. Patterns are short, so recursion follows them, never the trace alone."""
        if not wanted:
            return self._surplus(spans[0], above) if spans else None
        node, rest = wanted[0], wanted[1:]
        if node.anything:
            furthest: Mismatch | None = None
            for skipped in range(len(spans) + 1):
                mismatch = self.forest(rest, spans[skipped:], above)
                if mismatch is None:
                    return None
                if furthest is None or mismatch.matched >= furthest.matched:
                    furthest = mismatch
            if furthest is not None and rest and not rest[0].anything and furthest.span is above:
                # Nothing fits after the "...": what has the name but not the outcome was meant.
                meant = next((span for span in spans if rest[0].names(span)), None)
                return self._other(rest[0], meant) if meant is not None else furthest
            return furthest
        if not spans:
            where = f"below `{label(above)}`" if above is not None else "at the top"
            return Mismatch(f"`{node.text}` is missing {where}", above, f"`{node.text}` is missing here", self.matched)
        span = spans[0]
        if not node.fits(span):
            return self._other(node, span)
        self.matched += 1
        if not (node.open and not node.children):
            below = [*node.children, Node(ANYTHING)] if node.open else node.children
            mismatch = self.forest(below, self.trace.children(span), span)
            if mismatch is not None:
                return mismatch
        return self.forest(rest, spans[1:], above)

    def _other(self, node: Node, span: SpanRecord) -> Mismatch:
        sentence = f"`{node.text}` was expected, `{_line(span)}` is there"
        return Mismatch(sentence, span, f"`{node.text}` expected", self.matched)

    def _surplus(self, span: SpanRecord, above: SpanRecord | None) -> Mismatch:
        where = f"below `{label(above)}`" if above is not None else "at the top"
        return Mismatch(f"`{_line(span)}` {where} was not expected", span, "not expected", self.matched)


def write(trace: Trace, most: int = 40) -> Iterator[str]:
    """The trace as the pattern that fits it."""
    for number, (depth, span) in enumerate(trace.walk()):
        if number == most:
            yield f"({len(trace) - most} more)"
            return
        yield "  " * depth + _line(span)


def _line(span: SpanRecord) -> str:
    text = label(span) if span.kind == "span" else f"{span.kind} {label(span)}"
    return text if span.outcome == "ok" else f"{text} [{span.outcome}]"
