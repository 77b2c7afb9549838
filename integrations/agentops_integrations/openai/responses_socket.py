"""Responses over a WebSocket: each request that is sent through one is a model call, up to the end of its response.

The client sends from several places (the connection, its queue, the lanes of a session), and reconnects by itself; all
of that meets in the socket, whose methods are shadowed while it lives.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from agentops_integrations.openai.endpoints import ENDPOINTS
from agentops_sdk.integration import NULL_CALL, Patches, enclosing_llm_call, guard, semconv, start
from agentops_sdk.integration.clients import Attributes, Exchange, Json, ReplySteps, address, provider_of

_SITE = "openai.responses_socket"
_MODULES = ("openai.resources.responses.responses", "openai.resources.beta.responses.responses")
_CREATE = re.compile(rb'"type"\s*:\s*"response\.create"')
_MODEL = re.compile(rb'\A\s*\{[^{}\[\]]*?"model"\s*:\s*"([^"\\]+)"')
_DELTA = re.compile(rb'\A\s*\{\s*"type"\s*:\s*"response\.[\w.]+\.delta"')
_LAST = ("response.completed", "response.incomplete", "response.failed", "error")
_ROW = ENDPOINTS.find("POST", "/responses")


def _request(body: Json) -> Attributes:
    model = body.get("model")
    return {semconv.REQUEST_MODEL: model if isinstance(model, str) else None, **_ROW.request(body)}


_RESPONSE = replace(_ROW, request=_request)

Wrapped = Callable[..., Any]


def install(patches: Patches) -> None:
    """Patch what opens the sockets, once its modules are imported."""
    for name in _MODULES:
        patches.when_imported(name, lambda module: _patch(module, patches))


def _patch(module: Any, patches: Patches) -> None:
    for manager, connect in (("ResponsesConnectionManager", _connect), ("AsyncResponsesConnectionManager", _aconnect)):
        if hasattr(module, manager):  # versions before 2 have none
            patches.wrap(getattr(module, manager), "_connect_ws", connect)


class _Turn:
    """A response that was asked for; ``ident`` is its id once the server has begun it."""

    __slots__ = ("ident", "steps")

    def __init__(self, steps: ReplySteps) -> None:
        self.steps = steps
        self.ident: str | None = None


class Responses:
    """The responses under way on one socket, in the order of their requests, by the lane that they are on."""

    def __init__(self, server: Attributes) -> None:
        self._server = server
        self._lanes: dict[str, deque[_Turn]] = {}

    def sent(self, data: Any) -> _Turn | None:
        """A message is about to be sent; what it asks for begins."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        if not _CREATE.search(raw):
            return None
        found = _MODEL.match(raw)
        lane = ""
        if found is None or b'"stream_id"' in raw:
            event = orjson.loads(raw)
            lane, model = str(event.get("stream_id") or ""), event.get("model")
        else:
            model = found[1].decode()
        return self._begin(lane, model if isinstance(model, str) else None, raw)

    def _begin(self, lane: str, model: str | None, request: bytes | None) -> _Turn | None:
        attributes = {**self._server, semconv.REQUEST_MODEL: model, semconv.REQUEST_STREAM: True}
        outer = enclosing_llm_call()
        if outer is not None:
            outer.update(attributes)
        call: Any = outer or start("llm", model, operation=_ROW.operation, attributes=attributes, to_vendor=True)
        if call is NULL_CALL:
            return None
        exchange = Exchange(call, _RESPONSE, method="POST", path="/responses", body=None, contributes=outer is not None)
        if request is not None:
            exchange.asked(request)
        turn = _Turn(ReplySteps(exchange, lambda message: message))
        self._lanes.setdefault(lane, deque()).append(turn)
        return turn

    def received(self, data: Any) -> None:
        """A message came, and is handed to the program."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        turns = [turn for lane in self._lanes.values() for turn in lane]
        if len(turns) == 1 and _DELTA.match(raw):
            turns[0].steps.item(raw)
            return
        event = orjson.loads(raw)
        kind = str(event.get("type")) if isinstance(event, dict) else ""
        if not kind.startswith("response.") and kind != "error":
            return
        turn = self._turn_of(event, kind, turns)
        if turn is None:
            return
        turn.steps.item(raw)
        if kind in _LAST:
            self._forget(turn)
            turn.steps.end(None)

    def _turn_of(self, event: Json, kind: str, turns: list[_Turn]) -> _Turn | None:
        lane = str(event.get("stream_id") or "")
        whole = event.get("response")
        ident = whole.get("id") if isinstance(whole, dict) else event.get("response_id")
        if ident is not None:
            for turn in turns:
                if turn.ident == ident:
                    return turn
        here = self._lanes.get(lane)
        if kind == "response.created":
            waiting = [turn for turn in here or () if turn.ident is None]
            begun = waiting[0] if waiting else self._begin(lane, None, None)  # one that the server began by itself
            if begun is not None:
                begun.ident = str(ident)
            return begun
        if here:
            return here[0]
        return turns[0] if len(turns) == 1 else None

    def _forget(self, turn: _Turn) -> None:
        for lane, turns in list(self._lanes.items()):
            if turn in turns:
                turns.remove(turn)
                if not turns:
                    self._lanes.pop(lane, None)

    def unsent(self, turn: _Turn | None, error: BaseException) -> None:
        """The message could not be sent."""
        if turn is not None:
            self._forget(turn)
            turn.steps.fail(error)

    def lost(self, error: BaseException) -> None:
        """Receiving raised. Only a closed connection ends what is under way; a wait that was cut short does not."""
        if type(error).__name__.startswith("ConnectionClosed"):
            for turn in self._take():
                turn.steps.fail(error)

    def closed(self) -> None:
        """The program closes the connection."""
        for turn in self._take():
            turn.steps.abandon()

    def _take(self) -> list[_Turn]:
        lanes, self._lanes = self._lanes, {}
        return [turn for lane in lanes.values() for turn in lane]


# --- what stands in for the methods of one socket: its own first and alone, then a guarded look ----


def _watch(manager: Any, socket: Any) -> Any:
    with guard(_SITE):
        here, coroutines = vars(socket), hasattr(socket, "__aiter__")
        responses = Responses(_server(manager))
        shadows = {"send": _asend, "recv": _arecv} if coroutines else {"send": _send, "recv": _recv}
        for name, shadow in {**shadows, "close": _close}.items():
            here[name] = partial(shadow, responses, getattr(socket, name))
    return socket


def _server(manager: Any) -> Attributes:
    client = next((value for key, value in vars(manager).items() if key.endswith("Manager__client")), None)
    where = address(str(getattr(client, "websocket_base_url", None) or getattr(client, "base_url", "")))
    provider = provider_of(where[semconv.SERVER_ADDRESS], where[semconv.SERVER_PORT], type(client))
    return {semconv.PROVIDER_NAME: provider, **where}


class _Watched:
    """A call of the socket's own method: an error of it is told, and passes."""

    def __init__(self, tell: Callable[[BaseException], None]) -> None:
        self._tell = tell

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            with guard(_SITE):
                self._tell(error)


