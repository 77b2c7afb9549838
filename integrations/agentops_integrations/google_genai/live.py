"""Live sessions over a WebSocket: one span for the session, and one model call below it for each answer.

An answer begins with what asks for it, or with its first piece where the model hears by itself that it is its turn. It
ends with its turn, or with the functions that it calls: what follows their results is the next one.

Messages are told apart by their bytes and read once their answer has ended. Sound and pictures are not looked into. The
file is long because the session and the places where the client opens its socket know each other.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from types import ModuleType
from typing import Any

from agentops_integrations.google_genai import live_messages
from agentops_sdk.integration import (
    NULL_CALL,
    Call,
    NullCall,
    Patches,
    PlannedCall,
    StreamMeter,
    guard,
    may_refuse,
    outcome_of,
    semconv,
    start,
    stream_meter,
)
from agentops_sdk.integration.clients import (
    Attributes,
    Exchange,
    ReplySteps,
    Stop,
    Watched,
    address,
    listen,
)

_SITE = "google_genai.live"
_OPERATION = "live"
_MAX_REMEMBERED = 1_000_000  # bytes of a conversation

Wrapped = Callable[..., Any]

# In the text of somebody the quotes would be escaped.
_SETUP = re.compile(rb'\A\s*\{\s*"setup"')
_MODEL = re.compile(rb'"model"\s*:\s*"(?:[^"]*/)?([^"/]+)"')
_CLIENT_TURN = re.compile(rb'\A\s*\{\s*"client_?[cC]ontent"')
_ASKS = re.compile(rb'"turn_?[cC]omplete"\s*:\s*true')
_RESULT = re.compile(rb'\A\s*\{\s*"tool_?[rR]esponse"')
_INPUT = re.compile(rb'\A\s*\{\s*"realtime_?[iI]nput"')
_SPOKEN = re.compile(rb'"realtime_?[iI]nput"\s*:\s*\{\s*"text"')
_TURN_ENDS = re.compile(rb'"turnComplete"\s*:\s*true')
_INTERRUPTED = re.compile(rb'"interrupted"\s*:\s*true')
_ANSWERS = (b'"modelTurn"', b'"outputTranscription"', b'"toolCall"')
_HEARD = b'"inputTranscription"'
_CALLS = b'"toolCall"'
_USAGE = b'"usageMetadata"'
_MEDIA = b'"inlineData"'

_OVERHEAD = 120  # bytes of a message beside the sound in it
_TO_A_TOKEN = 2_560
"""Letters of base64 to a token of sound, which is 40 ms: 24,000 samples a second of two bytes."""
_IS_OVER = b'{"serverContent":{"turnComplete":true}}'


# --- a session, on the program's thread -------------------------------------------------------------


class _Answer:
    """One that is under way."""

    __slots__ = ("_meter", "call", "exchange", "has_begun", "has_called", "interrupted", "steps")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.call = exchange.call
        self.steps = ReplySteps(exchange, lambda message: message)
        self.has_begun = False
        self.has_called = False
        self.interrupted = False
        self._meter: StreamMeter | None = None

    def came(self, raw: bytes, *, is_sound: bool) -> None:
        """A message of it, which may take it past a limit."""
        if not self.has_begun:  # limits have been asked by now
            self.has_begun = True
            self._meter = stream_meter(self.call, self.exchange.asked_for)
        if self._meter is None:
            return
        if is_sound:
            self._meter.heard(max(0, len(raw) - _OVERHEAD) / _TO_A_TOKEN)
        else:
            self._meter.feed(raw)

    @property
    def is_passed(self) -> bool:
        """Whether it has passed a limit that ends it, and the model has more to say."""
        has_more = not self.has_called and not self.interrupted
        return has_more and self._meter is not None and self._meter.charge is not None

    def cut(self) -> Exception | None:
        """It ends here: what its reader sees of that, ``None`` for a plain end."""
        assert self._meter is not None
        error = self._meter.cut()
        if error is None:
            self.exchange.stream_ended("cancelled", None, complete=True)
        else:
            self.steps.fail(error)
        return error

    def end(self) -> None:
        if self.interrupted:
            self.exchange.stream_ended("cancelled", None, complete=True)
        else:
            self.steps.end(None)


class LiveSession:
    """What is told of one socket."""

    def __init__(self, server: Attributes) -> None:
        self._server = server
        self._setup = b"{}"
        self._model: str | None = None
        self._messages: list[bytes] = []
        self._size = 0
        self._cut = False
        self._open: deque[_Answer] = deque()
        self._planned: PlannedCall | None = None
        self._is_refused = False
        self._answers = 0
        self._is_set_up = False
        self.call: Call | NullCall = NULL_CALL

    # --- what is sent

    def sent(self, data: Any) -> _Answer | PlannedCall | None:
        """The set-up begins the session; what the model is to answer begins a call.

        What it hears it answers by itself, when it finds that it is its turn: that is planned, for limits to be asked.
        """
        raw = data.encode() if isinstance(data, str) else bytes(data)
        if _SETUP.match(raw):
            self._begin(raw)
        elif _RESULT.match(raw):
            self._function_called()
            self._remember(raw)
            return self._ask()
        elif _CLIENT_TURN.match(raw):
            self._remember(raw)
            if _ASKS.search(raw):
                return self._ask()
        elif _INPUT.match(raw):
            if _SPOKEN.search(raw[:100]):
                self._remember(raw)
            if may_refuse() and self._planned is None and not self._open:
                self._planned = PlannedCall("llm", self._model, self.call.context, self._server)
                return self._planned
        return None

    def _begin(self, setup: bytes) -> None:
        model = _MODEL.search(setup)
        self._model = model[1].decode() if model else None
        self._setup = setup
        attributes = {**self._server, semconv.REQUEST_MODEL: self._model, semconv.OPERATION_NAME: _OPERATION}
        name = f"{_OPERATION} {self._model}" if self._model else _OPERATION
        self.call = start("span", span_name=name, attributes=attributes, to_vendor=True)

    def _start(self) -> Call | NullCall:
        attributes = {**self._server, semconv.REQUEST_MODEL: self._model}
        return start(
            "llm",
            self._model,
            operation=live_messages.ROW.operation,
            attributes=attributes,
            parent=self.call.context,
            to_vendor=True,
        )

    def _ask(self, *, is_made: bool = False) -> _Answer | None:
        """An answer begins: the program asks for it, or the model has begun by itself."""
        self._answers += 1
        call = self._start()
        planned, self._planned = self._planned, None
        if planned is None and is_made and may_refuse():
            planned = PlannedCall("llm", self._model, self.call.context, self._server)
            planned.count(_SITE)
        if planned is not None:
            planned.becomes(call)
        if not isinstance(call, Call):
            return None
        if self._cut:
            call.set(semconv.TRUNCATED, [semconv.INPUT_MESSAGES])
        exchange = Exchange(
            call, live_messages.ROW, method="POST", path=live_messages.ROW.path, body=None, contributes=False
        )
        exchange.asked(b'{"setup":%b,"messages":[%b]}' % (self._setup, b",".join(self._messages)))
        answer = _Answer(exchange)
        self._open.append(answer)
        return answer

    def unsent(self, message: Any, error: BaseException) -> None:
        """What asks for an answer could not be sent."""
        if message is self._planned and message is not None:
            self._planned, was_refused = None, self._is_refused
            self._is_refused = message.is_refused
            if message.is_refused and not was_refused:  # of what is sent all the time, the first tells it
                call = self._start()
                message.becomes(call)
                call.fail(error)
            else:
                message.withdraw()
        elif message in self._open:
            self._open.remove(message)
            message.steps.fail(error)

    # --- what is received

    def received(self, data: Any) -> None:
        """One message of the server's."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        self._is_set_up = True
        ends, told, heard = bool(_TURN_ENDS.search(raw)), _USAGE in raw, _HEARD in raw
        if heard:
            self._remember(raw)
        if any(mark in raw for mark in _ANSWERS):
            self._function_called()
            if not self._open:
                self._ask(is_made=True)  # the model has heard by itself that it is its turn
        if not self._open:
            return
        answer = self._open[0]
        calls = _CALLS in raw
        if _MEDIA in raw and not (ends or told or calls):
            answer.steps.item(b"{}")
            answer.came(raw, is_sound=True)
            return
        answer.steps.item(raw)
        if not heard:
            self._remember(raw)
            answer.came(raw, is_sound=False)
        answer.interrupted = answer.interrupted or bool(_INTERRUPTED.search(raw))
        answer.has_called = answer.has_called or calls
        if ends or (answer.has_called and told):  # else the usage may come behind the calls
            self._open.popleft().end()

    def stop(self) -> Stop | None:
        """More is about to be received: where a limit ends the answer, the connection ends with it."""
        if not (self._open and self._open[0].is_passed):
            return None
        error = self._open.popleft().cut()
        self._end("cancelled" if error is None else "error", error)
        return Stop(closes=True, error=error, data=None if error else _IS_OVER)

    def _function_called(self) -> None:
        """What follows is the next answer."""
        if self._open and self._open[0].has_called:
            self._open.popleft().end()

    def _remember(self, raw: bytes) -> None:
        self._messages.append(raw)
        self._size += len(raw)
        while self._size > _MAX_REMEMBERED:
            self._size -= len(self._messages.pop(0))
            self._cut = True

    # --- its end

    def lost(self, error: BaseException) -> None:
        """Receiving raised: the session ends where the connection has."""
        if is_closed(error):
            self._end(*ending(error))

    def closed(self) -> None:
        """The program hangs up; where nothing has come yet, the client itself does, and raises."""
        if self._is_set_up:
            self._end("ok")

    def failed(self, error: BaseException) -> None:
        """It could not be set up."""
        self._end(outcome_of(error), error)

    def _end(self, outcome: str, error: BaseException | None = None) -> None:
        if self.call is NULL_CALL or self.call.ended:
            return
        if self._planned is not None:
            self._planned.withdraw()
        for answer in self._open:
            if answer.has_called:
                answer.end()
            elif error is not None:
                answer.steps.fail(error)
            else:
                answer.steps.abandon()
        self._open.clear()
        self.call.set(semconv.REALTIME_RESPONSES, self._answers)
        self.call.finish(outcome, error)

    def __del__(self) -> None:
        with guard(_SITE):
            self._end("abandoned")


