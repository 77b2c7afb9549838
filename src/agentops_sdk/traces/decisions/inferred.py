"""Decisions that no attribute states and spans tell all the same: retries, fallbacks, verdicts, approvals.

Long because each of these is told by signs of its own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, TypeVar

from agentops_sdk import semconv
from agentops_sdk.traces.classify import OWN_SCOPE
from agentops_sdk.traces.decisions.decision_kinds import KINDS
from agentops_sdk.traces.decisions.model import Choice, Decision
from agentops_sdk.traces.figures.accounts import Counted
from agentops_sdk.traces.formats.json_values import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_sdk.traces.figures.outline import Outline
    from agentops_sdk.traces.record import EventRecord, SpanRecord
    from agentops_sdk.traces.trace import Trace

One = TypeVar("One", Decision, Choice)

_NEAR = 100
_REVEALING = frozenset((semconv.ATTEMPTS, semconv.ATTEMPT, semconv.GUARDRAIL_RESULT, semconv.OUTPUT_MESSAGES))
"""Attributes of which one is needed, where there is no event and the span's kind and outcome reveal nothing."""
_UNSTEADY = ("retry", "give up")
_OF_CALLS = ("tool", "refusal")
"""Kinds of what a model decided in its reply."""


def revealed(trace: Trace, span: SpanRecord) -> Iterator[Decision]:
    """Every decision that can be read from what a span carries beside ``agentops.decision.*``."""
    silent = _REVEALING.isdisjoint(span.attributes) and not span.events
    if silent and span.kind != "guardrail" and span.outcome != "interrupted":
        return
    yield from _attempts(trace, span)
    yield from _verdicts(span)
    yield from _asked(span)
    for event in span.events:
        if event.name == semconv.HANDOFF_EVENT:
            yield _handoff(span, event)
    yield from _gates(span)
    yield from _choices_of_models(span)


# --- retries and fallbacks ----------------------------------------------------------------------


def _attempts(trace: Trace, span: SpanRecord) -> Iterator[Decision]:
    """A client that asked again by itself; a step that a framework ran again."""
    tries = parsed(span.attributes.get(semconv.ATTEMPTS))
    if isinstance(tries, list) and len(tries) > 1:
        failed = [_ending(one) for one in tries[:-1] if isinstance(one, dict)]
        yield _retry(span, ", then ".join(failed) or None, len(tries) - 1)
    if isinstance(span.attributes.get(semconv.ATTEMPT), int) and (above := trace.parent(span)) is not None:
        before = _failed_before(trace, above, span)
        yield _retry(span, failure(before) if before else None, 1)


def _failed_before(trace: Trace, above: SpanRecord, span: SpanRecord) -> SpanRecord | None:
    """What failed last beside a span before it began, among the nearest of them."""
    outline = trace.outline
    beside = outline.children(outline.number(above.span_id))
    position = bisect_right(beside, span.start_ns, key=outline.start)
    for number in reversed(beside[max(0, position - _NEAR) : position]):
        if outline.ends[number] <= span.start_ns and outline.outcome(number) == "error":
            return trace.record(number)
    return None


def _ending(attempt: dict[str, Any]) -> str:
    status, error = attempt.get("status"), attempt.get("error")
    return f"HTTP {status}" if status else str(error or "no reply")


def _retry(span: SpanRecord, reason: str | None, times: int) -> Decision:
    return Decision(
        "retry", _UNSTEADY, ("retry",), reason, None, "code", span,
        kind="retry", at_ns=span.start_ns + 1, times=times, followed_by=(span,),
    )  # fmt: skip


