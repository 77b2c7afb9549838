"""Events of the conventions, made of spans that have ended: what a model call was, exceptions, evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson
from opentelemetry.trace import SpanKind

from agentops_sdk import semconv
from agentops_sdk.exporters._event_records import EventRecord

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["events_of"]

_DEBUG, _INFO, _WARN = 5, 9, 13  # OpenTelemetry's severity numbers
_INFERENCE: Final = frozenset(("chat", "generate_content", "text_completion"))
_MODEL_KINDS: Final = frozenset(("llm", "embedding", "retriever"))
_CONTENT: Final[tuple[str, ...]] = (
    semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES, semconv.SYSTEM_INSTRUCTIONS, semconv.TOOL_DEFINITIONS,
)  # fmt: skip
_DETAILS: Final[tuple[str, ...]] = (
    semconv.OPERATION_NAME, semconv.PROVIDER_NAME, semconv.ERROR_TYPE, semconv.CONVERSATION_ID,
    "gen_ai.conversation.compacted", semconv.OUTPUT_TYPE, semconv.PROMPT_NAME, semconv.PROMPT_VERSION,
    semconv.REQUEST_MODEL, semconv.REQUEST_CHOICE_COUNT, semconv.REQUEST_FREQUENCY_PENALTY, semconv.REQUEST_MAX_TOKENS,
    semconv.REQUEST_PRESENCE_PENALTY, semconv.REQUEST_PREVIOUS_RESPONSE_ID, semconv.REQUEST_REASONING_LEVEL,
    semconv.REQUEST_SEED, semconv.REQUEST_STOP_SEQUENCES, semconv.REQUEST_STREAM, semconv.REQUEST_TEMPERATURE,
    semconv.REQUEST_TOP_K, semconv.REQUEST_TOP_P, semconv.RESPONSE_FINISH_REASONS, semconv.RESPONSE_ID,
    semconv.RESPONSE_MODEL, semconv.RESPONSE_TIME_TO_FIRST_CHUNK, semconv.SERVER_ADDRESS, semconv.SERVER_PORT,
)  # fmt: skip
"""What a call's details are, beside its tokens and content."""
_USAGE: Final = "gen_ai.usage."
_PROMPT_VARIABLES: Final = "gen_ai.prompt.variable."
_EVALUATION: Final = "gen_ai.evaluation."
_EXCEPTION: Final[tuple[str, ...]] = (semconv.EXCEPTION_TYPE, semconv.EXCEPTION_MESSAGE, semconv.EXCEPTION_STACKTRACE)


def events_of(
    span: ReadableSpan, content: Mapping[str, Any], *, details: bool, holds_content: bool, chosen_state: bool
) -> list[EventRecord]:
    """The events that a completed span tells of.

    Args:
        span: as it is exported.
        content: what its events have and it has not.
        details: whether a model call's details are wanted.
        holds_content: whether events hold messages.
        chosen_state: whether a state of the conventions was chosen; where none was, names of both stand on a span.
    """
    attributes = {**(span.attributes or {}), **content}
    context = span.context
    assert context is not None
    ids = context.trace_id, context.span_id
    operation, kind = attributes.get(semconv.OPERATION_NAME), attributes.get(semconv.KIND)
    found: list[EventRecord] = []
    fields: dict[str, Any]
    if details and kind == "llm" and operation in _INFERENCE and semconv.MODEL_CALLS not in attributes:
        fields = {name: attributes[name] for name in _DETAILS if name in attributes}
        fields |= {name: value for name, value in attributes.items() if name.startswith(_USAGE)}
        if not chosen_state and semconv.USAGE_CACHE_CREATION in fields:
            fields.pop(semconv.USAGE_CACHE_WRITE, None)
        if holds_content:
            fields |= {name: value for name, value in attributes.items() if name.startswith(_PROMPT_VARIABLES)}
            fields |= {name: _structure(attributes[name]) for name in _CONTENT if name in attributes}
        found.append(EventRecord(semconv.DETAILS_EVENT, span.end_time or 0, _DEBUG, fields, *ids))
    is_client = kind in _MODEL_KINDS or (span.kind is SpanKind.CLIENT and operation is not None)
    for event in span.events:
        fields = dict(event.attributes or {})
        if event.name == semconv.EXCEPTION_EVENT and is_client and not span.status.is_ok:
            told = {name: fields[name] for name in _EXCEPTION if name in fields}
            if told:
                found.append(EventRecord(semconv.CLIENT_EXCEPTION_EVENT, event.timestamp, _WARN, told, *ids))
        elif event.name == semconv.EVALUATION_EVENT:
            told = {
                name: value
                for name, value in {**fields, **content}.items()
                if name.startswith(_EVALUATION) or name == semconv.ERROR_TYPE
            }
            if semconv.RESPONSE_ID in attributes:
                told[semconv.RESPONSE_ID] = attributes[semconv.RESPONSE_ID]
            about = _about(attributes) or ids
            found.append(EventRecord(semconv.EVALUATION_EVENT, event.timestamp, _INFO, told, *about))
    return found


def _about(attributes: Mapping[str, Any]) -> tuple[int, int] | None:
    """The span, or the trace, that an evaluation which came later is about."""
    trace_id, span_id = attributes.get(semconv.FEEDBACK_TRACE_ID), attributes.get(semconv.FEEDBACK_SPAN_ID)
    try:
        return (int(str(trace_id), 16), int(str(span_id or "0"), 16)) if trace_id else None
    except ValueError:
        return None


def _structure(value: Any) -> Any:
    """Messages as they are, in place of their JSON text: events can hold structures."""
    try:
        return orjson.loads(value) if type(value) is str and value[:1] in ("[", "{") else value
    except ValueError:  # cut where it was too long
        return value
