"""Which of the model's calls a tool's span is, and what the tool is for, which spans do not say; and whether it may."""

from __future__ import annotations

from typing import Any

from agentops_sdk.integration import Patches, guard, refusal, semconv
from agentops_sdk.integration.frameworks import Run, Runs


def install(patches: Patches, runs: Runs) -> None:
    """Look at the context that is made for each call of a tool, inside of its span."""

    def made(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        context = wrapped(*args, **kwargs)
        run: Run | None = None
        with guard("openai_agents.tool_context"):
            run = runs.current()
            if run is not None and run.kind == "tool" and "call" not in run.notes:
                run.notes["call"] = True  # what runs inside makes contexts of its own
                run.call.set(semconv.TOOL_CALL_ID, context.tool_call_id)
                run.call.set(semconv.TOOL_DESCRIPTION, _description(context))
        if (
            run is not None
            and run.kind == "tool"
            and (refused := refusal("openai_agents.limits", run.call)) is not None
        ):
            raise refused
        return context

    patches.when_imported(
        "agents.tool_context", lambda module: patches.wrap(module.ToolContext, "from_agent_context", made)
    )


def _description(context: Any) -> str | None:
    """Of the agent's own tools; those of an MCP server, the server describes."""
    tools = getattr(context.agent, "tools", None)
    for tool in tools if isinstance(tools, list) else ():
        if getattr(tool, "name", None) == context.tool_name:
            description = getattr(tool, "description", None)
            return description if type(description) is str and description else None
    return None
