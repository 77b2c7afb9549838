"""Listens to a response that is still being read: what came, how far the caller got, and how it ended.

The caller's object stays what it is. Three methods of the HTTP response (``iter_bytes``, ``iter_raw``, ``close`` and
their async twins), through which everything reads and closes, are shadowed on that one instance until
the call is over; the iterator inside an SSE stream is watched from outside. Bytes are kept as they
came and looked into on the consumer thread.

A stream ends in one of these ways, whichever is first::

    exhausted            ok, or what the provider's last event says
    raises               error, or cancelled when a cancellation came through
    closed by the caller ok if the last event was delivered, else cancelled or abandoned
    collected            abandoned
"""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Callable
from typing import Any

from agentops_integrations.openai.hiding import UsageFilter
from agentops_integrations.openai.last_events import last_delivered, last_events
from agentops_integrations.openai.watchers import SITE, AsyncTappedBytes, TappedBytes
from agentops_sdk.integration import guard, outcome_of

_MAX_KEPT = 64 * 1024 * 1024


class Tap:
    """The state of one live response."""

    __slots__ = (
        "__weakref__",
        "_delivered_before",
        "_finish",
        "_is_over",
        "_response",
        "chunks",
        "decoding",
        "delivered",
        "filter",
        "first_ns",
        "keep",
        "size",
        "stepping",
        "unread_from",
        "watched",
    )

    def __init__(
        self,
        finish: Callable[[str, BaseException | None, bool], None],
        is_over: Callable[[], bool],
        keep: bool,
        hide_usage: bool,
    ) -> None:
        self._finish: Callable[[str, BaseException | None, bool], None] | None = finish
        self._is_over = is_over
        self._response: Callable[[], Any] = lambda: None
        self.keep = keep
        self.filter = UsageFilter() if hide_usage else None
        self.chunks: list[bytes] = []
        self.size = 0
        self.delivered = 0
        self.unread_from = 0
        self._delivered_before = 0
        self.first_ns = 0
        self.decoding = False
        self.stepping = False
        self.watched = False

    def attach(self, response: Any) -> None:
        """Shadow the response's methods until the call is over."""
        self._response = weakref.ref(response)
        here = vars(response)
        here["iter_bytes"] = _Bytes(self, response, "iter_bytes", TappedBytes)
        here["aiter_bytes"] = _Bytes(self, response, "aiter_bytes", AsyncTappedBytes)
        if not response.headers.get("content-encoding"):  # else they are no text to look into
            here["iter_raw"] = _RawBytes(self, response, "iter_raw", TappedBytes)
            here["aiter_raw"] = _RawBytes(self, response, "aiter_raw", AsyncTappedBytes)
        here["close"] = _Close(self, response, "close")
        here["aclose"] = _AsyncClose(self, response, "aclose")

    def received(self, data: bytes) -> bytes:
        """Bytes came; returns what of them the caller may see."""
        if not self.first_ns:
            self.first_ns = time.perf_counter_ns()
        if self.delivered != self._delivered_before:  # the client reads on only when it has given everything it had
            self._delivered_before = self.delivered
            self.unread_from = len(self.chunks)
        if self.keep and self.size < _MAX_KEPT:
            self.chunks.append(data)
        self.size += len(data)
        return data if self.filter is None else self.filter.feed(data)

    def last_delivered(self, count: int) -> list[bytes]:
        """The last events, as they came, of those that the caller was given."""
        if not self.watched:  # the caller reads bytes, and has all of them
            return last_events(self.chunks, count)
        return last_delivered(self.chunks, self.unread_from, self.delivered - self._delivered_before, count)

    @property
    def cut(self) -> bool:
        """Whether more came than is kept."""
        return self.keep and self.size > _MAX_KEPT

    def exhausted(self) -> None:
        self.finish("ok", None, complete=True)

    def failed(self, error: BaseException) -> None:
        outcome = outcome_of(error)
        self.finish(
            outcome,
            error if outcome in ("error", "interrupted") else None,
            complete=False,
        )

    def closed(self) -> None:
        """Somebody closes the response. Inside a step that is the client itself: the step will tell."""
        if self.stepping or self._finish is None:
            return
        if self._is_over():
            self.finish("ok", None, complete=True)
            return
        error = sys.exc_info()[1]
        cancelled = error is not None and outcome_of(error) == "cancelled"
        self.finish("cancelled" if cancelled else "abandoned", None, complete=False)

    def dropped(self) -> None:
        if self._finish is not None:
            self.finish("ok" if self._is_over() else "abandoned", None, complete=False)

    def finish(self, outcome: str, error: BaseException | None, *, complete: bool) -> None:
        finish, self._finish = self._finish, None
        if finish is None:
            return
        finish(outcome, error, complete)
        response = self._response()
        if response is not None:
            here = vars(response)
            for name in ("iter_bytes", "aiter_bytes", "iter_raw", "aiter_raw", "close", "aclose"):
                if isinstance(here.get(name), _Shadow):
                    del here[name]

    def __del__(self) -> None:
        with guard(SITE):
            self.dropped()


def tap_of(response: Any) -> Tap | None:
    """The tap on a response, if there is one."""
    shadow = vars(response).get("iter_bytes")
    return shadow.tap if isinstance(shadow, _Shadow) else None


class _Shadow:
    """Stands in for one method of one response, until the call is over.

    Holds the original strongly: a weak reference would be gone when the collector runs the client's own clean-up.
    """

    __slots__ = ("original", "tap")

    def __init__(self, tap: Tap, response: Any, name: str) -> None:
        self.tap = tap
        self.original: Callable[..., Any] = getattr(response, name)  # or another tool's shadow


class _Bytes(_Shadow):
    __slots__ = ("_wrap",)

    def __init__(self, tap: Tap, response: Any, name: str, wrap: Callable[[Any, Tap], Any]) -> None:
        super().__init__(tap, response, name)
        self._wrap = wrap

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._wrap(self.original(*args, **kwargs), self.tap)


class _RawBytes(_Bytes):
    """What the caller reads as it comes over the wire; the response's own decoding does so too."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.original(*args, **kwargs) if self.tap.decoding else super().__call__(*args, **kwargs)


class _Close(_Shadow):
    __slots__ = ()

    def __call__(self) -> Any:
        with guard(SITE):
            self.tap.closed()
        return self.original()


class _AsyncClose(_Shadow):
    __slots__ = ()

    async def __call__(self) -> Any:
        with guard(SITE):
            self.tap.closed()
        return await self.original()
