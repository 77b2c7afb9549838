"""How the contract's tests drive Pydantic AI: requests without an agent, whose spans are the library's own.

Agents and tools are in ``test_programs.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.openai.contract import OpenAIDriver


class PydanticAIDriver(OpenAIDriver):
    uncut = "a framework's stream ends with its client's, which is not recorded here"
    packages = ("pydantic_ai",)
    modules = (
        "pydantic_ai.agent",
        "pydantic_ai.direct",
        "pydantic_ai.models.instrumented",
        "pydantic_ai.models.openai",
    )
    needs = ("openai",)
    optional = dict.fromkeys(
        (
            "Agent._resolve_instrumentation_settings",
            "Instrumentation.wrap_run",
            "ToolManager.resolve_deferred_tool_calls",
            "UserPromptNode._handle_deferred_tool_results",
        ),
        "not passed without an agent",
    )
    lacks = {"stream": "its blocking streams are read in a thread of their own, which a client with a pool outlives"}

    @contextmanager
    def client(self, url: str) -> Iterator[Any]:
        from anyio.from_thread import start_blocking_portal

        with start_blocking_portal() as portal, portal.wrap_async_context_manager(self.async_client(url)) as model:
            yield portal, model

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        portal, model = client
        return portal.call(self.call_async, model, arguments)

    @asynccontextmanager
    async def async_client(self, url: str) -> AsyncIterator[Any]:
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        async with super().async_client(url) as client:
            yield OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))

    def arguments(self) -> dict[str, Any]:
        return {"user_prompt": "Weather in Rome?", "model_settings": {"temperature": 0.5, "stop_sequences": ["END"]}}

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        from pydantic_ai import ModelRequest, direct

        messages = [ModelRequest.user_text_prompt(arguments["user_prompt"])]
        return await direct.model_request(client, messages, model_settings=arguments["model_settings"])

    @asynccontextmanager
    async def stream_async(self, client: Any, arguments: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        from pydantic_ai import ModelRequest, direct

        messages = [ModelRequest.user_text_prompt(arguments["user_prompt"])]
        async with direct.model_request_stream(client, messages, model_settings=arguments["model_settings"]) as stream:
            yield aiter(stream)

    def content(self, result: Any) -> Any:
        return [
            str(getattr(part, "args", getattr(part, "content", part))) for part in getattr(result, "parts", [result])
        ]


driver = PydanticAIDriver()
