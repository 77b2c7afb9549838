"""How the contract's tests drive ADK: a span of its tracer around one request.

Agents are in ``test_programs.py``.
"""

from __future__ import annotations

from typing import Any

from tests.integrations.framework_driver import TracerDriver


class GoogleADKDriver(TracerDriver):
    packages = ("google.adk.telemetry",)
    modules = ("google.adk.telemetry.tracing",)

    def tracer(self) -> Any:
        from google.adk.telemetry import tracing

        return tracing.tracer


driver = GoogleADKDriver()
