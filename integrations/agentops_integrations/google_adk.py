"""Google's Agent Development Kit, through the spans that it makes itself: agents, workflows, model calls and tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.integration import current_call, guard, semconv

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Call, Patches

_HANDOFF = "transfer_to_agent"
"""The tool by which an agent passes on what it was asked."""


class GoogleADKIntegration:
    """Adopts the spans of the one tracer that all of the library shares."""

    name = "google_adk"
    target = "google.adk"
    distribution = "google-adk"
    requires = ">=2.13,<3"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Its tracer, and where it writes what a tool was given and gave: it leaves that out unless told."""

        def tracing(telemetry: ModuleType) -> None:
            from agentops_sdk.integration.frameworks import adopt

            adopt(patches, telemetry.tracer, "gcp.vertex.agent")
            patches.wrap(telemetry, "trace_tool_call", _tool_call)

        patches.when_imported("google.adk.telemetry.tracing", tracing)


def _tool_call(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("google_adk.tool"):
        call = current_call()
        if call is not None and call.kind == "tool":
            _tell(call, **dict(zip(("tool", "args", "function_response_event"), args, strict=False)) | kwargs)
    return wrapped(*args, **kwargs)


def _tell(call: Call, tool: Any = None, args: Any = None, function_response_event: Any = None, **_: Any) -> None:
    from agentops_sdk.integration.frameworks import content, offer_handoff

    call.update(content(semconv.TOOL_CALL_ARGUMENTS, args))
    parts = getattr(getattr(function_response_event, "content", None), "parts", None) or ()
    for part in parts[:1]:
        response = getattr(getattr(part, "function_response", None), "response", None)
        call.update(content(semconv.TOOL_CALL_RESULT, response))
    agent = call.around
    target = args.get("agent_name") if isinstance(args, dict) and call.name == _HANDOFF else None
    if agent is not None and agent.kind == "agent" and type(target) is str:
        offer_handoff(agent, target)


integration = GoogleADKIntegration()
