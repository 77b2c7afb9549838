"""A small client for an invented model service, such as one finds on PyPI: it knows nothing of us."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

__all__ = ["AcmeError", "AcmeTalk", "AsyncAcmeTalk", "Reply"]


class AcmeError(Exception):
    """The service refused.

    Attributes:
        status: the HTTP status.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass
class Reply:
    """What a voice answers; ``counted`` holds the tokens, ``in`` and ``out``."""

    voice: str
    text: str
    why: str
    counted: dict[str, int] = field(default_factory=dict)


class AcmeTalk:
    """The client.

    Args:
        base_url: where the service is.
    """

    def __init__(self, base_url: str = "https://talk.acme.example/v1") -> None:
        self.base_url = base_url
        self._http = httpx2.Client()

    def talk(self, voice: str, turns: list[dict[str, Any]], **options: Any) -> Reply:
        """One answer."""
        return _reply(self._send("talk", {"voice": voice, "turns": turns, **options}))

    def talk_live(self, voice: str, turns: list[dict[str, Any]], **options: Any) -> Iterator[str]:
        """An answer piece by piece."""
        for line in self._send_live("talk", {"voice": voice, "turns": turns, "live": True, **options}):
            if "piece" in line:
                yield line["piece"]

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = self._http.post(f"{self.base_url}/{path}", json=body)
        _check(response.status_code, response.text)
        answer: dict[str, Any] = response.json()
        return answer

    def _send_live(self, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        with self._http.stream("POST", f"{self.base_url}/{path}", json=body) as response:
            if response.status_code >= 400:
                response.read()
                _check(response.status_code, response.text)
            for line in response.iter_lines():
                yield json.loads(line)


class AsyncAcmeTalk:
    """The asynchronous client."""

    def __init__(self, base_url: str = "https://talk.acme.example/v1") -> None:
        self.base_url = base_url
        self._http = httpx2.AsyncClient()

    async def talk(self, voice: str, turns: list[dict[str, Any]], **options: Any) -> Reply:
        """One answer."""
        return _reply(await self._send("talk", {"voice": voice, "turns": turns, **options}))

    async def talk_live(self, voice: str, turns: list[dict[str, Any]], **options: Any) -> AsyncIterator[str]:
        """An answer piece by piece."""
        lines = self._send_live("talk", {"voice": voice, "turns": turns, "live": True, **options})
        try:
            async for line in lines:
                if "piece" in line:
                    yield line["piece"]
        finally:
            await lines.aclose()  # type: ignore[attr-defined]  # an asynchronous generator, declared as an iterator

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _send(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await self._http.post(f"{self.base_url}/{path}", json=body)
        _check(response.status_code, response.text)
        answer: dict[str, Any] = response.json()
        return answer

    async def _send_live(self, path: str, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        async with self._http.stream("POST", f"{self.base_url}/{path}", json=body) as response:
            if response.status_code >= 400:
                await response.aread()
                _check(response.status_code, response.text)
            async for line in response.aiter_lines():
                yield json.loads(line)


def _check(status: int, text: str) -> None:
    if status >= 400:
        raise AcmeError(status, text)


def _reply(answer: dict[str, Any]) -> Reply:
    return Reply(answer["voice"], answer["text"], answer["why"], answer.get("counted") or {})
