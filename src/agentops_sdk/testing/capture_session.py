"""``capture()``: everything that is recorded meanwhile stays in memory, whatever ``init()`` the program calls.

While a capture lasts, the program's own runtime is set aside, unharmed, and its sinks with it. A
runtime with the same settings but memory for a sink runs instead; ``init()`` inside of it changes
the settings and leaves the sinks. Captures may nest: an outer one sees what the inner ones see.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agentops_sdk._host.guard import guard
from agentops_sdk._pipeline import process_runtime
from agentops_sdk._pipeline.process_runtime import Standing
from agentops_sdk._pipeline.registry import exporter_names
from agentops_sdk._pipeline.runtime import Runtime
from agentops_sdk._recorder.host_provider import EndedSpan
from agentops_sdk._recorder.recorder import LeanSpan, Recorder
from agentops_sdk.addresses import sink_parts
from agentops_sdk.config import Settings, resolve
from agentops_sdk.errors import ConfigError
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.testing.plugin.preload import preload
from agentops_sdk.testing.results import CapturedTraces

if TYPE_CHECKING:
    from agentops_sdk.traces import SpanRecord

_SECONDS = 30.0  # that reading may wait for what ended; the first price look-up takes a moment

_lock = threading.RLock()
_open: list[_Capture] = []


class _CaptureRuntime(Runtime):
    """Keeps every span, and records through no provider but its own."""

    def _make_recorder(self) -> Recorder:
        return Recorder(self.settings, self.queue)

    def _kept(self, ended: LeanSpan | EndedSpan) -> list[LeanSpan | EndedSpan]:
        return [ended]

    def reconfigure(self, settings: Settings) -> None:
        self.queue.flush(_SECONDS)  # what has ended is kept by the settings of its time
        super().reconfigure(_captured(settings))

    def prepare(self) -> None:
        preload()
        super().prepare()
        self.load_prices()

    def load_prices(self) -> None:
        """At once, on this thread, and once: see :mod:`agentops_sdk.testing.plugin.preload`."""
        if not self._prices_loading:
            self._prices_loading = True
            with guard("capture.prices"):
                self.completer.warm()


class _Capture:
    """One capture: its memory, and what runs again once it is over."""

    def __init__(self) -> None:
        self.memory = MemoryExporter(1_000_000)
        self.beneath = Standing()
        self._records: list[SpanRecord] = []
        self._over = False

    def records(self) -> list[SpanRecord]:
        """Everything that has ended so far, in the order of the ends."""
        from agentops_sdk.testing.records import as_element
        from agentops_sdk.traces.formats.from_otel import record_dict

        if self._over:
            return self._records
        if self in _open:
            # Inner captures have set aside runtimes of ours, and what ended there may still be on its way.
            for running in (process_runtime.current, *(one.beneath.running for one in _open)):
                if running is not None and (isinstance(running, _CaptureRuntime) or running is process_runtime.current):
                    running.queue.flush(_SECONDS)
        spans = self.memory.finished_spans()
        self._records += [as_element(record_dict(span)) for span in spans[len(self._records) :]]
        return self._records

    def close(self) -> None:
        """What comes from now on, by way of an inner capture that goes on, is not ours."""
        self.records()
        self._over = True


@contextmanager
def capture() -> Iterator[CapturedTraces]:
    """Capture every span of a block in memory, also of threads and tasks; nothing is written or sent.

    ``init()`` need not have been called. If the program calls it inside, its settings count but for
    where spans go and which share of them is kept.
    """
    mine = _Capture()
    _begin(mine)
    try:
        yield CapturedTraces(mine.records)
    finally:
        _end(mine)
        mine.close()


def innermost() -> CapturedTraces | None:
    """What the innermost open capture has seen so far, if there is one."""
    return CapturedTraces(_open[-1].records) if _open else None


def _begin(mine: _Capture) -> None:
    with _lock:
        mine.beneath = process_runtime.swap(Standing())
        _open.append(mine)
        process_runtime.make = _make
        try:
            settings = mine.beneath.settings
            process_runtime.begin(settings or resolve({}), implied=settings is None or mine.beneath.implied)
        except BaseException:
            _end(mine)
            raise


def _end(mine: _Capture) -> None:
    with _lock:
        mine.records()  # what has ended so far may be with the runtime of an inner capture
        index = _open.index(mine)
        del _open[index]
        if index < len(_open):  # an inner one goes on: what runs beneath it is ours to end
            inner = _open[index]
            ours, inner.beneath = inner.beneath.running, mine.beneath
            if ours is not None:
                ours.end(_SECONDS)
            return
        process_runtime.finish(_SECONDS)
        if not _open:
            process_runtime.make = process_runtime.make_runtime
        process_runtime.swap(mine.beneath)


def _make(settings: Settings) -> Runtime:
    return _CaptureRuntime(_captured(settings))


def _captured(settings: Settings) -> Settings:
    return dataclasses.replace(
        settings,
        enabled=True,
        exporters=(*(one.memory for one in _open), *_harmless(settings)),
        sample_ratio=1.0,
        global_provider=False,
    )


def _harmless(settings: Settings) -> list[MemoryExporter]:
    """The program's sinks that stay: memory of its own. A name that nobody has is refused as ever."""
    for sink in settings.exporters:
        if isinstance(sink, str) and sink_parts(sink)[0] not in (known := exporter_names()):
            raise ConfigError("exporters", sink, "a string that begins with " + ", ".join(known))
    ours = {id(one.memory) for one in _open}
    return [sink for sink in settings.exporters if isinstance(sink, MemoryExporter) and id(sink) not in ours]
