"""A reply that is still being read: what came, how far the caller got, and how it ended.

Long because one class serves plain and asynchronous replies, and each way to end stands beside the others.

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
from collections.abc import Callable, Collection
from typing import Any

from agentops_sdk._capture.call import outcome_of
from agentops_sdk._host.guard import guard
from agentops_sdk._http.endpoint import ByteFilter
from agentops_sdk._http.last_events import last_delivered, last_events

__all__ = ["LiveReply", "ReplyItems", "live_reply_of", "watch_items"]

_SITE = "http.stream"

_MAX_KEPT = 64 * 1024 * 1024


class LiveReply:
    """The state of one response that is still being read.

    Args:
        finish: called once, with the outcome, the error, and whether everything was read.
        is_over: whether what the caller was given includes the end of the answer.
        keep: whether the bytes are wanted.
        hide: takes out of the stream what its caller did not ask for.
        silent: types of events that the client keeps to itself.
    """

    __slots__ = (
        "__weakref__",
        "_delivered_before",
        "_finish",
        "_is_over",
        "_response",
        "chunks",
        "decoding",
        "delivered",
        "first_ns",
        "hide",
        "keep",
        "silent",
        "size",
        "stepping",
        "unread_from",
        "watched",
    )

    def __init__(
        self,
        finish: Callable[[str, BaseException | None, bool], None],
        is_over: Callable[[], bool],
        *,
        keep: bool,
        hide: ByteFilter | None = None,
        silent: Collection[str] = (),
    ) -> None:
        self._finish: Callable[[str, BaseException | None, bool], None] | None = finish
        self._is_over = is_over
        self._response: Callable[[], Any] = lambda: None
        self.keep = keep
        self.hide = hide
        self.silent = silent
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
        encoded = bool(response.headers.get("content-encoding"))  # raw bytes are then no text to look into
        for prefix, method, close in (("__iter__", "", _Close), ("__aiter__", "a", _AsyncClose)):
            if not hasattr(response.stream, prefix):
                continue
            here[f"{method}iter_bytes"] = _Bytes(self, response, f"{method}iter_bytes")
            if not encoded:
                here[f"{method}iter_raw"] = _RawBytes(self, response, f"{method}iter_raw")
            here[f"{method}close"] = close(self, response, f"{method}close")

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
        return data if self.hide is None else self.hide.feed(data)

    def last_delivered(self, count: int) -> list[bytes]:
        """The last events, as they came, of those that the caller was given."""
        if not self.watched:  # the caller reads bytes, and has all of them
            return last_events(self.chunks, count)
        return last_delivered(
            self.chunks, self.unread_from, self.delivered - self._delivered_before, count, self.silent
        )

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
        with guard(_SITE):
            self.dropped()


def live_reply_of(response: Any) -> LiveReply | None:
    """The live reply of a response, if there is one."""
    own = vars(response)
    shadow = own.get("iter_bytes") or own.get("aiter_bytes")
    return shadow.live if isinstance(shadow, _Shadow) else None


def watch_items(items: Any, response: Any) -> Any:
    """The iterator over a response's events, watched where the response is: what the caller was given counts."""
    with guard(_SITE):
        live = live_reply_of(response)
        if live is not None:
            return ReplyItems(items, live)
    return items


class _Shadow:
    """Stands in for one method of one response, until the call is over.

    Holds the original strongly: a weak reference would be gone when the collector runs the client's own clean-up.
    """

    __slots__ = ("live", "original")

    def __init__(self, live: LiveReply, response: Any, name: str) -> None:
        self.live = live
        self.original: Callable[..., Any] = getattr(response, name)  # or another tool's shadow


class _Bytes(_Shadow):
    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return ReplyBytes(self.original(*args, **kwargs), self.live)


class _RawBytes(_Bytes):
    """What the caller reads as it comes over the wire; the response's own decoding does so too."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.original(*args, **kwargs) if self.live.decoding else super().__call__(*args, **kwargs)


class _Close(_Shadow):
    __slots__ = ()

    def __call__(self) -> Any:
        with guard(_SITE):
            self.live.closed()
        return self.original()


class _AsyncClose(_Shadow):
    __slots__ = ()

    async def __call__(self) -> Any:
        with guard(_SITE):
            self.live.closed()
        return await self.original()


# --- iterators that pass everything on untouched; one class each for both kinds of loop -----------


class _PassingOn:
    """An iterator that passes another one's items on and tells the live reply what happens."""

    __slots__ = ("_inner", "_live")

    def __init__(self, inner: Any, live: LiveReply) -> None:
        self._inner = inner
        self._live = live

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __iter__(self) -> Any:
        return self

    def __aiter__(self) -> Any:
        return self


class ReplyBytes(_PassingOn):
    """Of a response's bytes; ends the call only where no stream on top does."""

    __slots__ = ()

    def __next__(self) -> bytes:
        live = self._live
        while True:
            if not live.watched:
                live.stepping = True
            live.decoding = True
            try:
                data: bytes = self._inner.__next__()
            except StopIteration:
                if rest := self._end():
                    return rest
                raise
            except BaseException as error:
                self._failed(error)
                raise
            live.decoding = False
            if not live.watched:
                live.stepping = False
            passed = data
            with guard(_SITE):
                passed = live.received(data)
            if passed:
                return passed

    async def __anext__(self) -> bytes:
        live = self._live
        while True:
            if not live.watched:
                live.stepping = True
            live.decoding = True
            try:
                data: bytes = await self._inner.__anext__()
            except StopAsyncIteration:
                if rest := self._end():
                    return rest
                raise
            except BaseException as error:
                self._failed(error)
                raise
            live.decoding = False
            if not live.watched:
                live.stepping = False
            passed = data
            with guard(_SITE):
                passed = live.received(data)
            if passed:
                return passed

    def _end(self) -> bytes:
        live, rest = self._live, b""
        with guard(_SITE):
            rest = live.hide.flush() if live.hide is not None else b""
            if not rest and not live.watched:
                live.stepping = False
                live.exhausted()
        return rest

    def _failed(self, error: BaseException) -> None:
        with guard(_SITE):
            if not self._live.watched:
                self._live.stepping = False
                self._live.failed(error)


class ReplyItems(_PassingOn):
    """The items of a stream of events, counted; it knows what the caller sees of its end."""

    __slots__ = ()

    def __init__(self, inner: Any, live: LiveReply) -> None:
        super().__init__(inner, live)
        live.watched = True

    def __next__(self) -> Any:
        live = self._live
        live.stepping = True
        try:
            item = self._inner.__next__()
        except StopIteration:
            self._ended(None)
            raise
        except BaseException as error:
            self._ended(error)
            raise
        live.stepping = False
        live.delivered += 1
        return item

    async def __anext__(self) -> Any:
        live = self._live
        live.stepping = True
        try:
            item = await self._inner.__anext__()
        except StopAsyncIteration:
            self._ended(None)
            raise
        except BaseException as error:
            self._ended(error)
            raise
        live.stepping = False
        live.delivered += 1
        return item

    def _ended(self, error: BaseException | None) -> None:
        live = self._live
        live.stepping = False
        with guard(_SITE):
            if error is None:
                live.exhausted()
            else:
                live.failed(error)

    def __del__(self) -> None:
        with guard(_SITE):
            self._live.dropped()
