"""How the contract's tests drive Celery: a task that runs at once, in the trace that it comes with or is called in.

Workers are in ``test_tasks.py``.
"""

from __future__ import annotations

from typing import Any

from opentelemetry.trace import get_current_span
from tests.integrations.framework_driver import FrameworkDriver


class CeleryDriver(FrameworkDriver):
    span = "ask"
    packages = ("celery.signals",)
    registers = True
    lacks = dict.fromkeys(("call_async", "stream", "stream_async"), "tasks are functions that return")

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        import celery

        app = celery.Celery("tests", broker="memory://", set_as_current=False)

        @app.task(name="ask", shared=False)
        def ask() -> Any:
            return client.post("/chat/completions", json=arguments).raise_for_status().json()

        trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        inside = get_current_span().get_span_context().is_valid
        return ask.apply(headers=None if inside else trace, throw=True).get()


driver = CeleryDriver()