def second_calls(trace: Trace) -> Iterator[Decision]:
    """A model call that failed, and the same question put again: to another model, or to the same one."""
    for number in trace.outline.calls if trace.outline.errors else ():
        if trace.outline.outcome(number) != "error" or trace.outline.kind(number) != "llm":
            continue
        failed = trace.record(number)
        if (second := _next_call(trace, failed)) is None:
            continue
        above = trace.parent(failed)
        if above is not None and above.kind == "decision":
            continue  # it is stated
        models = [str(one.attributes.get(semconv.REQUEST_MODEL, one.name)) for one in (failed, second)]
        if models[0] != models[1]:
            yield Decision(
                "fallback", tuple(models), (models[1],), failure(failed), None, "code", second,
                kind="fallback", at_ns=second.start_ns, followed_by=(second,),
            )  # fmt: skip
        elif not any(semconv.ATTEMPT in one.attributes for one in (second, *trace.ancestors(second))):
            yield _retry(second, failure(failed), 1)


def _next_call(trace: Trace, failed: SpanRecord) -> SpanRecord | None:
    """The next model call beside ``failed``, or beside what failed with it, if it was asked the same."""
    outline = trace.outline
    here = outline.number(failed.span_id)
    while (above := outline.parents[here]) >= 0:
        number = _model_call_after(outline, above, here)
        if number is not None:
            call = trace.record(number)
            return call if _question(call) == _question(failed) else None
        if outline.outcome(above) != "error":
            return None
        here = above
    return None


def _model_call_after(outline: Outline, above: int, here: int) -> int | None:
    """The first model call in what lies beside ``here``, below ``above``, and began when it had ended."""
    beside = outline.children(above)
    first = bisect_left(beside, outline.ends[here], key=outline.start)
    if first == len(beside):
        return None
    calls, places, sizes = outline.llm_places, outline.places, outline.sizes
    inside = range(places[here], places[here] + sizes[here])
    position = bisect_left(calls, places[beside[first]])
    if position < len(calls) and calls[position] in inside:
        position = bisect_left(calls, inside.stop)
    if position < len(calls) and calls[position] < places[above] + sizes[above]:
        return outline.preorder[calls[position]]
    return None


def _question(span: SpanRecord) -> Any:
    messages = parsed(span.attributes.get(semconv.INPUT_MESSAGES))
    # Without content, the prompt's fingerprint has to do.
    return messages[-1] if isinstance(messages, list) and messages else span.attributes.get(semconv.PROMPT_FINGERPRINT)


def failure(span: SpanRecord) -> str:
    """What a span failed of, in a few words."""
    kind = str(span.attributes.get(semconv.ERROR_TYPE, "")).rpartition(".")[2]
    parts = [part for part in (kind, (span.status_message or "").partition("\n")[0]) if part]
    return parts[1] if len(parts) == 2 and parts[1].startswith(parts[0]) else ": ".join(parts) or span.outcome


# --- guardrails, people, agents -----------------------------------------------------------------


def _verdicts(span: SpanRecord) -> Iterator[Decision]:
    verdicts = [(event.attributes, event.time_ns) for event in span.events if event.name == semconv.GUARDRAIL_EVENT]
    if semconv.GUARDRAIL_RESULT in span.attributes:
        verdicts.append((span.attributes, span.end_ns))
    for attributes, moment in verdicts:
        value, sort = str(attributes.get(semconv.GUARDRAIL_RESULT, "?")), attributes.get(semconv.GUARDRAIL_RESULT_TYPE)
        if value.lower() in ("true", "false") and sort:
            value = str(sort) if value.lower() == "true" else f"not {sort}"
        yield _verdict(span, value, attributes.get(semconv.GUARDRAIL_REASON), moment, attributes)
    if span.kind == "guardrail" and not verdicts and semconv.DECISION_CHOSEN not in span.attributes:
        if span.outcome == "error":
            kind = str(span.attributes.get(semconv.ERROR_TYPE, "an error")).rpartition(".")[2]
            yield _verdict(span, f"raised {kind}", span.status_message, span.end_ns, span.attributes)
        elif span.outcome == "ok":
            yield _verdict(span, "raised nothing", None, span.end_ns, span.attributes)


