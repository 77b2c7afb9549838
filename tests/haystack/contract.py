"""How the contract's tests drive Haystack: a span of a pipeline around one request.

Pipelines, components and agents are in ``test_programs.py``.
"""

from __future__ import annotations

from typing import Any

from tests.integrations.framework_driver import FrameworkDriver


class HaystackDriver(FrameworkDriver):
    span = "invoke_workflow ask"
    packages = ("haystack.tracing",)

    def run(self) -> Any:
        from haystack import tracing

        return tracing.tracer.trace("haystack.pipeline.run", tags={"haystack.pipeline.metadata": {"name": "ask"}})


driver = HaystackDriver()
