"""Chains, graph nodes and the plumbing between them: names, kinds, inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from agentops_integrations.langchain import graph, ownership, trace_policy
from agentops_integrations.langchain.runs import Run, Runs
from agentops_sdk.integration import semconv, setting, snapshot

_PLUMBING = frozenset(
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
_OURS = ("langgraph_", "ls_", "lc_", "__", "checkpoint_ns", "thread_id", "session_id", "conversation_id", "run_id",
         "run_attempt", "assistant_id", "graph_id", "user_id")  # fmt: skip
_INTERNAL_TAGS = ("seq:step:", "graph:step:", "map:key:", "langsmith:", "retry:attempt:", "branch:", "condition:")
_MAX_METADATA = 32
_IDS = (str, int, UUID)


def name_of(serialized: Any, given: Any, otherwise: str) -> str:
    """A run's name: the one it was given, or its class's."""
    if isinstance(given, str) and given:
        return given
    if isinstance(serialized, dict):
        name = serialized.get("name")
        if isinstance(name, str) and name:
            return name
        path = serialized.get("id")
        if isinstance(path, list) and path and isinstance(path[-1], str):
            return path[-1]
    return otherwise


def common(tags: Sequence[str], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What every run tells of its surroundings: conversation, tags and the program's own metadata."""
    made: dict[str, Any] = {}
    own = [tag for tag in tags if isinstance(tag, str) and not tag.startswith(_INTERNAL_TAGS)]
    if own:
        made[semconv.TAGS] = own
    for tag in tags:
        if isinstance(tag, str) and tag.startswith("retry:attempt:"):
            made[semconv.ATTEMPT] = int(tag.rpartition(":")[2])
    for name in ("thread_id", "session_id", "conversation_id"):
        given = metadata.get(name)
        if type(given) in _IDS and given:
            made[semconv.CONVERSATION_ID] = str(given)[:256]
            break
    for name, value in metadata.items():
        if len(made) >= _MAX_METADATA:
            break
        if isinstance(name, str) and not name.startswith(_OURS) and type(value) in (str, int, float, bool):
            made[semconv.METADATA_PREFIX + name] = value
    return made


def begin(
    runs: Runs,
    name: str,
    inputs: Any,
    run_id: UUID,
    parent_run_id: UUID | None,
    tags: Sequence[str],
    metadata: Mapping[str, Any],
) -> None:
    """Start the call of a chain, a graph, a graph's node or a piece of plumbing."""
    shape = graph.starting(name)
    node = graph.node_attributes(tags, metadata)
    kind = "task"
    if shape is not None:
        kind = "agent" if shape.is_agent and not graph.is_nameless(shape, parent_run_id) else "workflow"
    elif parent_run_id is None:
        kind = "agent" if name == "AgentExecutor" else "workflow"
    attributes = {**common(tags, metadata), **node}
    plumbing = kind == "task" and not node and semconv.ATTEMPT not in attributes
    plumbing = plumbing and (
        name.partition("<")[0] in _PLUMBING
        or graph.is_route(runs.get(parent_run_id), name)
        or ownership.is_of_a_library(name)
    )
    if plumbing:
        attributes[semconv.PLUMBING] = True
    record = not plumbing or bool(setting("plumbing"))
    run = runs.begin(kind, name, run_id, parent_run_id, record=record, attributes=attributes)
    run.plumbing = plumbing
    if shape is not None:
        run.notes["shape"] = shape
    if node:
        run.notes["node"] = metadata.get("langgraph_node")
    instead = trace_policy.recordable(inputs)
    if instead is not None:
        run.notes["trace policy"] = True
    if plumbing or not setting("capture_content"):
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
    if not run.plumbing and setting("capture_content"):
        if outputs is not None:
            run.call.set(semconv.OUTPUT, instead or snapshot(outputs).decode())
        if inputs is not None and run.notes.get("input later"):
            run.call.set(semconv.INPUT, snapshot(inputs).decode())
        hidden = instead is not None or "trace policy" in run.notes
        if "node" in run.notes and not hidden and setting("state_changes"):
            graph.changed(run)
    graph.node_ended(run, outputs)
