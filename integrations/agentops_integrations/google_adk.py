"""Google's Agent Development Kit, through the spans that it makes itself: agents, workflows, model calls and tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.integration import BoundedMap, Call, current_call, guard, semconv
from agentops_sdk.integration.frameworks import PendingQuestions, WaitingCall

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches

_HANDOFF = "transfer_to_agent"
"""The tool by which an agent passes on what it was asked."""

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
        """Its tracer, where it writes what a tool was given and gave, and where a tool learns what a person said."""

        def tracing(telemetry: ModuleType) -> None:
            from agentops_sdk.integration.frameworks import adopt

            adopt(patches, telemetry.tracer, "gcp.vertex.agent")
            patches.wrap(telemetry, "trace_tool_call", _tool_call)

        patches.when_imported("google.adk.telemetry.tracing", tracing)
        patches.when_imported(
            "google.adk.agents.context", lambda agents: patches.wrap(agents.Context, "__init__", _tool_context)
        )


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
