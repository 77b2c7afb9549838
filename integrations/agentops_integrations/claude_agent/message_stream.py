"""The messages of the program that the SDK runs, on their way to whoever asked; and where limits end them.

That program makes the calls, in a process of its own. It is asked to stop by the means that the SDK has for it: hooks
before and after each tool, an interruption of a client's turn, the end of a single question.

Long because both ways to ask, and all that a connection is handed, are wrapped here.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet, finalize

from agentops_integrations.claude_agent.turn import Permission, Turn
from agentops_sdk.integration import BoundedMap, decision_attributes, guard, may_refuse, snapshot
from agentops_sdk.integration.frameworks import Runs

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches

_ANSWERS = ("allow", "deny")
_OF_HOOKS = (*_ANSWERS, "ask")
_PATIENCE = 10  # seconds, until a turn that is interrupted has ended

_starting: ContextVar[Turn | None] = ContextVar("agentops-claude-question", default=None)
"""The turn of a question, while the connection that it is asked by is made."""


class Conversations:
    """What is under way, by the SDK's own object for a connection."""

    def __init__(self) -> None:
        self._runs = Runs("claude_agent")
        self._answers: BoundedMap[str, Permission] = BoundedMap(1_000)
        self._told: dict[bool, str] = {}
        self._turns: WeakKeyDictionary[Any, Turn] = WeakKeyDictionary()
        self._hooked: WeakSet[Any] = WeakSet()

    def install(self, patches: Patches) -> None:
        """Patch the SDK's client, its function, and what both speak to the program with."""
        patches.on_undo(lambda: self._runs.end_all("interrupted"))

        def clients(client: ModuleType) -> None:
            patches.wrap(client.ClaudeSDKClient, "connect", self._begun)
            patches.wrap(client.ClaudeSDKClient, "query", self._asked)
            patches.wrap(client.ClaudeSDKClient, "receive_messages", self._received)
            patches.wrap(client.ClaudeSDKClient, "interrupt", self._interrupted)
            patches.wrap(client.ClaudeSDKClient, "disconnect", self._left)

        patches.when_imported("claude_agent_sdk.client", clients)
        patches.when_imported(
            "claude_agent_sdk._internal.client",
            lambda part: patches.wrap(part.InternalClient, "process_query", self._queried),
        )
        patches.when_imported(
            "claude_agent_sdk._internal.query", lambda part: patches.wrap(part.Query, "__init__", self._connected)
        )

    def _turn(self, client: Any) -> Turn | None:
        """That of what the client is connected to now."""
        return self._turns.get(client._query or client)  # noqa: SLF001 - the client has no public one

    def _new_turn(self, client: Any) -> Turn:
        turn = Turn(self._runs, self._answers, self._told)
        finalize(client, turn.finish, "abandoned")
        return turn

    async def _begun(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A client connects, and may ask its first question with that."""
        turn, refused = None, None
        prompt = args[0] if args else kwargs.get("prompt")
        if prompt is None:
            return await wrapped(*args, **kwargs)
        with guard("claude_agent.connect"):
            turn = self._new_turn(instance)
            if isinstance(prompt, str):
                turn.begin(prompt, instance.options.model)
                refused = turn.refused()
            else:
                turn.expect()
        if refused is not None:
            if turn is not None:
                turn.fail(refused)
            raise refused
        token = _starting.set(turn)
        try:
            return await wrapped(*args, **kwargs)
        except BaseException as error:
            if turn is not None:
                turn.fail(error)
            raise
        finally:
            _starting.reset(token)

    async def _asked(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        turn, begins, refused = None, False, None
        with guard("claude_agent.query"):
            prompt = args[0] if args else kwargs.get("prompt")
            turn = self._turn(instance)
            if turn is None:
                turn = self._new_turn(instance)
                connection = instance._query or instance  # noqa: SLF001 - the client has no public one
                turn.is_hooked = connection in self._hooked
                self._turns[connection] = turn
            begins = turn.is_over()
            if begins:
                turn.begin(prompt, instance.options.model)
            refused = turn.refused() if begins else turn.wait(prompt)
        if refused is not None:
            if turn is not None and begins:
                turn.fail(refused)
            raise refused
        try:
            return await wrapped(*args, **kwargs)
        except BaseException as error:
            if turn is not None and begins:
                turn.fail(error)
            raise

    def _received(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _read(wrapped(*args, **kwargs), lambda: self._turn(instance), instance.interrupt)

    def _interrupted(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard("claude_agent.interrupt"):
            if (turn := self._turn(instance)) is not None:
                turn.interrupt()
        return wrapped(*args, **kwargs)

    async def _left(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        turn: Turn | None = None
        with guard("claude_agent.disconnect"):
            turn = self._turn(instance)
        try:
            return await wrapped(*args, **kwargs)
        finally:
            if turn is not None:
                turn.finish("abandoned")  # unless it is over

    def _queried(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        turn: list[Turn] = []

        def begin() -> Turn | None:
            if not turn:
                options = kwargs.get("options", args[1] if len(args) > 1 else None)
                turn.append(Turn(self._runs, self._answers, self._told))
                prompt = kwargs.get("prompt", args[0] if args else None)
                turn[0].begin(prompt, getattr(options, "model", None))
            return turn[0]

        return _read(wrapped(*args, **kwargs), begin, None)

    def _connected(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        wrapped(*args, **kwargs)
        with guard("claude_agent.connected"):
            if instance.can_use_tool is not None:
                instance.can_use_tool = _watched(instance.can_use_tool, self._answers)
            turn = _starting.get()
            if turn is not None:
                self._turns[instance] = turn
            hooks = {name: list(matchers) for name, matchers in instance.hooks.items()}
            if theirs := hooks.get("PreToolUse"):
                hooks["PreToolUse"] = [
                    {**each, "hooks": [_listened_to(hook, self._answers) for hook in each.get("hooks", ())]}
                    for each in theirs
                ]
                instance.hooks = hooks
            if may_refuse():  # each hook is a question to this process, and the program waits for the answer
                for name, ask in (("PreToolUse", Turn.ask_tool), ("PostToolUse", Turn.ask_after_tool)):
                    hook = partial(self._hook, weakref.ref(instance), name, ask)
                    hooks.setdefault(name, []).append({"matcher": None, "hooks": [hook]})
                instance.hooks = hooks
                self._hooked.add(instance)
                if turn is not None:
                    turn.is_hooked = True

    async def _hook(
        self,
        connection: weakref.ref[Any],
        name: str,
        ask: Callable[[Turn, Any], Exception | None],
        told: Any,
        *_: Any,
    ) -> dict[str, Any]:
        """Called for each tool: nothing is said of it but where a limit is reached, and then all is to end."""
        refused: Exception | None = None
        with guard("claude_agent.hook"):
            turn = self._turns.get(connection())
            refused = ask(turn, told) if turn is not None else None
        if refused is None:
            return {}
        answer: dict[str, Any] = {"continue_": False, "stopReason": str(refused)}
        if name == "PreToolUse":
            answer["hookSpecificOutput"] = {
                "hookEventName": name, "permissionDecision": "deny", "permissionDecisionReason": str(refused),
            }  # fmt: skip
        return answer


def _watched(callback: Any, answers: Any) -> Any:
    """``callback``, and its answer kept for the tool that it is about."""

    async def can_use_tool(name: str, arguments: Any, context: Any, *rest: Any) -> Any:
        answer = await callback(name, arguments, context, *rest)
        with guard("claude_agent.permission"):
            options = snapshot([{"name": each} for each in _ANSWERS]).decode()
            reason = getattr(answer, "message", None)
            about = decision_attributes(answer.behavior, name="permission", options=options, reason=reason or None)
            answers[context.tool_use_id] = Permission(about, answer.behavior == "deny")
        return answer

    return can_use_tool


def _listened_to(hook: Any, answers: Any) -> Any:
    """A hook of the program's before a tool runs, and what it says of that tool, kept for it."""

    async def listened_to(*args: Any, **kwargs: Any) -> Any:
        answer = await hook(*args, **kwargs)
        with guard("claude_agent.hooks"):
            said = answer.get("hookSpecificOutput") or {}
            verdict, reason = said.get("permissionDecision"), said.get("permissionDecisionReason")
            if verdict in _OF_HOOKS:
                options = snapshot([{"name": each} for each in _OF_HOOKS]).decode()
                about = decision_attributes(
                    verdict, name="permission", options=options, by="code", reason=reason or None
                )
                answers[args[0]["tool_use_id"]] = Permission(about, verdict == "deny")
        return answer

    return listened_to


async def _read(  # noqa: C901 - the ways that a stream ends
    messages: Any, current: Any, interrupt: Callable[[], Awaitable[None]] | None
) -> AsyncIterator[Any]:
    """``messages``, each looked at before it is handed on, until limits end them.

    Whoever leaves a client's may read on, and leaves it by disconnecting.

    Args:
        messages: an asynchronous generator.
        current: the turn that they belong to.
        interrupt: ends it where the connection goes on; ``None`` where that ends with the messages.
    """
    turn: Turn | None = None
    refused: Exception | None = None
    with guard("claude_agent.begin"):
        turn = current()
        if turn is not None and interrupt is None:
            refused = turn.refused()
    try:
        if refused is not None:
            raise refused
        started = None if interrupt is not None else turn
        while True:
            token = _starting.set(started) if started is not None else None
            try:
                message = await anext(messages)
            except StopAsyncIteration:
                break
            finally:
                if token is not None:
                    _starting.reset(token)
            started = None
            with guard("claude_agent.message"):
                turn = current()
                if turn is not None:
                    turn.take(message)
                    refused = turn.refused()
            if refused is not None:
                if turn is not None and interrupt is not None:
                    await _stop(turn, messages, interrupt)
                raise refused
            yield message
    except GeneratorExit as error:
        if turn is not None and interrupt is None:
            turn.fail(error)
        turn = None
        raise
    except BaseException as error:
        if turn is not None:
            turn.fail(error)
        raise
    finally:
        await messages.aclose()
        if turn is not None:
            turn.finish("interrupted")  # unless it is over


async def _stop(turn: Turn, messages: Any, interrupt: Callable[[], Awaitable[None]]) -> None:
    """End the turn, and read what is left of it: the next question is to be answered by its own messages."""
    from anyio import move_on_after  # the SDK's own

    with suppress(Exception), move_on_after(_PATIENCE):  # the limit is told, whatever becomes of the connection
        if turn.is_over():
            return
        await interrupt()
        async for message in messages:
            with guard("claude_agent.message"):
                turn.take(message)
            if turn.is_over():
                return
    turn.leave()
