"""The composition root: builds recorder, queue, sinks and integrations from settings, and takes them down again.

Long because it is the one place where all of them meet.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from agentops_sdk import encryption
from agentops_sdk._host import bounded_map
from agentops_sdk._host.guard import guard, logger
from agentops_sdk._host.patches import Patches
from agentops_sdk._limits import breaker_sharing, breakers, pauses, store_link
from agentops_sdk._limits import scope as limits_in_force
from agentops_sdk._limits.scope import Policy, Scope
from agentops_sdk._pipeline import delivery, process_hooks
from agentops_sdk._pipeline.event_delivery import MODULE as LOGS
from agentops_sdk._pipeline.flush_result import FlushResult
from agentops_sdk._pipeline.queue import SpanQueue
from agentops_sdk._pipeline.registry import Installed, choose, exchange
from agentops_sdk._pipeline.signals import Signals
from agentops_sdk._pipeline.sink_factory import assemble
from agentops_sdk._pipeline.span_watchers import SpanWatchers
from agentops_sdk._propagation import privacy, propagators, vendor_calls
from agentops_sdk._propagation.context_carriers import Carrier
from agentops_sdk._recorder import program_provider, resource
from agentops_sdk._recorder.host_provider import EndedSpan, JoinedRecorder
from agentops_sdk._recorder.open_spans import OpenSpans
from agentops_sdk._recorder.plain_step import PlainSteps
from agentops_sdk._recorder.readable_span import readable, scrubbed, with_sampling
from agentops_sdk._recorder.recorder import LeanSpan, Recorder
from agentops_sdk._recorder.span_completion import Completer
from agentops_sdk._recorder.span_limits import limited
from agentops_sdk._recorder.tail_sampling import HeldRuns
from agentops_sdk._version import VERSION
from agentops_sdk.config import Settings, changes
from agentops_sdk.traces.formats.finished_span import FinishedSpan, ProcessResource
from agentops_sdk.traces.formats.official_span import official_identity
from agentops_sdk.traces.formats.wire_values import encodable, encodable_identity

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from agentops_sdk._pipeline.sinks import Sink
    from agentops_sdk.integration import Integration
    from agentops_sdk.limit_rules import Rule


_OF_OTHER_TIMES = frozenset((
    "redact", "redact_patterns", "pii", "pii_key", "hash_user_id", "metrics", "events", "event_content",
    "encryption_key",
))  # fmt: skip
"""Settings by which what has ended still goes the way of before."""


class Runtime:
    """Everything that runs between one ``init()`` and its ``shutdown()``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cipher, self.is_keyless = encryption.wanted(settings)
        if self.cipher is not None:  # before there is a sink that could write
            encryption.seal_with(self.cipher)
        self.started_at = time.time()
        self.sinks: list[Sink] = assemble(settings)[0]
        self.signals = Signals(settings, self._official_who, lambda: self.sinks)
        self.consumer_seconds = 0.0
        self.closed_sinks: dict[str, dict[str, Any]] = {}
        """By name the accounts of sinks that settings of before named, those of one name added up."""
        self.completer = Completer(settings)
        self.queue = SpanQueue(settings.queue_size, self._consume, self._look, lambda: bool(self.recorder.open))
        self._steps: PlainSteps | None = None
        self.open_spans = OpenSpans(settings)
        self.held_runs: HeldRuns[LeanSpan | EndedSpan] = HeldRuns(settings.queue_size)
        self.failed = 0
        self.watchers = SpanWatchers(settings, self.completer)
        self.limits: Scope | None = None
        self._limit()
        self.recorder: Recorder | JoinedRecorder = self._make_recorder()
        self._earlier: Recorder | None = None
        """Whose spans may be open still, where the program has set its provider after ``init()``."""
        self._prices_loading = False
        self._prepared_beside = False
        self.integrations: list[Installed] = []
        self._carrier: Carrier | None = None
        self._vendor_calls: Patches | None = None
        self._identity: tuple[Resource, InstrumentationScope] | None = None
        self._description: tuple[Settings, dict[str, Any]] | None = None
        self._here = _working_directory()
        logger.setLevel(settings.log_level.upper())

    def reconfigure(self, settings: Settings) -> None:
        """Take on changed settings without losing a span, or an operation that is open.

        Raises:
            ConfigError: a sink cannot be made, or an integration or a propagator has no such name; nothing has changed
                then.
            IntegrationError: one was asked for by name and cannot be had; nothing has changed then.
        """
        changed = changes(self.settings, settings)
        cipher, is_keyless = (
            encryption.wanted(settings) if "encryption_key" in changed else (self.cipher, self.is_keyless)
        )
        propagators.look(settings)
        chosen = choose(settings) if "integrations" in changed else None
        sinks, free = assemble(settings, self.sinks)
        take_on_signals = self.signals.reconfigure(settings)
        if sinks != self.sinks or _OF_OTHER_TIMES.intersection(changed):
            self.queue.flush(settings.shutdown_timeout)  # what has ended goes the way of its time
        self.cipher, self.is_keyless = cipher, is_keyless
        self.protect()
        self.sinks = sinks
        self.settings = self.recorder.settings = settings
        self.completer.reconfigure(settings)
        for sink in take_on_signals():
            self._close_account(sink)
        self._limit()
        self.watchers.reconfigure(settings)
        self.queue.resize(settings.queue_size)
        self.held_runs.most = settings.queue_size
        self._identity = None
        self.open_spans.reconfigure(settings)
        self.queue.wake()
        logger.setLevel(settings.log_level.upper())
        if chosen is not None:
            exchange(self.integrations, chosen, self.load_prices)
        if "pricing" in changed:
            self.load_prices()
        if {"propagate_threads", "propagate_processes", "log_correlation", "log_events"}.intersection(changed):
            self._carry()
        if "global_provider" in changed:
            self._leave_recorder(settings.shutdown_timeout)
            self.recorder = self._make_recorder()
        for sink in free:
            sink.shutdown(settings.shutdown_timeout)
            self._close_account(sink)

    def protect(self) -> None:
        """What is written is encrypted; where it should be and cannot, everything is private."""
        encryption.seal_with(self.cipher)
        privacy.make_everything(self.is_keyless)

    def _limit(self) -> None:
        """Limits by the settings; those that are in force already go on counting where they do not change."""
        settings = self.settings
        if settings.limits_store:
            # It hooks into forks: imported by redis, while a fork waits for that, half of its hooks would run.
            import concurrent.futures.thread  # noqa: F401 - for its hooks

            from agentops_sdk._limits import redis_link

            process_hooks.load(redis_link.load)
        with guard("runtime.pauses"):
            pauses.share(settings.folder)
            breaker_sharing.share(settings.limits_store or settings.folder)
        policy = Policy(_rules(settings), settings.on_limit, settings.unknown_price, settings.on_stream)
        before = None if self.limits is None else self.limits.policy
        if before is not None and policy.is_like(before):
            return
        if before is not None:
            policy.counts.take_over(before.counts)
        self.limits = Scope(policy) if policy.rules else None
        if self.limits is not None:
            from agentops_sdk._limits.call_gate import open_gate

            open_gate(policy)
            policy.counts.open(settings)

    def _close_account(self, sink: Sink) -> None:
        account = sink.account()
        known = self.closed_sinks.setdefault(sink.name, account)
        if known is not account:
            for name in ("accepted", "exported", "pending"):
                known[name] += account[name]
            known["dropped"] = dict(Counter(known["dropped"]) + Counter(account["dropped"]))
            known["last_error"] = account["last_error"] or known["last_error"]

    def _make_recorder(self) -> Recorder | JoinedRecorder:
        if program_provider.takes_processors():
            provider = program_provider.of_program()
            return JoinedRecorder(self.settings, provider, self.completer, self.queue, VERSION)
        if self.settings.global_provider:
            from opentelemetry.sdk.trace import TracerProvider

            described = resource.resource(self.settings, self.completer.policy, self._here)
            own_provider = TracerProvider(resource=described, shutdown_on_exit=False)
            program_provider.register(own_provider)
            return JoinedRecorder(self.settings, own_provider, self.completer, self.queue, VERSION)
        return Recorder(self.settings, self.queue)

    def join(self) -> bool:
        """Record through the program's provider from now on, where it has set one; whether anything has changed."""
        if isinstance(self.recorder, JoinedRecorder) or not program_provider.takes_processors():
            return False
        joined = self._make_recorder()
        joined.open = self.recorder.open  # what is open ends as it began
        self._earlier, self.recorder = self.recorder, joined
        self._identity = self._description = None
        return True

    def look(self) -> None:
        """Insist that what was asked for by name can be had; changes nothing.

        Raises:
            ConfigError: an integration or a propagator was asked for by a name that nobody has.
            IntegrationError: one was asked for by name and cannot be had.
        """
        propagators.look(self.settings)
        choose(self.settings)

    def install(self) -> None:
        """Hook every wanted integration on to its library's import; raises as :meth:`look` does."""
        self._carry()
        if self._vendor_calls is None:
            self._vendor_calls = vendor_calls.install()
        exchange(self.integrations, choose(self.settings), self.load_prices)

    def add(self, integration: Integration) -> None:
        """Hook one more integration on to its library's import, unless it is already."""
        if not any(each.active for each in self.integrations if each.integration.name == integration.name):
            self.integrations.append(Installed(integration))
            self.integrations[-1].begin(self.load_prices)

    def remove(self, name: str) -> None:
        """Take one integration out."""
        for installed in [each for each in self.integrations if each.integration.name == name]:
            self.integrations.remove(installed)
            installed.end()

    def _carry(self) -> None:
        if self._carrier is not None:
            self._carrier.remove()
        settings = self.settings
        self._carrier = Carrier(
            threads=settings.propagate_threads,
            processes=settings.propagate_processes,
            ids=settings.log_correlation,
            lines=settings.log_events,
            on_process=self.watch_children,
        )

    @property
    def is_described_by_program(self) -> bool:
        """Whether the program's own provider says what the process is called, and no setting of ours."""
        return isinstance(self.recorder, JoinedRecorder) and not self.settings.global_provider

    def described_by(self, settings: Settings) -> dict[str, Any]:
        """What every span says of the process: the program's own provider's words where it has one."""
        if isinstance(self.recorder, JoinedRecorder):
            return self.recorder.resource
        if self._description is None or self._description[0] is not settings:
            self._description = settings, resource.attributes(settings, self.completer.policy, self._here)
        return self._description[1]

    def prepare(self) -> None:
        """Have the first spans find loaded what they need."""
        process_hooks.prepare(self)
        self._prepared_beside = False
        if isinstance(self.recorder, JoinedRecorder):
            self.load_prices()  # there completion runs on the program's threads

    def load_prices(self) -> None:
        """A library that calls models is here: have its first call find the prices loaded."""
        if self._prices_loading or not self.settings.pricing:
            return
        self._prices_loading = True
        with guard("runtime.load_prices"):
            import httpx2  # noqa: F401 - here, and not on the thread that loads the prices: see there

            process_hooks.load(self.completer.warm)

    def uninstall(self) -> None:
        pauses.share(None)
        breaker_sharing.share(None)
        for installed in reversed(self.integrations):
            installed.end()
        if self._carrier is not None:
            self._carrier.remove()
        if self._vendor_calls is not None:
            self._vendor_calls.undo()
            self._vendor_calls = None

    # --- consumer thread -------------------------------------------------------------------------

    def _consume(self, batch: Sequence[LeanSpan | EndedSpan]) -> None:
        started = time.thread_time()
        with guard("runtime.pauses"):
            pauses.look()
            breaker_sharing.look()
        if not self._prepared_beside:
            self._prepared_beside = True
            with guard("runtime.prepare_beside"):
                process_hooks.prepare_beside(self)
        with guard("runtime.forget_ended"):
            for forget in (self.completer.totals.forget_ended, self.signals.metrics.forget_ended):
                forget(self.recorder.open, self.queue.consumed, self.queue.pending)
        complete, aside = self._made_ready(batch)
        ready = complete
        if self.completer.limits_spans:  # of spans alone: all has been measured, and events are made of what is whole
            with guard("runtime.limits"):
                ours: Any = FinishedSpan  # the program's provider has limited what came through it
                ready = [limited(one, self.settings) if type(one) is ours else one for one in complete]
        if ready:
            for sink in self.sinks:
                with guard(f"sink.{sink.name}"):
                    sink.put(ready)
            if self.signals.events.wanted or LOGS in sys.modules:  # who has set a provider has imported it
                with guard("runtime.events"):
                    self.signals.events.add(list(zip(complete, aside, strict=True)))
        self.consumer_seconds += time.thread_time() - started

    def _made_ready(self, batch: Sequence[LeanSpan | EndedSpan]) -> tuple[list[ReadableSpan], list[Mapping[str, Any]]]:  # noqa: C901 - one hot loop
        """What sinks get of ended spans: these, complete, and the content that stands on their events alone."""
        ready: list[ReadableSpan] = []
        aside: list[Mapping[str, Any]] = []
        while self.queue.dropped_traces:
            self.held_runs.lost(self.queue.dropped_traces.popleft())
        contained = guard("runtime.complete")
        take: Callable[[Any], Any] | None = None
        with contained:
            self.completer.policy.keep_texts(on=True)
            take = self._plain_steps()
        spans, metrics = batch, self.signals.metrics
        if not self.held_runs.holds_none_of(batch):
            spans, take = [kept for one in batch for kept in self._kept(one)], None
        watchers = self.watchers
        is_watched = watchers.want_all
        counted, last = dict[Any, int](), dict[Any, Any]()
        for span in spans:
            completed: Any = None
            form, done = None, False
            # Every span passes here: a "with" that nothing is raised in would take its time.
            try:
                if take is not None and (completed := take(span)) is not None:
                    form = completed.form
            except BaseException as error:
                if not contained.takes(error):
                    raise
            try:
                was_told, is_counted = span.completed is not None, limits_in_force.teach is None
                if completed is None:
                    is_counted = is_counted or getattr(span, "account", None) is not None
                    completed = self._completed(span)
                if (is_watched or not is_counted) and not was_told:
                    watchers.tell(completed, is_counted=is_counted)
                ready.append(completed)
                aside.append(span.event_content)
                done = True
                if form in metrics.steps and not metrics.below:
                    counted[form] = counted.get(form, 0) + 1
                    last[form] = completed
                elif not span.measured:
                    span.measured = True
                    metrics.add(completed, kept=True)
            except BaseException as error:
                if not contained.takes(error):
                    raise
            if not done:
                self.failed += 1
                self.held_runs.lost(span.ids[0])
        with contained:
            self.completer.policy.keep_texts(on=False, more=self.queue.pending > len(batch))
            if counted:
                metrics.add_steps(counted, last)
        return ready, aside

    def _kept(self, ended: LeanSpan | EndedSpan) -> list[LeanSpan | EndedSpan]:
        """What goes to the sinks now that ``ended`` has ended."""
        is_watched = self.watchers.want_all or limits_in_force.teach is not None
        if is_watched and ended.held is not None and not ended.held.kept:
            # It may never be exported, and who watches wants to see it all the same.
            with guard("runtime.unsampled"):
                is_counted = getattr(ended, "account", None) is not None
                ended.completed = self._completed(ended)
                self.watchers.tell(ended.completed, is_counted=is_counted)
        if ended.held is not None and not ended.held.kept and not ended.measured:
            # It may never be exported, and has used what it used all the same.
            with guard("runtime.unsampled_metrics"):
                ended.measured = True
                if ended.completed is not None:
                    self.signals.metrics.add(ended.completed, kept=False)
                else:
                    self.signals.metrics.add_unsampled(ended, self.completer)
        admitted = self.held_runs.admit(ended, keep_errors=self.settings.keep_errors)
        if len(admitted) > 1:
            self.queue.put_again(admitted)  # in slices, as they came: they may be thousands
            return []
        return admitted

    def _plain_steps(self) -> Callable[[Any], Any] | None:
        """What completes plain steps, where there may be any."""
        steps, who = self._steps, self._identity or self._who()
        if steps is None or steps.policy is not self.completer.policy or steps.who is not who:
            steps = self._steps = PlainSteps(self.completer, who)
        return steps.take if steps.usable else None

    def _completed(self, span: LeanSpan | EndedSpan) -> ReadableSpan:
        """The usual way of a span: complete, or as it was completed while it waited."""
        completed, span.completed = span.completed, None
        if completed is not None:
            return cast("ReadableSpan", with_sampling(completed, span))
        if isinstance(span, LeanSpan):
            return encodable(readable(span, self.completer, *(self._identity or self._who())))
        return encodable(scrubbed(span, self.completer.policy, self.completer))

    def _look(self) -> float | None:
        """Tell the sinks what is open; the seconds until the next time."""
        started = time.thread_time()
        with guard("runtime.pauses"):
            pauses.look()
            breaker_sharing.look()
        try:
            return self.open_spans.look(self.recorder.open, self.sinks, *self._who())
        finally:
            self.consumer_seconds += time.thread_time() - started

    def _who(self) -> tuple[Resource, InstrumentationScope]:
        """Who makes spans, and by what: objects with the fields of the SDK's, at least."""
        if self._identity is None:
            provider = getattr(self.recorder, "provider", None)
            if provider is None:
                about: Any = ProcessResource(self.described_by(self.settings))
            else:
                about = provider.resource
            self._identity = encodable_identity(about, resource.SPAN_SCOPE)
        return self._identity

    def _official_who(self) -> tuple[Resource, InstrumentationScope]:
        """The same as objects of the SDK: exporters of metrics and events are OpenTelemetry's own, or may be."""
        return official_identity(*self._who())

    @property
    def sampled_out(self) -> int:
        """Spans that ended and are not exported, among them those that may be yet: see ``held_runs``."""
        return self.held_runs.thrown_away + len(self.held_runs)

    # --- flush, fork, end ------------------------------------------------------------------------

    def flush(self, timeout: float) -> FlushResult:
        deadline = time.monotonic() + timeout
        self.queue.flush(timeout)
        with guard("runtime.alerts"):
            self.watchers.settle(max(0.0, deadline - time.monotonic()))
        with guard("runtime.limits"):
            store_link.settle(max(0.0, deadline - time.monotonic()))
        delivery.flush(self.sinks, deadline)
        self.signals.flush(deadline)
        return self.account()

    def settle(self, timeout: float) -> bool:
        """Bring what has ended to the disk, no further; ``False`` if the time ran out first."""
        deadline = time.monotonic() + timeout
        settled = not self.queue.pending or self.queue.flush(timeout)
        for sink in self.sinks:
            settled = sink.settle(max(0.0, deadline - time.monotonic())) and settled
        return settled

    def account(self) -> FlushResult:
        return delivery.account(self.sinks, self.queue.pending, self.queue.dropped + self.failed)

    def end(self, timeout: float, *, keep: Sequence[Any] = ()) -> FlushResult:
        """Stop capturing, deliver what ended, close the sinks within ``timeout`` seconds, but for exporters to keep."""
        deadline = time.monotonic() + timeout
        self.uninstall()
        self._leave_recorder(timeout)
        self.queue.stop(max(0.0, deadline - time.monotonic()))
        with guard("runtime.alerts"):
            self.watchers.stop(max(0.0, deadline - time.monotonic()))
        with guard("runtime.limits"):
            store_link.settle(max(0.0, deadline - time.monotonic()))
            store_link.rest()
        self.held_runs.close()
        bounded_map.clear_all()
        kept = [sink for sink in self.sinks if any(sink.exporter is exporter for exporter in keep)]
        delivery.flush(kept, deadline)
        delivery.close([sink for sink in self.sinks if sink not in kept], deadline)
        self.signals.end(deadline)
        result = self.account()
        # What lies in a spool on disk is not in danger: the next process sends it.
        spooled = all(sink.stats().get("durable") for sink in self.sinks if sink.pending) and not self.queue.pending
        if result.lost or (result.remaining and not spooled):
            logger.warning(
                "agentops_sdk: %d span(s) lost and %d not delivered at shutdown", result.lost, result.remaining
            )
        return result

    def _leave_recorder(self, timeout: float) -> None:
        with guard("runtime.interrupt"):
            if (earlier := self._take_earlier()) is not None:
                earlier.interrupt_open()
            self.recorder.interrupt_open()
        if isinstance(self.recorder, JoinedRecorder):
            self.queue.flush(timeout)
            self.recorder.leave()

    def _take_earlier(self) -> Recorder | None:
        """The recorder of before the program set a provider, with what is open of its spans; ``None`` after that."""
        earlier, self._earlier = self._earlier, None
        if earlier is not None:
            still_open = list(self.recorder.open.items())
            earlier.open = {key: span for key, span in still_open if isinstance(span, LeanSpan)}
        return earlier

    def watch_children(self) -> None:
        """This process has started another: what that may leave behind when it dies is ours to deliver."""
        for sink in (*self.sinks, *self.signals.sinks):
            sink.watch_children()

    def after_fork(self) -> None:
        self.failed = 0
        self.closed_sinks = {}
        self.held_runs = HeldRuns(self.settings.queue_size)
        self.signals.after_fork()
        self._identity = self._description = None  # it names the process
        self.watchers.after_fork()
        if (earlier := self._take_earlier()) is not None:
            earlier.forget_open()
        self.recorder.forget_open()
        limits_in_force.after_fork()
        breakers.after_fork()
        bounded_map.clear_all()
        breaker_sharing.after_fork()
        self.completer.after_fork()
        self.queue.after_fork()
        for sink in self.sinks:
            sink.after_fork()


def _working_directory() -> Path | None:
    """Where the program starts; it may go elsewhere before the first span."""
    try:
        return Path.cwd()
    except OSError:  # removed
        return None


def _rules(settings: Settings) -> Sequence[Rule]:
    if not settings.limits:
        return ()
    from agentops_sdk.limit_rules import from_setting

    return from_setting(settings.limits)
