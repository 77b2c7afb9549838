"""A reply that comes in JSON texts, one step after the other: what a driver of its generator tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.context import Context

from agentops_sdk._host.guard import guard
from agentops_sdk._http.exchange import Exchange
from agentops_sdk._snapshot.snapshot import snapshot_source

__all__ = ["EventText", "ReplySteps", "json_text"]

_SITE = "http.reply_steps"


class EventText(bytes):
    """An item that is a piece of an event stream as it came over the wire: several events, or part of one."""

    __slots__ = ()


class ReplySteps:
    """The :class:`Steps <agentops_sdk._propagation.generators.Steps>` of a reply; dropped early, it is abandoned.

    Args:
        exchange: the exchange that the reply ends.
        body: an item to JSON text, or to a structure of plain values.
        is_new: whether limits are to be asked before the first step.
    """

    __slots__ = ("_body", "_live", "call", "context", "live", "stops")

    def __init__(self, exchange: Exchange, body: Callable[[Any], Any], *, is_new: bool = False) -> None:
        self.live = exchange if is_new else None
        self.call = exchange.call
        self.context: Context | None = exchange.context
        self._body = body
        self._live = exchange.streaming()
        self._live.watched = True
        self.stops = False
        """Whether a limit ends the stream before its next step."""

    def cut_off(self) -> Exception | None:
        """It ends here."""
        return self._live.cut_off()

    def item(self, value: Any) -> None:
        """An item came, and is handed to the caller."""
        live, delivered = self._live, 1
        with guard(_SITE):
            if self.live is not None:  # limits have been asked since
                self.live.measure()
                self.live = None
            text = json_text(self._body(value))
            if isinstance(text, EventText):
                delivered = text.count(b"\n\n") + text.count(b"\r\n\r\n")
                live.received(text)
            else:
                # As an event of a stream, whose ends are known. In JSON text, line ends are but space.
                live.received(b"data: %b\n\n" % text.replace(b"\n", b" ").replace(b"\r", b" "))
        live.delivered += delivered
        if live.meter is not None:
            self.stops = live.is_passed

    def end(self, result: Any) -> None:
        """There are no more."""
        with guard(_SITE):
            self._live.finish("ok", None, complete=True)

    def abandon(self) -> None:
        """The caller leaves."""
        with guard(_SITE):
            self._live.closed()

    def fail(self, error: BaseException) -> None:
        """The client raised."""
        with guard(_SITE):
            self._live.failed(error)

    def __del__(self) -> None:
        with guard(_SITE):
            self._live.dropped()


def json_text(body: Any) -> bytes:
    """JSON text as it is, anything else copied to it."""
    if isinstance(body, bytes | str):
        return body.encode() if isinstance(body, str) else body
    return snapshot_source(body).data
