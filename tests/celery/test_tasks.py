"""Tasks in a real worker, over a broker in memory: one trace, and none of tasks that are no part of one."""

from __future__ import annotations

from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

celery = pytest.importorskip("celery", reason="celery is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # the library's own


def test_a_task_goes_on_in_the_trace_of_its_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    from celery.contrib.testing.worker import start_worker

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    app = celery.Celery("shop", broker="memory://", backend="cache+memory://", set_as_current=False)

    @app.task(name="look_up", shared=False)
    def look_up(order: str) -> str:
        with agentops.span("database"):
            return "sent"

    @app.task(name="again", shared=False, bind=True, max_retries=1, default_retry_delay=0)
    def again(self: Any) -> str:
        try:
            raise LookupError("the archive is closed")
        except LookupError as error:
            raise self.retry(exc=error) from error

    with start_worker(app, perform_ping_check=False, pool="solo"):
        look_up.delay("1").get(timeout=20)  # nobody's
        with agentops.context(session_id="s-1"), agentops.span("caller", kind="agent"):
            assert look_up.delay("7").get(timeout=20) == "sent"
            with pytest.raises(LookupError):
                again.delay().get(timeout=20)
    assert agentops.flush()
    spans = exporter.finished_spans()
    agentops.shutdown()
    (caller,) = (span for span in spans if span.name == "invoke_agent caller")
    tasks = [span for span in spans if span.parent is not None and span.parent.span_id == caller.context.span_id]
    ends = [(span.name, span.attributes["agentops.outcome"], span.attributes.get("agentops.attempt")) for span in tasks]
    assert ends == [("look_up", "ok", None), ("again", "error", None), ("again", "error", 2)]
    assert all(span.attributes["session.id"] == "s-1" for span in tasks)
    assert tasks[1].attributes["error.type"] == "LookupError"
    inside = [span.parent.span_id if span.parent else None for span in spans if span.name == "database"]
    assert inside == [None, tasks[0].context.span_id]


@pytest.mark.parametrize(("error", "outcome"), [(ValueError, "error"), (SystemExit, "interrupted")])
def test_a_task_that_runs_at_once_ends_with_what_leaves_it(error: type[BaseException], outcome: str) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    app = celery.Celery("shop", broker="memory://", set_as_current=False)
    app.conf.task_always_eager = app.conf.task_eager_propagates = True

    @app.task(name="fails", shared=False)
    def fails() -> None:
        raise error("no such order")

    with agentops.span("caller"), pytest.raises(error, match="no such order"):
        fails.delay()
    agentops.flush()
    (task,) = (span for span in exporter.finished_spans() if span.name == "fails")
    agentops.shutdown()
    assert task.attributes["agentops.outcome"] == outcome
