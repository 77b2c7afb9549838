"""How the contract's tests drive AG2: an agent's turn that makes one request.

Whole agents are in ``test_programs.py``.
"""

from __future__ import annotations

import asyncio
from typing import Any

from tests.integrations.framework_driver import FrameworkDriver


class AG2Driver(FrameworkDriver):
    span = "invoke_agent ask"
    packages = ("ag2.agent",)
    modules = ("ag2.middleware.builtin.telemetry",)
    optional = {"*": "one turn passes the turn only"}
    lacks = dict.fromkeys(("stream", "stream_async"), "a turn returns when it is over")

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return asyncio.run(self._ask(lambda: client.post("/chat/completions", json=arguments)))

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await self._ask(lambda: client.post("/chat/completions", json=arguments))

    async def _ask(self, request: Any) -> Any:
        """The turn's work is a middleware of the program's, which asks no model."""
        from inspect import isawaitable

        from ag2 import Agent
        from ag2.events import ModelResponse
        from ag2.middleware import BaseMiddleware
        from ag2.testing import TestConfig

        answers: list[Any] = []

        class Ask(BaseMiddleware):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
            async def on_llm_call(self, call_next: Any, events: Any, context: Any) -> Any:
                response = request()
                response = await response if isawaitable(response) else response
                answers.append(response.raise_for_status().json())
                return ModelResponse()

        await Agent("ask", config=TestConfig("never"), middleware=[Ask]).ask("?")
        return answers[0]


driver = AG2Driver()
