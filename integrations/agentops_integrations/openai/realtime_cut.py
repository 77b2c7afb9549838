"""Ends a response of a realtime session that passes a limit while it is spoken: by the protocol's own message.

The server is asked to cancel it and says in its last event what it used. Sound is not looked into: how much of it has
come tells for how long the model has spoken.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from agentops_sdk.integration import Call, StreamMeter, stream_meter

_OVERHEAD = 160  # bytes of an event beside the sound in it
_PCM, _G711 = 3_200, 534
"""Letters of base64 to a token of sound, which is 50 ms: 24,000 samples a second of two bytes, 8,000 of one."""
_IS_G711 = re.compile(rb"g711|audio/pcm[au]\b")


class Cut(NamedTuple):
    """A response that is to end: what the server is sent, and what the reader sees in place of what came."""

    message: dict[str, Any]
    error: Exception | None


class Cuts:
    """Of one session.

    Attributes:
        errors: what the reader saw of each response that was ended, by its id, until the server has said how it ended.
    """

    def __init__(self) -> None:
        self.errors: dict[str, Exception | None] = {}
        self._meters: dict[str, StreamMeter] = {}

    def begins(self, ident: str, call: Any, asked: bytes) -> None:
        """A response has begun, to what is said in ``asked``."""
        meter = stream_meter(call, asked) if isinstance(call, Call) else None
        if meter is not None:
            self._meters[ident] = meter

    def came(self, ident: str, event: bytes) -> Cut | None:
        """Text of it, or another event; whether it ends here."""
        meter = self._meters.get(ident)
        if meter is None:
            return None
        meter.feed(event)
        return self._due(ident, meter)

    def spoke(self, event: bytes, settings: bytes | None) -> Cut | None:
        """Sound of whatever began last."""
        ident = next(reversed(self._meters), None)
        if ident is None:
            return None
        meter = self._meters[ident]
        letters = _G711 if _IS_G711.search(settings or b"") else _PCM
        meter.heard(max(0, len(event) - _OVERHEAD) / letters)
        return self._due(ident, meter)

    def ended(self, ident: str) -> None:
        """It is over."""
        self._meters.pop(ident, None)

    def _due(self, ident: str, meter: StreamMeter) -> Cut | None:
        if meter.charge is None:
            return None
        self.ended(ident)
        error = self.errors[ident] = meter.cut()
        return Cut({"type": "response.cancel", "response_id": ident}, error)
