"""Google's Agent Development Kit, through the spans that it makes itself: agents, workflows, model calls and tools.

Memories have none: they are recorded at the methods of the services that keep them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from agentops_sdk.integration import BoundedMap, Call, current_call, guard, semconv
from agentops_sdk.integration.frameworks import MethodCalls, PendingQuestions, WaitingCall, memory_call, memory_records

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches

_HANDOFF = "transfer_to_agent"
"""The tool by which an agent passes on what it was asked."""

_REPORTER = "google_adk"
_MEMORIES = {
    "search_memory": "search_memory", "add_memory": "create_memory", "add_events_to_memory": "upsert_memory",
    "add_session_to_memory": "upsert_memory", "delete_memory": "delete_memory",
}  # fmt: skip
"""What of a session becomes a memory is the service's to say, and it does not."""

_questions = PendingQuestions()
_confirmed: BoundedMap[str, bool] = BoundedMap(1_000)
"""By id of a tool call: what a person has said, until the call goes on."""


class GoogleADKIntegration:
    """Adopts the spans of the one tracer that all of the library shares."""

    name = "google_adk"
    target = "google.adk"
    distribution = "google-adk"
    requires = ">=2.13,<3"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Its tracer, where a tool's arguments and result and a person's answer pass, and the services of memories."""

        def tracing(telemetry: ModuleType) -> None:
            from agentops_sdk.integration.frameworks import adopt

            adopt(patches, telemetry.tracer, "gcp.vertex.agent")
            patches.wrap(telemetry, "trace_tool_call", _tool_call)

        patches.when_imported("google.adk.telemetry.tracing", tracing)
        patches.when_imported(
            "google.adk.agents.context", lambda agents: patches.wrap(agents.Context, "__init__", _tool_context)
        )
        calls = MethodCalls(_REPORTER, patches)
        methods = {
            name: (partial(_memory, operation), _remembered if name == "search_memory" else _done)
            for name, operation in _MEMORIES.items()
        }
        patches.when_imported(
            "google.adk.memory.base_memory_service",
            lambda services: calls.wrap_below(services.BaseMemoryService, methods),
        )


# --- memories --------------------------------------------------------------------------------------


def _memory(operation: str, service: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    user = kwargs.get("user_id", getattr(args[0] if args else kwargs.get("session"), "user_id", None))
    written = kwargs.get("memories", kwargs.get("events"))
    about = {semconv.USER_ID: user if type(user) is str else None,
             **(memory_records(map(_record, written)) if isinstance(written, list | tuple) else {})}  # fmt: skip
    record, query = kwargs.get("memory_id"), kwargs.get("query")
    return memory_call(operation, None, _REPORTER, about, record=record, query=query)


def _remembered(call: Call, response: Any) -> None:
    call.update(memory_records(map(_record, response.memories)))


def _done(call: Call, result: Any) -> None:
    """What a write results in says no more."""


def _record(entry: Any) -> dict[str, Any]:
    """Of a memory, or of an event that becomes one."""
    parts = getattr(getattr(entry, "content", None), "parts", None) or ()
    texts = [part.text for part in parts if type(getattr(part, "text", None)) is str]
    metadata = getattr(entry, "custom_metadata", None) or None
    return {"content": "\n".join(texts), "id": getattr(entry, "id", None), "metadata": metadata}


# --- tools -----------------------------------------------------------------------------------------


def _tool_call(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("google_adk.tool"):
        call = current_call()
        if call is not None and call.kind == "tool":
            _tell(call, **dict(zip(("tool", "args", "function_response_event"), args, strict=False)) | kwargs)
    return wrapped(*args, **kwargs)


def _tool_context(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with guard("google_adk.confirmation"):
        confirmed = getattr(kwargs.get("tool_confirmation"), "confirmed", None)
        call_id = kwargs.get("function_call_id")
        if type(confirmed) is bool and type(call_id) is str:
            _confirmed[call_id] = confirmed
    return result


def _tell(call: Call, tool: Any = None, args: Any = None, function_response_event: Any = None, **_: Any) -> None:
    from agentops_sdk.integration.frameworks import content, offer_handoff

    call.update(content(semconv.TOOL_CALL_ARGUMENTS, args))
    parts = getattr(getattr(function_response_event, "content", None), "parts", None) or ()
    answer = getattr(parts[0], "function_response", None) if parts else None
    call.update(content(semconv.TOOL_CALL_RESULT, getattr(answer, "response", None)))
    agent = call.around
    if agent is None or agent.kind != "agent":
        return
    waiting = WaitingCall(getattr(answer, "id", None), str(call.name), args)
    if waiting.id in (
        getattr(getattr(function_response_event, "actions", None), "requested_tool_confirmations", None) or ()
    ):
        _stop(call, agent, waiting)
    elif waiting.id is not None and waiting.id in _confirmed:
        _go_on(call, agent, waiting, approved=_confirmed.pop(waiting.id))
    target = args.get("agent_name") if isinstance(args, dict) and call.name == _HANDOFF else None
    if type(target) is str:
        offer_handoff(agent, target)


def _stop(call: Call, agent: Call, waiting: WaitingCall) -> None:
    """The run ends here until a person has answered: the tool, its agent, and the run around that."""
    for each in (call, agent, agent.around):
        if each is not None and (each is not agent.around or each.kind == "workflow"):
            each.settled = "interrupted"
    _questions.asked(agent, [waiting])


def _go_on(call: Call, agent: Call, waiting: WaitingCall, *, approved: bool) -> None:
    if not approved:
        call.settled = "cancelled"
    _questions.resumed(agent, [_questions.approval(waiting, approved=approved, checkpoint=waiting.id)])


integration = GoogleADKIntegration()
