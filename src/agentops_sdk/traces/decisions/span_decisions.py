"""The decisions that a span's attributes and events hold, as it was recorded with them."""

from __future__ import annotations

import json
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from agentops_sdk import semconv
from agentops_sdk.traces.decisions.decision_kinds import kind_of
from agentops_sdk.traces.decisions.model import Decision
from agentops_sdk.traces.formats.json_values import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentops_sdk.traces.figures.attribute_shape import Statement
    from agentops_sdk.traces.record import SpanRecord


def decision_of(span: SpanRecord) -> Decision | None:
    """The decision a span is or carries, or None; ``followed_by`` is left empty."""
    if span.kind == "decision" or not _TELLING.isdisjoint(span.attributes):
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


@lru_cache(maxsize=1_024)
def choice_of(statement: Statement) -> tuple[bool, str, str, tuple[str, ...]] | None:
    """Of the decision that a span states whether it was made when the span started, its kind, name and choices.

    Where it was made later, that was when the span ended.
    """
    kind, name, told = statement
    attributes = {key: list(value) if type(value) is tuple else value for key, value in told}
    span = SimpleNamespace(kind=kind, name=name, attributes=attributes, start_ns=0, end_ns=1, duration=0.0)
    decision = decision_of(cast("SpanRecord", span))
    return None if decision is None else (decision.moment_ns == 0, decision.kind, decision.name, decision.choices)


def _read(span: SpanRecord, attributes: Mapping[str, Any], at_ns: int | None) -> Decision:
    get = attributes.get
    offered = get(semconv.DECISION_OPTIONS)
    options, descriptions = (_known if type(offered) is str and len(offered) < _LONG else _options)(offered)
    name, by = (
        _text(get(semconv.DECISION_NAME) or get(semconv.GUARDRAIL_NAME)) or span.name,
        _text(get(semconv.DECISION_BY)),
    )
    choices = choices_of(get(semconv.DECISION_CHOSEN), by)
    confidence, waited = get(semconv.DECISION_CONFIDENCE), get(semconv.DECISION_WAITED)
    model, fingerprint = get(semconv.DECISION_MODEL), get(semconv.DECISION_PROMPT_FINGERPRINT)
    if model is None and by == "model":
        model = get(semconv.RESPONSE_MODEL) or get(semconv.REQUEST_MODEL)
    if waited is None and by == "human" and span.kind == "decision":
        waited = span.duration
    return Decision(
        name=name,
        options=options,
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
        descriptions=dict(descriptions) or None,
        scores=_mapping(get(semconv.DECISION_SCORES)),
        evidence=parsed(get(semconv.DECISION_EVIDENCE)),
        rejected=_mapping(get(semconv.DECISION_REJECTED)),
        inputs=parsed(get(semconv.DECISION_INPUTS)),
        kind=kind_of(span, name, by, choices),
        prompt_fingerprint=_text(fingerprint or get(semconv.PROMPT_FINGERPRINT)),
        at_ns=at_ns,
    )


def choices_of(chosen: Any, by: str | None) -> tuple[str, ...]:
    """What was chosen, by name, from the attribute that says so."""
    chosen = parsed(chosen)
    if by == "human":
        chosen = _answer(chosen)
    return tuple(_name(option) for option in _listed(chosen))


def _options(value: Any) -> tuple[tuple[str, ...], dict[str, str]]:
    """The names of options, and what is said of some of them."""
    options = _listed(value)
    described = (option for option in options if isinstance(option, dict) and option.get("description"))
    return tuple(map(_name, options)), {_name(option): str(option["description"]) for option in described}


_LONG = 2_048
_known = lru_cache(maxsize=256)(_options)
"""The same for texts of which many spans have the same; what it returns is not to be changed."""


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


_TELLING = frozenset((semconv.DECISION_CHOSEN, semconv.DECISION_OPTIONS, semconv.DECISION_NAME))


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
