"""How the contract's tests drive Agno: a function call of its own that makes one request.

Agents, teams and workflows are in ``test_programs.py``.
"""

from __future__ import annotations

from tests.integrations.framework_driver import FrameworkDriver


class AgnoDriver(FrameworkDriver):
    span = "execute_tool ask"
    packages = (
        "agno.agent._run", "agno.team._run", "agno.workflow.workflow", "agno.workflow.step", "agno.models.base",
        "agno.tools.function", "agno.knowledge.knowledge",
    )  # fmt: skip
    optional = {"*": "one call of a tool passes the tools only"}
    lacks = {
        "stream": "its tools are called and return",
        "stream_async": "its tools are called and return",
        "call": "a tool that raises is an answer to the model, and no exception",
        "call_async": "a tool that raises is an answer to the model, and no exception",
    }


driver = AgnoDriver()
