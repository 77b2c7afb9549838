"""A vendor's client, small and whole, with a method of each kind that clients have; it sends real requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

import httpx


class AcmeError(Exception):
    """What the server refused."""


class Reply:
    def __init__(self, text: str) -> None:
        self.text = text


def _checked(response: httpx.Response) -> httpx.Response:
    if response.status_code >= 400:
        raise AcmeError(response.status_code)
    return response


def _item(line: str) -> Reply | None:
    text = line.removeprefix("data: ")
    if not line or text == "[DONE]":
        return None
    if text.startswith('{"error"'):
        raise AcmeError(text)
    return Reply(text)


def _items(response: httpx.Response) -> Iterator[Reply]:
    return (item for line in response.iter_lines() if (item := _item(line)))


class Client:
    def __init__(self, url: str, timeout: float = 10) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=timeout)

    def send(self, path: str, body: Any) -> Reply:
        """A value."""
        return Reply(_checked(self.http.post(path, json=body)).text)

    def generate(self, path: str, body: Any) -> Iterator[Reply]:
        """A generator function: the request leaves with the first step."""
        with self.http.stream("POST", path, json=body) as response:
            yield from _items(_checked(response))

    def ask(self, path: str, body: Any, *, stream: bool = False) -> Reply | Iterator[Reply]:
        """A value, or a generator of its own."""

        def items() -> Iterator[Reply]:
            with self.http.stream("POST", path, json=body) as response:
                yield from _items(_checked(response))

        return items() if stream else Reply(_checked(self.http.post(path, json=body)).text)

    def stream(self, path: str, body: Any) -> Items:
        """An object to iterate over, with more to it than that."""
        return _opened(self, path, body)

    def hold(self, path: str, body: Any) -> dict[str, Any]:
        """A mapping that holds its stream."""
        return {"status": 200, "stream": Events(_opened(self, path, body))}

    def exchange(self, path: str, body: Any, *, stream: bool = False) -> httpx.Response:
        """An HTTP response, whatever its status."""
        return self.http.send(self.http.build_request("POST", path, json=body), stream=stream)

    @contextmanager
    def open(self, path: str, body: Any) -> Iterator[httpx.Response]:
        """A context manager that opens an HTTP response."""
        with self.http.stream("POST", path, json=body) as response:
            yield response


def _opened(client: Client, path: str, body: Any) -> Items:
    return Items(_checked(client.http.send(client.http.build_request("POST", path, json=body), stream=True)))


class Items:
    """An iterator with attributes, that is its own context manager."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.note = ""
        self._lines = response.iter_lines()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Reply:
        while True:
            if item := _item(next(self._lines)):
                return item

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        self.response.close()


class Events:
    """Something to iterate over, which is no iterator."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Reply]:
        yield from self._items

    def close(self) -> None:
        self._items.close()


class AsyncClient:
    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.AsyncClient(base_url=url)

    async def send(self, path: str, body: Any) -> Reply:
        """A coroutine of a value."""
        return Reply(_checked(await self.http.post(path, json=body)).text)

    async def generate(self, path: str, body: Any) -> AsyncIterator[Reply]:
        """An asynchronous generator function."""
        async with self.http.stream("POST", path, json=body) as response:
            async for line in _checked(response).aiter_lines():
                if item := _item(line):
                    yield item

    async def ask(self, path: str, body: Any) -> AsyncIterator[Reply]:
        """A coroutine of a generator, and the request leaves before that is given."""
        request = self.http.build_request("POST", path, json=body)
        response = _checked(await self.http.send(request, stream=True))

        async def items() -> AsyncIterator[Reply]:
            try:
                async for line in response.aiter_lines():
                    if item := _item(line):
                        yield item
            finally:
                await response.aclose()

        return items()

    def later(self, path: str, body: Any) -> Coroutine[Any, Any, Reply]:
        """A plain function that returns a coroutine."""

        async def answer() -> Reply:
            return Reply(_checked(await self.http.post(path, json=body)).text)

        return answer()

    async def stream(self, path: str, body: Any) -> AsyncItems:
        """A coroutine of an object to iterate over."""
        request = self.http.build_request("POST", path, json=body)
        return AsyncItems(_checked(await self.http.send(request, stream=True)))

    async def exchange(self, path: str, body: Any, *, stream: bool = False) -> httpx.Response:
        """A coroutine of an HTTP response."""
        return await self.http.send(self.http.build_request("POST", path, json=body), stream=stream)

    @asynccontextmanager
    async def open(self, path: str, body: Any) -> AsyncIterator[httpx.Response]:
        """An asynchronous context manager that opens an HTTP response."""
        async with self.http.stream("POST", path, json=body) as response:
            yield response


class AsyncItems:
    """An asynchronous iterator that is its own context manager."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Reply:
        while True:
            if item := _item(await anext(self._lines)):
                return item

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self.response.aclose()


def send(url: str, body: Any) -> Reply:
    """A function of the module."""
    return Reply(_checked(httpx.post(url, json=body)).text)
