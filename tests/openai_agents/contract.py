"""How the contract's tests drive the OpenAI Agents SDK: a trace of its own around one request.

Agents, tools and handoffs are in ``test_programs.py``.
"""

from __future__ import annotations

from typing import Any

from tests.integrations.framework_driver import FrameworkDriver


class AgentsDriver(FrameworkDriver):
    span = "invoke_workflow ask"
    packages = ("agents",)
    modules = ("agents.run_internal.run_steps", "agents.run_state", "agents.tool", "agents.tool_context")

    def run(self) -> Any:
        import agents

        agents.set_trace_processors([])  # as programs do that send nothing to OpenAI
        return agents.trace("ask")


driver = AgentsDriver()
