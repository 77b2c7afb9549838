"""How the contract's tests drive Strands: a span of its tracer around one request.

Agents are in ``test_programs.py``.
"""

from __future__ import annotations

from typing import Any

from tests.integrations.framework_driver import TracerDriver


class StrandsDriver(TracerDriver):
    packages = ("strands.telemetry",)
    modules = ("strands.telemetry.tracer",)

    def tracer(self) -> Any:
        from strands.telemetry.tracer import get_tracer

        return get_tracer().tracer


driver = StrandsDriver()
