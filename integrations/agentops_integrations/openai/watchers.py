"""Iterators that pass a response's items on untouched and tell its tap what happens to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.integration import guard

if TYPE_CHECKING:
    from agentops_integrations.openai.tap import Tap

SITE = "openai.stream"


class _Watcher:
    """An iterator that passes another one's items on and tells the tap what happens."""

    __slots__ = ("_inner", "_tap")

    def __init__(self, inner: Any, tap: Tap) -> None:
        self._inner = inner
        self._tap = tap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __iter__(self) -> Any:
        return self

    def __aiter__(self) -> Any:
        return self


class TappedBytes(_Watcher):
    """Of a response's bytes; ends the call only where no stream on top does."""

    __slots__ = ()

    def __next__(self) -> bytes:
        tap = self._tap
        while True:
            if not tap.watched:
                tap.stepping = True
            tap.decoding = True
            try:
                data: bytes = self._inner.__next__()
            except StopIteration:
                if rest := self._end():
                    return rest
                raise
            except BaseException as error:
                self._failed(error)
                raise
            if passed := self._passed(data):
                return passed

    def _passed(self, data: bytes) -> bytes:
        tap = self._tap
        tap.decoding = False
        if not tap.watched:
            tap.stepping = False
        with guard(SITE):
            return tap.received(data)
        return data

    def _end(self) -> bytes:
        tap, rest = self._tap, b""
        with guard(SITE):
            rest = tap.filter.flush() if tap.filter is not None else b""
            if not rest and not tap.watched:
                tap.stepping = False
                tap.exhausted()
        return rest

    def _failed(self, error: BaseException) -> None:
        with guard(SITE):
            if not self._tap.watched:
                self._tap.stepping = False
                self._tap.failed(error)


class AsyncTappedBytes(TappedBytes):
    """The same, asynchronous."""

    __slots__ = ()

    async def __anext__(self) -> bytes:
        tap = self._tap
        while True:
            if not tap.watched:
                tap.stepping = True
            tap.decoding = True
            try:
                data: bytes = await self._inner.__anext__()
            except StopAsyncIteration:
                if rest := self._end():
                    return rest
                raise
            except BaseException as error:
                self._failed(error)
                raise
            if passed := self._passed(data):
                return passed


class Watched(_Watcher):
    """The items of an SSE stream, counted; it knows what the caller sees of its end."""

    __slots__ = ()

    def __init__(self, inner: Any, tap: Tap) -> None:
        super().__init__(inner, tap)
        tap.watched = True

    def __next__(self) -> Any:
        tap = self._tap
        tap.stepping = True
        try:
            item = self._inner.__next__()
        except StopIteration:
            self._ended(None)
            raise
        except BaseException as error:
            self._ended(error)
            raise
        tap.stepping = False
        tap.delivered += 1
        return item

    def _ended(self, error: BaseException | None) -> None:
        tap = self._tap
        tap.stepping = False
        with guard(SITE):
            if error is None:
                tap.exhausted()
            else:
                tap.failed(error)

    def __del__(self) -> None:
        with guard(SITE):
            self._tap.dropped()


class AsyncWatched(Watched):
    """The same, asynchronous."""

    __slots__ = ()

    async def __anext__(self) -> Any:
        tap = self._tap
        tap.stepping = True
        try:
            item = await self._inner.__anext__()
        except StopAsyncIteration:
            self._ended(None)
            raise
        except BaseException as error:
            self._ended(error)
            raise
        tap.stepping = False
        tap.delivered += 1
        return item
