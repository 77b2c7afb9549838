"""Semantic Kernel, through the spans that it makes itself: agents, rounds of tools, kernel functions, model calls.

Orchestrations, searches and memories have none, and are recorded at their methods. What an orchestration's agents do
runs in tasks of a runtime that was started before: each message takes along where it was sent.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import finalize

from opentelemetry.context import attach, get_current

from agentops_sdk.integration import Begun, Call, around_async, current_call, guard, release, semconv, start
from agentops_sdk.integration.frameworks import (
    MethodCalls,
    adopt,
    content,
    memory_call,
    memory_records,
    offer_handoff,
    tool_definitions,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from agentops_sdk.integration import Patches

_SITE = "semantic_kernel"
_SENT_IN = "_agentops_sent_in"
_RUNTIME = "semantic_kernel.agents.runtime.in_process"
_ORCHESTRATIONS = "semantic_kernel.agents.orchestration"
_AGENTS = "semantic_kernel.utils.telemetry.agent_diagnostics.decorators"
_MODELS = "semantic_kernel.utils.telemetry.model_diagnostics.decorators"
_FUNCTIONS = "semantic_kernel.functions.kernel_function"
_ROUNDS = "semantic_kernel.connectors.ai.chat_completion_client_base"


class SemanticKernelIntegration:
    """Adopts the spans of its modules' tracers, and turns those on that are off unless told."""

    name = "semantic_kernel"
    target = "semantic_kernel"
    distribution = "semantic-kernel"
    requires = ">=1.45,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Each module has one tracer, and functions that say what is written.

        What it would write of messages into the log of the program stays as the program has set it.
        """

        def adopted(name: str) -> Any:
            return lambda found: adopt(patches, found.tracer, name)

        def agents(found: ModuleType) -> None:
            adopt(patches, found.tracer, _AGENTS)
            patches.wrap(found, "are_model_diagnostics_enabled", _always)
            patches.wrap(found, "_set_agent_invocation_input", _asked)
            patches.wrap(found, "_set_agent_invocation_output", _answered)

        def models(found: ModuleType) -> None:
            adopt(patches, found.tracer, _MODELS)
            patches.wrap(found, "are_model_diagnostics_enabled", _always)

        patches.when_imported(_AGENTS, agents)
        patches.when_imported(_MODELS, models)
        patches.when_imported(_ROUNDS, adopted(_ROUNDS))
        patches.when_imported(_FUNCTIONS, adopted(_FUNCTIONS))
        patches.when_imported(
            "semantic_kernel.utils.telemetry.model_diagnostics.function_tracer",
            lambda found: patches.wrap(found, "are_sensitive_events_enabled", _always),
        )
        calls = MethodCalls(_SITE, patches)
        patches.when_imported(
            f"{_ORCHESTRATIONS}.orchestration_base",
            lambda found: patches.wrap(found.OrchestrationBase, "invoke", _orchestrated),
        )
        patches.when_imported(
            f"{_ORCHESTRATIONS}.handoffs",
            lambda found: patches.wrap(found.HandoffAgentActor, "_handoff_to_agent", _handed_over),
        )
        patches.when_imported(
            "semantic_kernel.agents.runtime.in_process.in_process_runtime", partial(_runtime, patches)
        )
        patches.when_imported("semantic_kernel.data.vector", partial(_searches, calls))
        patches.when_imported(
            "semantic_kernel.memory.semantic_text_memory_base",
            lambda found: calls.wrap_below(found.SemanticTextMemoryBase, _MEMORIES),
        )


def _always(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """What is written onto a span is written: whether that has content is for our own setting to say."""
    return True


def _asked(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("semantic_kernel.asked"):
        given = args[1]
        _tell(semconv.INPUT, given if isinstance(given, list) else [given])
    return wrapped(*args, **kwargs)


def _answered(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("semantic_kernel.answered"):
        _tell(semconv.OUTPUT, args[1])
    return wrapped(*args, **kwargs)


def _tell(name: str, messages: list[Any]) -> None:
    call = current_call()
    if call is not None and call.kind == "agent":
        call.update(_said(name, messages))


def _said(name: str, messages: list[Any]) -> dict[str, Any]:
    texts = [each if isinstance(each, str) else getattr(each, "content", None) for each in messages]
    said = [text for text in texts if isinstance(text, str) and text]
    return content(name, said[0] if len(said) == 1 else said) if said else {}


# --- orchestrations -----------------------------------------------------------------------------------


async def _orchestrated(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """It returns at once; what it returns is told when the work is done."""

    def begin() -> Begun | None:
        kind, task = type(instance).__name__, kwargs.get("task", args[0] if args else None)
        named = instance.name if type(instance.name) is str and not instance.name.startswith(f"{kind}_") else kind
        members = ((each.name, each.description) for each in instance._members)  # noqa: SLF001 - no other way to them
        about = {
            **tool_definitions(members),
            **_said(semconv.INPUT, task if isinstance(task, list) else [task]),
        }
        call = start("workflow", named, attributes=about, reporter=_SITE)
        return Begun(call, args, kwargs) if isinstance(call, Call) else None

    return await around_async("semantic_kernel.orchestration", wrapped, args, kwargs, begin, _over_later)


def _over_later(call: Any, result: Any) -> bool:
    """Its event is set once, when there is a result, an exception, or nobody who waits any more."""
    event = result.event
    tell = event.set

    def told() -> None:
        tell()
        with guard("semantic_kernel.result"):
            _over(call, result)

    event.set = told
    finalize(event, call.finish, "abandoned")
    return False


def _over(call: Call, result: Any) -> None:
    if result.value is not None:
        value = result.value
        call.update(_said(semconv.OUTPUT, value if isinstance(value, list) else [value]))
        call.finish()
    elif result.cancellation_token.is_cancelled():
        call.finish("cancelled")
    elif result.exception is not None:
        call.fail(result.exception)
    else:
        call.finish("abandoned")


async def _handed_over(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("semantic_kernel.handoff"):
        agent = current_call()
        while agent is not None and agent.kind != "agent":
            agent = agent.around
        target = kwargs.get("agent_name", args[0] if args else None)
        if agent is not None and type(target) is str:
            offer_handoff(agent, target)
    return await wrapped(*args, **kwargs)


def _runtime(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module, "get_telemetry_envelope_metadata", _sent)
    for name in ("_process_send", "_process_publish"):
        patches.wrap(module.InProcessRuntime, name, _delivered)


def _sent(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What goes along with a message: a dataclass without slots and without a hash."""
    metadata = wrapped(*args, **kwargs)
    with guard("semantic_kernel.sent"):
        setattr(metadata, _SENT_IN, get_current())
    return metadata


