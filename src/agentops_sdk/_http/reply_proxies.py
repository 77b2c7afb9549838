"""What stands in for a stream, or for a context manager that opens one, where no method of it can be looked into.

Both are the client's object for whoever asks: its type for ``isinstance``, its attributes, its context manager.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

import wrapt
from opentelemetry.context import attach

from agentops_sdk._host.guard import guard
from agentops_sdk._http.exchange import Exchange
from agentops_sdk._http.reply_steps import ReplySteps
from agentops_sdk._propagation.context_keys import release

__all__ = ["FileProxy", "ManagerProxy", "StreamProxy"]

_SITE = "http.file"


def _nothing() -> None: ...


class FileProxy(wrapt.ObjectProxy):  # type: ignore[type-arg] # generic for type checkers only
    """A body that the caller reads like a file. Read to its end it is the reply; left before, abandoned."""

    def __init__(self, file: Any, exchange: Exchange) -> None:
        super().__init__(file)
        self._self_exchange = exchange
        self._self_chunks: list[bytes] = []

    def read(self, *args: Any, **kwargs: Any) -> Any:
        try:
            data = self.__wrapped__.read(*args, **kwargs)
        except BaseException as error:
            self._self_exchange.fail(error)
            raise
        size = args[0] if args else kwargs.get("amt")
        return self._awaited(data, size) if isawaitable(data) else self._read(data, size)

    async def _awaited(self, reading: Any, size: int | None) -> Any:
        try:
            data = await reading
        except BaseException as error:
            self._self_exchange.fail(error)
            raise
        return self._read(data, size)

    def _read(self, data: Any, size: int | None) -> Any:
        with guard(_SITE):
            self._came(data, whole=size is None or size < 0 or (size > 0 and not data))
        return data

    def readinto(self, buffer: Any) -> Any:
        try:
            count = self.__wrapped__.readinto(buffer)
        except BaseException as error:
            self._self_exchange.fail(error)
            raise
        with guard(_SITE):
            self._came(bytes(memoryview(buffer)[:count]), whole=not count and len(buffer) > 0)
        return count

    def close(self) -> Any:
        self._left()
        return self.__wrapped__.close()

    def _came(self, data: bytes, *, whole: bool) -> None:
        self._self_chunks.append(data)
        if whole:
            exchange = self._self_exchange
            exchange.answered(b"".join(self._self_chunks))
            exchange.accept(None)

    def _left(self) -> None:
        with guard(_SITE):
            self._self_exchange.finish("abandoned")

    def __del__(self) -> None:
        self._left()


class StreamProxy(wrapt.ObjectProxy):  # type: ignore[type-arg] # generic for type checkers only
    """A stream of the client's: an iterator, or something to iterate over."""

    def __init__(self, stream: Any, steps: ReplySteps) -> None:
        super().__init__(stream)
        self._self_steps = steps

    def __iter__(self) -> Any:
        items = iter(self.__wrapped__)
        return self if items is self.__wrapped__ else StreamProxy(items, self._self_steps)

    def __aiter__(self) -> Any:
        items = aiter(self.__wrapped__)
        return self if items is self.__wrapped__ else StreamProxy(items, self._self_steps)

    def __next__(self) -> Any:
        steps = self._self_steps
        if steps.stops:
            error = steps.cut_off()
            with guard(_SITE):
                getattr(self.__wrapped__, "close", _nothing)()
            raise error or StopIteration
        token = _enter(steps)
        try:
            item = self.__wrapped__.__next__()
        except StopIteration as stop:
            _leave(token)
            steps.end(stop.value)
            raise
        except BaseException as error:
            _leave(token)
            steps.fail(error)
            raise
        _leave(token)
        steps.item(item)
        return item

    async def __anext__(self) -> Any:
        steps = self._self_steps
        if steps.stops:
            error = steps.cut_off()
            with guard(_SITE):
                if hasattr(self.__wrapped__, "aclose"):
                    await self.__wrapped__.aclose()
            raise error or StopAsyncIteration
        token = _enter(steps)
        try:
            item = await self.__wrapped__.__anext__()
        except StopAsyncIteration:
            _leave(token)
            steps.end(None)
            raise
        except BaseException as error:
            _leave(token)
            steps.fail(error)
            raise
        _leave(token)
        steps.item(item)
        return item

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        if name not in ("close", "aclose"):
            return value

        def close(*args: Any, **kwargs: Any) -> Any:
            self._self_steps.abandon()
            return value(*args, **kwargs)

        return close

    def __enter__(self) -> Any:
        entered = self.__wrapped__.__enter__()
        return self if entered is self.__wrapped__ else entered

    def __exit__(self, *details: object) -> Any:
        self._self_steps.abandon()
        return self.__wrapped__.__exit__(*details)

    async def __aenter__(self) -> Any:
        entered = await self.__wrapped__.__aenter__()
        return self if entered is self.__wrapped__ else entered

    async def __aexit__(self, *details: object) -> Any:
        self._self_steps.abandon()
        return await self.__wrapped__.__aexit__(*details)


class ManagerProxy(wrapt.ObjectProxy):  # type: ignore[type-arg] # generic for type checkers only
    """A context manager that sends the request and gives its response.

    Args:
        manager: the client's.
        enter: ``enter(function, args, kwargs)`` calls the function with the exchange around it.
        enter_async: the same for a coroutine function.
    """

    def __init__(self, manager: Any, enter: Callable[..., Any], enter_async: Callable[..., Any]) -> None:
        super().__init__(manager)
        self._self_enter = enter
        self._self_enter_async = enter_async

    def __enter__(self) -> Any:
        return self._self_enter(self.__wrapped__.__enter__, (), {})

    def __exit__(self, *details: object) -> Any:
        return self.__wrapped__.__exit__(*details)

    async def __aenter__(self) -> Any:
        return await self._self_enter_async(self.__wrapped__.__aenter__, (), {})

    async def __aexit__(self, *details: object) -> Any:
        return await self.__wrapped__.__aexit__(*details)


def _enter(steps: ReplySteps) -> Any:
    return attach(steps.context) if steps.context is not None else None


def _leave(token: Any) -> None:
    if token is not None:
        release(token)
