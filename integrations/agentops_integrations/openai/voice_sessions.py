"""Live and translation sessions: a model that listens and speaks all the time, and is billed by the second.

A session is one model call, from its connection to its close; what it delegates to other models are calls below it.
A second connection to a session (a sideband) tells nothing again that the first has told.
"""

from __future__ import annotations

from typing import Any

import orjson

from agentops_integrations.openai import connections
from agentops_integrations.openai.endpoints import ENDPOINTS
from agentops_integrations.openai.responses_socket import Responses
from agentops_sdk.integration import NULL_CALL, BoundedMap, Call, NullCall, Patches, guard, semconv, start
from agentops_sdk.integration.clients import Attributes, Exchange, Json
from agentops_sdk.integration.dialects import message_parts as parts

_SITE = "openai.voice_sessions"
_RESOURCES = "openai.resources"
_DOORS = (
    (f"{_RESOURCES}.live.live", "Live", "live"),
    (f"{_RESOURCES}.live.forks", "Forks", "live"),
    (f"{_RESOURCES}.live.sideband", "Sideband", "live"),
    (f"{_RESOURCES}.realtime.translations.translations", "Translations", "translation"),
)
_DECISION = ENDPOINTS.find("POST", "/decisions")
_LISTENER = "_agentops_listener"
_MOST_TEXT = 1_000_000

_told: BoundedMap[str, None] = BoundedMap(1_000)
"""Ids of sessions, and of what they delegated, that have told their figures to this process."""


def install(patches: Patches) -> None:
    """Listen to the connections of each kind."""
    for module, name, operation in _DOORS:
        connections.install(patches, module, name, f"{operation}.connect", _listen(operation))


def _listen(operation: str) -> connections.Listen:
    def listen(manager: Any, server: Attributes) -> VoiceSession:
        known = vars(manager).get(_LISTENER)
        if isinstance(known, VoiceSession) and not known.call.ended:  # the client has reconnected
            return known
        session = VoiceSession(operation, server, manager)
        setattr(manager, _LISTENER, session)
        return session

    return listen


