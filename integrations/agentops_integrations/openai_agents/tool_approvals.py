"""People in between: a run that stops at tools that need approval, what was decided, and the run that goes on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from agentops_sdk.integration import BoundedMap, Patches, decision_attributes, guard, semconv, setting, snapshot
from agentops_sdk.integration.frameworks import Run, Runs

RUNS = frozenset(("task", "agent"))
"""Types of spans that a run begins with: older versions have no tasks."""

_OPTIONS = snapshot([{"name": "approve"}, {"name": "reject"}]).decode()
_MOST_ASKED = 100

_asked: BoundedMap[str, tuple[float, Any, str]] = BoundedMap(1_000)
"""Tool calls that wait in this process: since when, and the context and checkpoint of the span that asked."""

_answers: BoundedMap[str, list[dict[str, Any]]] = BoundedMap(1_000)
"""By trace: what was decided, until the run goes on."""


def install(patches: Patches, runs: Runs) -> None:
    def interrupted(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = wrapped(*args, **kwargs)
        with guard("openai_agents.interrupted"):
            _interrupt(runs.current(), instance.interruptions)
        return result

    patches.when_imported(
        "agents.run_internal.run_steps",
        lambda steps: patches.wrap(steps.NextStepInterruption, "__init__", interrupted),
    )

    def watch(module: Any) -> None:
        patches.wrap(module.RunState, "approve", _approve)
        patches.wrap(module.RunState, "reject", _reject)

    def tool_result(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = wrapped(*args, **kwargs)
        with guard("openai_agents.tool_result"):
            _not_run(runs.current(), instance.run_item)
        return result

    patches.when_imported("agents.run_state", watch)
    patches.when_imported("agents.tool", lambda tool: patches.wrap(tool.FunctionToolResult, "__init__", tool_result))


def outcome(run: Run) -> str | None:
    """``interrupted`` for what waits for a person, ``cancelled`` for a tool that was turned down.

    A trace around several runs is what its last one was.
    """
    if "rejected" in run.notes:
        return "cancelled"
    waits = "waits" in run.notes
    if run.kind in ("task", "workflow") and run.parent is not None and run.parent.parent is None:
        run.parent.notes.pop("waits", None)
        if waits:
            run.parent.notes["waits"] = True
    return "interrupted" if waits else None


def _interrupt(run: Run | None, interruptions: Any) -> None:
    """A run is about to stop: everything around this point waits, up to the run's outermost span."""
    if run is None or not isinstance(interruptions, list) or not interruptions:
        return
    around = [run, *run.above()]
    agent = next((each for each in around if each.kind == "agent"), None)
    if agent is None:
        return  # a state that is made of a result
    for each in around:
        if each.kind not in ("tool", "workflow"):
            each.notes["waits"] = True
        if each.kind == "tool":
            break
    first = _call_id(interruptions[0])
    call = agent.call
    call.set(semconv.GRAPH_CHECKPOINT_ID, first)
    if setting("capture_content"):
        questions = [
            {"id": _call_id(item), "value": {"tool": _tool_name(item), "arguments": _field(item, "arguments")}}
            for item in interruptions[:_MOST_ASKED]
        ]
        call.set(semconv.INTERRUPTS, snapshot(questions).decode())
    span = getattr(call, "span", None)
    if span is not None:
        for item in interruptions[:_MOST_ASKED]:
            _asked[_call_id(item) or ""] = time.monotonic(), span.otel.get_span_context(), first or ""


def _not_run(run: Run | None, item: Any) -> None:
    """A tool's result that is made before the tool has run: it waits for approval, or was turned down."""
    if run is not None and run.kind == "tool":
        run.notes["waits" if type(item).__name__ == "ToolApprovalItem" else "rejected"] = True


def _approve(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with guard("openai_agents.approve"):
        _decided(instance, args[0] if args else kwargs.get("approval_item"), "approve", None)
    return result


def _reject(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with guard("openai_agents.reject"):
        item = args[0] if args else kwargs.get("approval_item")
        _decided(instance, item, "reject", kwargs.get("rejection_message"))
    return result


def _decided(state: Any, item: Any, chosen: str, reason: Any) -> None:
    trace_id = getattr(getattr(state, "_trace_state", None), "trace_id", None)
    call_id = _call_id(item)
    if type(trace_id) is not str or call_id is None:
        return
    since, span, checkpoint = _asked.get(call_id) or (None, None, _first_question(state))
    answers = _answers.get(trace_id) or []
    answers = [answer for answer in answers if answer["call_id"] != call_id]  # the last word counts
    attributes = decision_attributes(
        chosen, name=f"run {_tool_name(item)}", options=_OPTIONS, by="human", reason=reason,
        inputs=_field(item, "arguments") if setting("capture_content") else None,
        waited=None if since is None else max(0.0, time.monotonic() - since),
    )  # fmt: skip
    answers.append({"call_id": call_id, "attributes": attributes, "span": span, "checkpoint": checkpoint})
    _answers[trace_id] = answers


def answered(trace_id: str) -> list[dict[str, Any]] | None:
    """What was decided since the run of this trace stopped; told once."""
    return _answers.pop(trace_id, None) if _answers else None


def resumed(run: Run, answers: list[dict[str, Any]]) -> None:
    """A run goes on: the answers it goes on with, and where it had stopped."""
    first, *more = answers
    run.call.update(first["attributes"])
    run.call.set(semconv.GRAPH_RESUMED_FROM, first["checkpoint"])
    if first["span"] is not None:
        run.call.link(first["span"], {semconv.GRAPH_RESUMED_FROM: first["checkpoint"]})
    for answer in more:
        run.call.event(semconv.DECISION_EVENT, answer["attributes"])


def _first_question(state: Any) -> str | None:
    interruptions = getattr(getattr(state, "_current_step", None), "interruptions", None)
    return _call_id(interruptions[0]) if isinstance(interruptions, list) and interruptions else None


def _call_id(item: Any) -> str | None:
    value = _field(item, "call_id") or _field(item, "id")
    return value if type(value) is str else None


def _tool_name(item: Any) -> str:
    return str(getattr(item, "tool_name", None) or _field(item, "name") or "tool")


def _field(item: Any, name: str) -> Any:
    raw = getattr(item, "raw_item", None)
    return raw.get(name) if isinstance(raw, Mapping) else getattr(raw, name, None)