def _sending(responses: Responses, message: Any) -> _Watched:
    turn = None
    with guard(_SITE):
        turn = responses.sent(message)
    return _Watched(partial(responses.unsent, turn))


def _received(responses: Responses, data: Any) -> Any:
    with guard(_SITE):
        responses.received(data)
    return data


def _send(responses: Responses, original: Wrapped, message: Any, *args: Any, **kwargs: Any) -> Any:
    with _sending(responses, message):
        return original(message, *args, **kwargs)


async def _asend(responses: Responses, original: Wrapped, message: Any, *args: Any, **kwargs: Any) -> Any:
    with _sending(responses, message):
        return await original(message, *args, **kwargs)


def _recv(responses: Responses, original: Wrapped, *args: Any, **kwargs: Any) -> Any:
    with _Watched(responses.lost):
        data = original(*args, **kwargs)
    return _received(responses, data)


async def _arecv(responses: Responses, original: Wrapped, *args: Any, **kwargs: Any) -> Any:
    with _Watched(responses.lost):
        data = await original(*args, **kwargs)
    return _received(responses, data)


def _close(responses: Responses, original: Wrapped, *args: Any, **kwargs: Any) -> Any:
    with guard(_SITE):
        responses.closed()
    return original(*args, **kwargs)  # of the asynchronous one, its coroutine


# --- the connection --------------------------------------------------------------------------------


def _connect(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with _Watched(partial(_unreachable, instance)):
        socket = wrapped(*args, **kwargs)
    return _watch(instance, socket)


async def _aconnect(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with _Watched(partial(_unreachable, instance)):
        socket = await wrapped(*args, **kwargs)
    return _watch(instance, socket)


def _unreachable(manager: Any, error: BaseException) -> None:
    """A connection that fails is told; one that opens asks for nothing yet, and its calls speak for themselves."""
    name = "responses.connect"
    attributes = {**_server(manager), semconv.OPERATION_NAME: name}
    start("span", span_name=name, attributes=attributes, to_vendor=True).fail(error)
