"""Realtime sessions over a WebSocket: one span for the session, one below it for each response.

A response that the program asks for is asked about before its request is sent; one that the server begins by itself,
when somebody has spoken, before the first sound that it may answer. Long because both are told by one session.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from agentops_integrations.openai import connections
from agentops_integrations.openai.realtime_cut import Cut, Cuts
from agentops_integrations.openai.realtime_response import Spoken
from agentops_sdk.integration import (
    NULL_CALL,
    Call,
    NullCall,
    Patches,
    PlannedCall,
    guard,
    may_refuse,
    refusal,
    semconv,
    start,
)
from agentops_sdk.integration.clients import Attributes, Stop

_SITE = "openai.realtime"
_MODULES = ("openai.resources.realtime.realtime", "openai.resources.beta.realtime.realtime")
_AGENTS = ("agents.realtime.openai_realtime", "OpenAIRealtimeWebSocketModel", "realtime.connect")
_SESSION = "_agentops_session"
_MAX_ITEMS = 200
_SOUND = ("input_audio_buffer.append", "input_audio_buffer.commit")
_HEARS = re.compile(rb'"turn_detection"\s*:\s*\{')
_ONLY_HEARS = re.compile(rb'"create_response"\s*:\s*false|"type"\s*:\s*"transcription"')


def install(patches: Patches) -> None:
    """Patch the connection classes once their modules are imported."""
    for name in _MODULES:
        patches.when_imported(name, lambda module: _patch(module, patches))
    connections.install_model(patches, *_AGENTS, AgentSocket, "_create_websocket_connection")


def _patch(module: Any, patches: Patches) -> None:
    for prefix, enter, opens, send, receive, close in (
        ("", "__enter__", _enter, _send, _receive, _close),
        ("Async", "__aenter__", _aenter, _asend, _areceive, _close),
    ):
        manager = getattr(module, f"{prefix}RealtimeConnectionManager")
        connection = getattr(module, f"{prefix}RealtimeConnection")
        patches.wrap(manager, enter, opens)
        patches.wrap(manager, "enter", opens)
        patches.wrap(connection, "send", send)
        patches.wrap(connection, "recv_bytes", receive)
        patches.wrap(connection, "close", close)


class _Waiting(NamedTuple):
    """A response that the program has asked for, by the event ``ident``, and that has not begun."""

    ident: Any
    call: Call | NullCall


class Session:
    """A live connection: its own call, and one for each response under way."""

    def __init__(self, model: Any, server: Attributes) -> None:
        self.items: list[bytes] = []
        self.settings: bytes | None = None
        self.open: dict[str, tuple[Call | NullCall, Spoken]] = {}
        self.waiting: deque[_Waiting] = deque()
        self.responses = 0
        self.planned: PlannedCall | None = None
        self.is_refused = False
        self.cuts = Cuts()
        self.call: Call | NullCall = NULL_CALL
        self.model = model if isinstance(model, str) else None
        self.common = {**server, semconv.REQUEST_MODEL: self.model}
        self.call = start(
            "span",
            span_name=f"realtime {self.model}" if self.model else "realtime",
            attributes={**self.common, semconv.OPERATION_NAME: "realtime"},
        )

    def asked(self, event: Any) -> tuple[_Waiting | None, Exception | None]:
        """The program is about to send this: the response that it asks for, and what to raise in its place."""
        fact = event if isinstance(event, dict) else vars(event)
        if fact.get("type") in _SOUND:
            return None, self._heard() if may_refuse() else None
        if fact.get("type") != "response.create":
            return None, None
        waiting = self.due(fact)
        refused = refusal(_SITE, waiting.call)
        if refused is not None:
            self.unsent(waiting, refused)
        return waiting, refused

    def due(self, fact: Mapping[str, Any]) -> _Waiting:
        """The response that this event asks for."""
        waiting = _Waiting(fact.get("event_id"), self._start())
        self._made(waiting.call)
        self.waiting.append(waiting)
        return waiting

    def _heard(self) -> Exception | None:
        """Sound is about to be sent, which the model may answer by itself: what to raise in its place."""
        planned = self.may_answer()
        refused = planned.refusal(_SITE) if planned is not None else None
        if planned is not None and refused is not None:
            self.unheard(planned, refused)
        return refused

    def may_answer(self) -> PlannedCall | None:
        """The answer that is due to sound, unless it is there already, or the server was told to give none."""
        settings = self.settings or b""
        if self.planned is not None or self.open or not _HEARS.search(settings) or _ONLY_HEARS.search(settings):
            return None
        self.planned = self._plan()
        return self.planned

    def unheard(self, planned: PlannedCall, error: BaseException) -> None:
        """The sound was not sent. Of what is sent all the time, the first that is refused tells it."""
        if self.planned is planned:
            self.planned = None
        if not planned.is_refused:
            planned.withdraw()
        elif not self.is_refused:
            call = self._start()
            planned.becomes(call)
            call.fail(error)
            self.is_refused = True

    def _plan(self) -> PlannedCall:
        return PlannedCall("llm", self.model, self.call.context, self.common)

    def _made(self, call: Call | NullCall) -> None:
        """What was planned is this call."""
        planned, self.planned = self.planned, None
        if planned is not None:
            planned.becomes(call)

    def unsent(self, waiting: _Waiting, error: BaseException) -> None:
        """It did not go out."""
        if waiting in self.waiting:
            self.waiting.remove(waiting)
            waiting.call.fail(error)

    def received(self, data: Any) -> Cut | None:
        """One message of the server's. Audio is not looked into, and everything else is kept as it came.

        Returns:
            the response that a limit ends here.
        """
        raw = data.encode() if isinstance(data, str) else bytes(data)
        if b"audio.delta" in raw[:300]:
            for _, spoken in self.open.values():
                spoken.began(time.perf_counter_ns())
            return self.cuts.spoke(raw, self.settings)
        event = orjson.loads(raw)
        if not isinstance(event, dict):
            return None
        kind = str(event.get("type", ""))
        if kind == "response.created":
            self._begin(event)
        elif kind in ("session.created", "session.updated"):
            self.settings = raw
        elif kind in ("conversation.item.created", "conversation.item.added"):
            self.items = [*self.items[-_MAX_ITEMS:], raw]
        elif kind == "error":
            self._told(event.get("error") or {})
        else:
            return self._of_response(kind, event, raw)
        return None

    def _begin(self, event: dict[str, Any]) -> None:
        self.responses += 1
        self.is_refused = False
        spoken = Spoken(tuple(self.items), self.settings)
        if self.waiting:
            call = self.waiting.popleft().call
        else:
            call = self._start()
            if self.planned is None and may_refuse():
                self.planned = self._plan()
                self.planned.count(_SITE)
            self._made(call)
        ident = str((event.get("response") or {}).get("id"))
        self.open[ident] = (call, spoken)
        self.cuts.begins(ident, call, b"".join((*self.items, self.settings or b"")))

    def _start(self) -> Call | NullCall:
        attributes = {**self.common, semconv.REQUEST_STREAM: True}
        return start("llm", self.model, attributes=attributes, parent=self.call.context)

    def _told(self, error: dict[str, Any]) -> None:
        """The server does not do what it was asked for; which of it, it says where that had an id, or by its code."""
        kind = str(error.get("type", "error"))
        self.call.event("error", {"error.type": kind})
        is_busy = error.get("code") == "conversation_already_has_active_response"
        ident = error.get("event_id")
        waiting = next((each for each in self.waiting if is_busy or (ident and each.ident == ident)), None)
        if waiting is not None:
            self.waiting.remove(waiting)
            waiting.call.set(semconv.ERROR_TYPE, str(error.get("code") or kind))
            waiting.call.finish("error")

    def _of_response(self, kind: str, event: dict[str, Any], raw: bytes) -> Cut | None:
        whole = event.get("response")
        ident = str(whole.get("id") if isinstance(whole, dict) else event.get("response_id"))
        if ident not in self.open:
            return None
        call, spoken = self.open[ident]
        spoken.events.append(raw)
        if kind.endswith(".delta"):
            spoken.began(time.perf_counter_ns())
        if kind != "response.done":
            return self.cuts.came(ident, raw)
        del self.open[ident]
        self.cuts.ended(ident)
        status = whole.get("status") if isinstance(whole, dict) else None
        call.defer(spoken)
        self._finish(ident, call, {"failed": "error", "cancelled": "cancelled"}.get(str(status), "ok"))
        return None

    def _finish(self, ident: str, call: Call | NullCall, outcome: str, error: BaseException | None = None) -> None:
        """It is over; where a limit has ended it, as its reader saw it."""
        if ident in self.cuts.errors:
            error = self.cuts.errors.pop(ident)
            outcome = "cancelled" if error is None else "error"
        call.finish(outcome, error)

    def end(self, outcome: str, error: BaseException | None = None) -> None:
        """The connection is over; responses still under way end with it."""
        if self.planned is not None:
            self.planned.withdraw()
        for ident, (call, spoken) in self.open.items():
            call.defer(spoken)
            self._finish(ident, call, "abandoned" if outcome == "ok" else outcome, error)
        for waiting in self.waiting:  # the server never began them
            waiting.call.finish("abandoned" if outcome == "ok" else outcome, error)
        self.open.clear()
        self.waiting.clear()
        self.call.set(semconv.REALTIME_RESPONSES, self.responses)
        self.call.finish(outcome, error)

    def failed(self, error: BaseException) -> None:
        """Receiving raised. Only a closed connection ends the session; a time-out or a cancelled wait does not."""
        kind = type(error).__name__
        if kind == "ConnectionClosedOK":
            self.end("ok")
        elif kind in ("ConnectionClosedError", "ConnectionClosed"):
            self.end("error", error)

    def __del__(self) -> None:
        with guard(_SITE):
            self.end("abandoned")


class AgentSocket:
    """Listens to the socket of the Agents SDK's model, which speaks for itself."""

    def __init__(self, model: Any, server: Attributes) -> None:
        self._session = Session(getattr(model, "model", None), server)
        self._cut: Cut | None = None
        model._agentops_context = self._session.call.context  # noqa: SLF001 - what the session's tools nest in

    def sent(self, data: Any) -> Any:
        """What limits are to be asked about. Sound is not parsed: its type is told before it, or behind it."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        if b"input_audio_buffer.append" in raw[:200] + raw[-200:] or b"input_audio_buffer.commit" in raw[:200]:
            return self._session.may_answer() if may_refuse() else None
        if b'"response.create"' not in raw:
            return None
        event = orjson.loads(raw)
        return self._session.due(event) if event.get("type") == "response.create" else None

    def unsent(self, message: Any, error: BaseException) -> None:
        if isinstance(message, PlannedCall):
            self._session.unheard(message, error)
        elif message is not None:
            self._session.unsent(message, error)

    def received(self, data: Any) -> None:
        self._cut = self._session.received(data) or self._cut

    def stop(self) -> Stop | None:
        """The server is told to end a response that has passed a limit; where that is an error, so does the session."""
        cut, self._cut = self._cut, None
        if cut is None:
            return None
        if cut.error is not None:
            self._session.end("error", cut.error)
        return Stop(cut.message, closes=cut.error is not None, error=cut.error)

    def lost(self, error: BaseException) -> None:
        self._session.failed(error)

    def closed(self) -> None:
        self._session.end("ok")


def _session(connection: Any) -> Session | None:
    session: Session | None = getattr(connection, _SESSION, None)
    return session


def _begun(manager: Any) -> Session | None:
    with guard(_SITE):
        return Session(connections.private(manager, "model"), connections.server_of(manager))
    return None


Wrapped = Callable[..., Any]


def _enter(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    session = _begun(instance)
    try:
        connection = wrapped(*args, **kwargs)
    except BaseException as error:
        if session is not None:
            session.call.fail(error)
        raise
    with guard(_SITE):
        setattr(connection, _SESSION, session)
    return connection


async def _aenter(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    session = _begun(instance)
    try:
        connection = await wrapped(*args, **kwargs)
    except BaseException as error:
        if session is not None:
            session.call.fail(error)
        raise
    with guard(_SITE):
        setattr(connection, _SESSION, session)
    return connection


def _asked(connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[_Waiting | None, Exception | None]:
    """The response that is asked for by what is about to be sent, and what to raise where that must not be."""
    session = _session(connection)
    if session is not None:
        with guard(_SITE):
            return session.asked(args[0] if args else kwargs.get("event"))
    return None, None


def _unsent(connection: Any, waiting: _Waiting | None, error: BaseException) -> None:
    session = _session(connection)
    if session is not None and waiting is not None:
        with guard(_SITE):
            session.unsent(waiting, error)


def _send(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    waiting, refused = _asked(instance, args, kwargs)
    if refused is not None:
        raise refused
    try:
        return wrapped(*args, **kwargs)
    except BaseException as error:
        _unsent(instance, waiting, error)
        raise


async def _asend(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    waiting, refused = _asked(instance, args, kwargs)
    if refused is not None:
        raise refused
    try:
        return await wrapped(*args, **kwargs)
    except BaseException as error:
        _unsent(instance, waiting, error)
        raise


def _receive(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        data = wrapped(*args, **kwargs)
    except BaseException as error:
        _lost(instance, error)
        raise
    cut = _got(instance, data)
    if cut is not None:
        with guard(_SITE):
            instance.send(cut.message)
        if cut.error is not None:
            raise cut.error
    return data


async def _areceive(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        data = await wrapped(*args, **kwargs)
    except BaseException as error:
        _lost(instance, error)
        raise
    cut = _got(instance, data)
    if cut is not None:
        with guard(_SITE):
            await instance.send(cut.message)
        if cut.error is not None:
            raise cut.error
    return data


def _got(connection: Any, data: Any) -> Cut | None:
    session = _session(connection)
    if session is not None:
        with guard(_SITE):
            return session.received(data)
    return None


def _lost(connection: Any, error: BaseException) -> None:
    session = _session(connection)
    # A client that reconnects by itself goes on with the same session.
    if session is not None and not getattr(connection, "_on_reconnecting", None):
        with guard(_SITE):
            session.failed(error)


def _close(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    session = _session(instance)
    if session is not None:
        with guard(_SITE):
            session.end("ok")
    return wrapped(*args, **kwargs)  # of the asynchronous one, its coroutine
