"""The Claude Agent SDK, through the messages of the program that it runs: agents, models, tools and permissions.

Long because one class reads all kinds of messages, which tell of one turn.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, finalize

from agentops_sdk.integration import BoundedMap, decision_attributes, guard, outcome_of, semconv, snapshot

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches
    from agentops_sdk.integration.frameworks import Run

_AGENT = "claude"
_DELEGATION = ("Agent", "Task")
"""The tool that runs another agent, by its names."""
_COST = semconv.METADATA_PREFIX + "claude.total_cost_usd"
_OUTPUT_TOKENS = semconv.METADATA_PREFIX + "claude.output_tokens"
_ANSWERS = ("allow", "deny")
_FINISH_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls", "max_tokens": "length"}


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
        clients = _Clients(runs, answers)
        patches.on_undo(lambda: runs.end_all("interrupted"))

        def query(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            turn: list[_Turn] = []

            def begin() -> _Turn | None:
                if not turn:
                    turn.append(_Turn(runs, answers))
                    turn[0].ask(kwargs.get("prompt", args[0] if args else None))
                return turn[0]

            return _read(wrapped(*args, **kwargs), begin)

        def connected(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            wrapped(*args, **kwargs)
            with guard("claude_agent.connected"):
                if instance.can_use_tool is not None:
                    instance.can_use_tool = _watched(instance.can_use_tool, answers)

        def client(part: ModuleType) -> None:
            patches.wrap(part.ClaudeSDKClient, "query", clients.asked)
            patches.wrap(part.ClaudeSDKClient, "receive_messages", clients.received)
            patches.wrap(part.ClaudeSDKClient, "interrupt", clients.interrupted)
            patches.wrap(part.ClaudeSDKClient, "disconnect", clients.left)

        patches.when_imported("claude_agent_sdk.client", client)
        patches.when_imported(
            "claude_agent_sdk._internal.client", lambda part: patches.wrap(part.InternalClient, "process_query", query)
        )
        patches.when_imported(
            "claude_agent_sdk._internal.query", lambda part: patches.wrap(part.Query, "__init__", connected)
        )


class _Clients:
    """Those that live, each with the turn that it is in."""

    def __init__(self, runs: Any, answers: Any) -> None:
        self._runs = runs
        self._answers = answers
        self._turns: WeakKeyDictionary[Any, _Turn] = WeakKeyDictionary()

    async def asked(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        turn, begins = None, False
        with guard("claude_agent.query"):
            turn = self._turns.get(instance)
            if turn is None:
                turn = self._turns[instance] = _Turn(self._runs, self._answers)
                finalize(instance, turn.finish, "abandoned")
            begins = turn.ask(args[0] if args else kwargs.get("prompt"))
        try:
            return await wrapped(*args, **kwargs)
        except BaseException as error:
            if turn is not None and begins:
                turn.fail(error)
            raise

    def received(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _read(wrapped(*args, **kwargs), lambda: self._turns.get(instance), goes_on=True)

    def interrupted(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard("claude_agent.interrupt"):
            if (turn := self._turns.get(instance)) is not None:
                turn.stops = True
        return wrapped(*args, **kwargs)

    async def left(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return await wrapped(*args, **kwargs)
        finally:
            if (turn := self._turns.pop(instance, None)) is not None:
                turn.finish("abandoned")  # unless it is over


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


async def _read(messages: AsyncIterator[Any], current: Any, *, goes_on: bool = False) -> AsyncIterator[Any]:
    """The messages, as they are read; whoever leaves a client's may read on, and leaves it by disconnecting."""
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
    except GeneratorExit as error:
        if turn is not None and not goes_on:
            turn.fail(error)
        turn = None
        raise
    except BaseException as error:
        if turn is not None:
            turn.fail(error)
        raise
    finally:
        await messages.aclose()  # type: ignore[attr-defined]  # both are generators
        if turn is not None:
            turn.finish("interrupted")  # unless it is over


