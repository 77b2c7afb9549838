"""Sound that the voice pipeline has written down as it comes: each turn that the server hears is a model call.

The SDK opens a socket of its own for it, and its span of a turn tells neither what was used nor that a model was asked.
"""

from __future__ import annotations

from typing import Any

import orjson
from opentelemetry.context import Context, get_current

from agentops_sdk.integration import Call, NullCall, Patches, PlannedCall, guard, may_refuse, semconv, start
from agentops_sdk.integration.clients import Exchange, Json, address, listen, provider_of
from agentops_sdk.integration.dialects import OPENAI_TRANSCRIPTIONS
from agentops_sdk.integration.frameworks import Runs

_SITE = "openai_agents.streamed_transcription"
_LISTENER = "_agentops_listener"
_EVENT = "conversation.item.input_audio_transcription."
_LEGACY = "input_audio_transcription_completed"


def install(patches: Patches, runs: Runs) -> None:
    """Listen to the sockets of sessions, and see when one hands a turn's text on."""

    def connected(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard(_SITE):
            listener = Transcription(instance, runs)
            setattr(instance, _LISTENER, listener)
            listen(args[0] if args else kwargs["ws"], listener)
        return wrapped(*args, **kwargs)

    def told(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard(_SITE):
            listener = vars(instance).get(_LISTENER)
            if listener is not None:
                listener.is_told = True
        return wrapped(*args, **kwargs)

    def sessions(module: Any) -> None:
        patches.wrap(module.OpenAISTTTranscriptionSession, "_setup_connection", connected)
        patches.wrap(module.OpenAISTTTranscriptionSession, "_end_turn", told)

    patches.when_imported("agents.voice.models.openai_stt", sessions)


class Transcription:
    """One session's socket.

    Attributes:
        is_told: what the server has heard was handed on; where more sound is refused, it would be lost before.
    """

    def __init__(self, session: Any, runs: Runs) -> None:
        client, model = session._client, session._model  # noqa: SLF001 - the session has no public ones
        where = address(str(client.base_url))
        provider = provider_of(where[semconv.SERVER_ADDRESS], where[semconv.SERVER_PORT], type(client))
        self.is_told = True
        self._session = session
        self._runs = runs
        self._model = model if isinstance(model, str) else None
        self._about = {semconv.PROVIDER_NAME: provider, **where, semconv.REQUEST_MODEL: self._model}
        self._open: dict[str, Call | NullCall] = {}
        self._planned: PlannedCall | None = None

    def sent(self, data: Any) -> PlannedCall | None:
        """Sound is about to be sent: limits are asked about the turn that it may be of, unless one is under way."""
        is_asked = self._planned is not None or self._open or not self.is_told
        if is_asked or not may_refuse() or "input_audio_buffer.append" not in data[:100]:
            return None
        self._planned = self._plan()
        return self._planned

    def unsent(self, planned: PlannedCall | None, error: BaseException) -> None:
        if planned is None:
            return
        self._planned = None
        if planned.is_refused:
            call = self._start()
            planned.becomes(call)
            call.fail(error)
        else:
            planned.withdraw()

    def received(self, data: Any) -> None:
        raw = data.encode() if isinstance(data, str) else bytes(data)
        if b"transcription" not in raw and b"committed" not in raw:
            return
        event = orjson.loads(raw)
        kind, item = str(event.get("type")), str(event.get("item_id"))
        if kind == "input_audio_buffer.committed":
            self._open[item] = self._begun()
        elif kind in (f"{_EVENT}completed", _LEGACY):
            self._heard(item, event)
        elif kind == f"{_EVENT}failed":
            call = self._open.pop(item, None) or self._begun()
            error = event.get("error") or {}
            call.set(semconv.ERROR_TYPE, str(error.get("code") or error.get("type") or "error"))
            call.finish("error")

    def lost(self, error: BaseException) -> None:
        """Only a closed connection ends it, and not a wait that is cut short."""
        kind = type(error).__name__
        if kind.startswith("ConnectionClosed"):
            self._end("abandoned" if kind == "ConnectionClosedOK" else "error", error)

    def closed(self) -> None:
        self._end("abandoned")

    # --- turns -------------------------------------------------------------------------------------

    def _context(self) -> Context:
        """That of the SDK's span for the turn."""
        span = self._session._tracing_span  # noqa: SLF001 - the session has no public one
        run = self._runs.get(span.span_id) if span is not None else None
        return run.context if run is not None else get_current()

    def _plan(self) -> PlannedCall:
        return PlannedCall("llm", self._model, self._context(), self._about)

    def _start(self) -> Call | NullCall:
        return start(
            "llm", self._model, operation=OPENAI_TRANSCRIPTIONS.operation, attributes=self._about,
            parent=self._context(),
        )  # fmt: skip

    def _begun(self) -> Call | NullCall:
        call = self._start()
        planned, self._planned = self._planned, None
        if planned is None and may_refuse():
            planned = self._plan()
            planned.count(_SITE)
        if planned is not None:
            planned.becomes(call)
        return call

    def _heard(self, item: str, event: Json) -> None:
        call = self._open.pop(item, None) or self._begun()
        text = event.get("transcript")
        self.is_told = not text
        if not isinstance(call, Call):
            return
        shows = self._session._trace_include_sensitive_data  # noqa: SLF001 - the session has no public one
        exchange = Exchange(call, OPENAI_TRANSCRIPTIONS, method="POST", path="/realtime", body=None, contributes=False)
        usage = event.get("usage")
        exchange.answered({"text": text if shows else None, "usage": usage})
        if isinstance(usage, dict) and isinstance(usage.get("seconds"), int | float):
            call.update({semconv.USAGE_AUDIO_SECONDS: float(usage["seconds"]), semconv.USAGE_SOURCE: "reported"})
        exchange.finish()

    def _end(self, outcome: str, error: BaseException | None = None) -> None:
        """The connection is over, and what it was to write down will not be."""
        if self._planned is not None:
            self._planned.withdraw()
            self._planned = None
        while self._open:
            self._open.popitem()[1].finish(outcome, error)
