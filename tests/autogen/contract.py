"""How the contract's tests drive AutoGen: a tool of its own that makes one request.

Agents and teams are in ``test_programs.py``.
"""

from __future__ import annotations

import asyncio
from inspect import isawaitable
from typing import Any

from tests.integrations.framework_driver import FrameworkDriver


class AutoGenDriver(FrameworkDriver):
    span = "execute_tool ask"
    packages = ("autogen_core.tools._base",)
    modules = ("autogen_core._telemetry._genai",)
    optional = {"*": "one call of a tool passes the tool only"}
    lacks = dict.fromkeys(("stream", "stream_async"), "a tool returns when it is over")

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        return asyncio.run(self._ask(lambda: client.post("/chat/completions", json=arguments)))

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        return await self._ask(lambda: client.post("/chat/completions", json=arguments))

    async def _ask(self, request: Any) -> Any:
        from autogen_core import CancellationToken
        from autogen_core.tools import FunctionTool

        async def ask() -> dict[str, Any]:
            """Asks."""
            response = request()
            response = await response if isawaitable(response) else response
            answer: dict[str, Any] = response.raise_for_status().json()
            return answer

        return await FunctionTool(ask, "Asks.").run_json({}, CancellationToken())


driver = AutoGenDriver()
