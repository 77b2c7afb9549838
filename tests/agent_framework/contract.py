"""How the contract's tests drive Agent Framework: a span of its tracer around one request.

Agents are in ``test_programs.py``.
"""

from __future__ import annotations

from typing import Any

from tests.integrations.framework_driver import TracerDriver


class AgentFrameworkDriver(TracerDriver):
    packages = ("agent_framework.observability", "agent_framework._tools")
    modules = ("agent_framework.observability", "agent_framework._tools")

    def tracer(self) -> Any:
        from agent_framework import observability

        return observability.get_tracer()


driver = AgentFrameworkDriver()
