"""What has been open for a second, told to the sinks that keep it: a run is on disk before it ends. Consumer thread."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.trace import Status, StatusCode

from agentops_sdk import semconv
from agentops_sdk._host.guard import guard
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk._scrub.policy import Policy
from agentops_sdk._scrub.private_form import attributes_of, name_of
from agentops_sdk.traces.formats.finished_span import FinishedSpan
from agentops_sdk.traces.formats.wire_values import encodable

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind

    from agentops_sdk._pipeline.sinks import Sink
    from agentops_sdk.config import Settings

_AGE = 0.75  # seconds; so that it is on disk when it is a second old
_SHORTEST = 0.2  # seconds between two looks
_PERIOD = 1.0  # seconds between two lines of one run
_LINES = 1_000  # in one period; further runs wait for the next one
_SPANS = 32  # in one line
_TEXT = 200  # characters of a value; a longer one waits for the end of its span

_UNSET = Status(StatusCode.UNSET)
_SCALARS = (str, bool, int, float)  # what else somebody set may run their code when it is looked at
_ATTRIBUTES = frozenset(
    (
        *(semconv.KIND, semconv.OPERATION_NAME, semconv.PROVIDER_NAME, semconv.REQUEST_MODEL),
        *(semconv.AGENT_NAME, semconv.AGENT_ID, semconv.WORKFLOW_NAME, semconv.TOOL_NAME, semconv.TOOL_CALL_ID),
        *(semconv.SESSION_ID, semconv.USER_ID, semconv.CONVERSATION_ID, semconv.TAGS),
        *(semconv.GRAPH_NODE, semconv.INTERNAL, semconv.ATTEMPT),
    )
)
"""What is told of a span before its end: who and what it is, never what people or models wrote."""


class OpenSpan(Protocol):
    """A span that has not ended."""

    name: str
    attributes: dict[str, Any]
    context: SpanContext
    parent: SpanContext | None
    kind: SpanKind
    start_ns: int

    @property
    def kept(self) -> bool:
        """Whether it will be exported."""
        ...


class OpenRun(NamedTuple):
    """A run of this process that has not ended."""

    name: str
    trace_id: str
    age: float
    """Seconds."""
    spans: int
    """How many of its spans are open."""


class OpenSpans:
    """Remembers which open spans have been told, and tells each once: a line per run and second at most."""

    def __init__(self, settings: Settings) -> None:
        self.policy = Policy(settings)  # of its own: what is told again at the end is counted there
        self.delayed = 0
        """Times that a run had to wait because too many others were told in that second."""
        self._telling = False
        self._told: set[int] = set()
        self._told_at: dict[int, float] = {}

    def look(
        self, spans: Mapping[int, OpenSpan], sinks: Sequence[Sink], resource: Resource, scope: InstrumentationScope
    ) -> float | None:
        """Tell what is due.

        Returns:
            seconds until this should be called again; infinity if no sink wants to know; ``None`` if none is open.
        """
        takers = [sink for sink in sinks if sink.takes_open]
        if not takers:
            return math.inf
        now_open = dict(spans)
        self._told &= now_open.keys()
        fresh = [span for number, span in now_open.items() if number not in self._told and span.kept]
        due, wait = self._due(fresh)
        self._pass_on([self._readable(run, resource, scope) for run in due], takers)
        return wait if self._told or fresh else None

    def reconfigure(self, settings: Settings) -> None:
        """Go on by other settings: what is open is told again, to sinks that have come in."""
        self.policy = Policy(settings)
        self._told.clear()

    def _pass_on(self, runs: Sequence[Sequence[ReadableSpan]], takers: Sequence[Sink]) -> None:
        if not self._told and not self._telling:
            return
        self._telling = bool(self._told)
        for sink in takers:
            sink.put_open([run for run in runs if run], frozenset(self._told))

    def _due(self, fresh: Sequence[OpenSpan]) -> tuple[list[list[OpenSpan]], float]:
        """The spans to tell now, by run, the outermost first; and the seconds until the next ones are due."""
        old_enough, now = time.time_ns() - round(_AGE * 1e9), time.monotonic()
        self._told_at = {trace_id: at for trace_id, at in self._told_at.items() if now - at < _PERIOD}
        runs: dict[int, list[OpenSpan]] = {}
        for span in fresh:
            if span.start_ns <= old_enough and span.context.trace_id not in self._told_at:
                runs[span.context.trace_id] = []
        young = min((span.start_ns for span in fresh if span.start_ns > old_enough), default=None)
        wait = _AGE if young is None else (young - old_enough) / 1e9
        if self._told_at:
            wait = min(wait, _PERIOD + min(self._told_at.values()) - now)
        if len(runs) > _LINES:
            self.delayed += len(runs) - _LINES
            runs, wait = dict(islice(runs.items(), _LINES)), _PERIOD
        for span in fresh:
            # The younger ones, too: they share the line, and a second may pass until the next one.
            if (run := runs.get(span.context.trace_id)) is not None and len(run) < _SPANS:
                run.append(span)
                self._told.add(span.context.span_id)
        self._told_at.update(dict.fromkeys(runs, now))
        return list(runs.values()), max(wait, _SHORTEST)

    def _readable(self, run: Sequence[OpenSpan], resource: Resource, scope: InstrumentationScope) -> list[ReadableSpan]:
        spans: list[ReadableSpan] = []
        for span in run:
            with guard("open_spans.readable"):
                spans.append(_readable(span, self.policy, resource, scope))
        return spans


def open_runs(spans: Mapping[int, OpenSpan], policy: Policy, most: int) -> list[OpenRun]:
    """The runs that are open now, oldest first, at most ``most``. Called on the thread that asks."""
    runs: dict[int, list[OpenSpan]] = {}
    for span in dict(spans).values():
        runs.setdefault(span.context.trace_id, []).append(span)
    outermost = sorted((min(run, key=lambda span: span.start_ns) for run in runs.values()), key=lambda s: s.start_ns)
    now = time.time_ns()
    return [
        OpenRun(
            shown_name(top, policy),
            f"{top.context.trace_id:032x}",
            max(0, now - top.start_ns) / 1e9,
            len(runs[top.context.trace_id]),
        )
        for top in outermost[:most]
    ]


def shown_name(span: OpenSpan, policy: Policy) -> str:
    """The name of an open span as it may be shown."""
    return name_of(span.attributes) if semconv.PRIVATE in span.attributes else policy.text(span.name) or ""


def _readable(span: OpenSpan, policy: Policy, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    attributes = span.attributes.copy()
    if semconv.PRIVATE in attributes:
        attributes = attributes_of(attributes)
    return encodable(
        FinishedSpan(  # type: ignore[arg-type]  # a ReadableSpan by its fields
            shown_name(span, policy)[:_TEXT],
            span.context,
            span.parent,
            resource,
            scope,
            policy.apply(dict(_told(attributes.items()))),
            span.kind,
            _UNSET,
            span.start_ns,
            max(time.time_ns(), span.start_ns),
        )
    )


def _told(attributes: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Any]]:
    for name, value in attributes:
        if name in _ATTRIBUTES or (type(name) is str and name.startswith(semconv.METADATA_PREFIX)):
            items = value if type(value) in (list, tuple) else (value,)
            if all(type(item) in _SCALARS for item in items) and sum(len(str(item)) for item in items) <= _TEXT:
                yield name, value
