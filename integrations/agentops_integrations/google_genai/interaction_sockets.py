"""An interaction that is joined over a WebSocket: one model call, from the connection to the interaction's end.

What is sent and received are the events that its streams over HTTP have; several may come in one message.
"""

from __future__ import annotations

import re
from functools import partial
from types import ModuleType
from typing import Any

from agentops_integrations.google_genai import interactions
from agentops_integrations.google_genai.content import mappings
from agentops_integrations.google_genai.live import opening_sockets
from agentops_sdk.integration import NULL_CALL, Call, NullCall, Patches, guard, outcome_of, semconv, start
from agentops_sdk.integration.clients import (
    Attributes,
    Endpoint,
    Events,
    Exchange,
    Exchanged,
    Json,
    ReplySteps,
    Watched,
    address,
)

_SITE = "google_genai.interaction_sockets"
_OPERATION = "generate_content"
_MAX_REMEMBERED = 1_000_000  # bytes of what is sent

# In the text of somebody the quotes would be escaped.
_CONNECT = re.compile(rb'"event_type"\s*:\s*"interaction\.connect"')
_ID = re.compile(rb'"id"\s*:\s*"([^"\\]+)"')
_CANCEL = re.compile(rb'"event_type"\s*:\s*"interaction\.cancel"')
_COMPLETED = re.compile(rb'"event_type"\s*:\s*"interaction\.completed"')
_CANCELLED = re.compile(rb'"event_type"\s*:\s*"interaction\.cancell?ed"')


# --- what was sent and received, once it is read ----------------------------------------------------


def _each(events: Any) -> list[Json]:
    """The events of messages, some of which hold several."""
    found = mappings(events or [])
    return [each for event in found for each in mappings(event.get("events") or event)]


def _request(body: Json) -> Attributes:
    said = [each for event in _each(body.get("events")) for each in _said(event)]
    return {semconv.INPUT_MESSAGES: interactions.inputs(said) or None}


def _said(event: Json) -> list[Json]:
    """What the program says: content, or a step such as a function's result."""
    if event.get("event_type") != "input":
        return []
    return mappings(event.get("content") or event.get("step") or event.get("steps") or [])


def _fold(events: Events) -> dict[str, Any]:
    each = [dict(event) for event in _each(events)]
    body = interactions.fold(each)
    if any(event.get("event_type") == "interaction.completed" for event in each):
        body.setdefault("status", "completed")
    return body


def _settle(attributes: Attributes, exchanged: Exchanged) -> bool:
    return interactions.counts_once(str(exchanged.request.get("id") or ""), attributes, exchanged)


ROW = Endpoint(
    path="interactions/live", operation=_OPERATION, request=_request, response=interactions.response, fold=_fold,
    usage=interactions.usage, usage_shape="gemini.generate", settle=_settle, end_mark=_COMPLETED,
)  # fmt: skip


# --- a connection, on the program's thread ----------------------------------------------------------


class InteractionSession:
    """What is told of one socket."""

    def __init__(self, server: Attributes) -> None:
        self._server = server
        self._id = b""
        self._sent: list[bytes] = []
        self._size = 0
        self._exchange: Exchange | None = None
        self._steps: ReplySteps | None = None
        self.call: Call | NullCall = NULL_CALL

    def sent(self, data: Any) -> InteractionSession | None:
        """The first message joins the interaction, and begins the call; the others are what is said."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        if self._exchange is None and _CONNECT.search(raw[:200]):
            found = _ID.search(raw)
            self._id = found[1] if found else b""
            call = start("llm", operation=_OPERATION, attributes=self._server, to_vendor=True)
            if not isinstance(call, Call):
                return None
            self.call = call
            self._exchange = Exchange(call, ROW, method="POST", path=ROW.path, body=None, contributes=False)
            self._steps = ReplySteps(self._exchange, lambda message: message)
            return self
        if self._size + len(raw) <= _MAX_REMEMBERED:
            self._sent.append(raw)
            self._size += len(raw)
        if _CANCEL.search(raw):
            self._end("cancelled")
        return None

    def unsent(self, message: Any, error: BaseException) -> None:
        """The interaction could not be joined."""
        if message is self:
            self._fail(error)

    def received(self, data: Any) -> None:
        """One message of the server's."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        if self._steps is None:
            return
        self._steps.item(raw)
        if _COMPLETED.search(raw):
            self._end("ok")
        elif _CANCELLED.search(raw):
            self._end("cancelled")

    def lost(self, error: BaseException) -> None:
        """Only a closed connection ends the call; a time-out or a cancelled wait does not."""
        if type(error).__name__.startswith("ConnectionClosed"):
            self._fail(error)

    def closed(self) -> None:
        """The program hangs up, and the interaction goes on without it."""
        self._end("abandoned")

    def _ask(self) -> ReplySteps | None:
        """Only the first end counts."""
        exchange, steps, self._steps = self._exchange, self._steps, None
        if exchange is not None and steps is not None:
            exchange.asked(b'{"id":"%b","events":[%b]}' % (self._id, b",".join(self._sent)))
        return steps

    def _fail(self, error: BaseException) -> None:
        if (steps := self._ask()) is not None:
            steps.fail(error)

    def _end(self, outcome: str) -> None:
        steps, exchange = self._ask(), self._exchange
        if steps is None or exchange is None:
            return
        if outcome == "ok":
            steps.end(None)
        else:
            exchange.stream_ended(outcome, None, complete=True)

    def __del__(self) -> None:
        with guard(_SITE):
            self._end("abandoned")


# --- where sockets are opened -----------------------------------------------------------------------


def install(patches: Patches) -> None:
    """Patch what opens the sockets, once its module is imported."""
    patches.when_imported("google.genai._interactions_websocket", partial(_patch, patches))


def _patch(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module, "ws_connect", opening_sockets(module, InteractionSession))
    patches.wrap(module.InteractionWebSocketConnectionContext, "_connect", _connect)


async def _connect(wrapped: Any, context: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A connection that fails is told."""
    with Watched(partial(_failed, context)):
        return await wrapped(*args, **kwargs)


def _failed(context: Any, error: BaseException) -> None:
    url = str(context._api_client._http_options.base_url)  # noqa: SLF001 - there is no public way to it
    attributes = {semconv.PROVIDER_NAME: "gcp.gemini", **address(url)}
    call = start("llm", operation=_OPERATION, attributes=attributes, to_vendor=True)
    outcome = outcome_of(error)
    call.finish(outcome, error if outcome == "error" else None)
