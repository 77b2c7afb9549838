"""People in between: a run that stops at tools that need approval, what was decided, and the run that goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agentops_sdk.integration import BoundedMap, Patches, guard
from agentops_sdk.integration.frameworks import Answer, PendingQuestions, Run, Runs, WaitingCall

RUNS = frozenset(("task", "agent"))
"""Types of spans that a run begins with: older versions have no tasks."""

_questions = PendingQuestions()
_answers: BoundedMap[str, dict[str, Answer]] = BoundedMap(1_000)
"""By trace and call: what was decided, until the run goes on."""


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
    _questions.asked(agent.call, [_waiting(item) for item in interruptions])


def _not_run(run: Run | None, item: Any) -> None:
    """A tool's result that is made before the tool has run: it waits for approval, or was turned down."""
    if run is not None and run.kind == "tool":
        run.notes["waits" if type(item).__name__ == "ToolApprovalItem" else "rejected"] = True


def _approve(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with guard("openai_agents.approve"):
        _decided(instance, args[0] if args else kwargs.get("approval_item"), None, approved=True)
    return result


def _reject(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with guard("openai_agents.reject"):
        item = args[0] if args else kwargs.get("approval_item")
        _decided(instance, item, kwargs.get("rejection_message"), approved=False)
    return result


def _decided(state: Any, item: Any, reason: Any, *, approved: bool) -> None:
    trace_id = getattr(getattr(state, "_trace_state", None), "trace_id", None)
    waiting = _waiting(item)
    if type(trace_id) is not str or waiting.id is None:
        return
    answers = dict(_answers.get(trace_id) or {})
    answers.pop(waiting.id, None)  # the last word counts
    answers[waiting.id] = _questions.approval(
        waiting, approved=approved, reason=reason, checkpoint=_first_question(state)
    )
    _answers[trace_id] = answers


def answered(trace_id: str) -> Iterable[Answer] | None:
    """What was decided since the run of this trace stopped; told once."""
    answers = _answers.pop(trace_id, None) if _answers else None
    return list(answers.values()) if answers else None


def resumed(run: Run, answers: Iterable[Answer]) -> None:
    """A run goes on: the answers it goes on with, and where it had stopped."""
    _questions.resumed(run.call, answers)


def _first_question(state: Any) -> str | None:
    interruptions = getattr(getattr(state, "_current_step", None), "interruptions", None)
    return _call_id(interruptions[0]) if isinstance(interruptions, list) and interruptions else None


def _waiting(item: Any) -> WaitingCall:
    return WaitingCall(_call_id(item), _tool_name(item), _field(item, "arguments"))


def _call_id(item: Any) -> str | None:
    value = _field(item, "call_id") or _field(item, "id")
    return value if type(value) is str else None


def _tool_name(item: Any) -> str:
    return str(getattr(item, "tool_name", None) or _field(item, "name") or "tool")


def _field(item: Any, name: str) -> Any:
    raw = getattr(item, "raw_item", None)
    return raw.get(name) if isinstance(raw, Mapping) else getattr(raw, name, None)
