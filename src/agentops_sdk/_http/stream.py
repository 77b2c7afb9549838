"""A reply that is still being read: what came, how far the caller got, and how it ended.

Long because one class serves plain and asynchronous replies, and each way to end stands beside the others.

The caller's object stays what it is. Two methods of the HTTP response (``iter_raw``, or ``iter_bytes`` where that
decodes, and ``close``, and their async twins), through which everything reads and closes, are shadowed on that one
instance until the call is over; the iterator inside an SSE stream is watched from outside. Bytes are kept as they
came and looked into on the consumer thread.

A stream ends in one of these ways, whichever is first::

    exhausted            ok, or what the provider's last event says
    raises               error, or cancelled when a cancellation came through
    cut by a limit       error, or cancelled where its caller sees a plain end
    closed by the caller ok if the last event was delivered, else cancelled or abandoned
    collected            abandoned
"""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from functools import partial
from inspect import isgenerator
from typing import Any, Never

from agentops_sdk._capture.call import outcome_of
from agentops_sdk._host.admission import StreamMeter
from agentops_sdk._host.guard import guard
from agentops_sdk._http.endpoint import ByteFilter
from agentops_sdk._http.last_events import last_delivered, last_events

__all__ = ["LiveReply", "ReplyItems", "watch_items"]

_SITE = "http.stream"
_RECEIVED = guard(_SITE)

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
        "_is_over",
        "_response",
        "_shadows",
        "chunks",
        "cut",
        "delivered",
        "first_ns",
        "hide",
        "iterators",
        "keep",
        "meter",
        "on_end",
        "raised",
        "silent",
        "size",
        "stepping",
        "text",
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
        self._is_over = is_over
        self._response: Callable[[], Any] = lambda: None
        self._shadows: dict[str, partial[Any]] = {}
        self.keep = keep
        self.hide = hide
        self.silent = silent
        self.text: Callable[[bytes], bytes] | None = None
        """Bytes of a binary stream to the text that is kept of them; the caller gets the bytes."""
        self.chunks: list[bytes] = []
        self.size = 0
        self.cut = False
        """Whether more came than is kept."""
        self.delivered = 0
        self.raised = False
        """Whether the client raised over an event, which it had read by then, and gave to nobody."""
        self.unread_from = 0
        self._delivered_before = 0
        self.first_ns = 0
        self.stepping = False
        self.watched = False
        self.iterators = 0
        """How many iterators have been made of its items."""
        self.meter: StreamMeter | None = None
        """What limits want to know; ``None`` where none ends the stream."""
        self.on_end: Callable[[str, BaseException | None, bool], None] | None = finish
        """``None`` once it has ended. Last: without it nothing has begun, and there is nothing to end."""

    def attach(self, response: Any) -> None:
        """Shadow the response's methods until the call is over."""
        self._response = weakref.ref(response)
        here = vars(response)
        # Everything reads what comes over the wire; where that is encoded, it is no text to look into.
        read = "iter_bytes" if response.headers.get("content-encoding") else "iter_raw"
        for prefix, method, close in (("__iter__", "", _close), ("__aiter__", "a", _close_async)):
            if hasattr(response.stream, prefix):
                for name, shadow in ((f"{method}{read}", _read), (f"{method}close", close)):
                    # The original may be another tool's shadow.
                    here[name] = self._shadows[name] = partial(shadow, self, getattr(response, name))

    def received(self, data: bytes) -> bytes:
        """Bytes came; returns what of them the caller may see."""
        if not self.first_ns:
            self.first_ns = time.perf_counter_ns()
        if self.delivered != self._delivered_before:  # the client reads on only when it has given everything it had
            self._delivered_before = self.delivered
            self.unread_from = len(self.chunks)
        if self.meter is not None:
            self.meter.feed(data)
        if self.keep:
            if self.size < _MAX_KEPT:
                self.chunks.append(data if self.text is None else self.text(data))
            else:
                self.cut = True
        self.size += len(data)
        return data if self.hide is None else self.hide.feed(data)

    def last_delivered(self, count: int) -> list[bytes]:
        """The last events, as they came, of those that the caller was given."""
        if not self.watched:  # the caller reads bytes, and has all of them
            return last_events(self.chunks, count)
        return last_delivered(
            self.chunks, self.unread_from, self.delivered - self._delivered_before, count, self.silent
        )

    def failed(self, error: BaseException) -> None:
        outcome = outcome_of(error)
        self.raised = outcome == "error"
        self.finish(
            outcome,
            error if outcome in ("error", "interrupted") else None,
            complete=False,
        )

    @property
    def is_passed(self) -> bool:
        """Whether a limit ends the stream here."""
        return self.meter is not None and self.meter.charge is not None and self.on_end is not None

    def cut_off(self) -> Exception | None:
        """A limit ends the stream: recorded, and what its caller gets to see; ``None`` for a plain end."""
        error: Exception | None = None
        with guard(_SITE):
            assert self.meter is not None
            error = self.meter.cut()
        with guard(_SITE):
            self.finish("cancelled" if error is None else "error", error, complete=False)
        self.meter = None
        return error

    def response(self) -> Any:
        """The response that is read, where there is one."""
        return self._response()

    def closed(self) -> None:
        """Somebody closes the response. Inside a step that is the client itself: the step will tell."""
        if self.stepping or self.on_end is None:
            return
        if self._is_over():
            self.finish("ok", None, complete=True)
            return
        error = sys.exc_info()[1]
        cancelled = error is not None and outcome_of(error) == "cancelled"
        self.finish("cancelled" if cancelled else "abandoned", None, complete=False)

    def dropped(self) -> None:
        if self.on_end is not None:
            self.finish("ok" if self._is_over() else "abandoned", None, complete=False)

    def finish(self, outcome: str, error: BaseException | None, *, complete: bool) -> None:
        on_end, self.on_end = self.on_end, None
        if on_end is None:
            return
        on_end(outcome, error, complete)
        response = self._response()
        if response is not None:
            here = vars(response)
            for name, shadow in self._shadows.items():
                if here.get(name) is shadow:
                    del here[name]
        self._shadows.clear()

    def __del__(self) -> None:
        if getattr(self, "on_end", None) is not None:
            with guard(_SITE):
                self.dropped()


