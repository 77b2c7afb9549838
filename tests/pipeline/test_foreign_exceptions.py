"""What steers a program steers nothing of ours: an exporter or hook that raises it costs its own spans, no thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agentops_sdk as agentops
from agentops_sdk.integration import start


class OwnError(BaseException):
    """Somebody else's, for whatever reason not an ``Exception``."""


STEERING = [SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, OwnError]


class Raising(SpanExporter):
    """Raises with the spans that are called ``bad``, and with everything else it is asked when ``always``."""

    def __init__(self, kind: type[BaseException], *, inline: bool, always: bool) -> None:
        self.kind, self.inline, self.always = kind, inline, always
        self.names: list[str] = []

    def export(self, spans: Sequence[Any]) -> SpanExportResult:
        if any(span.name == "bad" for span in spans):
            raise self.kind
        self.names += [span.name for span in spans]
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        if self.always:
            raise self.kind
        return True

    def shutdown(self) -> None:
        if self.always:
            raise self.kind


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


@pytest.mark.guard_swallows
@pytest.mark.parametrize("inline", [False, True], ids=["thread of its own", "consumer thread"])
@pytest.mark.parametrize("always", [False, True], ids=["export", "everything"])
@pytest.mark.parametrize("kind", STEERING)
def test_an_exporter_that_raises_it_is_failing_and_goes_on(
    kind: type[BaseException], always: bool, inline: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    raising, memory = Raising(kind, inline=inline, always=always), InMemorySpanExporter()
    agentops.init(exporters=[raising, memory], integrations=[])
    with agentops.span("bad"):
        pass
    until(lambda: agentops.status().sinks["Raising"].dropped == {kind.__name__: 1})
    health = agentops.health()
    assert health.status == "degraded"
    assert health.checks["sink Raising"].detail.startswith(kind.__name__)
    with agentops.span("good"):
        pass
    until(lambda: raising.names == ["good"])
    until(lambda: len(memory.get_finished_spans()) == 2)
    agentops.flush(5)
    result = agentops.shutdown()
    assert result.by_sink["Raising"] == {"exported": 1, "remaining": 0, "lost": 1}
    assert result.by_sink["InMemorySpanExporter"] == {"exported": 2, "remaining": 0, "lost": 0}
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.guard_swallows
@pytest.mark.parametrize("kind", STEERING)
def test_a_price_callback_that_raises_it_costs_its_price(kind: type[BaseException]) -> None:
    def callback(*_: Any) -> None:
        raise kind

    memory = InMemorySpanExporter()
    agentops.init(exporters=[memory], integrations=[])
    agentops.prices.set_callback(callback)
    try:
        used = {"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1, "gen_ai.usage.output_tokens": 1}
        start("llm", "priced", attributes=used).finish()
        with agentops.span("next"):
            pass
        until(lambda: len(memory.get_finished_spans()) == 2)
    finally:
        agentops.prices.set_callback(None)


def test_ctrl_c_during_a_flush_of_the_programs_own_is_the_programs() -> None:
    """Before the consumer thread runs, a flush exports on the caller's thread: there it is nobody else's."""
    raising = Raising(KeyboardInterrupt, inline=True, always=False)
    agentops.init(exporters=[raising], integrations=[])
    from agentops_sdk._pipeline import process_runtime

    assert process_runtime.current is not None
    queue = process_runtime.current.queue
    queue._start = lambda: None  # type: ignore[method-assign]  # as when the interpreter ends and starts no threads
    with agentops.span("bad"):
        pass
    with pytest.raises(KeyboardInterrupt):
        agentops.flush()
    assert agentops.status().sinks["Raising"].dropped == {"KeyboardInterrupt": 1}
    assert queue.pending == 0


class Emptying(SpanExporter):
    """Empties the list that it is given, as some do to free memory."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def export(self, spans: Any) -> SpanExportResult:
        while spans:
            self.names.append(spans.pop().name)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        pass


class Asynchronous(Emptying):
    async def export(self, spans: Any) -> SpanExportResult:  # type: ignore[override]  # wrong on purpose
        return super().export(spans)


class Refusing(Emptying):
    def export(self, spans: Any) -> Any:
        return False


@pytest.mark.parametrize("inline", [False, True], ids=["thread of its own", "consumer thread"])
def test_an_exporter_may_empty_its_list(inline: bool) -> None:
    emptying, memory = Emptying(), InMemorySpanExporter()
    emptying.inline = inline  # type: ignore[attr-defined]  # an option of ours on a foreign exporter
    agentops.init(exporters=[emptying, memory], integrations=[])
    for name in ("a", "b", "c"):
        with agentops.span(name):
            pass
    agentops.flush()
    sink = agentops.status().sinks["Emptying"]
    assert (sink.exported, sink.pending) == (3, 0)
    assert sorted(emptying.names) == ["a", "b", "c"]
    assert len(memory.get_finished_spans()) == 3


@pytest.mark.guard_swallows
@pytest.mark.parametrize("inline", [False, True], ids=["thread of its own", "consumer thread"])
@pytest.mark.parametrize(("kind", "reason"), [(Asynchronous, "TypeError"), (Refusing, "export failed")])
def test_what_was_not_exported_is_not_counted_as_such(kind: type[Emptying], reason: str, inline: bool) -> None:
    exporter = kind()
    exporter.inline = inline  # type: ignore[attr-defined]  # an option of ours on a foreign exporter
    agentops.init(exporters=[exporter, InMemorySpanExporter()], integrations=[])
    with agentops.span("a"):
        pass
    agentops.flush()
    sink = agentops.status().sinks[kind.__name__]
    assert (sink.exported, sink.dropped) == (0, {reason: 1})
    assert agentops.health().status != "ok"
