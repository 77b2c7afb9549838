"""Responses over a WebSocket: each request that is sent through one is a model call, up to the end of its response.

The server answers one at a time on each lane, so that a response belongs to the first request there that has none.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace
from typing import Any

import orjson
from opentelemetry.context import Context

from agentops_integrations.openai import connections
from agentops_integrations.openai.endpoints import ENDPOINTS
from agentops_sdk.integration import NULL_CALL, Patches, enclosing_llm_call, name_model, semconv, start
from agentops_sdk.integration.clients import Attributes, Exchange, Json, ReplySteps

_MODULES = ("openai.resources.responses.responses", "openai.resources.beta.responses.responses")
_AGENTS = ("agents.models.openai_responses", "OpenAIResponsesWSModel")
_CONNECT = "responses.connect"
_CREATE = re.compile(rb'"type"\s*:\s*"response\.create"')
_MODEL = re.compile(rb'\A\s*\{[^{}\[\]]*?"model"\s*:\s*"([^"\\]+)"')
_DELTA = re.compile(rb'\A\s*\{\s*"type"\s*:\s*"response\.[\w.]+\.delta"')
_LAST = ("response.completed", "response.incomplete", "response.failed", "error")
_ROW = ENDPOINTS.find("POST", "/responses")


def _request(body: Json) -> Attributes:
    model = body.get("model")
    return {semconv.REQUEST_MODEL: model if isinstance(model, str) else None, **_ROW.request(body)}


_RESPONSE = replace(_ROW, request=_request)


def install(patches: Patches) -> None:
    """Patch what opens the sockets, once its modules are imported."""
    for name in _MODULES:
        connections.install(patches, name, "Responses", _CONNECT, lambda manager, server: Responses(server))
    connections.install_model(patches, *_AGENTS, _CONNECT, lambda model, server: Responses(server))


class _Turn:
    """A response that was asked for; ``ident`` is its id once the server has begun it."""

    __slots__ = ("call", "ident", "steps")

    def __init__(self, steps: ReplySteps) -> None:
        self.steps = steps
        self.call = steps.call
        self.ident: str | None = None


class Responses:
    """The responses under way on one socket, in the order of their requests, by the lane that they are on."""

    def __init__(self, server: Attributes, parent: Context | None = None) -> None:
        self._server = server
        self._parent = parent
        self._lanes: dict[str, deque[_Turn]] = {}

    def sent(self, data: Any) -> _Turn | None:
        """A message is about to be sent; what it asks for begins."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        if not _CREATE.search(raw):
            return None
        model_match = _MODEL.match(raw)
        lane = ""
        if model_match is None or b'"stream_id"' in raw:
            event = orjson.loads(raw)
            lane, model = str(event.get("stream_id") or ""), event.get("model")
        else:
            model = model_match[1].decode()
        return self._begin(lane, model if isinstance(model, str) else None, raw)

    def _begin(self, lane: str, model: str | None, request: bytes | None) -> _Turn | None:
        attributes = {**self._server, semconv.REQUEST_MODEL: model, semconv.REQUEST_STREAM: True}
        outer = enclosing_llm_call() if self._parent is None else None
        if outer is not None:
            name_model(outer, model)
            outer.update(attributes)
        call: Any = outer or start(
            "llm", model, operation=_ROW.operation, attributes=attributes, parent=self._parent, to_vendor=True
        )
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
        if isinstance(event, dict):
            self.event(event, str(event.get("stream_id") or ""), raw)

    def is_open(self, lane: str) -> bool:
        """Whether a response is under way on that lane."""
        return lane in self._lanes

    def event(self, event: Json, lane: str, raw: Any) -> None:
        """An event of a response, on a lane."""
        turns = [turn for each in self._lanes.values() for turn in each]
        kind = str(event.get("type"))
        if not kind.startswith("response.") and kind != "error":
            return
        turn = self._turn_of(event, kind, lane, turns)
        if turn is None:
            return
        turn.steps.item(raw)
        if kind in _LAST:
            self._forget(turn)
            turn.steps.end(None)

    def _turn_of(self, event: Json, kind: str, lane: str, turns: list[_Turn]) -> _Turn | None:
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
