"""How the contract's tests drive mem0: a search by the clients of its service.

Memories that run in the process are in ``test_memories.py``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.wire.http import Reply, Request

os.environ["MEM0_TELEMETRY"] = "False"
os.environ.setdefault("MEM0_DIR", tempfile.mkdtemp(prefix="mem0-"))


class Mem0Driver(Driver):
    span = "search_memory"
    packages = ("mem0.memory.main", "mem0.client.main")
    modules = ("mem0.memory.main", "mem0.client.main")
    needs = ("httpx",)
    lacks = {"stream": "a memory has no streams", "stream_async": "a memory has no streams"}
    optional = {"*": "a search passes nothing else"}

    def answer(self, request: Request) -> Reply:
        return Reply({"results": [{"id": "a", "memory": "likes tea", "score": 0.5}]})

    @contextmanager
    def client(self, url: str) -> Iterator[Any]:
        from mem0 import MemoryClient

        class Offline(MemoryClient):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
            def _validate_api_key(self) -> None:
                """Each client would begin with a request of its own."""
                self.org_id = self.project_id = "tests"

        client = Offline(api_key="none", host=url)
        with client.client:
            yield client

    @asynccontextmanager
    async def async_client(self, url: str) -> AsyncIterator[Any]:
        from mem0 import AsyncMemoryClient

        class Offline(AsyncMemoryClient):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
            def _validate_api_key(self) -> None:
                """Each client would begin with a request of its own."""
                self.org_id = self.project_id = "tests"

        client = Offline(api_key="none", host=url)
        async with client.async_client:
            yield client

    def arguments(self) -> dict[str, Any]:
        return {"query": "tea?", "filters": {"user_id": "ann"}}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.search(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.search(**arguments)


driver = Mem0Driver()