async def _delivered(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    token = None
    with guard("semantic_kernel.delivered"):
        envelope = args[0] if args else kwargs["message_envelope"]
        sent_in = getattr(envelope.metadata, _SENT_IN, None)
        token = attach(sent_in) if sent_in is not None else None
    try:
        return await wrapped(*args, **kwargs)
    finally:
        if token is not None:
            release(token)


# --- searches and memories ----------------------------------------------------------------------------


def _searches(calls: MethodCalls, module: ModuleType) -> None:
    """What is found is read later, one by one, by the program."""
    for name in ("search", "hybrid_search"):
        calls.wrap_async(module.VectorSearch, name, _search, _found)


def _search(store: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    query, top = kwargs.get("values", args[0] if args else None), kwargs.get("top", 3)
    about = {
        semconv.RETRIEVAL_TOP_K: top if type(top) is int else None,
        **(content(semconv.RETRIEVAL_QUERY, query) if query is not None else {}),
    }
    return start("retriever", getattr(store, "collection_name", None) or None, attributes=about, reporter=_SITE)


def _found(call: Call, result: Any) -> None:
    """Only who reads it knows."""


def _memory(operation: str, memory: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    names = {"create_memory": ("collection", "text"), "search_memory": ("collection", "query")}[operation]
    given = dict(zip(names, args, strict=False)) | dict(kwargs)
    described = given.get("description")
    written = {"content": given.get("text"), "metadata": {"description": described} if described else None}
    about = memory_records([written]) if operation == "create_memory" else {}
    record = given.get("id", given.get("external_id"))
    return memory_call(operation, given.get("collection"), _SITE, about, record=record, query=given.get("query"))


def _fetch(memory: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    given = dict(zip(("collection", "key"), args, strict=False)) | dict(kwargs)
    return memory_call("search_memory", given.get("collection"), _SITE, {}, record=given.get("key"))


def _recalled(call: Call, result: Any) -> None:
    found = result if isinstance(result, list) else [result] if result is not None else []
    call.update(memory_records({"content": each.text, "id": each.id, "score": float(each.relevance)} for each in found))


def _nothing(call: Call, result: Any) -> None:
    """What a write results in says no more."""


_MEMORIES: Mapping[str, Any] = {
    "save_information": (partial(_memory, "create_memory"), _nothing),
    "save_reference": (partial(_memory, "create_memory"), _nothing),
    "search": (partial(_memory, "search_memory"), _recalled),
    "get": (_fetch, _recalled),
}


integration = SemanticKernelIntegration()
