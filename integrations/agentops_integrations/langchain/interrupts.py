"""LangGraph stops and goes on: interrupts, breakpoints, and what resumes them, in this process or a later one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from opentelemetry import trace

from agentops_integrations.langchain import graph, live_runs
from agentops_sdk.integration import BoundedMap, Patches, decision_attributes, guard, semconv, setting, snapshot
from agentops_sdk.integration.frameworks import Run

Wrapped = Callable[..., Any]

_interrupted: BoundedMap[tuple[str, str], trace.SpanContext] = BoundedMap(1_000)
"""Where each thread was interrupted in this process: by thread id and checkpoint id."""


def install(patches: Patches) -> None:
    patches.when_imported("langgraph.pregel._loop", lambda module: _loops(patches, module))


def bubbled(run: Run, error: BaseException) -> str | None:
    """The outcome of a run that one of LangGraph's steering exceptions left; ``None`` for any other exception."""
    names = {base.__name__ for base in type(error).__mro__ if base.__module__ == "langgraph.errors"}
    if "GraphBubbleUp" not in names:
        return None
    if "ParentCommand" in names:
        graph.handed_over(run, error.args[0] if error.args else None)
        return "ok"
    if "GraphInterrupt" in names:
        _interrupts(run, error)
    return "interrupted"


def _interrupts(run: Run, error: BaseException) -> None:
    asked = list(error.args[0] or ()) if error.args else []
    for above in run.above():
        if "structure" in above.notes:
            above.notes["interrupted"] = True
            known = above.notes.setdefault("interrupts", [])  # nodes that run side by side each ask something
            known += [each for each in asked if not any(each is one for one in known)]
            _remember(above)
            break
    _ask(run, asked)


def _ask(run: Run, interrupts: Any) -> None:
    if interrupts and setting("capture_content"):
        asked = [
            {"id": getattr(each, "id", None), "value": getattr(each, "value", each)} for each in list(interrupts)[:100]
        ]
        run.call.set(semconv.INTERRUPTS, snapshot(asked).decode())


def outcome(run: Run) -> str:
    """Of a chain that came to its end: a graph that was interrupted ends like any other."""
    loop = run.notes.get("loop")
    if loop is not None:
        identity = loop.checkpoint.get("id")
        run.call.set(semconv.GRAPH_CHECKPOINT_ID, identity if loop.checkpointer is not None else None)
    if not run.notes.get("interrupted"):
        return "ok"
    _ask(run, run.notes.get("interrupts"))
    _remember(run)
    return "interrupted"


def left(run: Run, error: BaseException) -> str | None:
    """The outcome of a graph that asked a person and whose reader then went away, to come back with the answer.

    ``None`` where the graph had not asked, or was cut off in the middle of something else that it did.
    """
    if isinstance(error, Exception):
        return None
    if run.parent is not None and not isinstance(error, GeneratorExit):
        run.parent.notes["cut off"] = True
    if not run.notes.get("interrupted"):
        return None
    ending = outcome(run)
    return None if "cut off" in run.notes and not isinstance(error, GeneratorExit) else ending


def _remember(run: Run) -> None:
    """Where a thread stopped, from when its question is out: whoever answers may not wait for the end of the run."""
    loop = run.notes.get("loop")
    if loop is not None and (thread := _thread(loop)) is not None and run.call.recording:
        span = trace.get_current_span(run.context).get_span_context()
        _interrupted[thread, loop.checkpoint.get("id")] = span


def _loops(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module.PregelLoop, "_first", _first)
    patches.wrap(module.PregelLoop, "tick", _ticked)
    patches.wrap(module.PregelLoop, "after_tick", _ticked)


def _loop_run(loop: Any) -> Run | None:
    return live_runs.get(getattr(loop.manager, "run_id", None))


def _thread(loop: Any) -> str | None:
    thread = (loop.config.get("configurable") or {}).get("thread_id")
    return None if thread is None or loop.checkpointer is None else str(thread)


def _first(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("langgraph.first"):
        run = _loop_run(instance)
        if run is not None:
            run.notes["loop"] = instance
            thread = _thread(instance)
            value = instance.input
            if thread is not None:
                run.call.set(semconv.CONVERSATION_ID, thread)
            if instance.checkpoint.get("channel_versions") and (value is None or type(value).__name__ == "Command"):
                _resumed(run, thread, instance.checkpoint.get("id"))
                _answered(run, thread, instance.checkpoint, getattr(value, "resume", None))
    return wrapped(*args, **kwargs)


def _answered(run: Run, thread: str | None, checkpoint: Mapping[str, Any], answer: Any) -> None:
    """What a person decided who was asked, and how long that took: in this process or since the checkpoint."""
    if answer is None and (thread is None or (thread, checkpoint.get("id")) not in _interrupted):
        return  # goes on after a failure: nobody was asked
    chosen = "continue" if answer is None else "answered"
    if answer is not None and setting("capture_content"):
        chosen = snapshot(answer).decode()
    run.call.update(decision_attributes(chosen, name="resume", by="human"))
    since = checkpoint.get("ts")
    if isinstance(since, str):
        waited = (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds()
        run.call.update(decision_attributes(waited=max(0.0, waited)))


def _resumed(run: Run, thread: str | None, checkpoint: Any) -> None:
    run.call.set(semconv.GRAPH_RESUMED_FROM, checkpoint if isinstance(checkpoint, str) else None)
    if thread is None:
        return
    span = _interrupted.get((thread, checkpoint))
    if span is not None:
        run.call.link(span, {semconv.GRAPH_RESUMED_FROM: checkpoint})


def _ticked(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return wrapped(*args, **kwargs)
    except Exception as error:
        with guard("langgraph.tick"):
            run = _loop_run(instance)
            if run is not None and type(error).__name__ == "GraphInterrupt":  # a breakpoint before or after a node
                run.notes["interrupted"] = True
                _remember(run)
        raise
