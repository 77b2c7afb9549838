"""Loops in a run: the same tool with the same arguments again, two agents handing over to each other."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk.traces.formats.json_values import parsed

if TYPE_CHECKING:
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

_AROUND = ("agent", "workflow")
_SWAPS = 4  # A, B, A, B: each has handed over to the other and got it back


@dataclass(frozen=True, slots=True)
class Loop:
    """Something that went round.

    ``kind`` is ``tool`` (the same call again) or ``agents`` (two handed over to each other); ``name`` says which;
    ``spans`` are all rounds in order.
    """

    kind: str
    name: str
    spans: tuple[SpanRecord, ...]

    def __str__(self) -> str:
        times = len(self.spans)
        if self.kind == "tool":
            return f"tool {self.name} was called {times} times with the same arguments"
        return f"agents {self.name} handed over to each other {times} times"


def loops(trace: Trace) -> list[Loop]:
    """Every loop of a trace, in the order they began.

    A tool call that repeats one which *failed* is a retry, not a loop, unless it is the third or later.
    Tools whose arguments were not recorded are never taken for a loop.
    """
    if trace.outline.kinds.isdisjoint(("tool", "agent")):
        return []
    every = [*_repeated_tools(trace), *_swapping_agents(trace)]
    return sorted(every, key=lambda loop: loop.spans[0].start_ns)


def _repeated_tools(trace: Trace) -> list[Loop]:
    rounds: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    outline = trace.outline
    by_name: dict[str, list[int]] = defaultdict(list)
    for number in outline.of_kind("tool"):
        by_name[str(outline.words(number).get(semconv.TOOL_NAME, outline.name(number)))].append(number)
    again = sorted((number, name) for name, numbers in by_name.items() if len(numbers) > 1 for number in numbers)
    if not again:
        return []
    agents = outline.nearest_above("agent")
    for number, name in again:  # nearly all differ: no record is made of those that do
        arguments = outline.columns.attribute(outline.rows[number], semconv.TOOL_CALL_ARGUMENTS)
        if not isinstance(arguments, str | None):  # of another recorder: a record has them as text, however deep
            arguments = trace.record(number).attributes.get(semconv.TOOL_CALL_ARGUMENTS)
        if arguments is not None:
            rounds[agents[number], name, canonical(str(arguments))].append(number)
    return [
        Loop("tool", name, tuple(map(trace.record, numbers)))
        for (_, name, _), numbers in rounds.items()
        if len(numbers) > 2 or (len(numbers) == 2 and outline.outcome(numbers[0]) == "ok")
    ]


def _swapping_agents(trace: Trace) -> list[Loop]:
    outline = trace.outline
    if sum(1 for _ in outline.of_kind("agent")) < _SWAPS:
        return []
    siblings: dict[int | str | None, list[SpanRecord]] = defaultdict(list)
    around_of = outline.nearest_above(*_AROUND)
    for span in trace.agents:
        # In a graph every agent runs in a node of its own: they are beside each other all the same.
        number = around_of[trace.outline.number(span.span_id)]
        around = number if number >= 0 else span.parent_id
        siblings[around].append(span)
    swapping: list[Loop] = []
    for agents in siblings.values():
        names = [str(span.attributes.get(semconv.AGENT_NAME, span.name)) for span in agents]
        start = 0
        for index in range(1, len(agents) + 1):
            swaps = index < len(agents) and names[index] != names[index - 1]
            if swaps and (index - start < 2 or names[index] == names[index - 2]):
                continue
            if index - start >= _SWAPS:
                swapping.append(Loop("agents", f"{names[start]} and {names[start + 1]}", tuple(agents[start:index])))
            start = index - 1 if swaps else index
    return swapping


def canonical(text: str) -> str:
    """JSON text in one form, whatever the order of its keys."""
    value = parsed(text)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
