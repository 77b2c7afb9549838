"""Completes an ended span: deferred work, tokens and cost, content policy, limits, scrubbing. Consumer thread.

Joined to a program's own provider it runs where the span ends instead, so that its exporters get
the same span as ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from agentops_sdk import semconv
from agentops_sdk._genai.values_told import told_by_values
from agentops_sdk._host.guard import guard
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk._recorder.convention_types import TYPED, in_their_types
from agentops_sdk._recorder.run_totals import RUNS, RunTotals
from agentops_sdk._recorder.span_limits import limits_anything
from agentops_sdk._recorder_port import Deferred
from agentops_sdk._scrub import rendered_prompts
from agentops_sdk._scrub.policy import Policy
from agentops_sdk._scrub.private_form import attributes_of, event_name_of
from agentops_sdk._scrub.prompt_fingerprint import prompt_fingerprint
from agentops_sdk.config import Settings

if TYPE_CHECKING:
    from agentops_sdk._findings.finding_watch import FindingWatch
    from agentops_sdk._recorder.blob_files import BlobFiles

_PRICED = frozenset(("llm", "embedding"))
_TELLING = RUNS | {"llm"}
"""Kinds whose content stands for that of the run around them, too."""
_TOLD_BY_VALUES = RUNS | {"retriever", "memory"}
"""Kinds whose arguments and results say what the conventions have names for."""


class Completed(NamedTuple):
    """An ended span's final content."""

    attributes: dict[str, Any]
    events: list[tuple[str, int, dict[str, Any]]]
    message: str | None
    event_content: dict[str, Any] = {}  # noqa: RUF012 - never changed
    """What stands on events and not on the span."""


