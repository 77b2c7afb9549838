"""Sessions that make music over a WebSocket: one span each, with what was asked for and how many pieces came."""

from __future__ import annotations

import re
from functools import partial
from types import ModuleType
from typing import Any

from agentops_integrations.google_genai.live import ending, is_closed, opening_sockets
from agentops_sdk.integration import NULL_CALL, Call, NullCall, Patches, guard, semconv, start
from agentops_sdk.integration.clients import Attributes

_SITE = "google_genai.live_music"
_OPERATION = "live_music"
_MAX_REMEMBERED = 100_000  # bytes of what is asked for

_SETUP = re.compile(rb'\A\s*\{\s*"setup"')
_MODEL = re.compile(rb'"model"\s*:\s*"(?:[^"]*/)?([^"/]+)"')
_SOUND = b'"audioChunks"'


class MusicSession:
    """What is told of one socket."""

    def __init__(self, server: Attributes) -> None:
        self._server = server
        self._asked: list[bytes] = []
        self._size = 0
        self._pieces = 0
        self.call: Call | NullCall = NULL_CALL

    def sent(self, data: Any) -> MusicSession | None:
        """The set-up begins the session; the others weigh prompts, set the tempo, play and pause."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        if _SETUP.match(raw):
            model = _MODEL.search(raw)
            name = model[1].decode() if model else None
            attributes = {
                **self._server,
                semconv.REQUEST_MODEL: name,
                semconv.OPERATION_NAME: _OPERATION,
                semconv.COST_UNKNOWN_REASON: "music has no price by the token",
            }
            span_name = f"{_OPERATION} {name}" if name else _OPERATION
            self.call = start("span", span_name=span_name, attributes=attributes, to_vendor=True)
            return self
        if self._size + len(raw) <= _MAX_REMEMBERED:
            self._asked.append(raw)
            self._size += len(raw)
        return None

    def unsent(self, message: Any, error: BaseException) -> None:
        """It could not be set up."""
        if message is self:
            self._end("error", error)

    def received(self, data: Any) -> None:
        """One message of the server's: sound, which is not looked into, or what it filtered."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        self._pieces += _SOUND in raw

    def lost(self, error: BaseException) -> None:
        """Receiving raised: the session ends where the connection has."""
        if is_closed(error):
            self._end(*ending(error))

    def closed(self) -> None:
        """The program hangs up: music has no end of its own."""
        self._end("ok")

    def _end(self, outcome: str, error: BaseException | None = None) -> None:
        call = self.call
        if not isinstance(call, Call) or call.ended:
            return
        call.set(semconv.STREAM_CHUNKS, self._pieces)
        call.defer(partial(_asked_for, b"[%b]" % b",".join(self._asked)))
        call.finish(outcome, error)

    def __del__(self) -> None:
        with guard(_SITE):
            self._end("abandoned")


def _asked_for(asked: bytes, attributes: Attributes) -> None:
    attributes[semconv.INPUT] = asked.decode("utf-8", "replace")


def install(patches: Patches) -> None:
    """Patch what opens the sockets, once its module is imported."""
    patches.when_imported("google.genai.live_music", partial(_patch, patches))


def _patch(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module, "connect", opening_sockets(module, MusicSession))
