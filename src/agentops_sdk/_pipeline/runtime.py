"""The composition root: builds recorder, queue, sinks and integrations from settings, and takes them down again."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import StatusCode

from agentops_sdk._capture import ambient, bounded_map, recording
from agentops_sdk._capture.carry import Carrier, process_fields
from agentops_sdk._capture.guard import guard, logger
from agentops_sdk._pipeline import delivery, identity, process
from agentops_sdk._pipeline.assembly import assemble
from agentops_sdk._pipeline.complete import Completer
from agentops_sdk._pipeline.convert import readable, scrubbed
from agentops_sdk._pipeline.flushed import FlushResult
from agentops_sdk._pipeline.joined import JoinedRecorder
from agentops_sdk._pipeline.queue import SpanQueue
from agentops_sdk._pipeline.recorder import LeanSpan, Recorder
from agentops_sdk._pipeline.registry import Installed, find_integrations
from agentops_sdk._pipeline.tally import Tally
from agentops_sdk._version import VERSION
from agentops_sdk.config import Settings, update, warn_once
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.encodable import encodable

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from agentops_sdk._pipeline.sinks import Sink

_KEPT_TRACES = 10_000


class Runtime:
    """Everything that runs between one ``init()`` and its ``shutdown()``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.started_at = time.time()
        self.sinks: list[Sink] = assemble(settings)[0]
        self.tally = Tally()
        self.consumer_seconds = 0.0
        self.completer = Completer(settings)
        self.queue = SpanQueue(settings.queue_size, self._consume)
        self.sampled_out = 0
        self.failed = 0
        self.recorder: Recorder | JoinedRecorder = self._make_recorder()
        self.integrations: list[Installed] = []
        self._carrier: Carrier | None = None
        self._kept_traces: OrderedDict[int, None] = OrderedDict()
        self._identity: tuple[Resource, InstrumentationScope] | None = None
        logger.setLevel(settings.log_level.upper())

    def reconfigure(self, settings: Settings) -> None:
        """Take on changed live settings without losing a span.

        Raises:
            ConfigError: a sink cannot be made; nothing has changed then.
        """
        sinks, free = assemble(settings, self.sinks)
        if free:
            self.queue.flush(settings.shutdown_timeout)  # what has ended goes to the sinks of its time
        self.sinks = sinks
        self.settings = self.completer.settings = self.completer.policy.settings = settings
        self.recorder.settings = settings
        logger.setLevel(settings.log_level.upper())
        for sink in free:
            sink.shutdown(settings.shutdown_timeout)

    def _make_recorder(self) -> Recorder | JoinedRecorder:
        provider = trace.get_tracer_provider()
        if hasattr(provider, "add_span_processor"):
            return JoinedRecorder(self.settings, provider, self.completer, self.queue.put, VERSION)  # type: ignore[arg-type]
        if self.settings.global_provider:
            from opentelemetry.sdk.trace import TracerProvider

            described = identity.resource(self.settings, self.completer.policy)
            made = TracerProvider(resource=described, shutdown_on_exit=False)
            trace.set_tracer_provider(made)
            return JoinedRecorder(self.settings, made, self.completer, self.queue.put, VERSION)
        return Recorder(self.settings, self.queue.put)

    def install(self) -> None:
        """Hook every wanted integration on to its library's import.

        Raises:
            ConfigError: one was asked for by a name that nobody has.
            IntegrationError: one was asked for by name and cannot be had.
        """
        settings = self.settings
        self._carrier = Carrier(threads=settings.propagate_threads, processes=settings.propagate_processes)
        found, wanted = find_integrations(), self.settings.integrations
        loud = wanted is not None and not settings.deployed("integrations")
        self.integrations.clear()
        for name in wanted or ():
            if name not in found:
                wrong = ConfigError("integrations", name, "names of integrations: " + ", ".join(sorted(found)))
                if loud:
                    raise wrong
                warn_once(f"{wrong}. It is left out.")
        if wanted and not loud:
            wanted = tuple(name for name in wanted if name in found) or None
        for name in sorted(found) if wanted is None else wanted:
            installed = Installed(found[name])
            self.integrations.append(installed)
            installed.begin(asked=loud)

    def uninstall(self) -> None:
        for installed in reversed(self.integrations):
            installed.end()
        if self._carrier is not None:
            self._carrier.remove()

    # --- consumer thread -------------------------------------------------------------------------

    def _consume(self, batch: Sequence[LeanSpan | ReadableSpan]) -> None:
        started = time.thread_time()
        ready: list[ReadableSpan] = []
        for span in batch:
            done = False
            with guard("runtime.complete"):
                if not isinstance(span, LeanSpan):
                    ready.append(encodable(scrubbed(span, self.completer.policy)))
                elif self._keep(span):
                    if self._identity is None:
                        self._identity = identity.resource(self.settings, self.completer.policy), identity.scope()
                    ready.append(encodable(readable(span, self.completer, *self._identity)))
                else:
                    self.sampled_out += 1
                done = True
            if not done:
                self.failed += 1
        if ready:
            for sink in self.sinks:
                with guard(f"sink.{sink.name}"):
                    sink.put(ready)
            with guard("runtime.tally"):
                self.tally.add(ready)
        self.consumer_seconds += time.thread_time() - started

    def _keep(self, span: LeanSpan) -> bool:
        if span.context.trace_flags.sampled:
            return True
        kept, trace_id = self._kept_traces, span.context.trace_id
        if self.settings.keep_errors and span.status.status_code is StatusCode.ERROR:
            kept[trace_id] = None
            if len(kept) > _KEPT_TRACES:
                kept.popitem(last=False)
        return trace_id in kept

    # --- flush, fork, end ------------------------------------------------------------------------

    def flush(self, timeout: float) -> FlushResult:
        deadline = time.monotonic() + timeout
        self.queue.flush(timeout)
        delivery.flush(self.sinks, deadline)
        return self.account()

    def account(self) -> FlushResult:
        return delivery.account(self.sinks, self.queue.pending, self.queue.dropped + self.failed)

    def end(self, timeout: float) -> FlushResult:
        """Stop capturing, deliver what ended, close the sinks; within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        self.uninstall()
        with guard("runtime.interrupt"):
            self.recorder.interrupt_open()
        if isinstance(self.recorder, JoinedRecorder):
            self.queue.flush(timeout)
            self.recorder.leave()
        self.queue.stop(max(0.0, deadline - time.monotonic()))
        bounded_map.clear_all()
        delivery.close(self.sinks, deadline)
        result = self.account()
        # What lies in a spool on disk is not in danger: the next process sends it.
        spooled = all(sink.stats().get("durable") for sink in self.sinks if sink.pending) and not self.queue.pending
        if result.lost or (result.remaining and not spooled):
            logger.warning("agentops_sdk: at shutdown %d spans lost, %d not delivered", result.lost, result.remaining)
        return result

    def after_fork(self) -> None:
        self.sampled_out = self.failed = 0
        self.tally = Tally()
        self._identity = None  # it names the process
        self.recorder.forget_open()
        bounded_map.clear_all()
        self.queue.after_fork()
        for sink in self.sinks:
            sink.after_fork()


current: Runtime | None = None
"""The one that runs, or ``None`` before ``init()``, after ``shutdown()`` and when switched off."""

_last: Settings | None = None
_lock = threading.RLock()


def make_runtime(settings: Settings) -> Runtime | None:
    """The runtime for ``settings``, not begun yet; ``None`` when they say disabled."""
    return Runtime(settings) if settings.enabled else None


Standing = tuple[Runtime | None, Settings | None]
"""What runs, and the settings of the last ``init()``: they may say that nothing should."""

make: Callable[[Settings], Runtime | None] = make_runtime
"""How :func:`begin` makes one. A capture in a test puts its own here: the program's settings, other sinks."""


