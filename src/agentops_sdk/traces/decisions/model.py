"""Decisions as people and tests read them: one list, whichever way they were recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentops_sdk import semconv
from agentops_sdk.traces.decisions.decision_kinds import kind_of
from agentops_sdk.traces.formats.json_values import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentops_sdk.traces.record import SpanRecord


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice that was made (or left unmade), and the span it was made on.

    ``options`` and ``choices`` are names as they were recorded; ``choices`` is empty for a decision that
    was never made, and ``chosen`` is the one choice, a tuple of several, or None. ``kind`` is one of
    ``agentops_sdk.traces.decisions.decision_kinds.KINDS``. ``confidence`` is 0 to 1, ``waited`` seconds, ``times`` how
    often a retry was. ``by`` says who decided (``model``, ``code``, ``human``). ``followed_by`` are the spans that
    ran because of it, in the order they started; ``Trace.decisions`` fills it. What was not recorded is None or empty.
    """

    name: str
    options: tuple[str, ...]
    choices: tuple[str, ...]
    reason: str | None
    confidence: float | None
    by: str | None
    span: SpanRecord
    by_name: str | None = None
    policy: str | None = None
    model: str | None = None
    forced: bool = False
    unlisted: bool = False
    waited: float | None = None
    descriptions: dict[str, str] | None = None
    scores: dict[str, Any] | None = None
    evidence: Any = None
    rejected: dict[str, Any] | None = None
    inputs: Any = None
    followed_by: tuple[SpanRecord, ...] = ()
    kind: str = "stated"
    prompt_fingerprint: str | None = None
    times: int = 1
    at_ns: int | None = None

    @property
    def moment_ns(self) -> int:
        """When it was made: a decision's own span when it started, one that rides on a span when that ended.

        A person's answer that a graph goes on with was there before everything in it.
        """
        if self.at_ns is not None:
            return self.at_ns
        if self.by == "human" and semconv.GRAPH_RESUMED_FROM in self.span.attributes:
            return self.span.start_ns  # the answer set going what the span is of
        return self.span.start_ns if self.span.kind == "decision" else max(self.span.end_ns, self.span.start_ns)

    @property
    def made(self) -> bool:
        """Whether anything was chosen."""
        return bool(self.choices)

    @property
    def chosen(self) -> str | tuple[str, ...] | None:
        """The option that was chosen; a tuple where there were several, None where there was none."""
        return self.choices[0] if len(self.choices) == 1 else self.choices or None


def decision_of(span: SpanRecord) -> Decision | None:
    """The decision a span is or carries, or None; ``followed_by`` is left empty."""
    if span.kind == "decision" or any(key in span.attributes for key in _TELLING):
        return _read(span, span.attributes, None)
    reasons = span.attributes.get(semconv.RESPONSE_FINISH_REASONS)
    words = [str(reason) for reason in reasons] if isinstance(reasons, list | tuple) else []
    if span.kind == "llm" and any(word.lower() in semconv.REFUSAL_REASONS for word in words):
        model = span.attributes.get(semconv.RESPONSE_MODEL) or span.attributes.get(semconv.REQUEST_MODEL)
        return Decision(
            "answer or refuse", ("answer", "refusal"), ("refusal",), f"finished by {', '.join(words)}",
            None, "model", span, model=_text(model), kind="refusal",
        )  # fmt: skip
    return None


def decisions_in(span: SpanRecord) -> Iterator[Decision]:
    """The decision a span is or carries, and further ones on it, which are events."""
    own = decision_of(span)
    if own is not None:
        yield own
    for event in span.events:
        if event.name == semconv.DECISION_EVENT:
            yield _read(span, event.attributes, event.time_ns)


def _read(span: SpanRecord, attributes: Mapping[str, Any], at_ns: int | None) -> Decision:
    get = attributes.get
    options = _listed(get(semconv.DECISION_OPTIONS))
    name, by = (
        _text(get(semconv.DECISION_NAME) or get(semconv.GUARDRAIL_NAME)) or span.name,
        _text(get(semconv.DECISION_BY)),
    )
    chosen = parsed(get(semconv.DECISION_CHOSEN))
    if by == "human":
        chosen = _answer(chosen)
    choices = tuple(_name(option) for option in _listed(chosen))
    confidence, waited = get(semconv.DECISION_CONFIDENCE), get(semconv.DECISION_WAITED)
    model, fingerprint = get(semconv.DECISION_MODEL), get(semconv.DECISION_PROMPT_FINGERPRINT)
    if model is None and by == "model":
        model = get(semconv.RESPONSE_MODEL) or get(semconv.REQUEST_MODEL)
    if waited is None and by == "human" and span.kind == "decision":
        waited = span.duration
    return Decision(
        name=name,
        options=tuple(_name(option) for option in options),
        choices=choices,
        reason=_text(get(semconv.DECISION_REASON)),
        confidence=float(confidence) if isinstance(confidence, int | float) else None,
        by=by,
        span=span,
        by_name=_text(get(semconv.DECISION_BY_NAME)),
        policy=_text(get(semconv.DECISION_POLICY)),
        model=_text(model),
        forced=get(semconv.DECISION_FORCED) is True,
        unlisted=get(semconv.DECISION_UNLISTED) is True,
        waited=float(waited) if isinstance(waited, int | float) else None,
        descriptions={
            _name(option): str(option["description"])
            for option in options
            if isinstance(option, dict) and option.get("description")
        }
        or None,
        scores=_mapping(get(semconv.DECISION_SCORES)),
        evidence=parsed(get(semconv.DECISION_EVIDENCE)),
        rejected=_mapping(get(semconv.DECISION_REJECTED)),
        inputs=parsed(get(semconv.DECISION_INPUTS)),
        kind=kind_of(span, name, by, choices),
        prompt_fingerprint=_text(fingerprint or get(semconv.PROMPT_FINGERPRINT)),
        at_ns=at_ns,
    )


def _answer(value: Any) -> Any:
    """What a person said to a graph that had stopped: the word in the form that its middleware wants."""
    if isinstance(value, dict):
        for key in ("decisions", "type", "action", "decision", "approved", "answer"):
            if key in value:
                member = value[key]
                return f"{key}: {json.dumps(member)}" if isinstance(member, bool) else _answer(member)
    if isinstance(value, list):
        return [_answer(one) for one in value]
    return value


_TELLING = (semconv.DECISION_CHOSEN, semconv.DECISION_OPTIONS, semconv.DECISION_NAME)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _name(option: Any) -> str:
    if isinstance(option, dict):
        option = option.get("name", option)
    return option if isinstance(option, str) else json.dumps(option, default=str)


def _listed(value: Any) -> list[Any]:
    value = parsed(value)
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _mapping(value: Any) -> dict[str, Any] | None:
    value = parsed(value)
    return value if isinstance(value, dict) else None
