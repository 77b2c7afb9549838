"""Knows when the reader of a chain's stream walks away: LangChain then reports an end like any other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Patches, release


class _Reader:
    """Whoever takes the items of one stream."""

    __slots__ = ("gone",)

    def __init__(self) -> None:
        self.gone = False


_reader: ContextVar[_Reader | None] = ContextVar("agentops-langchain-reader", default=None)
"""The reader of the innermost stream that makes a step here."""


def install(patches: Patches) -> None:
    patches.when_imported("langchain_core.runnables.base", lambda module: _streams(patches, module))


def _streams(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module.Runnable, "_transform_stream_with_config", _watch)
    patches.wrap(module.Runnable, "_atransform_stream_with_config", _watch_async)


def abandoned() -> bool:
    """Whether the stream whose end is being reported was left by its reader before it was over."""
    reader = _reader.get()
    return reader is not None and reader.gone


def _watch(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _watched(wrapped(*args, **kwargs))


def _watch_async(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _AsyncWatched(wrapped(*args, **kwargs))


def _watched(items: Any) -> Iterator[Any]:
    """The same items. The reader is known inside of each step, never across a ``yield``."""
    reader = _Reader()
    while True:
        token = _reader.set(reader)
        try:
            item = next(items)
        except StopIteration:
            return
        finally:
            release(token)
        try:
            yield item
        except GeneratorExit:
            reader.gone = True
            token = _reader.set(reader)
            try:
                items.close()
            finally:
                release(token)
            raise


class _AsyncWatched:
    """The same, asynchronously. No generator: the event loop would close it and the one inside of it at once."""

    __slots__ = ("_items", "_reader")

    def __init__(self, items: Any) -> None:
        self._items = items
        self._reader = _Reader()

    def __aiter__(self) -> _AsyncWatched:
        return self

    async def __anext__(self) -> Any:
        token = _reader.set(self._reader)
        try:
            return await anext(self._items)
        except BaseException:
            self._items = _EMPTY  # over, one way or the other
            raise
        finally:
            release(token)

    async def aclose(self) -> None:
        items, self._items = self._items, _EMPTY
        if items is not _EMPTY:
            self._reader.gone = True
            token = _reader.set(self._reader)
            try:
                await items.aclose()
            finally:
                release(token)

    def __del__(self) -> None:
        if self._items is _EMPTY:
            return
        self._reader.gone = True
        token = _reader.set(self._reader)
        # The event loop closes what is dropped here later, in a copy of the context as it is now.
        self._items = _EMPTY
        release(token)


async def _nothing() -> AsyncIterator[Any]:
    return
    yield


_EMPTY: Any = _nothing()
