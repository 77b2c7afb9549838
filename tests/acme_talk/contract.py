"""How the contract's tests drive the client of examples/own_integration."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request

COUNTED = {"in": 3, "out": 4}
LINES: list[dict[str, Any]] = [
    {"voice": "aria-1"},
    {"piece": "Hi "},
    {"piece": "there."},
    {"why": "done", "counted": COUNTED},
]


class AcmeTalkDriver(Driver):
    span = "chat aria"
    packages = ("acme_talk",)

    def answer(self, request: Request) -> Reply:
        if request.body.get("live"):
            return Reply(stream=[f"{json.dumps(line)}\n" for line in LINES], content_type="application/jsonl")
        return Reply({"voice": "aria-1", "text": "Hi there.", "why": "done", "counted": COUNTED})

    def client(self, url: str) -> Any:
        import acme_talk

        return acme_talk.AcmeTalk(url)

    def async_client(self, url: str) -> Any:
        import acme_talk

        return acme_talk.AsyncAcmeTalk(url)

    def arguments(self) -> dict[str, Any]:
        return {"voice": "aria", "turns": [{"who": "me", "says": "Hello?"}], "longest": 50}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.talk(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.talk(**arguments)

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        with closing(client.talk_live(**arguments)) as pieces:
            yield pieces

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        pieces = client.talk_live(**arguments)
        try:
            yield pieces
        finally:
            await pieces.aclose()


driver = AcmeTalkDriver()
