"""LangGraph: graphs and their nodes, and the edges taken: fixed, conditional, by command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from types import ModuleType
from typing import Any
from uuid import UUID

from agentops_integrations.langchain import live_runs
from agentops_integrations.langchain.graph_structure import GraphStructure, structure_of
from agentops_integrations.langchain.messages import loads
from agentops_sdk.integration import Patches, current_call, decision_attributes, guard, semconv
from agentops_sdk.integration.frameworks import Run

Wrapped = Callable[..., Any]
_KEYS = (str, bool, int)
_NO_NAME = "LangGraph"

_starting: ContextVar[GraphStructure | None] = ContextVar("agentops-langgraph-starting", default=None)
"""The graph that is about to report its start in this context."""


def install(patches: Patches) -> None:
    patches.when_imported("langgraph.pregel.main", lambda module: _graphs(patches, module))
    patches.when_imported("langgraph.graph._branch", lambda module: _branches(patches, module))


# --- the start of a graph -----------------------------------------------------------------------


def _graphs(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module.Pregel, "_defaults", _begins)
    patches.wrap(module.Pregel, "get_name", _named)


def _begins(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a graph does just before it reports its start, in the same context, sync or async."""
    result = wrapped(*args, **kwargs)
    with guard("langgraph.begins"):
        config = args[0] if args else kwargs.get("config")
        _starting.set(structure_of(instance, config if isinstance(config, dict) else {}))
    return result


def _named(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Older graphs ask for their defaults too late, but all of them need their name to report their start."""
    name = wrapped(*args, **kwargs)
    with guard("langgraph.named"):
        structure = _starting.get()
        if structure is None or structure.graph != id(instance):
            _starting.set(structure_of(instance, {"run_name": name}))
    return name


def starting(name: str) -> GraphStructure | None:
    """The graph whose run called ``name`` starts here, if the run is a graph's."""
    structure = _starting.get()
    if structure is None:
        return None
    _starting.set(None)
    return structure if structure.run_name == name else None


def is_nameless(structure: GraphStructure, parent_run_id: UUID | None) -> bool:
    """Whether a prebuilt agent without a name is how an agent of the program's own, around it, does its work."""
    around = current_call() if parent_run_id is None and structure.run_name == _NO_NAME else None
    return around is not None and around.kind == "agent" and not around.ended


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


def is_route(parent: Run | None, name: str) -> bool:
    """Whether this is the function of a conditional edge: what it decides is told on the node it leaves."""
    node = parent.notes.get("node") if parent is not None else None
    around = parent.parent if parent is not None else None
    structure = around.notes.get("structure") if node is not None and around is not None else None
    return structure is not None and name in structure.routes.get(node, ())


def node_ended(run: Run, outputs: Any) -> None:
    """Where the graph goes from here: fixed edges, conditional ones, and commands."""
    node = run.notes.get("node")
    if node is None:
        return
    structure = run.parent.notes.get("structure") if run.parent is not None else None
    taken: list[str] = list(run.notes.get("taken") or ())
    commanded = _gotos(outputs)
    if commanded:
        taken += [target for target, _ in commanded]
        allowed = structure.ends.get(node) if structure is not None else None
        _decided(run, "goto", allowed, [target for target, _ in commanded])
    if structure is not None and outputs is not None:
        taken += [target for target in structure.edges.get(node, ()) if target not in taken]
    if taken:
        run.call.set(semconv.GRAPH_NEXT, taken)


def changed(run: Run) -> None:
    """Have worked out, once the node has ended, what it changed of the state: before, and what it wrote."""
    run.call.defer(_changes)


def _changes(attributes: dict[str, Any]) -> None:
    if semconv.INPUT not in attributes or semconv.OUTPUT not in attributes:
        return
    before, wrote = loads(attributes[semconv.INPUT]), loads(attributes[semconv.OUTPUT])
    if isinstance(before, dict) and isinstance(wrote, dict):
        changes = {key: {"before": before.get(key), "wrote": value} for key, value in wrote.items()}
        attributes[semconv.GRAPH_CHANGES] = changes


def handed_over(run: Run, output: Any) -> None:
    """A tool that answers with a command hands over to another node, or agent."""
    commanded = _gotos(output)
    if commanded:
        name = "handoff" if any(parent for _, parent in commanded) else "goto"
        _decided(run, name, None, [target for target, _ in commanded])


def _gotos(outputs: Any) -> list[tuple[str, bool]]:
    """Targets of the commands in a node's or tool's output, each with whether it lies in the graph around."""
    targets: list[tuple[str, bool]] = []
    values = outputs if isinstance(outputs, list) else [outputs]
    for each in values[:100]:
        if type(each).__name__ != "Command":
            continue
        goto = getattr(each, "goto", ())
        parent = getattr(each, "graph", None) is not None
        targets += [(_target(target), parent) for target in (goto if isinstance(goto, list | tuple) else [goto])]
    return targets


def _target(target: Any) -> str:
    if type(target).__name__ == "Send":
        target = target.node
    return target if isinstance(target, str) else type(target).__name__


def _decided(run: Run, name: str, options: Sequence[str] | None, chosen: list[str]) -> None:
    """Put a decision on the span where it happened; a second one on the same span becomes an event."""
    attributes = decision_attributes(
        chosen,
        name=name,
        options=[{"name": option} for option in options] if options else None,
        among=options,
        by="code",
    )
    if run.notes.get("decided"):
        run.call.event(semconv.DECISION_EVENT, attributes)
    else:
        run.notes["decided"] = True
        run.call.update(attributes)


def _branches(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module.BranchSpec, "_finish", _branched)


def _branched(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with guard("langgraph.branch"):
        arguments = dict(zip(("writer", "input", "result", "config"), args, strict=False)) | kwargs
        run = live_runs.run_of(arguments.get("config"))
        if run is not None:
            outcome = arguments.get("result")
            ends = instance.ends
            several = outcome if isinstance(outcome, list | tuple) else [outcome]
            chosen = [_target(ends[each] if ends and type(each) in _KEYS else each) for each in several]
            name = getattr(instance.path, "name", None)
            run.notes.setdefault("taken", []).extend(chosen)
            _decided(run, name if isinstance(name, str) else "branch", list(ends.values()) if ends else None, chosen)
    return result