# --- where sockets are opened -----------------------------------------------------------------------


def install(patches: Patches) -> None:
    """Patch what opens the sockets, once its module is imported."""
    patches.when_imported("google.genai.live", partial(_patch, patches))


def _patch(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module, "ws_connect", opening_sockets(module, LiveSession))
    patches.wrap(module.AsyncLive, "connect", _connects)


def is_closed(error: BaseException) -> bool:
    """Whether a connection has ended; a time-out or a cancelled wait ends none."""
    return type(error).__name__.startswith("ConnectionClosed")


def ending(error: BaseException) -> tuple[str, BaseException | None]:
    """Outcome and error of a connection that has ended."""
    return ("ok", None) if type(error).__name__ == "ConnectionClosedOK" else ("error", error)


def opening_sockets(module: ModuleType, session: Callable[[Attributes], Any]) -> Wrapped:
    """A wrapper of what opens a module's sockets: each has a session that listens to it."""

    def opens(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard(_SITE):
            make = kwargs.get("create_connection") or module.ClientConnection
            kwargs = {**kwargs, "create_connection": partial(_connection, make, session, _server(str(args[0])))}
        return wrapped(*args, **kwargs)

    return opens


def _server(url: str) -> Attributes:
    provider = "gcp.vertex_ai" if "aiplatform" in url else "gcp.gemini"
    return {semconv.PROVIDER_NAME: provider, **address(url)}


def _connection(
    make: Callable[..., Any], session: Callable[[Attributes], Any], server: Attributes, *args: Any, **kwargs: Any
) -> Any:
    socket = make(*args, **kwargs)
    with guard(_SITE):
        listening = session(server)
        listen(socket, listening)
        if (opening := _opening.get()) is not None:
            opening.session = listening
    return socket


def _connects(wrapped: Wrapped, live: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The context manager that the client makes, whose way in is watched: a connection that fails is told."""
    manager = wrapped(*args, **kwargs)
    with guard(_SITE):
        manager.gen = _Opening(manager, live, kwargs.get("model"))
    return manager


class _Opening:
    """The first step of a context manager's generator; the others are the generator's own."""

    def __init__(self, manager: Any, live: Any, model: Any) -> None:
        self.session: LiveSession | None = None
        self._manager = manager
        self._generator = manager.gen
        self._live = live
        self._model = model

    async def __anext__(self) -> Any:
        self._manager.gen = self._generator
        token = _opening.set(self)
        try:
            with Watched(self._failed):
                return await anext(self._generator)
        finally:
            _opening.reset(token)

    def _failed(self, error: BaseException) -> None:
        if self.session is not None and self.session.call is not NULL_CALL:
            self.session.failed(error)
            return
        client = self._live._api_client  # noqa: SLF001 - there is no public way to it
        attributes = {
            semconv.PROVIDER_NAME: "gcp.vertex_ai" if client.vertexai else "gcp.gemini",
            **address(str(client._http_options.base_url)),  # noqa: SLF001 - the same
            semconv.REQUEST_MODEL: self._model,
            semconv.OPERATION_NAME: _OPERATION,
        }
        start("span", span_name=f"{_OPERATION}.connect", attributes=attributes, to_vendor=True).fail(error)


_opening: ContextVar[_Opening | None] = ContextVar("agentops-google-live", default=None)
