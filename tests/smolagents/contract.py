"""How the contract's tests drive smolagents: a tool of its own that makes one request.

Agents are in ``test_programs.py``.
"""

from __future__ import annotations

from typing import Any

from tests.integrations.framework_driver import FrameworkDriver


class SmolagentsDriver(FrameworkDriver):
    span = "execute_tool ask"
    packages = ("smolagents.agents", "smolagents.tools", "smolagents.models", "smolagents.local_python_executor")
    modules = ("smolagents.remote_executors",)
    optional = {"*": "one call of a tool passes the tools only"}
    lacks = dict.fromkeys(("call_async", "stream", "stream_async"), "its tools are called and return")

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        from smolagents import Tool

        class Ask(Tool):  # type: ignore[misc,unused-ignore]  # without the library, there are no types
            name = "ask"
            description = "Asks."
            inputs: dict[str, Any] = {}
            output_type = "object"

            def forward(self) -> Any:
                return client.post("/chat/completions", json=arguments).raise_for_status().json()

        return Ask()()


driver = SmolagentsDriver()
