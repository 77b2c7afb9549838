"""AG2, by a middleware that every agent's turn is given beside the program's own; memories, at their methods."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Begun, Call, Patches, around_async, current_call, guard, semconv, start
from agentops_sdk.integration.frameworks import (
    MethodCalls,
    content,
    is_global,
    memory_call,
    memory_records,
    model_reply,
    person_answered,
)

_REPORTER = "ag2"
_YES = frozenset(("y", "yes", "1", "always"))
"""What the library's own approval takes for a yes."""


class AG2Integration:
    """Adds the middleware to each turn, and keeps the library's own telemetry from telling of the same once more."""

    name = "ag2"
    target = "ag2"
    requires = ">=1.2,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Where a turn's middleware is put together, and where the library's own telemetry would join it."""
        patches.when_imported("ag2.agent", lambda found: patches.wrap(found.Agent, "_drive_scope", _drive))
        patches.when_imported(
            "ag2.middleware.builtin.telemetry",
            lambda found: patches.wrap(found.TelemetryMiddleware, "__call__", _own_telemetry),
        )
        calls = MethodCalls(_REPORTER, patches)
        for name, policy in (("episodic", "EpisodicMemoryPolicy"), ("working", "WorkingMemoryPolicy")):
            patches.when_imported(f"ag2.policies.{name}_memory", partial(_remembers, calls, policy))
        patches.when_imported("ag2.aggregate", partial(_keeps, calls))


def _remembers(calls: MethodCalls, policy: str, module: ModuleType) -> None:
    calls.wrap_async(getattr(module, policy), "apply", _search, _found, asks=True)


def _keeps(calls: MethodCalls, module: ModuleType) -> None:
    for strategy in (module.ConversationSummaryAggregate, module.WorkingMemoryAggregate):
        calls.wrap_async(strategy, "aggregate", partial(_keep, strategy.__name__), _kept)


def _search(policy: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    return memory_call("search_memory", str(policy.name), _REPORTER, {})


def _found(policy: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], call: Call, result: Any) -> None:
    """What a policy adds to the prompts that it is given."""
    before = kwargs.get("prompts", args[0] if args else ())
    call.update(memory_records({"content": prompt} for prompt in result[0][len(before) :]))


