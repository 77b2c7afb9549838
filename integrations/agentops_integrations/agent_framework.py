"""Microsoft's Agent Framework, through the spans that it makes itself: agents, workflows, model calls and tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.integration import current_call, guard, semconv

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches


class AgentFrameworkIntegration:
    """Hands out a tracer of ours where the framework asks for its own."""

    name = "agent_framework"
    target = "agent_framework"
    distribution = "agent-framework-core"
    requires = ">=1.23,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Its one function, and what tools are given and give: it leaves that out unless told."""
        patches.when_imported("agent_framework.observability", lambda telemetry: _tracer(patches, telemetry))
        patches.when_imported(
            "agent_framework._tools",
            lambda tools: patches.wrap(tools.FunctionTool, "_invoke_function", _invoke),
        )


def _tracer(patches: Patches, telemetry: ModuleType) -> None:
    from agentops_sdk.integration.frameworks import AdoptingTracer

    ours = AdoptingTracer("agent_framework")

    def get_tracer(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return wrapped(*args, **kwargs) if args or kwargs else ours  # the program asks for one with a name

    patches.wrap(telemetry, "get_tracer", get_tracer)


async def _invoke(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("agent_framework.arguments"):
        _tell(semconv.TOOL_CALL_ARGUMENTS, args[0] if args else None)
    result = await wrapped(*args, **kwargs)
    with guard("agent_framework.result"):
        _tell(semconv.TOOL_CALL_RESULT, result)
    return result


def _tell(name: str, value: Any) -> None:
    from agentops_sdk.integration.frameworks import content

    call = current_call()
    if call is not None and call.kind == "tool":
        call.update(content(name, value))


integration = AgentFrameworkIntegration()
