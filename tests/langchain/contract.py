"""How the contract's tests drive LangChain: a chat model of its partner package for OpenAI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.integrations.driver import Driver
from tests.openai.bodies import CHAT, CHAT_CHUNKS, USAGE_CHUNK
from tests.wire.http import Reply, Request, sse


class LangChainDriver(Driver):
    uncut = "a framework's stream ends with its client's, which is not recorded here"
    span = "chat gpt-4o-mini"
    packages = ("langchain_core", "langgraph")
    modules = (
        "langchain_core.embeddings.embeddings", "langchain_core.language_models.chat_models",
        "langchain_core.language_models.llms", "langchain_core.retrievers", "langchain_core.tools.base",
        "langgraph.graph._branch", "langgraph.pregel._loop", "langgraph.pregel.main",
    )  # fmt: skip
    optional = {
        f"BaseChatModel.{name}": "the methods that a version streams by; there is one at least"
        for name in ("stream", "astream", "_chat_model_stream_v3", "_achat_model_stream_v3")
    } | {
        "BaseLLM.*stream": "as those of chat models",
        "langgraph._internal._runnable._trace_payload": "older versions process no payloads",
        "*BaseStore.*": "wrapped where a version of langgraph has them",
        "*.*embed_*": "wrapped on the classes that define it, whichever they are",
    }
    needs = ("langchain_openai", "langgraph")

    def answer(self, request: Request) -> Reply:
        return sse(*CHAT_CHUNKS, USAGE_CHUNK) if request.body.get("stream") else Reply(CHAT)

    @contextmanager
    def client(self, url: str) -> Iterator[Any]:
        import openai
        from langchain_openai import ChatOpenAI

        with openai.DefaultHttpxClient(verify=False) as transport:
            yield ChatOpenAI(base_url=url, api_key="local", model="gpt-4o-mini", max_retries=0, http_client=transport)  # type: ignore[arg-type, unused-ignore]  # pydantic's SecretStr takes text

    @asynccontextmanager
    async def async_client(self, url: str) -> AsyncIterator[Any]:
        import openai
        from langchain_openai import ChatOpenAI

        with openai.DefaultHttpxClient(verify=False) as other:
            async with openai.DefaultAsyncHttpxClient(verify=False) as transport:
                yield ChatOpenAI(
                    base_url=url, api_key="local", model="gpt-4o-mini", max_retries=0,
                    http_client=other, http_async_client=transport,
                )  # type: ignore[arg-type, unused-ignore]  # pydantic's SecretStr takes text  # fmt: skip

    def arguments(self) -> dict[str, Any]:
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather in Rome?"}]
        return {"input": messages, "config": {"tags": ["mine"], "metadata": {"tenant": "a"}}, "stop": ["END"]}

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return client.invoke(**arguments)

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await client.ainvoke(**arguments)

    @contextmanager
    def stream(self, client: Any, arguments: dict[str, Any]) -> Iterator[Iterator[Any]]:
        chunks = client.stream(**arguments)
        try:
            yield chunks
        finally:
            chunks.close()

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        chunks = client.astream(**arguments)
        try:
            yield chunks
        finally:
            await chunks.aclose()

    def content(self, result: Any) -> Any:
        return {name: value for name, value in result.model_dump().items() if name != "id"}  # made from the run's own


driver = LangChainDriver()
