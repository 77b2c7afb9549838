"""How the contract's tests drive Semantic Kernel: a span of one of its tracers around one request.

Agents are in ``test_programs.py``.
"""

from __future__ import annotations

from typing import Any

from tests.integrations.framework_driver import TracerDriver


class SemanticKernelDriver(TracerDriver):
    packages = ("semantic_kernel.utils.telemetry",)
    modules = ("semantic_kernel.utils.telemetry.agent_diagnostics.decorators",)

    def tracer(self) -> Any:
        from semantic_kernel.utils.telemetry.agent_diagnostics.decorators import tracer

        return tracer


driver = SemanticKernelDriver()