def _verdict(span: SpanRecord, value: str, reason: Any, moment: int, attributes: dict[str, Any]) -> Decision:
    name = attributes.get(semconv.GUARDRAIL_NAME) or span.attributes.get(semconv.GUARDRAIL_NAME) or span.name
    policy = attributes.get(semconv.GUARDRAIL_POLICY)
    return Decision(
        str(name), (), (value,), None if reason is None else str(reason), None, "code", span,
        kind="verdict", at_ns=moment, policy=None if policy is None else str(policy),
    )  # fmt: skip


def _asked(span: SpanRecord) -> Iterator[Decision]:
    """A graph that stopped to ask a person."""
    waits = semconv.INTERRUPTS in span.attributes or semconv.GRAPH_CHECKPOINT_ID in span.attributes
    if span.outcome == "interrupted" and waits:
        yield Decision(
            "approval", (), (), None, None, "human", span,
            kind="approval", at_ns=span.end_ns, inputs=parsed(span.attributes.get(semconv.INTERRUPTS)),
        )  # fmt: skip


def _handoff(span: SpanRecord, event: EventRecord) -> Decision:
    get = event.attributes.get
    reason, origin = get(semconv.HANDOFF_REASON), get(semconv.HANDOFF_FROM)
    return Decision(
        "handoff", (), (str(get(semconv.HANDOFF_TO)),), None if reason is None else str(reason), None, None, span,
        kind="handoff", at_ns=event.time_ns, by_name=None if origin is None else str(origin),
    )  # fmt: skip


def _gates(span: SpanRecord) -> Iterator[Decision]:
    """Events in the form that is proposed to the conventions: a tool call allowed, denied, or held for a person."""
    held: dict[str, int] = {}
    for event in span.events:
        if event.name != semconv.TOOL_CALL_DECISION_EVENT:
            continue
        get = event.attributes.get
        chosen, call_id = str(get(semconv.TOOL_CALL_DECISION_OUTCOME, "?")), str(get(semconv.TOOL_CALL_ID))
        if chosen == "require_approval":
            held[call_id] = event.time_ns
        since = held.get(call_id) if chosen != "require_approval" else None
        reason, by = get(semconv.DECISION_REASON), get(semconv.DECISION_BY)
        yield Decision(
            f"call {get(semconv.TOOL_NAME, 'a tool')}", ("allow", "deny", "require_approval"), (chosen,),
            None if reason is None else str(reason), None, None if by is None else str(by), span,
            kind="approval", at_ns=event.time_ns, waited=None if since is None else (event.time_ns - since) / 1e9,
        )  # fmt: skip


# --- models that another recorder watched -------------------------------------------------------


def _choices_of_models(span: SpanRecord) -> Iterator[Decision]:
    """What a model chose of the tools it was offered, to another recorder: where nobody told which, what it called."""
    told = span.scope.name == OWN_SCOPE or semconv.DECISION_CHOSEN in span.attributes
    if told or span.kind != "llm" or span.outcome != "ok":
        return
    tools = parsed(span.attributes.get(semconv.TOOL_DEFINITIONS))
    messages = parsed(span.attributes.get(semconv.OUTPUT_MESSAGES))
    offered = [str(tool["name"]) for tool in tools if isinstance(tool, dict) and tool.get("name")] if isinstance(
        tools, list) else []  # fmt: skip
    parts = [
        part
        for message in (messages if isinstance(messages, list) else ())
        if isinstance(message, dict) and isinstance(message.get("parts"), list)
        for part in message["parts"]
        if isinstance(part, dict)
    ]
    calls = tuple(str(part.get("name")) for part in parts if part.get("type") == "tool_call")
    spoken = "\n".join(str(part.get("content")) for part in parts if part.get("type") == "text" and part.get("content"))
    if not calls and not (offered and spoken):
        return
    model = span.attributes.get(semconv.RESPONSE_MODEL) or span.attributes.get(semconv.REQUEST_MODEL)
    options, reason = (*offered, "answer") if offered else (), spoken if calls and spoken else None
    yield Decision(
        "tool choice", options, calls or ("answer",), reason, None, "model", span, kind="tool",
        model=None if model is None else str(model), at_ns=max(span.end_ns, span.start_ns),
    )  # fmt: skip


