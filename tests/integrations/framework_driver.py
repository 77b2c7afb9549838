"""How the contract's tests drive a framework: a run of its own around one request that nobody else records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any

from tests.openai.contract import ChatDriver


class FrameworkDriver(ChatDriver):
    """Agents and tools are in the framework's own tests: here is one run of each kind of life."""

    optional = {"*.__init__": "there is no class without one"}

    def run(self) -> AbstractContextManager[Any]:
        """A run of the framework that leaves :attr:`span`; what the block raises is the run's error."""
        raise NotImplementedError

    def client(self, url: str) -> Any:
        import httpx2

        return httpx2.Client(base_url=url, verify=False)  # no certificates to load: ten times faster

    def async_client(self, url: str) -> Any:
        import httpx2

        return httpx2.AsyncClient(base_url=url, verify=False)

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        with self.run():
            return client.post("/chat/completions", json=arguments).raise_for_status().json()

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        with self.run():
            return (await client.post("/chat/completions", json=arguments)).raise_for_status().json()

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        def pieces() -> Iterator[Any]:
            body = {**arguments, "stream": True}
            with self.run(), client.stream("POST", "/chat/completions", json=body) as response:
                yield from response.raise_for_status().iter_lines()

        reading = pieces()
        try:
            yield reading
        finally:
            reading.close()

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        async def pieces() -> AsyncIterator[Any]:
            with self.run():
                async with client.stream("POST", "/chat/completions", json={**arguments, "stream": True}) as response:
                    async for line in response.raise_for_status().aiter_lines():
                        yield line

        reading = pieces()
        try:
            yield reading
        finally:
            await reading.aclose()


class TracerDriver(FrameworkDriver):
    """Of a library whose own spans are adopted: one of them around the request."""

    span = "invoke_agent ask"
    optional = {"*": "one span passes nothing else"}
    replaces = True

    def tracer(self) -> Any:
        """The library's."""
        raise NotImplementedError

    @contextmanager
    def run(self) -> Iterator[Any]:
        with self.tracer().start_as_current_span(self.span) as span:
            span.set_attributes({"gen_ai.conversation.id": "c"})
            span.add_event("gen_ai.choice")
            span.update_name(self.span)
            yield span