class VoiceSession:
    """A session while it lasts."""

    def __init__(self, operation: str, server: Attributes, manager: Any) -> None:
        model = connections.private(manager, "model")
        model = model if isinstance(model, str) else None
        self._operation = operation
        self._server = server
        self._reconnects = connections.private(manager, "on_reconnecting") is not None
        self._ident = str(connections.private(manager, "session_id") or "")
        self._turns: list[tuple[str, list[str]]] = []
        self._size = 0
        self._seconds: Any = None
        self._over = False
        attributes = {**server, semconv.OUTPUT_TYPE: "speech", semconv.REQUEST_STREAM: True}
        self.call: Call | NullCall = start(
            "llm", model, operation=operation, attributes={**attributes, semconv.REQUEST_MODEL: model}, to_vendor=True
        )
        self._delegated = Responses(server, self.call.context)

    # --- what is sent and received ---------------------------------------------------------------

    def sent(self, data: Any) -> None:
        """What is sent is told by the server's own events."""

    def unsent(self, message: Any, error: BaseException) -> None:
        """The connection tells of its end by itself."""

    def received(self, data: Any) -> None:
        """One event. Audio is not looked into."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        if self.call.ended or b"audio.delta" in raw[:300] or b"audio.append" in raw[:300]:
            return
        event = orjson.loads(raw)
        if not isinstance(event, dict):
            return
        kind = str(event.get("type", ""))
        if kind in ("session.input_transcript.delta", "session.output_transcript.delta"):
            self._heard("user" if "input" in kind else "assistant", str(event.get("delta") or ""))
        elif kind == "response.event":
            self._responded(event)
        elif kind == "decision.event":
            self._decided(event.get("event"))
        elif kind == "error":
            error = event.get("error")
            about = error if isinstance(error, dict) else event
            self.call.event("error", {"error.type": str(about.get("code") or about.get("type") or "error")})
        elif kind.startswith("session."):
            self._session(kind, event)

    def _heard(self, role: str, text: str) -> None:
        self._size += len(text)
        if self._size > _MOST_TEXT:
            return
        if not self._turns or self._turns[-1][0] != role:
            self._turns.append((role, []))
        self._turns[-1][1].append(text)

    def _session(self, kind: str, event: Json) -> None:
        session, usage = event.get("session"), event.get("usage")
        if isinstance(session, dict):
            model, instructions = session.get("model"), session.get("instructions")
            self._ident = str(session.get("id") or self._ident)
            if isinstance(model, str):
                self.call.set(semconv.REQUEST_MODEL, model)
                self.call.set(semconv.RESPONSE_MODEL, model)
                self.call.rename(f"{self._operation} {model}")
            if isinstance(instructions, str) and instructions:
                self.call.set(semconv.SYSTEM_INSTRUCTIONS, [parts.text(instructions)])
        if isinstance(usage, dict) and isinstance(usage.get("seconds"), int | float):
            self._seconds = usage["seconds"]  # all so far
        if kind == "session.closed":
            self._over = True
            if isinstance(event.get("reason"), str):
                self.call.set(semconv.RESPONSE_FINISH_REASONS, [event["reason"]])
            self._end("ok")

    def _responded(self, event: Json) -> None:
        inner, lane = event.get("event"), str(event.get("delegation_id") or "")
        if not isinstance(inner, dict):
            return
        response = inner.get("response")
        ident = str(response.get("id") or "") if isinstance(response, dict) else ""
        if inner.get("type") == "response.created" and ident:
            if ident in _told:
                return
            _told[ident] = None
        elif not self._delegated.is_open(lane):
            return
        self._delegated.event(inner, lane, inner)

    def _decided(self, event: Any) -> None:
        decision = event.get("decision") if isinstance(event, dict) else None
        if not isinstance(decision, dict):
            return
        ident, model = str(decision.get("id") or ""), decision.get("model")
        if ident and ident in _told:
            return
        _told[ident] = None
        call = start(
            "llm", model if isinstance(model, str) else None, operation=_DECISION.operation,
            attributes={**self._server, semconv.REQUEST_MODEL: model}, parent=self.call.context, to_vendor=True,
        )  # fmt: skip
        if isinstance(call, Call):
            exchange = Exchange(call, _DECISION, method="POST", path="/decisions", body=None, contributes=False)
            exchange.answered(decision)
            exchange.finish()

    # --- its end ---------------------------------------------------------------------------------

    def lost(self, error: BaseException) -> None:
        """Only a closed connection ends it, and where the client reconnects by itself, not that either."""
        kind = type(error).__name__
        if not kind.startswith("ConnectionClosed") or self._reconnects:
            return
        if kind == "ConnectionClosedOK":
            self._end("ok")
        else:
            self._end("error", error)

    def closed(self) -> None:
        """The program hangs up."""
        self._end("ok")

    def _end(self, outcome: str, error: BaseException | None = None) -> None:
        if self.call is NULL_CALL or self.call.ended:
            return
        if outcome == "ok":
            self._delegated.closed()
        elif error is not None:
            self._delegated.lost(error)
        self.call.set(semconv.OUTPUT_MESSAGES, self._said("assistant") or None)
        self.call.set(semconv.INPUT_MESSAGES, self._said("user") or None)
        if self._size > _MOST_TEXT:
            self.call.set(semconv.TRUNCATED, [semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES])
        if self._seconds is not None and self._ident not in _told:
            if self._ident:
                _told[self._ident] = None
            self.call.set(semconv.USAGE_AUDIO_SECONDS, float(self._seconds))
            self.call.set(semconv.USAGE_SOURCE, "reported")
        self.call.finish(outcome, error)

    def _said(self, role: str) -> list[dict[str, Any]]:
        return [
            {
                "role": who,
                "parts": [parts.text("".join(pieces))],
                **({"finish_reason": "stop"} if who != "user" else {}),
            }
            for who, pieces in self._turns
            if who == role
        ]

    def __del__(self) -> None:
        with guard(_SITE):
            self._end("abandoned")
