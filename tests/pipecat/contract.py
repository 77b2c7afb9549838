"""How the contract's tests drive Pipecat: a span of its tracer around one request.

A pipeline is in ``test_programs.py``.
"""

from __future__ import annotations

from typing import Any

from tests.integrations.framework_driver import TracerDriver


class PipecatDriver(TracerDriver):
    packages = ("pipecat.utils.tracing",)
    modules = ("pipecat.utils.tracing.service_decorators",)
    warnings = ("ignore:'audioop' is deprecated:DeprecationWarning",)

    def tracer(self) -> Any:
        from pipecat.utils.tracing.service_decorators import trace

        return trace.get_tracer("pipecat")


driver = PipecatDriver()
