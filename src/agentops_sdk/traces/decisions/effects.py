"""What ran because of a decision: found by the model's tool call ids, by name, and by what lies inside it."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk.traces.classify import OUTCOMES
from agentops_sdk.traces.decisions.inferred import once, revealed, second_calls, without_echoes
from agentops_sdk.traces.decisions.model import Choice, Decision
from agentops_sdk.traces.decisions.span_decisions import choice_of, decisions_in
from agentops_sdk.traces.figures.span_facts import KIND_BITS, KINDS, OUTCOME_BITS, OUTCOME_SHIFT, Fact
from agentops_sdk.traces.formats.json_values import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentops_sdk.traces.figures.outline import Outline
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

_NAMES = (semconv.TOOL_NAME, semconv.WORKFLOW_NAME)
_ASKED = frozenset(("llm", "embedding", "retriever", "guardrail"))
_DECIDING = frozenset((KINDS.index("decision"), KINDS.index("guardrail")))
_INTERRUPTED = OUTCOMES.index("interrupted") << OUTCOME_SHIFT
_PLACE = itemgetter(0, 1)
"""Of a :class:`Choice` the moment, and among those of the same one the number of the span."""
_STARTED = frozenset(("tool", "agent", "workflow", "task", "retriever", "plan", "guardrail"))


def decisions(trace: Trace) -> list[Decision]:
    """Every decision of a trace in the order they were made, each with what followed from it.

    A tool that carries the id of a tool call follows from the model call that asked for it. Otherwise what
    follows is what bears a chosen name and started after the decision, before the next decision of the
    same name below the same agent; for a decision with a span of its own also what ran inside it.
    """
    every = _made(trace)
    if not every:
        return []
    by_id, by_name = _index(trace)
    ends = _windows(trace, every)
    whole = [
        each
        if each.followed_by
        else replace(_led_by_model(trace, each), followed_by=tuple(_followers(trace, each, end, by_id, by_name)))
        for each, end in zip(every, ends, strict=True)
    ]
    return without_echoes(trace, whole)


def choices(trace: Trace) -> list[tuple[str, tuple[str, ...]]]:
    """Name and choices of all :func:`decisions`; what followed is looked for only where one may be an echo of that.

    Records are made only of spans of which more has to be known than what they state.
    """
    outline, columns = trace.outline, trace.outline.columns
    every: list[Choice] = []
    for number in _telling(outline):
        row = outline.rows[number]
        statement = columns.statements[columns.stated[row]]
        if statement is None or number in outline.roles:
            every += (_counted(each, number) for each in _told_by(trace, number))
        elif (choice := choice_of(statement)) is not None:
            at_start, kind, name, chosen = choice
            start = columns.starts[row]
            every.append(Choice(start if at_start else max(start, outline.ends[number]), number, kind, name, chosen))
    every += (_counted(each, outline.number(each.span.span_id)) for each in second_calls(trace))
    every = once(outline, every)
    if any(each.kind == "edge" for each in every):
        return [(each.name, each.choices) for each in trace.decisions]
    every.sort(key=_PLACE)
    return [(each.name, each.choices) for each in every]


def _made(trace: Trace) -> list[Decision]:
    """Every decision that spans tell, in the order they were made."""
    told = (each for number in _telling(trace.outline) for each in _told_by(trace, number))
    every = once(trace.outline, [*told, *second_calls(trace)])
    every.sort(key=lambda each: (each.moment_ns, each.span.start_ns, each.span.span_id))
    return every


def _told_by(trace: Trace, number: int) -> Iterator[Decision]:
    """The decisions that a span tells, stated ones first."""
    span = trace.record(number)
    if not trace.repeats(span):
        yield from decisions_in(span)
    yield from revealed(trace, span)


def _counted(decision: Decision, number: int) -> Choice:
    return Choice(decision.moment_ns, number, decision.kind, decision.name, decision.choices)


def _telling(outline: Outline) -> Iterable[int]:
    """The spans that may tell a decision, in the order they started."""
    facts, rows = outline.columns.facts, outline.rows
    for number in range(outline.count):
        fact = facts[rows[number]]
        if fact & (Fact.TELLS | Fact.EVENTS) or fact & KIND_BITS in _DECIDING or fact & OUTCOME_BITS == _INTERRUPTED:
            yield number


def names_of(span: SpanRecord) -> set[str]:
    """What a chosen option may call this span: the tool's, agent's, workflow's or step's name."""
    names = {str(span.attributes[key]) for key in _NAMES if key in span.attributes}
    if span.kind == "agent" and semconv.AGENT_NAME in span.attributes:
        names.add(str(span.attributes[semconv.AGENT_NAME]))
    names.add(span.name)
    names.add(span.name.partition(" ")[2] or span.name)
    return names


def requested_ids(span: SpanRecord) -> list[str]:
    """The ids of the tool calls that a model's answer asked for."""
    text = span.attributes.get(semconv.OUTPUT_MESSAGES)
    if not isinstance(text, str) or '"tool_call"' not in text:
        return []
    messages = parsed(text)
    if not isinstance(messages, list):
        return []
    lists = (message.get("parts") for message in messages if isinstance(message, dict))
    parts = (part for parts in lists if isinstance(parts, list) for part in parts if isinstance(part, dict))
    return [str(part["id"]) for part in parts if part.get("type") == "tool_call" and part.get("id")]


