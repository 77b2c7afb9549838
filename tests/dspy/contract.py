"""How the contract's tests drive DSPy: a tool of its own that makes one request.

Programs with models are in ``test_programs.py``.
"""

from __future__ import annotations

from typing import Any

from tests.integrations.framework_driver import FrameworkDriver


class DSPyDriver(FrameworkDriver):
    span = "execute_tool ask"
    packages = (
        "dspy.primitives.module", "dspy.clients.base_lm", "dspy.clients.execution", "dspy.adapters.types.tool",
        "dspy.evaluate.evaluate", "dspy.retrievers.retrieve",
    )  # fmt: skip
    optional = {"*": "one call of a tool passes the tools only"}
    lacks = dict.fromkeys(("stream", "stream_async"), "its tools are called and return")

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        import dspy

        def ask() -> Any:
            return client.post("/chat/completions", json=arguments).raise_for_status().json()

        return dspy.Tool(ask)()

    async def call_async(self, client: Any, arguments: dict[str, Any]) -> Any:
        import dspy

        async def ask() -> Any:
            return (await client.post("/chat/completions", json=arguments)).raise_for_status().json()

        return await dspy.Tool(ask).acall()


driver = DSPyDriver()
