"""How the contract's tests drive Celery: a task that runs at once, and comes with a trace.

Workers are in ``test_tasks.py``.
"""

from __future__ import annotations

from typing import Any

from tests.integrations.framework_driver import FrameworkDriver


class CeleryDriver(FrameworkDriver):
    span = "ask"
    packages = ("celery.signals",)
    registers = True
    lacks = dict.fromkeys(("call_async", "stream", "stream_async"), "tasks are functions that return")

    def call(self, client: Any, arguments: dict[str, Any]) -> Any:
        import celery

        app = celery.Celery("tests", broker="memory://", set_as_current=False)

        @app.task(name="ask")
        def ask() -> Any:
            return client.post("/chat/completions", json=arguments).raise_for_status().json()

        trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        return ask.apply(headers=trace, throw=True).get()


driver = CeleryDriver()