def watch_items(items: Any, response: Any) -> Any:
    """The iterator over a response's events, watched where the response is: what the caller was given counts."""
    with guard(_SITE):
        own = vars(response)
        shadow = own.get("close") or own.get("aclose")
        if type(shadow) is partial and shadow.func in (_close, _close_async):
            live: LiveReply = shadow.args[0]
            live.watched = True
            hold = _Hold(live)
            return _watched(hold, items, live) if isgenerator(items) else ReplyItems(items, live, hold)
    return items


# --- what stands in for a method of one response, as a partial, until the call is over -------------
# It holds the original strongly: a weak reference would be gone when the collector runs the client's own clean-up.


def _read(live: LiveReply, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    pieces = original(*args, **kwargs)
    return _received(pieces, live) if live.watched and isgenerator(pieces) else ReplyBytes(pieces, live)


def _close(live: LiveReply, original: Callable[[], Any]) -> Any:
    if not live.stepping:
        with guard(_SITE):
            live.closed()
    return original()


async def _close_async(live: LiveReply, original: Callable[[], Any]) -> Any:
    if not live.stepping:
        with guard(_SITE):
            live.closed()
    return await original()


# --- of a client's own generators, generators: a step of one costs least ---------------------------


class _Hold:
    """What an iterator of a stream's items holds until it is over or gone, begun or not.

    Of several over one response the last is read: the helper of Anthropic 0.40 makes a stream, takes its response for
    one of its own, and leaves the first to the collector, which comes while the other is read.
    """

    __slots__ = ("_live", "_number")

    def __init__(self, live: LiveReply) -> None:
        self._live = live
        live.iterators += 1
        self._number = live.iterators

    def __del__(self) -> None:
        live = self._live
        if live.on_end is not None and self._number == live.iterators:
            with guard(_SITE):
                live.dropped()


def _watched(_hold: _Hold, items: Generator[Any, Any, Any], live: LiveReply) -> Iterator[Any]:
    """The items of a stream of events, counted; it knows what the caller sees of its end."""
    is_limited = live.meter is not None
    while True:
        live.stepping = True
        try:
            item = next(items)
        except StopIteration:
            _ended(live, None)
            return
        except BaseException as error:
            _ended(live, error)
            raise
        live.stepping = False
        live.delivered += 1
        yield item
        if is_limited and live.is_passed:
            if reason := _cut(live):
                raise reason
            return


def _received(pieces: Iterable[Any], live: LiveReply) -> Iterator[bytes]:
    """A response's bytes, under a stream of events that is watched: its end is that stream's to tell."""
    for data in pieces:
        passed = data
        # Every piece passes here: a "with" that nothing is raised in would take its time.
        try:
            passed = live.received(data)
        except BaseException as error:
            if not _RECEIVED.takes(error):
                raise
        if passed:
            yield passed
    rest = b""
    with guard(_SITE):
        rest = live.hide.flush() if live.hide is not None else b""
    if rest:
        yield rest


def _cut(live: LiveReply) -> Exception | None:
    """End here because of a limit: the vendor is left as the caller would leave it."""
    response = live.response()
    error = live.cut_off()
    with guard(_SITE):
        response.close()
    return error


def _ended(live: LiveReply, error: BaseException | None) -> None:
    live.stepping = False
    with guard(_SITE):
        if error is None:
            live.finish("ok", None, complete=True)
        else:
            live.failed(error)


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

    def _cut(self, end: type[Exception]) -> Never:
        raise _cut(self._live) or end

    async def _cut_async(self, end: type[Exception]) -> Never:
        live = self._live
        response = live.response()
        error = live.cut_off()
        with guard(_SITE):
            await response.aclose()
        raise error or end


class ReplyBytes(_PassingOn):
    """Of a response's bytes; ends the call only where no stream on top does."""

    __slots__ = ()

    def __next__(self) -> bytes:
        live = self._live
        if live.meter is not None and not live.watched and live.is_passed:
            self._cut(StopIteration)
        while True:
            if not live.watched:
                live.stepping = True
            try:
                data: bytes = self._inner.__next__()
            except StopIteration:
                if rest := self._end():
                    return rest
                raise
            except BaseException as error:
                self._failed(error)
                raise
            if not live.watched:
                live.stepping = False
            passed = data
            # Every piece passes here: a "with" that nothing is raised in would take its time.
            try:
                passed = live.received(data)
            except BaseException as error:
                if not _RECEIVED.takes(error):
                    raise
            if passed:
                return passed

    async def __anext__(self) -> bytes:
        live = self._live
        if live.meter is not None and not live.watched and live.is_passed:
            await self._cut_async(StopAsyncIteration)
        while True:
            if not live.watched:
                live.stepping = True
            try:
                data: bytes = await self._inner.__anext__()
            except StopAsyncIteration:
                if rest := self._end():
                    return rest
                raise
            except BaseException as error:
                self._failed(error)
                raise
            if not live.watched:
                live.stepping = False
            passed = data
            # Every piece passes here: a "with" that nothing is raised in would take its time.
            try:
                passed = live.received(data)
            except BaseException as error:
                if not _RECEIVED.takes(error):
                    raise
            if passed:
                return passed

    def _end(self) -> bytes:
        live, rest = self._live, b""
        with guard(_SITE):
            rest = live.hide.flush() if live.hide is not None else b""
            if not rest and not live.watched:
                live.stepping = False
                live.finish("ok", None, complete=True)
        return rest

    def _failed(self, error: BaseException) -> None:
        with guard(_SITE):
            if not self._live.watched:
                self._live.stepping = False
                self._live.failed(error)


class ReplyItems(_PassingOn):
    """The items of a stream of events, counted; it knows what the caller sees of its end."""

    __slots__ = ("_hold",)

    def __init__(self, inner: Any, live: LiveReply, hold: _Hold) -> None:
        super().__init__(inner, live)
        self._hold = hold

    def __next__(self) -> Any:
        live = self._live
        if live.meter is not None and live.is_passed:
            return self._cut(StopIteration)
        live.stepping = True
        try:
            item = self._inner.__next__()
        except StopIteration:
            _ended(live, None)
            raise
        except BaseException as error:
            _ended(live, error)
            raise
        live.stepping = False
        live.delivered += 1
        return item

    async def __anext__(self) -> Any:
        live = self._live
        if live.meter is not None and live.is_passed:
            return await self._cut_async(StopAsyncIteration)
        live.stepping = True
        try:
            item = await self._inner.__anext__()
        except StopAsyncIteration:
            _ended(live, None)
            raise
        except BaseException as error:
            _ended(live, error)
            raise
        live.stepping = False
        live.delivered += 1
        return item
