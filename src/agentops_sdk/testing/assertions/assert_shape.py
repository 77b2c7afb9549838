"""Assertions on the way a run took: its path through named steps, and its whole tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk.errors import ConfigError
from agentops_sdk.testing.assertions import tree_pattern
from agentops_sdk.testing.assertions.assertion_message import failure, listed, similar
from agentops_sdk.testing.queries import Queries
from agentops_sdk.testing.records import is_named, label

if TYPE_CHECKING:
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace


class ShapeAssertions(Queries):
    """Which way it went."""

    def assert_path(self, path: str) -> None:
        """A run passed these steps in this order, with anything in between.

        ``planner > search``: search began after planner did, be it inside of it or later.
        ``planner / search``: search is inside of planner, at any depth. Both may be mixed, from left
        to right; ``*`` and ``?`` in a name stand for anything.
        """
        __tracebackhide__ = True
        steps = _steps(path)
        best: tuple[list[SpanRecord], Trace] | None = None
        for trace in self.judged:
            walked = _walk(trace, steps)
            if len(walked) == len(steps):
                return
            if best is None or len(walked) > len(best[0]):
                best = walked, trace
        if best is None:
            raise failure(f"expected the path {path}, nothing was captured", ())
        walked, trace = best
        name, inside = steps[len(walked)]
        marks = {span.span_id: f"step {number}" for number, span in enumerate(walked, 1)}
        elsewhere = [span for span in trace.spans if is_named(span, name) and span not in walked]
        where = f"inside of `{label(walked[-1])}`" if inside else f"after `{label(walked[-1])}`" if walked else "at all"
        near = []
        if elsewhere:
            marks |= {span.span_id: f"`{name}`, but not {where}" for span in elsewhere}
        else:
            known = [label(span) for span in trace.spans]
            meant = similar(name, known)
            near = [f"Did you mean `{meant}`?"] if meant else [f"What ran: {listed(known)}."]
        raise failure(f"expected the path {path}; there is no `{name}` {where}", [trace], marks, near)

    def assert_tree(self, pattern: str) -> None:
        """The run has this shape, and nothing else; of several runs, one of them.

        One line per span, indented below its parent, in the order they began. A line is a span's
        name, or what it is called for short (``search``), maybe after its kind (``tool search``); ``*`` and ``?`` in
        it stand for anything. ``[error]`` at its end wants that outcome. A line ``...`` stands for any spans at its
        place, with all below them; ``...`` at the end of a line for any spans below that one.
        """
        __tracebackhide__ = True
        wanted = tree_pattern.parse(pattern)
        if not wanted:
            raise ConfigError("pattern", pattern, "at least one line")
        judged = self.judged
        if not judged:
            raise failure("expected a tree, nothing was captured", ())
        mismatches = []
        for trace in judged:
            mismatch = tree_pattern.compare(trace, wanted)
            if mismatch is None:
                return
            mismatches.append((mismatch.matched, trace, mismatch))
        _, trace, mismatch = max(mismatches, key=lambda each: each[0])
        raise failure(
            f"expected another tree: {mismatch.sentence}",
            [trace],
            {mismatch.span.span_id: mismatch.note} if mismatch.span is not None else {},
            ["", "As a pattern, it was:", *(f"    {line}" for line in tree_pattern.write(trace))],
        )


def _steps(path: str) -> list[tuple[str, bool]]:
    """Name, and whether it must be inside of the one before."""
    result: list[tuple[str, bool]] = []
    for after in path.split(">"):
        parts = [part.strip() for part in after.split(" / ")]
        if not all(parts):
            raise ConfigError("path", path, 'names separated by " > " or " / "')
        result += [(part, index > 0) for index, part in enumerate(parts)]
    return result


def _walk(trace: Trace, steps: list[tuple[str, bool]]) -> list[SpanRecord]:
    """The longest beginning of the path that can be found."""
    best: list[SpanRecord] = []
    order = {span.span_id: number for number, (_, span) in enumerate(trace.walk())}
    # Ways to have come this far: only the last step matters for the next one. Steps are few, spans may be many.
    ends: dict[str, list[SpanRecord]] = {"": []}
    for name, inside in steps:
        following: dict[str, list[SpanRecord]] = {}
        fitting = [span for span in trace.spans if is_named(span, name)]
        for span in fitting:
            above = {up.span_id for up in trace.ancestors(span)} if inside else set()
            for way in ends.values():
                last = way[-1] if way else None
                if last is None or (last.span_id in above if inside else _follows(span, last, order)):
                    following[span.span_id] = [*way, span]
                    break
        if not following:
            break
        ends = following
        best = next(iter(ends.values()))
    return best


def _follows(span: SpanRecord, last: SpanRecord, order: dict[str, int]) -> bool:
    """Whether it began after the other; of two that began at once, what stands further down comes later."""
    return (span.start_ns, order[span.span_id]) > (last.start_ns, order[last.span_id])