def _keep(name: str, strategy: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """A conversation is summed up anew, or what is known already is brought up to date."""
    anew = name == "ConversationSummaryAggregate"
    operation, store = ("create_memory", "episodic_memory") if anew else ("update_memory", "working_memory")
    return memory_call(operation, store, _REPORTER, {})


def _kept(call: Call, result: Any) -> None:
    """What it has written is in the store alone."""


def _drive(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("ag2.middleware"):
        ours = partial(Recording, instance, kwargs.get("client"))
        kwargs = {**kwargs, "additional_middleware": (*(kwargs.get("additional_middleware") or ()), ours)}
    return wrapped(*args, **kwargs)


def _own_telemetry(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    ours = False
    with guard("ag2.telemetry"):
        ours = is_global(instance._tracer)  # noqa: SLF001 - it has no public name
    if ours:
        return import_module("ag2.middleware.base").BaseMiddleware(*args, **kwargs)
    return wrapped(*args, **kwargs)


class Recording:
    """By the shape of the library's ``BaseMiddleware``: one for each turn."""

    def __init__(self, agent: Any, client: Any, event: Any, context: Any) -> None:
        self._agent = agent
        self._client = client
        self._offered: list[dict[str, Any]] = []
        """The tools that its model was offered last."""

    async def on_turn(self, call_next: Any, event: Any, context: Any) -> Any:
        begin = partial(_begun, self._turn, (event, context))
        return await around_async("ag2.turn", call_next, (event, context), {}, begin, _answered)

    async def on_llm_call(self, call_next: Any, events: Any, context: Any) -> Any:
        begin = partial(_begun, partial(self._llm_call, call_next), (events, context))
        return await around_async("ag2.llm", call_next, (events, context), {}, begin, self._replied)

    async def on_tool_execution(self, call_next: Any, event: Any, context: Any) -> Any:
        begin = partial(_begun, self._tool, (event, context))
        return await around_async("ag2.tool", call_next, (event, context), {}, begin, _ran)

    async def on_human_input(self, call_next: Any, event: Any, context: Any) -> Any:
        since = time.monotonic()
        message = await call_next(event, context)
        with guard("ag2.human"):
            _person(event, message, since)
        return message

    def _turn(self, event: Any, context: Any) -> Any:
        stream = getattr(getattr(context, "stream", None), "id", None)
        attributes = {
            semconv.CONVERSATION_ID: None if stream is None else str(stream),
            **content(semconv.INPUT, _texts(event)),
        }
        return start("agent", str(self._agent.name), attributes=attributes, reporter=_REPORTER)

    def _llm_call(self, asks: Any, events: Any, context: Any) -> Any:
        self._offered = _offered(asks)
        options = getattr(self._client, "_create_options", None)
        model = options.get("model") if isinstance(options, Mapping) else None
        return start("llm", model if type(model) is str else None, reporter=_REPORTER)

    def _tool(self, event: Any, context: Any) -> Any:
        functions = [each["function"] for each in self._offered]
        description = next((each["description"] for each in functions if each["name"] == event.name), None)
        attributes = {
            semconv.TOOL_CALL_ID: event.id,
            semconv.TOOL_DESCRIPTION: description if type(description) is str else None,
            **content(semconv.TOOL_CALL_ARGUMENTS, event.arguments),
        }
        return start("tool", str(event.name), attributes=attributes, reporter=_REPORTER)

    def _replied(self, call: Any, response: Any) -> bool:
        usage, calls = response.usage, getattr(response.tool_calls, "calls", None) or ()
        call.set(semconv.RESPONSE_MODEL, response.model)
        message: dict[str, Any] = {"content": response.content}
        if calls:
            message["tool_calls"] = [
                {"id": each.id, "type": "function", "function": {"name": each.name, "arguments": each.arguments}}
                for each in calls
            ]
        told = {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens} if usage else None
        model_reply(
            call,
            reply=message,
            tools=self._offered,
            tool_choice="auto",
            finish_reason=response.finish_reason,
            usage=told,
        )
        return True


def _begun(begin: Any, args: tuple[Any, ...]) -> Begun | None:
    call = begin(*args)
    return Begun(call, args, {}) if isinstance(call, Call) else None


def _texts(event: Any) -> Any:
    texts = [part.content for part in getattr(event, "parts", None) or () if type(getattr(part, "content", 0)) is str]
    return "\n".join(texts) if texts else None


def _answered(call: Any, response: Any) -> bool:
    call.update(content(semconv.OUTPUT, getattr(response, "content", None)))
    return True


def _offered(asks: Any) -> list[dict[str, Any]]:
    """The tools that the client is called with, where nothing of the program's stands between."""
    schemas = (getattr(asks, "keywords", None) or {}).get("tools") or ()
    functions = [getattr(schema, "function", None) for schema in schemas]
    return [
        {"type": "function", "function": {"name": each.name, "description": getattr(each, "description", None)}}
        for each in functions
        if each is not None and type(each.name) is str
    ]


def _ran(call: Any, event: Any) -> bool:
    call.update(content(semconv.TOOL_CALL_RESULT, _texts(getattr(event, "result", None))))
    error = getattr(event, "error", None)
    if isinstance(error, Exception):
        call.fail(error)
    return True


def _person(event: Any, message: Any, since: float) -> None:
    call = current_call()
    text = getattr(message, "content", None)
    approval = type(event).__name__ == "ToolApprovalRequest" and call is not None and call.kind == "tool"
    if approval and call is not None:
        approved = type(text) is str and text.lower() in _YES
        person_answered(call, "approve" if approved else "reject", since, tool=str(call.name))
        if not approved:
            call.settled = "cancelled"
    else:
        person_answered(call, text, since)


integration = AG2Integration()
