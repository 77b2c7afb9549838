"""One exporter behind an adapter that isolates it and keeps its account: accepted = exported + pending + lost.

Long because the account must add up: every way a span can take past an exporter stands in this file.
"""

from __future__ import annotations

import inspect
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value

from agentops_sdk._host.guard import guard, logger
from agentops_sdk._host.own_thread import OwnThread, on_own_thread
from agentops_sdk._propagation.context_keys import release
from agentops_sdk.traces.formats.official_span import official

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

    from agentops_sdk.config import Settings

    OpenSpanRun = Sequence[ReadableSpan]

_QUEUE_LIMIT = 20_000  # spans that may wait for one slow exporter
_BATCH = 512
_HALVINGS = 256  # calls that one batch may cost when an exporter raises over some of its spans


class Sink:
    """An exporter called on the consumer thread: for quick, local work (``exporter.inline`` is true).

    An exporter with ``stats()`` keeps its own account (a spool delivers later than ``export`` returns); any other is
    judged by what ``export`` returns. All that is looked for is in ``agentops_sdk.exporters.contract``.
    """

    def __init__(self, name: str, exporter: SpanExporter, setting: Any = None) -> None:
        self.name = name
        self.exporter = exporter
        self.setting = setting
        self.lean = getattr(exporter, "lean", False) is True
        self.settings: Settings | None = None
        """Those it was made by."""
        self.accepted = 0
        self._counted = 0
        self._taken = 0
        self._dropped: Counter[str] = Counter()
        self.error: str | None = None
        self.error_at: float | None = None
        self._steering: BaseException | None = None
        self.success_at: float | None = None
        self.seconds = 0.0
        """Time spent in ``export``."""
        self.exports = 0
        self._failing = False
        self._told: set[str] = set()
        self.events: Counter[str] = Counter()
        """Events that were given to it: ``accepted``, ``exported`` and ``lost``."""

    # --- the account -----------------------------------------------------------------------------
    def stats(self) -> dict[str, Any]:
        """What the exporter itself tells (spooled bytes, retries …), if it does."""
        figures: dict[str, Any] = {}
        ask = getattr(self.exporter, "stats", None)
        if ask is not None:
            with guard(f"sink.{self.name}.stats"):
                figures = dict(ask())
        return figures

    def account(self) -> dict[str, Any]:
        """``accepted``, ``exported``, ``pending``, ``dropped`` (by reason), last error and success, and ``details``."""
        figures = self.stats()
        dropped = Counter(self._dropped)
        waiting = self._waits()
        if "exported" in figures:
            exported = int(figures.pop("exported"))
            dropped.update(figures.pop("dropped", {}))
            taken = figures.pop("accepted", self._counted)
            # What an export that raised swallowed is neither with the exporter nor in our queue.
            pending = int(figures.pop("pending", taken - exported - dropped.total())) + waiting
        else:
            exported = self._counted
            pending = self.accepted - exported - dropped.total()
        return {
            "accepted": self.accepted,
            "exported": exported,
            "pending": pending,
            "dropped": dict(dropped),
            "last_error": figures.pop("last_error", None) or self.error,
            "last_error_at": figures.pop("last_error_time", None) or self.error_at,
            "last_success_at": figures.pop("last_success_time", None) or self.success_at,
            "failing": bool(figures.get("failing")) or self._failing or bool(figures.get("disk_error")),
            "details": figures,
        }

    @property
    def exported(self) -> int:
        return int(self.account()["exported"])

    @property
    def pending(self) -> int:
        return int(self.account()["pending"])

    @property
    def dropped(self) -> Counter[str]:
        return Counter(self.account()["dropped"])

    def _waits(self) -> int:
        return 0

    # --- work ------------------------------------------------------------------------------------
    def put(self, spans: Sequence[ReadableSpan]) -> None:
        """Take a batch; never raises, never waits for a slow exporter."""
        self.accepted += len(spans)
        self._export(spans)

    @property
    def takes_open(self) -> bool:
        """Whether the exporter keeps what is open as well: it has ``export_open``."""
        return hasattr(self.exporter, "export_open")

    def put_open(self, runs: Sequence[OpenSpanRun], still_open: AbstractSet[int]) -> None:
        """Open spans, by run: no part of the account, as each will come again when it has ended."""
        with guard(f"sink.{self.name}.open"):
            keep: Any = self.exporter
            told = runs if self.lean else [[official(span) for span in spans] for spans in runs]
            keep.export_open(told, still_open)

    @property
    def takes_events(self) -> bool:
        """Whether the exporter takes events as well: it has ``export_events``."""
        return hasattr(self.exporter, "export_events")

    def put_events(self, events: Sequence[Any]) -> None:
        """Events, for an exporter that takes them: accounted for apart. Called by the thread that calls :meth:`put`."""
        taken: Any = False
        with guard(f"sink.{self.name}.events"):
            take: Any = self.exporter
            taken = take.export_events(events)
        self.events["accepted"] += len(events)
        self.events["exported" if _is_success(taken) else "lost"] += len(events)

    def event_account(self) -> dict[str, Any] | None:
        """The same figures as :meth:`account`, of the events that it was given; ``None`` where it was given none."""
        if not self.events:
            return None
        own = self.stats().get("events")
        lost = self.events["lost"]
        dropped = {"export failed": lost} if lost and own is None else {}
        figures = own or {"exported": self.events["exported"], "pending": 0, "dropped": dropped}
        return {
            "last_error": None, "last_error_at": None, "last_success_at": None, "failing": False, "details": {},
            "accepted": self.events["accepted"], "exported": 0, **figures,
        }  # fmt: skip

    def settle(self, timeout: float) -> bool:
        """Wait until an exporter that works on a disk has been given everything; ``False`` if the time ran out."""
        return True

    def flush(self, timeout: float) -> bool:
        answer: object = False
        with guard(f"sink.{self.name}.flush"):
            answer = self.exporter.force_flush(max(1, int(timeout * 1000)))
        self._tell_disk_error()
        return answer is not False

    def shutdown(self, timeout: float) -> bool:
        with guard(f"sink.{self.name}.shutdown"):
            _shutdown_of(self.exporter, timeout)()
        return True

    def give_up(self) -> None:
        """The time is over: what still waits here is lost, counted. A spool on disk keeps its own."""

    def watch_children(self) -> None:
        """This process has started another; the exporter is told if it wants to know."""
        hook = getattr(self.exporter, "watch_children", None)
        if hook is not None:
            with guard(f"sink.{self.name}.watch_children"):
                hook()

    def after_fork(self) -> None:
        """In a child: counts start anew, and the exporter is told if it wants to know."""
        self.accepted = self._counted = self._taken = self.exports = 0
        self._dropped = Counter()
        self.events = Counter()
        hook = getattr(self.exporter, "after_fork", None)
        if hook is not None:
            with guard(f"sink.{self.name}.after_fork"):
                hook()

    def _export(self, spans: Sequence[ReadableSpan]) -> None:
        self._deliver(spans)
        steering, self._steering = self._steering, None
        if steering is not None:
            raise steering

    def _deliver(self, spans: Sequence[ReadableSpan]) -> None:
        error, result = self._call(spans)
        # An exporter with an account of its own has taken a part of it already, nobody knows which.
        if error is None or len(spans) == 1 or hasattr(self.exporter, "stats"):
            self._judge(spans, error, result)
            return
        # One span that it cannot stand, or would it take none? If neither the first nor the last passes, none.
        middle = spans[1:-1]
        passed = [self._alone(spans[:1]), self._alone(spans[-1:])]
        if any(passed):
            self._halved(middle)
        elif middle:
            self._judge(middle, error, None)

    def _alone(self, spans: Sequence[ReadableSpan]) -> bool:
        error, result = self._call(spans)
        self._judge(spans, error, result)
        return error is None

    def _halved(self, spans: Sequence[ReadableSpan]) -> None:
        """Export all but the spans over which the exporter raises."""
        parts, calls = [spans] if spans else [], _HALVINGS
        while parts:
            part = parts.pop()
            error, result = self._call(part)
            calls -= 1
            if error is not None and len(part) > 1 and calls > 0:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
            else:
                self._judge(part, error, result)

    def _call(self, spans: Sequence[ReadableSpan]) -> tuple[BaseException | None, Any]:
        # Somebody else's exporter: whatever it raises is its failure, counted against it. On our threads
        # that includes SystemExit, CancelledError and their kind: no program runs there that they could steer.
        error: BaseException | None = None
        started = time.perf_counter()
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        try:
            # A list of its own: it may be emptied.
            result: Any = self.exporter.export(list(spans) if self.lean else [official(span) for span in spans])
            if inspect.isawaitable(result):  # async def export: nobody runs it here
                if inspect.iscoroutine(result):
                    result.close()
                raise TypeError("export() must do its work before it returns; this one is asynchronous")
        except BaseException as raised:  # noqa: BLE001 - the boundary to third-party exporters; counted below
            error, result = raised, None
            if not isinstance(raised, Exception) and not on_own_thread():
                self._steering = raised  # a flush on the program's own thread: its Ctrl-C, its handler's sys.exit()
        finally:
            release(token)
        self.seconds += time.perf_counter() - started
        self.exports += 1
        self._tell_disk_error()
        return error, result

    def _tell_disk_error(self) -> None:
        """One line in the log, at once, for each kind of trouble with the disk; the figures are in ``status()``."""
        error = getattr(self.exporter, "disk_error", None)
        if isinstance(error, str) and (kind := error.partition(":")[0]) not in self._told:
            self._told.add(kind)
            logger.warning("agentops_sdk: sink %s cannot write to disk: %s; see agentops.health()", self.name, error)

    def _judge(self, spans: Sequence[ReadableSpan], error: BaseException | None, result: Any) -> None:
        own_account = hasattr(self.exporter, "stats")
        if error is None and (own_account or _is_success(result)):
            self._counted += len(spans)
            self._taken += len(spans)
            self._failing = False
            if not own_account:
                self.success_at = time.time()
            return
        reason = type(error).__name__ if error is not None else "export failed"
        # What an exporter with its own account has taken is in that account, though its export() raised.
        taken = max(0, int(self.stats().get("accepted", self._taken)) - self._taken) if own_account else 0
        self._taken += taken
        self._dropped[reason] += max(0, len(spans) - taken)
        if self.error is None:
            logger.warning("agentops_sdk: sink %s failed (%s); see agentops.status()", self.name, reason)
        self.error, self.error_at, self._failing = reason, time.time(), True


