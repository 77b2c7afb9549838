"""Completes a plain step in one pass: a span on which completion, policy and the sinks' checks would change nothing.

Most spans of a program are functions of its own: a kind, an outcome, arguments and a result that fit and hold no
secret. What the names of a span's attributes say of it is looked up; of each value the policy's own question is asked.
Where any answer is no, the span is left as it was, and goes the usual way. Consumer thread only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import SpanKind

from agentops_sdk import semconv
from agentops_sdk._recorder.convention_types import TYPED
from agentops_sdk._recorder.recorder import NO_STATE, LeanSpan
from agentops_sdk._recorder.run_totals import RUNS
from agentops_sdk._scrub.redact import OURS
from agentops_sdk._snapshot.snapshot import counts_few
from agentops_sdk.traces.formats.finished_span import FinishedSpan, SpanForm
from agentops_sdk.traces.formats.json_values import INT_MAX

if TYPE_CHECKING:
    from agentops_sdk._recorder.span_completion import Completer

__all__ = ["PlainSteps"]

_KINDS: Final = frozenset(semconv.KINDS) - RUNS - {"llm", "embedding", "retriever", "memory"}
"""Kinds that are not priced, not read for more, and have no totals of their own."""
_OUTCOMES: Final = frozenset(semconv.OUTCOMES) - {"error"}
_TELLING: Final = TYPED.union(
    semconv.PIN_NAMES,
    semconv.MAIN_NAMES,
    (semconv.PRIVATE, semconv.USAGE_SOURCE, semconv.USAGE_INPUT_TOKENS, semconv.STREAM_CHUNKS),
)
"""Names of which completion makes more, or others."""
_STR: Final = frozenset({str})
_MOST_FORMS: Final = 1_024
_UNKNOWN: Any = object()
_UNSET: Any = LeanSpan.status
"""The status of a span of which none was told."""
_INTERNAL: Final = SpanKind.INTERNAL
_FIRST_NS: Final = 1_000_000_000


class PlainSteps:
    """What is known of plain steps under one policy.

    Args:
        completer: the usual way, of whose settings and policy it is.
        who: who makes the spans, and by what; encodable.
    """

    def __init__(self, completer: Completer, who: tuple[Any, Any]) -> None:
        settings, policy = completer.settings, completer.policy
        self.policy = policy
        self.who = who
        self._resource, self._scope = who
        self.usable = (
            policy.leaves_alone and not completer.limits_spans and completer.findings is None
            and not settings.vocabularies and settings.blobs != "files"
        )  # fmt: skip
        """Whether there are any: some settings want every span looked at."""
        self._completer = completer
        self._lets_pass = policy.lets_pass
        self._forms: dict[tuple[str, ...], SpanForm | None] = {}
        """By name, kind, outcome and the names of attributes; ``None`` where such a span is no plain step."""

    def take(self, span: LeanSpan) -> FinishedSpan | None:
        """An ended span as it is exported, which then lets go of what it was told; ``None`` where it is left as it was.

        Args:
            span: of a run that is exported, and that lacks nothing.
        """
        if (
            type(span) is not LeanSpan or span.events or span.links
            or span.account is not None or span.status is not _UNSET or span.kind is not _INTERNAL
        ):  # fmt: skip
            return None
        attributes = span.attributes.copy()
        told = (span.name, attributes.get(semconv.KIND), attributes.get(semconv.OUTCOME), *attributes)
        if not _STR.issuperset(map(type, told)):
            return None
        form = self._forms.get(told, _UNKNOWN)  # type: ignore[arg-type]  # all are texts by now
        if form is _UNKNOWN:
            form = self._look_at(*told)
        if (
            form is None
            or (span.deferred and not counts_few(span.deferred, attributes))
            or not self._lets_pass(attributes, form.asked)
        ):
            return None
        context, parent, start, end = span.context, span.parent, span.start_ns, span.end_ns
        if (
            type(start) is not int or type(end) is not int or not _FIRST_NS <= start <= end <= INT_MAX
            or not (context[4] is NO_STATE or not context[4])  # by place: by name, each answer takes a call
        ):  # fmt: skip
            return None
        if self._completer.totals.open:
            above = None if parent is None or parent[2] else parent[1]
            self._completer.tell_runs(attributes, context[1], above, context[0])
        span.attributes, span.deferred = {}, ()
        return FinishedSpan(
            span.name,
            context,
            parent,
            self._resource,
            self._scope,
            attributes,
            _INTERNAL,
            _UNSET,
            start,
            end,
            (),
            (),
            0,
            form,
        )

    def _look_at(self, name: Any, kind: Any, outcome: Any, *names: Any) -> SpanForm | None:
        """What there is to know of spans that say so; all are texts."""
        form = None
        is_step = kind in _KINDS and outcome in _OUTCOMES and _TELLING.isdisjoint(names)
        if is_step and self._lets_pass({"": name}, ("",)) and all(map(self.policy.announces_nothing, names)):
            form = SpanForm(tuple(each for each in names if each not in OURS))
        if len(self._forms) >= _MOST_FORMS:
            self._forms.clear()
        self._forms[name, kind, outcome, *names] = form
        return form
