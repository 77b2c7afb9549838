"""AutoGen, through the spans that it makes of its agents; teams, tools, memories and questions at their methods.

The messages between its runtime's actors are spans of its own as well: those are left to the program.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Call, Patches, current_call, guard, semconv, start, tracked_in
from agentops_sdk.integration.frameworks import (
    MethodCalls,
    adopt_module,
    content,
    error_text,
    memory_call,
    memory_records,
    offer_handoff,
    person_answered,
    tool_definitions,
)

Arguments = Mapping[str, Any]
_REPORTER = "autogen"
_SCOPE = "autogen-core"


class AutoGenIntegration:
    """Hands out a tracer of ours where the library asks for its own, and wraps teams, tools and the user's proxy."""

    name = "autogen"
    target = "autogen_core"
    distribution = "autogen-core"
    requires = ">=0.7,<1"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch what is imported, now and later."""
        calls = MethodCalls(_REPORTER, patches)
        patches.when_imported("autogen_core._telemetry._genai", lambda found: adopt_module(patches, found, _SCOPE))
        patches.when_imported("autogen_core.tools._base", partial(_tools, calls))
        patches.when_imported(
            "autogen_core.memory._base_memory", lambda found: calls.wrap_below(found.Memory, _MEMORIES)
        )
        patches.when_imported(
            "autogen_ext.tools.mcp._workbench",
            lambda found: calls.wrap_async(found.McpWorkbench, "call_tool", _workbench_tool, _workbench_result),
        )
        patches.when_imported(
            "autogen_agentchat.teams._group_chat._base_group_chat",
            lambda found: calls.wrap_generator_async(found.BaseGroupChat, "run_stream", _team, _team_result),
        )
        patches.when_imported(
            "autogen_agentchat.agents._base_chat_agent",
            lambda found: patches.each_subclass(found.BaseChatAgent, partial(_asked_by_itself, calls)),
        )
        patches.when_imported(
            "autogen_agentchat.base._chat_agent", lambda found: patches.wrap(found.Response, "__init__", _response)
        )
        patches.when_imported(
            "autogen_agentchat.agents._user_proxy_agent",
            lambda found: patches.wrap(found.UserProxyAgent, "_get_input", _asked),
        )


def _tools(calls: MethodCalls, module: ModuleType) -> None:
    calls.wrap_async(module.BaseTool, "run_json", _tool, _result)
    calls.wrap_generator_async(module.BaseStreamTool, "run_json_stream", _tool, _result)


# --- memories --------------------------------------------------------------------------------------


def _memory(operation: str, memory: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    written = kwargs.get("content", args[0] if args else None) if operation == "create_memory" else None
    query = kwargs.get("query", args[0] if args else None) if operation == "search_memory" else None
    about = memory_records([_record(written)]) if written is not None else {}
    return memory_call(
        operation, getattr(memory, "name", None), _REPORTER, about, query=getattr(query, "content", query) or None
    )


def _found(call: Call, result: Any) -> None:
    call.update(memory_records(map(_record, getattr(result, "memories", result).results)))


def _nothing(call: Call, result: Any) -> None:
    """What a write results in says no more."""


def _record(memory: Any) -> dict[str, Any]:
    text = memory.content if isinstance(memory.content, str | dict) else None  # else a picture, or bytes
    return {"content": text, "metadata": memory.metadata or None}


_MEMORIES: Mapping[str, Any] = {
    "query": (partial(_memory, "search_memory"), _found),
    "update_context": (partial(_memory, "search_memory"), _found),
    "add": (partial(_memory, "create_memory"), _nothing),
    "clear": (partial(_memory, "delete_memory"), _nothing),
}


# --- each method: what begins, and what its result tells -----------------------------------------


def _tool(tool: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    call_id = kwargs.get("call_id", args[2] if len(args) > 2 else None)
    attributes = {
        semconv.TOOL_DESCRIPTION: tool.description if type(tool.description) is str else None,
        semconv.TOOL_CALL_ID: call_id if type(call_id) is str else None,
        **content(semconv.TOOL_CALL_ARGUMENTS, kwargs.get("args", args[0] if args else None)),
    }
    bodies = tuple(body for body in tracked_in(getattr(tool, "_func", None)) if body.kind == "tool")
    return start("tool", str(tool.name), attributes=attributes, reporter=_REPORTER, bodies=bodies)


def _result(call: Call, result: Any) -> None:
    call.update(content(semconv.TOOL_CALL_RESULT, result))


def _workbench_tool(workbench: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    given = dict(zip(("name", "arguments", "cancellation_token", "call_id"), args, strict=False)) | dict(kwargs)
    attributes = {semconv.TOOL_CALL_ID: given.get("call_id"),
                  **content(semconv.TOOL_CALL_ARGUMENTS, given.get("arguments"))}  # fmt: skip
    return start("tool", str(given.get("name")), attributes=attributes, reporter=_REPORTER)


def _workbench_result(call: Call, result: Any) -> None:
    texts = [getattr(part, "content", None) for part in getattr(result, "result", None) or ()]
    call.update(content(semconv.TOOL_CALL_RESULT, [text for text in texts if type(text) is str] or None))
    if getattr(result, "is_error", False) is True:
        error_text(call, next(iter(texts), None), "tool_error")
        call.finish("error")


def _team(team: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    participants = getattr(team, "_participants", None) or ()
    task = kwargs.get("task", args[0] if args else None)
    attributes = {
        **tool_definitions((getattr(each, "name", None), getattr(each, "description", None)) for each in participants),
        **content(semconv.INPUT, getattr(task, "content", task)),
    }
    name = getattr(team, "name", None)
    return start(
        "workflow", name if type(name) is str else type(team).__name__, attributes=attributes, reporter=_REPORTER
    )


def _team_result(call: Call, last: Any) -> None:
    messages = getattr(last, "messages", None)
    if messages:
        call.update(content(semconv.OUTPUT, getattr(messages[-1], "content", None)))


def _asked_by_itself(calls: MethodCalls, agent: type[Any]) -> None:
    """An agent that the program gives messages: of that, the library makes no span."""
    if "on_messages" in vars(agent):
        calls.wrap_async(agent, "on_messages", _agent, _agent_result)
    if "on_messages_stream" in vars(agent):
        calls.wrap_generator_async(agent, "on_messages_stream", _agent, _agent_result)


def _agent(agent: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    around = current_call()
    if around is not None and around.kind == "agent" and around.name == agent.name:
        return None
    messages = kwargs.get("messages", args[0] if args else None) or ()
    attributes = {
        semconv.AGENT_DESCRIPTION: agent.description if type(agent.description) is str else None,
        **content(semconv.INPUT, getattr(messages[-1], "content", None) if messages else None),
    }
    return start("agent", str(agent.name), attributes=attributes, reporter=_REPORTER)


def _agent_result(call: Call, last: Any) -> None:
    call.update(content(semconv.OUTPUT, getattr(getattr(last, "chat_message", None), "content", None)))


def _response(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """An agent answers: with a handoff, where it passes on what it was asked."""
    result = wrapped(*args, **kwargs)
    with guard("autogen.handoff"):
        message, call = instance.chat_message, current_call()
        target = getattr(message, "target", None)
        if type(message).__name__ == "HandoffMessage" and type(target) is str and call is not None:
            agent = call if call.kind == "agent" else call.around
            if agent is not None and agent.kind == "agent" and agent.name == message.source:
                offer_handoff(agent, target)
    return result


async def _asked(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    since = time.monotonic()
    text = await wrapped(*args, **kwargs)
    with guard("autogen.asked"):
        person_answered(current_call(), text, since, by_name=instance.name)
    return text


integration = AutoGenIntegration()
