"""Chains, graph nodes and the internal steps between them: names, kinds, inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from agentops_integrations.langchain import graph, ownership, trace_policy
from agentops_integrations.langchain.run_description import common
from agentops_sdk.integration import semconv, setting, snapshot
from agentops_sdk.integration.frameworks import Run, Runs

_INTERNAL = frozenset(
    (
        "RunnableSequence",
        "RunnableParallel",
        "RunnableAssign",
        "RunnablePassthrough",
        "RunnablePick",
        "RunnableLambda",
        "RunnableBranch",
        "RunnableBinding",
        "RunnableEach",
        "RunnableMap",
        "RunnableGenerator",
        "RunnableCallable",
        "RunnableConfigurableFields",
        "RunnableConfigurableAlternatives",
        "ChannelWrite",
        "ChannelRead",
        "PromptTemplate",
        "ChatPromptTemplate",
        "FewShotPromptTemplate",
        "MessagesPlaceholder",
    )
)


def begin(
    runs: Runs,
    name: str,
    inputs: Any,
    run_id: UUID,
    parent_run_id: UUID | None,
    tags: Sequence[str],
    metadata: Mapping[str, Any],
) -> None:
    """Start the call of a chain, a graph, a graph's node or an internal step."""
    structure = graph.starting(name)
    node = graph.node_attributes(tags, metadata)
    kind = "task"
    if structure is not None:
        kind = "agent" if structure.is_agent and not graph.is_nameless(structure, parent_run_id) else "workflow"
    elif parent_run_id is None:
        kind = "agent" if name == "AgentExecutor" else "workflow"
    attributes = {**common(tags, metadata), **node}
    internal = kind == "task" and not node and semconv.ATTEMPT not in attributes
    internal = internal and (
        name.partition("<")[0] in _INTERNAL
        or graph.is_route(runs.get(parent_run_id), name)
        or ownership.is_of_a_library(name)
    )
    if internal:
        attributes[semconv.INTERNAL] = True
    record = not internal or bool(setting("internal"))
    run = runs.begin(kind, name, run_id, parent_run_id, record=record, attributes=attributes)
    run.notes["internal"] = internal
    if structure is not None:
        run.notes["structure"] = structure
    if node:
        run.notes["node"] = metadata.get("langgraph_node")
    instead = trace_policy.recordable(inputs)
    if instead is not None:
        run.notes["trace policy"] = True
    if internal or not setting("capture_content"):
        return
    if _comes_later(inputs):
        run.notes["input later"] = True
    else:
        run.call.set(semconv.INPUT, instead or snapshot(inputs).decode())


def _comes_later(inputs: Any) -> bool:
    """Whether this stands for the input of a stream: not known at the start, LangChain tells it at the end."""
    if type(inputs) is not dict or len(inputs) != 1:
        return False
    only = inputs.get("input")
    return type(only) is str and not only


def end(run: Run, outputs: Any, inputs: Any) -> None:
    """What a chain gives back, and where a graph goes on from its node."""
    instead = trace_policy.recordable(outputs)
    if not run.notes.get("internal") and setting("capture_content"):
        if outputs is not None:
            run.call.set(semconv.OUTPUT, instead or snapshot(outputs).decode())
        if inputs is not None and run.notes.get("input later"):
            run.call.set(semconv.INPUT, snapshot(inputs).decode())
        hidden = instead is not None or "trace policy" in run.notes
        if "node" in run.notes and not hidden and setting("state_changes"):
            graph.changed(run)
    graph.node_ended(run, outputs)