# --- what only repeats another one --------------------------------------------------------------


def once(outline: Outline, every: list[One]) -> list[One]:
    """Each decision where it was made, also where others report it as well.

    A handoff or a question to a person is reported by every graph around it, a model's choice by every recorder of
    the call: of nested ones the call that counts tells it.
    """
    if len(every) > 1:
        every = _of_calls_that_count(outline, every)
    numbers = [_number(outline, decision) if KINDS[decision.kind].nests else -1 for decision in every]
    same: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for decision, number in zip(every, numbers, strict=True):
        if number >= 0:
            same.setdefault((decision.name, decision.choices), []).append(outline.places[number])
    for places in same.values():
        places.sort()

    def has_inner(decision: One, number: int) -> bool:
        places = same[decision.name, decision.choices]
        after = bisect_right(places, outline.places[number])
        return after < len(places) and places[after] < outline.places[number] + outline.sizes[number]

    both = zip(every, numbers, strict=True)
    return [decision for decision, number in both if number < 0 or not has_inner(decision, number)]


def _of_calls_that_count(outline: Outline, every: list[One]) -> list[One]:
    same: dict[tuple[str, tuple[str, ...]], list[One]] = {}
    for decision in every:
        if decision.kind in _OF_CALLS:
            same.setdefault((decision.name, decision.choices), []).append(decision)
    second: set[int] = set()
    for alike in same.values():
        if len(alike) < 2:
            continue
        numbers = [_number(outline, decision) for decision in alike]
        counting = {number for number in numbers if outline.shares[number] & Counted.CALL}
        above_them = {above for number in counting for above in outline.ancestors(number)}
        for decision, number in zip(alike, numbers, strict=True):
            if number not in counting and outline.kind(number) == "llm":
                nested = number in above_them or not counting.isdisjoint(outline.ancestors(number))
                second |= {id(decision)} if nested else set()
    return [decision for decision in every if id(decision) not in second]


def _number(outline: Outline, decision: Decision | Choice) -> int:
    return decision.number if isinstance(decision, Choice) else outline.number(decision.span.span_id)


def without_echoes(trace: Trace, every: list[Decision]) -> list[Decision]:
    """Less the edges of a graph that only do what the model before them has chosen, or that had one way to go.

    Args:
        found: decisions in the order they were made, each with what followed.
    """
    inside: dict[str, Decision] = {}  # by node and by graph, the last choice of a model in it so far
    kept = []
    edges = any(decision.kind == "edge" for decision in every)
    for decision in every:
        if decision.kind == "tool" and edges:
            inside.update((above.span_id, decision) for above in trace.ancestors(decision.span))
        if decision.kind == "edge" and (decision.options == decision.choices or _obeys(trace, decision, inside)):
            continue
        kept.append(decision)
    return kept


_END = "__end__"


def _obeys(trace: Trace, edge: Decision, inside: dict[str, Decision]) -> bool:
    where = edge.span.span_id
    # A middleware's node stands between the model's node and the edge that leaves it.
    if str(edge.span.attributes.get(semconv.GRAPH_NODE)).endswith(".after_model") and edge.span.parent_id:
        where = edge.span.parent_id
    model = inside.get(where)
    if model is None:
        return False
    if edge.choices == (_END,):
        return model.choices == ("answer",)
    targets = {span.span_id for span in edge.followed_by}
    return any(above.span_id in targets for tool in model.followed_by for above in (tool, *trace.ancestors(tool)))
