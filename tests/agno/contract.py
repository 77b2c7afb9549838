"""How the contract's tests drive Agno: a model of its own, in each way that it is asked.

Agents, teams and workflows are in ``test_programs.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from typing import Any

from tests.integrations.framework_driver import FrameworkDriver


def _model(client: Any, arguments: dict[str, Any]) -> Any:
    from agno.models.base import Model
    from agno.models.response import ModelResponse

    class Asks(Model):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
        def invoke(self, *_: Any, **__: Any) -> Any:
            reply = client.post("/chat/completions", json=arguments).raise_for_status()
            return ModelResponse(content=reply.text)

        async def ainvoke(self, *_: Any, **__: Any) -> Any:
            reply = await client.post("/chat/completions", json=arguments)
            return ModelResponse(content=reply.raise_for_status().text)

        def invoke_stream(self, *_: Any, **__: Any) -> Iterator[Any]:
            with client.stream("POST", "/chat/completions", json={**arguments, "stream": True}) as reply:
                for line in reply.raise_for_status().iter_lines():
                    yield ModelResponse(content=line)

        async def ainvoke_stream(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
            async with client.stream("POST", "/chat/completions", json={**arguments, "stream": True}) as reply:
                async for line in reply.raise_for_status().aiter_lines():
                    yield ModelResponse(content=line)

        def _parse_provider_response(self, *_: Any, **__: Any) -> Any: ...

        def _parse_provider_response_delta(self, *_: Any, **__: Any) -> Any: ...

    return Asks(id="gpt-4o")


def _messages() -> list[Any]:
    from agno.models.message import Message

    return [Message(role="user", content="Where is it?")]


class AgnoDriver(FrameworkDriver):
    packages = (
        "agno.agent._run", "agno.team._run", "agno.workflow.workflow", "agno.workflow.step", "agno.models.base",
        "agno.tools.function", "agno.knowledge.knowledge",
    )  # fmt: skip
    span = "chat gpt-4o"
    optional = {"*": "a call of a model passes the model only"}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return _model(client, arguments).response(_messages())

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await _model(client, arguments).aresponse(_messages())

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        with closing(_model(client, arguments).response_stream(_messages())) as pieces:
            yield (piece for piece in pieces if piece.content)  # not that a request is about to be made

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        async with aclosing(_model(client, arguments).aresponse_stream(_messages())) as pieces:
            yield (piece async for piece in pieces if piece.content)

    def content(self, result: Any) -> Any:
        return result.content


driver = AgnoDriver()