class _Turn:
    """What one question sets off, until its result; then the next one of the same client.

    Attributes:
        stops: whether the program has asked for its end.
    """

    def __init__(self, runs: Any, answers: Any) -> None:
        self.stops = False
        self._runs = runs
        self._answers = answers
        self._key = object()
        self._waiting: list[Any] = []
        self._last_ns: dict[Any, int] = {}
        self._model: dict[Any, tuple[Any, Run]] = {}
        self._ended: dict[Any, Any] = {}
        self._tools: set[str] = set()

    @property
    def over(self) -> bool:
        return self._runs.get(self._key) is None

    def ask(self, prompt: Any) -> bool:
        """Begin with a question, unless another one is to be answered before."""
        begins = self.over
        if begins:
            self._begin(prompt)
        else:
            self._waiting.append(prompt)
        return begins

    def _begin(self, prompt: Any) -> None:
        from agentops_sdk.integration.frameworks import content

        self.stops = False
        run = self._runs.begin("agent", _AGENT, self._key)
        run.call.update(content(semconv.INPUT, prompt if isinstance(prompt, str) else None))
        self._tick(None)

    def take(self, message: Any) -> None:
        kind = type(message).__name__
        if self.over and kind in ("AssistantMessage", "StreamEvent"):
            self._begin(self._waiting.pop(0) if self._waiting else None)
        elif self.over:
            return
        if kind == "AssistantMessage":
            self._assistant(message)
        elif kind == "StreamEvent":
            self._piece(message.event, message.parent_tool_use_id)
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
        run = self._reply(message.message_id, message.model, place)
        run.notes["error"] = message.error
        run.notes["usage"] = {**(message.usage or {}), **(run.notes["usage"] or {})} or None
        run.notes["stopped"] = run.notes["stopped"] or message.stop_reason
        for block in message.content:
            kind = type(block).__name__
            if kind == "TextBlock":
                run.notes["texts"].append(block.text)
            elif kind == "ToolUseBlock":
                run.notes["calls"].append(block)
        if not run.chunks and (message.stop_reason or run.notes["calls"]):
            self._end_model(place)

    def _reply(self, identity: Any, model: Any, place: Any) -> Run:
        """The reply of a model with this id, which begins where it is another one than before."""
        before, run = self._model.get(place, (None, None))
        if run is None or identity != before or identity is None:
            self._end_model(place)
            run = self._runs.begin(
                "llm", model, ("model", object()), self._parent(place),
                start_ns=self._last_ns.get(place), attributes={semconv.PROVIDER_NAME: "anthropic"},
            )  # fmt: skip
            run.notes.update(id=identity, texts=[], calls=[], usage=None, stopped=None, error=None)
            self._model[place] = (identity, run)
        return run

    def _piece(self, event: Any, place: Any) -> None:
        """A reply that the program is given in pieces: only these tell all that it used."""
        kind, told = event.get("type"), event.get("message") or event
        if kind == "message_start":
            self._reply(told.get("id"), told.get("model"), place)
        _, run = self._model.get(place, (None, None))
        if run is None or kind == "ping":
            return
        run.chunk()
        if isinstance(told.get("usage"), dict):
            run.notes["usage"] = {**(run.notes["usage"] or {}), **told["usage"]}
        if kind == "message_delta":
            run.notes["stopped"] = (event.get("delta") or {}).get("stop_reason")
        elif kind == "message_stop":
            self._end_model(place, "cancelled" if self.stops and not run.notes["stopped"] else "ok")

    def _end_model(self, place: Any, outcome: str = "ok") -> None:
        from agentops_sdk.integration.frameworks import model_reply

        _, run = self._model.pop(place, (None, None))
        if run is None:
            return
        self._ended[place] = run.notes["id"]
        calls = [
            {"id": each.id, "type": "function", "function": {"name": each.name, "arguments": each.input}}
            for each in run.notes["calls"]
        ]
        reply = {"role": "assistant", "content": "".join(run.notes["texts"]) or None}
        usage, stopped = run.notes["usage"], run.notes["stopped"]
        if usage is not None and stopped is None:
            usage = {name: value for name, value in usage.items() if name != "output_tokens"}  # as it had begun
        model_reply(
            run.call, reply={**reply, "tool_calls": calls} if calls else reply, usage=usage,
            usage_shape="anthropic.messages", finish_reason=_FINISH_REASONS.get(stopped, stopped),
        )  # fmt: skip
        streamed = {semconv.REQUEST_STREAM: stopped is None or None, **run.streamed()}
        run.call.update({semconv.RESPONSE_ID: run.notes["id"], **streamed})
        self._runs.finish(run.key, "error" if run.notes["error"] else outcome)
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
        outcome = ("cancelled" if self.stops else "error") if block.is_error else "ok"
        self._end_model(block.tool_use_id)
        self._runs.finish(("agent", block.tool_use_id), outcome)
        run.call.update(content(semconv.TOOL_CALL_RESULT, block.content))
        run.call.update(self._answers.pop(block.tool_use_id, None) or {})
        self._runs.finish(block.tool_use_id, outcome)
        self._tools.discard(block.tool_use_id)

    def _end_open(self, outcome: str) -> None:
        for place in list(self._model):
            self._end_model(place, outcome)
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
        if self.stops or str(message.terminal_reason).startswith("aborted"):
            self.finish("cancelled")
            return
        output = (message.usage or {}).get("output_tokens")
        call.set(_OUTPUT_TOKENS, output if type(output) is int else None)
        if message.is_error:
            error_text(call, "; ".join(message.errors or ()), message.subtype)
        for place in list(self._model):
            self._end_model(place)
        self._end_open("abandoned")
        self._runs.finish(self._key, "error" if message.is_error else "ok")


integration = ClaudeAgentIntegration()