def _is_success(result: Any) -> bool:
    """What ``export`` returned says so, or says nothing: many return ``None``."""
    return result is not False and getattr(result, "name", "SUCCESS") == "SUCCESS"


class ThreadedSink(Sink):
    """An exporter with a thread and a bounded queue of its own, so that it may be slow or hang."""

    def __init__(self, name: str, exporter: SpanExporter, setting: Any = None) -> None:
        super().__init__(name, exporter, setting)
        self._new_primitives()

    def _new_primitives(self) -> None:
        self._open: tuple[list[OpenSpanRun], AbstractSet[int]] | None = None
        self._waiting: deque[ReadableSpan] = deque()
        self._events: deque[Any] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._given_up = False
        self._working = 0

    def put(self, spans: Sequence[ReadableSpan]) -> None:
        with self._changed:
            self.accepted += len(spans)
            room = max(0, _QUEUE_LIMIT - len(self._waiting))
            self._waiting.extend(spans[:room])
            if len(spans) > room:
                self._dropped["sink queue full"] += len(spans) - room
            self._notify()

    def put_open(self, runs: Sequence[OpenSpanRun], still_open: AbstractSet[int]) -> None:
        with self._changed:
            waiting = self._open[0] if self._open is not None else []
            # However slow the exporter is: what has ended in the meantime needs not be told.
            waiting = [run for run in waiting if any(span.context.span_id in still_open for span in run)]
            self._open = [*waiting, *runs], still_open
            self._notify()

    def put_events(self, events: Sequence[Any]) -> None:
        with self._changed:
            if len(self._events) + len(events) > _QUEUE_LIMIT:
                self.events["accepted"] += len(events)
                self.events["lost"] += len(events)
                return
            self._events.extend(events)
            self._notify()

    def _notify(self) -> None:
        if self._thread is None:
            self._thread = OwnThread(f"sink-{self.name}", self._run)
            with guard("sink.start"):
                self._thread.start()
        self._changed.notify_all()

    def settle(self, timeout: float) -> bool:
        return not getattr(self.exporter, "disk", False) or self._emptied(timeout)

    def flush(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        if not self._emptied(timeout):
            return False
        # The exporter's own flush may hang: it is given a thread and what is left of the time.
        return _within(deadline, super().flush)

    def shutdown(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        emptied = self._emptied(timeout)
        self.give_up()
        return _within(deadline, super().shutdown) and emptied

    def give_up(self) -> None:
        with self._changed:
            self._stopping = True
            if waits := self._waits():
                self._given_up = True
                self._dropped["not exported before shutdown"] += waits
                self._waiting.clear()
            self._changed.notify_all()

    def after_fork(self) -> None:
        self._new_primitives()
        super().after_fork()

    def _waits(self) -> int:
        return 0 if self._given_up else len(self._waiting) + self._working

    def _emptied(self, timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._working and not self._events, timeout)

    def _judge(self, spans: Sequence[ReadableSpan], error: BaseException | None, result: Any) -> None:
        if not self._given_up:  # else these spans have been counted as lost already
            super()._judge(spans, error, result)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._working = 0
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._open or self._events or self._stopping)
                if not self._waiting and not self._open and not self._events:
                    return
                events = [self._events.popleft() for _ in range(min(_BATCH, len(self._events)))]
                opened, self._open = self._open, None
                batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
                self._working = len(batch)
            if events:
                super().put_events(events)
            if batch:
                self._export(batch)
            if opened is not None:
                super().put_open(*opened)


def adapt(name: str, exporter: SpanExporter, setting: Any = None, *, alone: bool = True) -> Sink:
    """The adapter that fits: inline for exporters that say so, a thread of its own for all others.

    ``alone``: no other sink works on a disk. With several, each gets a thread, so that one on a slow
    file system does not hold up the next.
    """
    inline = getattr(exporter, "inline", False) and (alone or not getattr(exporter, "disk", False))
    return Sink(name, exporter, setting) if inline else ThreadedSink(name, exporter, setting)


def _within(deadline: float, work: Callable[[float], bool]) -> bool:
    results: list[bool] = []
    left = max(0.0, deadline - time.monotonic())
    thread = OwnThread("sink-end", lambda: results.append(work(left)))
    try:
        thread.start()
    except RuntimeError:  # the interpreter is ending and starts no threads: do it here
        return work(left)
    thread.join(left)
    return bool(results and results[0])


def _shutdown_of(exporter: SpanExporter, timeout: float) -> Callable[[], Any]:
    """``exporter.shutdown``, told how long it may take if it wants to know."""
    try:
        parameters = inspect.signature(exporter.shutdown).parameters
    except (TypeError, ValueError):
        return exporter.shutdown
    ask: Callable[..., Any] = exporter.shutdown
    if "timeout" in parameters:
        return lambda: ask(timeout=timeout)
    if "timeout_millis" in parameters:
        return lambda: ask(timeout_millis=max(1, int(timeout * 1000)))
    return exporter.shutdown
