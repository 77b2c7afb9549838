"""How the contract's tests drive LiveKit Agents: a span of its tracer around one request.

A session is in ``test_programs.py``.
"""

from __future__ import annotations

from typing import Any

from tests.integrations.framework_driver import TracerDriver


class LiveKitDriver(TracerDriver):
    packages = ("livekit.agents.telemetry",)
    modules = ("livekit.agents.telemetry.traces",)

    def tracer(self) -> Any:
        from livekit.agents.telemetry.traces import tracer

        return tracer._tracer


driver = LiveKitDriver()
