"""LangGraph: graphs and their nodes, the edges taken, interrupts and what resumes them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from agentops_integrations.langchain import active
from agentops_integrations.langchain.messages import dumps
from agentops_integrations.langchain.runs import Run
from agentops_integrations.langchain.shape import Shape, shape_of
from agentops_sdk.integration import guard, patch, semconv, setting, snapshot

if TYPE_CHECKING:
    from agentops_integrations.langchain.hooks import Hooks

Wrapped = Callable[..., Any]

_starting: ContextVar[Shape | None] = ContextVar("agentops-langgraph-starting", default=None)
"""The graph that is about to report its start in this context."""

_MAX_THREADS = 1_000
_interrupted: OrderedDict[tuple[str, str], trace.SpanContext] = OrderedDict()
"""Where each thread was interrupted in this process: by thread id and checkpoint id."""


def install(hooks: Hooks) -> None:
    hooks.when_imported("langgraph.pregel.main", _graphs)
    hooks.when_imported("langgraph.pregel._loop", _loops)
    hooks.when_imported("langgraph.graph._branch", _branches)


# --- the start of a graph -----------------------------------------------------------------------


def _graphs(hooks: Hooks, module: ModuleType) -> None:
    hooks.add(patch(module.Pregel, "_defaults", _begins))


def _begins(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The last thing a graph does before it reports its start, in the same context, sync or async."""
    result = wrapped(*args, **kwargs)
    with guard("langgraph.begins"):
        config = args[0] if args else kwargs.get("config")
        _starting.set(shape_of(instance, config if isinstance(config, dict) else {}))
    return result


def starting(name: str) -> Shape | None:
    """The graph whose run called ``name`` starts here, if the run is a graph's."""
    shape = _starting.get()
    if shape is None:
        return None
    _starting.set(None)
    return shape if shape.run_name == name else None


# --- nodes --------------------------------------------------------------------------------------


