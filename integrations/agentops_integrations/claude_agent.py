"""The Claude Agent SDK, through the messages of the program that it runs: agents, models, tools and permissions."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from agentops_sdk.integration import BoundedMap, decision_attributes, guard, outcome_of, semconv, snapshot

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches
    from agentops_sdk.integration.frameworks import Run

_AGENT = "claude"
_DELEGATION = ("Agent", "Task")
"""The tool that runs another agent, by its names."""
_COST = semconv.METADATA_PREFIX + "claude.total_cost_usd"
_ANSWERS = ("allow", "deny")


class ClaudeAgentIntegration:
    """Reads each message on its way to the program."""

    name = "claude_agent"
    target = "claude_agent_sdk"
    distribution = "claude-agent-sdk"
    requires = ">=0.2.189,<1"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Watch both ways to ask, and what the program answers when it is asked for a permission."""
        from agentops_sdk.integration.frameworks import Runs

        runs = Runs("claude_agent")
        answers: BoundedMap[str, dict[str, Any]] = BoundedMap(1_000)
        live: WeakKeyDictionary[Any, _Turn] = WeakKeyDictionary()
        patches.on_undo(lambda: runs.end_all("interrupted"))

        async def asked(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            turn: _Turn | None = None
            with guard("claude_agent.query"):
                before = live.get(instance)
                if before is None or before.over:  # else it waits until that is answered
                    turn = live[instance] = _Turn(runs, answers, args[0] if args else kwargs.get("prompt"))
            try:
                return await wrapped(*args, **kwargs)
            except BaseException as error:
                if turn is not None:
                    turn.fail(error)
                raise

        def received(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return _read(wrapped(*args, **kwargs), lambda: live.get(instance))

        def query(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            turn: list[_Turn] = []

            def begin() -> _Turn | None:
                if not turn:
                    turn.append(_Turn(runs, answers, kwargs.get("prompt", args[0] if args else None)))
                return turn[0]

            return _read(wrapped(*args, **kwargs), begin)

        def connected(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            wrapped(*args, **kwargs)
            with guard("claude_agent.connected"):
                if instance.can_use_tool is not None:
                    instance.can_use_tool = _watched(instance.can_use_tool, answers)

        def clients(client: ModuleType) -> None:
            patches.wrap(client.ClaudeSDKClient, "query", asked)
            patches.wrap(client.ClaudeSDKClient, "receive_messages", received)

        patches.when_imported("claude_agent_sdk.client", clients)
        patches.when_imported(
            "claude_agent_sdk._internal.client", lambda part: patches.wrap(part.InternalClient, "process_query", query)
        )
        patches.when_imported(
            "claude_agent_sdk._internal.query", lambda part: patches.wrap(part.Query, "__init__", connected)
        )


def _watched(callback: Any, answers: Any) -> Any:
    """``callback``, and its answer kept for the tool that it is about."""

    async def can_use_tool(name: str, arguments: Any, context: Any, *rest: Any) -> Any:
        answer = await callback(name, arguments, context, *rest)
        with guard("claude_agent.permission"):
            options = snapshot([{"name": each} for each in _ANSWERS]).decode()
            reason = getattr(answer, "message", None)
            answers[context.tool_use_id] = decision_attributes(
                answer.behavior, name="permission", options=options, reason=reason or None
            )
        return answer

    return can_use_tool


async def _read(messages: AsyncIterator[Any], current: Any) -> AsyncIterator[Any]:
    turn: _Turn | None = None
    with guard("claude_agent.begin"):
        turn = current()
    try:
        async for message in messages:
            with guard("claude_agent.message"):
                turn = current()
                if turn is not None:
                    turn.take(message)
            yield message
    except BaseException as error:
        if turn is not None:
            turn.fail(error)
        raise
    finally:
        await messages.aclose()  # type: ignore[attr-defined]  # both are generators
        if turn is not None:
            turn.finish("interrupted")  # unless it is over


class _Turn:
    """What one question sets off, until its result."""

    def __init__(self, runs: Any, answers: Any, prompt: Any) -> None:
        self._runs = runs
        self._answers = answers
        self._key = object()
        self._last_ns: dict[Any, int] = {}
        self._model: dict[Any, tuple[Any, Run]] = {}
        self._ended: dict[Any, Any] = {}
        self._tools: set[str] = set()
        self._begin(prompt)

    @property
    def over(self) -> bool:
        return self._runs.get(self._key) is None

    def _begin(self, prompt: Any) -> None:
        from agentops_sdk.integration.frameworks import content

        run = self._runs.begin("agent", _AGENT, self._key)
        run.call.update(content(semconv.INPUT, prompt if isinstance(prompt, str) else None))
        self._tick(None)

    def take(self, message: Any) -> None:
        kind = type(message).__name__
        if self.over and kind == "AssistantMessage":
            self._begin(None)  # a question that waited
        elif self.over:
            return
        if kind == "AssistantMessage":
            self._assistant(message)
        elif kind == "UserMessage" and isinstance(message.content, list):
            for block in message.content:
                if type(block).__name__ == "ToolResultBlock":
                    self._result(block)
            self._tick(message.parent_tool_use_id)
        elif kind == "ResultMessage":
            self._over(message)

    def fail(self, error: BaseException) -> None:
        with guard("claude_agent.fail"):
            outcome = outcome_of(error)
            self._end_open("interrupted" if outcome == "error" else outcome)
            self._runs.fail(self._key, error)

    def finish(self, outcome: str) -> None:
        with guard("claude_agent.finish"):
            self._end_open(outcome)
            self._runs.finish(self._key, outcome)

    def _tick(self, place: Any) -> None:
        self._last_ns[place] = time.time_ns()

    def _assistant(self, message: Any) -> None:
        """One reply of a model comes in several messages, one for each block, that repeat its id and its usage."""
        place = message.parent_tool_use_id
        if message.message_id is None or message.message_id != self._ended.get(place):
            self._model_message(message, place)
        for block in message.content:
            if type(block).__name__ == "ToolUseBlock":
                self._tool(block, place)

    def _model_message(self, message: Any, place: Any) -> None:
        identity, run = self._model.get(place, (None, None))
        if run is None or identity != message.message_id or identity is None:
            self._end_model(place)
            run = self._runs.begin(
                "llm", message.model, ("model", message.uuid or object()), self._parent(place),
                start_ns=self._last_ns.get(place), attributes={semconv.PROVIDER_NAME: "anthropic"},
            )  # fmt: skip
            run.notes["texts"], run.notes["calls"] = [], []
            self._model[place] = (message.message_id, run)
        run.notes["message"] = message
        for block in message.content:
            kind = type(block).__name__
            if kind == "TextBlock":
                run.notes["texts"].append(block.text)
            elif kind == "ToolUseBlock":
                run.notes["calls"].append(block)
        if message.stop_reason or run.notes["calls"]:
            self._end_model(place)

    def _end_model(self, place: Any) -> None:
        from agentops_sdk.integration.frameworks import model_reply

        _, run = self._model.pop(place, (None, None))
        if run is None:
            return
        message = run.notes["message"]
        self._ended[place] = message.message_id
        calls = [
            {"id": each.id, "type": "function", "function": {"name": each.name, "arguments": each.input}}
            for each in run.notes["calls"]
        ]
        reply = {"role": "assistant", "content": "".join(run.notes["texts"]) or None}
        model_reply(
            run.call, reply={**reply, "tool_calls": calls} if calls else reply, usage=message.usage,
            usage_shape="anthropic.messages",
        )  # fmt: skip
        run.call.set(semconv.RESPONSE_ID, message.message_id)
        self._runs.finish(run.key, "error" if message.error else "ok")
        self._tick(place)

    def _parent(self, place: Any) -> Any:
        for key in (("agent", place), place):
            if place is not None and self._runs.get(key) is not None:
                return key
        return self._key

    def _tool(self, block: Any, place: Any) -> None:
        from agentops_sdk.integration.frameworks import content

        run = self._runs.begin("tool", block.name, block.id, self._parent(place))
        run.call.set(semconv.TOOL_CALL_ID, block.id)
        run.call.update(content(semconv.TOOL_CALL_ARGUMENTS, block.input))
        self._tools.add(block.id)
        if block.name in _DELEGATION:
            name = block.input.get("subagent_type")
            self._runs.begin("agent", name if isinstance(name, str) else "subagent", ("agent", block.id), block.id)
            self._tick(block.id)

    def _result(self, block: Any) -> None:
        from agentops_sdk.integration.frameworks import content

        run = self._runs.get(block.tool_use_id)
        if run is None:
            return
        outcome = "error" if block.is_error else "ok"
        self._end_model(block.tool_use_id)
        self._runs.finish(("agent", block.tool_use_id), outcome)
        run.call.update(content(semconv.TOOL_CALL_RESULT, block.content))
        run.call.update(self._answers.pop(block.tool_use_id, None) or {})
        self._runs.finish(block.tool_use_id, outcome)
        self._tools.discard(block.tool_use_id)

    def _end_open(self, outcome: str) -> None:
        for place in list(self._model):
            self._end_model(place)
        for key in list(self._tools):
            self._runs.finish(("agent", key), outcome)
            self._runs.finish(key, outcome)
        self._tools.clear()

    def _over(self, message: Any) -> None:
        from agentops_sdk.integration.frameworks import content, error_text

        call = self._runs.get(self._key).call
        call.update(content(semconv.OUTPUT, message.result))
        call.set(semconv.CONVERSATION_ID, message.session_id)
        if type(message.total_cost_usd) in (int, float):
            call.set(_COST, message.total_cost_usd)
        if message.is_error:
            error_text(call, "; ".join(message.errors or ()), message.subtype)
        self._end_open("abandoned")
        self._runs.finish(self._key, "error" if message.is_error else "ok")


integration = ClaudeAgentIntegration()