class Completer:
    """Holds what completion needs; made once per runtime."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.limits_spans = limits_anything(settings)
        self.policy = Policy(settings)
        self.totals = RunTotals()
        self.blobs: BlobFiles | None = None
        self.findings = _watch(settings)

    def reconfigure(self, settings: Settings) -> None:
        """Go on by other settings; what was counted stays."""
        before, self.settings, self.blobs = self.policy, settings, None
        self.findings = _watch(settings)
        self.limits_spans = limits_anything(settings)
        self.policy = Policy(settings)
        self.policy.redactions = before.redactions
        if self.policy.personal_data is not None and before.personal_data is not None:
            self.policy.personal_data.failures = before.personal_data.failures

    def after_fork(self) -> None:
        """In a child: what was open is the parent process's."""
        self.totals = RunTotals()

    def warm(self) -> None:
        """Load what a model call needs, prices above all, before the first one ends."""
        if self.settings.pricing:
            text = '[{"role": "assistant", "parts": [{"type": "text", "content": "warm"}]}]'
            example = {semconv.KIND: "llm", semconv.REQUEST_MODEL: "gpt-4o", semconv.OUTPUT_MESSAGES: text}
            self.complete(example, (), (), None)

    def complete(
        self,
        attributes: dict[str, Any],
        deferred: Iterable[Deferred],
        events: Iterable[tuple[str, int, Any]],
        message: str | None,
        account: Deferred | None = None,
        ids: tuple[int, int | None] | None = None,
        trace_id: int = 0,
    ) -> Completed:
        """The final attributes, events and status message. Each step is guarded on its own.

        Args:
            attributes: what the span has so far; changed in place.
            deferred: what is left to do for them.
            events: name, time and attributes of each, or what gives those.
            message: the status message.
            account: is told of tokens and cost.
            ids: of the span, and of the one around it in this process, if any.
            trace_id: of its trace.
        """
        self.work_out(attributes, deferred, account)
        if self.settings.blobs == "files" and semconv.PRIVATE not in attributes:
            with guard("complete.blobs"):
                self._take_blobs(attributes, trace_id)
        if ids is not None:
            self.tell_runs(attributes, *ids, trace_id)
        return self.finish(attributes, events, message, self.policy, trace_id)

    def _take_blobs(self, attributes: dict[str, Any], trace_id: int) -> None:
        if not self.policy.captures(attributes, trace_id):
            return
        if self.blobs is None:
            from agentops_sdk._recorder.blob_files import BlobFiles

            self.blobs = BlobFiles(self.settings)
        self.blobs.take(attributes)

    def tell_runs(self, attributes: dict[str, Any], span_id: int, parent_id: int | None, trace_id: int) -> None:
        """What agents and workflows tell beside that: messages, and what their model calls have told.

        Args:
            attributes: of the span that has ended; changed in place.
            span_id: its id.
            parent_id: that of the span around it in this process, if there is one.
            trace_id: of its trace.
        """
        if not TYPED.isdisjoint(attributes):
            with guard("complete.types"):
                in_their_types(attributes)
        kind = attributes.get(semconv.KIND)
        if kind in _TOLD_BY_VALUES and (semconv.INPUT in attributes or semconv.OUTPUT in attributes):
            with guard("complete.values"):
                attributes.update(told_by_values(kind, attributes))
        if parent_id is None and kind not in RUNS:
            self.totals.open.pop(span_id, None)  # what is below it is told to nobody
            return
        with guard("complete.run"):
            content = kind in _TELLING and parent_id is not None and self.policy.captures(attributes, trace_id)
            self.totals.settle(span_id, parent_id, attributes, content=content, state=self.settings.semconv)

    def finish(
        self,
        attributes: dict[str, Any],
        events: Iterable[tuple[str, int, Any]],
        message: str | None,
        policy: Policy,
        trace_id: int,
    ) -> Completed:
        """The second half of it: what may leave, by ``policy``."""
        private = semconv.PRIVATE in attributes
        content = policy.captures(attributes, trace_id)
        if private:
            attributes = attributes_of(attributes)
        final_events: list[tuple[str, int, dict[str, Any]]] = []
        for name, at, fields in events:
            with guard("complete.event"):
                known = fields() if callable(fields) else dict(fields)
                known = attributes_of(known) if private else known
                shown = event_name_of(name) if private else policy.name(name)
                final_events.append((shown, at, policy.apply(known, content)))
        if self.settings.semconv == "main":
            _rename(attributes, semconv.MAIN_NAMES)
        elif not self.settings.semconv and semconv.USAGE_CACHE_CREATION in attributes:
            # Some backends read the one name, some the other.
            attributes.setdefault(semconv.USAGE_CACHE_WRITE, attributes[semconv.USAGE_CACHE_CREATION])
        kept = policy.apply(attributes, content)
        aside: dict[str, Any] = {}
        if policy.holds_event_content:
            aside = policy.event_content(kept, [fields for _, _, fields in final_events])
        if self.settings.vocabularies:
            with guard("complete.vocabularies"):
                from agentops_sdk._vocabularies import added, repeated

                for name in repeated(kept):
                    del kept[name]
                kept.update(added(kept, self.settings.vocabularies))
        return Completed(kept, final_events, None if private else policy.text(message), aside)

    def look_for_findings(
        self,
        attributes: dict[str, Any],
        events: list[tuple[str, int, dict[str, Any]]],
        ids: tuple[int, int],
        times: tuple[int, int],
        *,
        outermost: bool,
    ) -> None:
        """What an ended span tells of an attack, put on it. Consumer thread, as its sinks are about to get it.

        Args:
            attributes: final ones; changed in place.
            events: final ones; added to.
            ids: of its trace, and its own.
            times: its start and end, in nanoseconds since the epoch.
            outermost: whether its run is over.
        """
        if self.findings is None:
            return
        with guard("complete.findings"):
            from agentops_sdk._findings.finding_watch import event_of

            found = self.findings.look(*ids, attributes, *times, outermost=outermost)
            if found:
                attributes[semconv.FINDINGS] = sorted({finding.rule for finding in found})
                events += [(name, times[1], about) for name, about in map(event_of, found)]

    def work_out(
        self, attributes: dict[str, Any], deferred: Iterable[Deferred], account: Deferred | None = None
    ) -> None:
        """The first half of it: what is read in what was kept, tokens and cost; ``account`` is told of them."""
        for work in deferred:
            with guard("complete.deferred"):
                work(attributes)
        if attributes.get(semconv.KIND) == "llm":
            with guard("complete.fingerprint"):
                attributes.setdefault(semconv.PROMPT_FINGERPRINT, prompt_fingerprint(attributes))
                if rendered_prompts.is_any:
                    attributes.update(rendered_prompts.prompt_of(attributes))
        _rename(attributes, semconv.PIN_NAMES)
        if self.settings.pricing and (attributes.get(semconv.KIND) in _PRICED or semconv.USAGE_SOURCE in attributes):
            with guard("complete.usage"):
                _enrichment()(attributes)
        if account is not None:
            with guard("complete.account"):
                account(attributes)


@cache  # of each call, an import would take a microsecond or two
def _enrichment() -> Callable[[dict[str, Any]], None]:
    from agentops_sdk._usage.enrich import enrich

    return enrich


def _watch(settings: Settings) -> FindingWatch | None:
    if not settings.findings:
        return None
    from agentops_sdk._findings.finding_watch import FindingWatch

    return FindingWatch()


def _rename(attributes: dict[str, Any], names: Mapping[str, str]) -> None:
    """Give attributes the names of another state; where both stand, what is there already is right."""
    if names.keys().isdisjoint(attributes.keys()):  # few spans have any: let C find out
        return
    for name in names.keys() & attributes.keys():
        attributes.setdefault(names[name], attributes.pop(name))