def _led_by_model(trace: Trace, decision: Decision) -> Decision:
    """A stated decision that says no model, with the one model call that was made inside it."""
    if decision.kind != "stated" or decision.model is not None:
        return decision
    asked = [span for span in trace.children(decision.span) if span.kind == "llm"]
    if len(asked) != 1:
        return decision
    get = asked[0].attributes.get
    model, fingerprint = get(semconv.RESPONSE_MODEL) or get(semconv.REQUEST_MODEL), get(semconv.PROMPT_FINGERPRINT)
    return replace(
        decision,
        model=None if model is None else str(model),
        prompt_fingerprint=decision.prompt_fingerprint or (None if fingerprint is None else str(fingerprint)),
    )


def _index(trace: Trace) -> tuple[dict[str, list[SpanRecord]], dict[str, list[SpanRecord]]]:
    by_id: dict[str, list[SpanRecord]] = defaultdict(list)
    by_name: dict[str, list[SpanRecord]] = defaultdict(list)
    for span in trace.spans:  # in the order they started, so every list is sorted by start
        if span.kind not in _STARTED:
            continue
        call_id = span.attributes.get(semconv.TOOL_CALL_ID)
        if call_id:
            by_id[str(call_id)].append(span)
        for name in names_of(span):
            by_name[name].append(span)
    return by_id, by_name


def _windows(trace: Trace, ordered: list[Decision]) -> list[int | None]:
    """For each decision the moment from which on its name belongs to the next decision of its sort."""
    ends: list[int | None] = [None] * len(ordered)
    next_start: dict[tuple[str, int], int] = {}
    agents = trace.outline.nearest_above("agent")
    for index in range(len(ordered) - 1, -1, -1):
        decision = ordered[index]
        scope = agents[trace.outline.number(decision.span.span_id)]
        sort = ("model" if decision.kind == "tool" else decision.name, scope)
        ends[index] = next_start.get(sort)
        next_start[sort] = decision.span.start_ns
    return ends


def _followers(
    trace: Trace,
    decision: Decision,
    end: int | None,
    by_id: dict[str, list[SpanRecord]],
    by_name: dict[str, list[SpanRecord]],
) -> Iterable[SpanRecord]:
    if not decision.made:
        return []
    followers: dict[str, SpanRecord] = {}
    for call_id in requested_ids(decision.span):
        for span in by_id.get(call_id, ()):
            followers[span.span_id] = span
    inside = decision.span.kind == "decision"
    start = decision.span.start_ns if inside else decision.moment_ns
    for name in decision.choices:
        spans = by_name.get(name, ())
        for span in spans[bisect_left(spans, start, key=lambda one: one.start_ns) :]:
            if end is not None and span.start_ns >= end:
                break
            # A tool call that carries the id of another request follows from that one.
            elsewhere = decision.span.kind == "llm" and semconv.TOOL_CALL_ID in span.attributes
            if span.span_id != decision.span.span_id and not elsewhere:
                followers[span.span_id] = span
    if inside and not followers:
        # What it was made from lies inside it as well: models that were asked, texts that were looked up.
        followers.update((span.span_id, span) for span in trace.children(decision.span) if span.kind not in _ASKED)
    # What ran below a follower followed from it, not from the decision.
    outer = [span for span in followers.values() if not any(up.span_id in followers for up in trace.ancestors(span))]
    return sorted(outer, key=lambda span: (span.start_ns, span.span_id))