def node_attributes(tags: Sequence[str], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a run that is a graph's node; empty for any other, also for what runs inside a node."""
    if not any(tag.startswith("graph:step:") for tag in tags):
        return {}
    triggers = metadata.get("langgraph_triggers")
    path = metadata.get("langgraph_path")
    step = metadata.get("langgraph_step")
    return {
        semconv.GRAPH_NODE: metadata.get("langgraph_node"),
        semconv.GRAPH_STEP: step if isinstance(step, int) else None,
        semconv.GRAPH_TRIGGERS: [str(each) for each in triggers] if isinstance(triggers, tuple | list) else None,
        semconv.GRAPH_PATH: [str(each) for each in path] if isinstance(path, tuple | list) else None,
        semconv.GRAPH_CHECKPOINT_NS: metadata.get("langgraph_checkpoint_ns") or None,
    }


def node_ended(run: Run, outputs: Any) -> None:
    """Where the graph goes from here: fixed edges, conditional ones, and commands."""
    node = run.notes.get("node")
    if node is None:
        return
    shape = run.parent.notes.get("shape") if run.parent is not None else None
    taken: list[str] = list(run.notes.get("taken") or ())
    commanded = _gotos(outputs)
    if commanded:
        taken += [target for target, _ in commanded]
        allowed = shape.ends.get(node) if shape is not None else None
        _decided(run, "goto", allowed, [target for target, _ in commanded])
    if shape is not None and outputs is not None:
        taken += [target for target in shape.edges.get(node, ()) if target not in taken]
    if taken:
        run.call.set(semconv.GRAPH_NEXT, taken)


def handed_over(run: Run, output: Any) -> None:
    """A tool that answers with a command hands over to another node, or agent."""
    commanded = _gotos(output)
    if commanded:
        name = "handoff" if any(parent for _, parent in commanded) else "goto"
        _decided(run, name, None, [target for target, _ in commanded])


def _gotos(outputs: Any) -> list[tuple[str, bool]]:
    """Targets of the commands in a node's or tool's output, each with whether it lies in the graph around."""
    found: list[tuple[str, bool]] = []
    given = outputs if isinstance(outputs, list) else [outputs]
    for each in given[:100]:
        if type(each).__name__ != "Command":
            continue
        goto = getattr(each, "goto", ())
        parent = getattr(each, "graph", None) is not None
        found += [(_target(target), parent) for target in (goto if isinstance(goto, list | tuple) else [goto])]
    return found


def _target(given: Any) -> str:
    node = getattr(given, "node", given)  # a Send names its node
    return node if isinstance(node, str) else str(type(node).__name__)


def _decided(run: Run, name: str, options: Sequence[str] | None, chosen: list[str]) -> None:
    """Put a decision on the span where it happened; a second one on the same span becomes an event."""
    told: dict[str, Any] = {
        semconv.DECISION_NAME: name,
        semconv.DECISION_CHOSEN: chosen[0] if len(chosen) == 1 else dumps(chosen),
        semconv.DECISION_BY: "code",
    }
    if options:
        told[semconv.DECISION_OPTIONS] = dumps([{"name": option} for option in options])
        if not set(chosen) <= set(options):
            told[semconv.DECISION_UNLISTED] = True
    if run.notes.get("decided"):
        run.call.event(semconv.DECISION_NAME.rpartition(".")[0], told)
    else:
        run.notes["decided"] = True
        run.call.update(told)


def _branches(hooks: Hooks, module: ModuleType) -> None:
    hooks.add(patch(module.BranchSpec, "_finish", _branched))


def _branched(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with guard("langgraph.branch"):
        given = dict(zip(("writer", "input", "result", "config"), args, strict=False)) | kwargs
        run = active.run_of(given.get("config"))
        if run is not None:
            outcome = given.get("result")
            ends = instance.ends
            several = outcome if isinstance(outcome, list | tuple) else [outcome]
            chosen = [_target(each) if hasattr(each, "node") or not ends else str(ends.get(each)) for each in several]
            name = getattr(instance.path, "name", None)
            run.notes.setdefault("taken", []).extend(chosen)
            _decided(run, name if isinstance(name, str) else "branch", list(ends.values()) if ends else None, chosen)
    return result


# --- interrupts and resumes ---------------------------------------------------------------------


def bubbled(run: Run, error: BaseException) -> str | None:
    """The outcome of a run that one of LangGraph's steering exceptions left; ``None`` for any other exception."""
    names = {base.__name__ for base in type(error).__mro__ if base.__module__ == "langgraph.errors"}
    if "GraphBubbleUp" not in names:
        return None
    if "ParentCommand" in names:
        handed_over(run, error.args[0] if error.args else None)
        return "ok"
    if "GraphInterrupt" in names:
        _interrupts(run, error)
    return "interrupted"


def _interrupts(run: Run, error: BaseException) -> None:
    for above in run.above():
        if "shape" in above.notes:
            above.notes["interrupted"] = True
            if error.args and error.args[0]:
                above.notes["interrupts"] = error.args[0]
            break
    _ask(run, error.args[0] if error.args else ())


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
    if loop is not None and (thread := _thread(loop)) is not None and run.call.recording:
        span = trace.get_current_span(run.context).get_span_context()
        _interrupted[thread, loop.checkpoint.get("id")] = span
        while len(_interrupted) > _MAX_THREADS:
            _interrupted.popitem(last=False)
    return "interrupted"


def _loops(hooks: Hooks, module: ModuleType) -> None:
    hooks.add(patch(module.PregelLoop, "_first", _first))
    hooks.add(patch(module.PregelLoop, "tick", _ticked))
    hooks.add(patch(module.PregelLoop, "after_tick", _ticked))


def _loop_run(loop: Any) -> Run | None:
    return active.runs.get(getattr(loop.manager, "run_id", None)) if active.runs is not None else None


def _thread(loop: Any) -> str | None:
    thread = (loop.config.get("configurable") or {}).get("thread_id")
    return None if thread is None or loop.checkpointer is None else str(thread)


def _first(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("langgraph.first"):
        run = _loop_run(instance)
        if run is not None:
            run.notes["loop"] = instance
            thread = _thread(instance)
            given = instance.input
            if thread is not None:
                run.call.set(semconv.CONVERSATION_ID, thread)
            if instance.checkpoint.get("channel_versions") and (given is None or type(given).__name__ == "Command"):
                _resumed(run, thread, instance.checkpoint.get("id"))
    return wrapped(*args, **kwargs)


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
        raise