def swap(other: Standing) -> Standing:
    """Let ``other`` run in place of what does, which is set aside: still whole, and not ended."""
    global current, _last
    with _lock:
        aside = current, _last
        current, _last = other
        if aside[0] is not None:
            aside[0].uninstall()
        if current is not None:
            current.install()
        recording.activate(current.recorder if current is not None and current.settings.enabled else None)
        return aside


def begin(settings: Settings) -> Runtime | None:
    """Start a runtime by ``settings``, ending the one before it; ``None`` when they say disabled."""
    global current, _last
    with _lock:
        # Made first: settings that cannot work leave what runs now running.
        runtime = make(settings)
        if current is not None:
            finish(current.settings.shutdown_timeout)
        _last = settings
        if runtime is None:
            return None
        try:
            runtime.install()
        except BaseException:
            runtime.end(0.0)
            raise
        current = runtime
        ambient.process_context = process_fields() if settings.propagate_processes else None
        recording.activate(runtime.recorder)
        process.hook(lambda: current, at_exit=_at_exit, in_child=_in_child)
        process.warm(runtime)
        return runtime


def reconfigure(keywords: Mapping[str, Any]) -> None:
    """Change live settings of what runs, or of what the last ``init()`` left switched off.

    Raises:
        ConfigError: nothing to change, a setting is not live, or its value cannot work.
    """
    global _last
    with _lock:
        if _last is None:
            raise ConfigError("configure", "", "init() to be called first")
        settings = update(_last, keywords)
        if current is None:
            if settings.enabled:
                begin(settings)
            else:
                _last = settings
            return
        current.reconfigure(settings)
        _last = settings
        recording.activate(current.recorder if current.settings.enabled else None)


def finish(timeout: float) -> FlushResult:
    """End the running runtime, if any."""
    global current, _last
    with _lock:
        runtime, current, _last = current, None, None
        if runtime is None:
            return FlushResult(0, 0, 0)
        recording.activate(None)
        ambient.process_context = None
        return runtime.end(timeout)


def _at_exit() -> None:
    if current is not None:
        finish(current.settings.shutdown_timeout)


def _in_child() -> None:
    global _lock
    _lock = threading.RLock()
    if current is not None:
        current.after_fork()
