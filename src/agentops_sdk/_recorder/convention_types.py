"""Values in the types that the conventions give their attributes. Consumer thread only.

Clients hand on what a program wrote, and servers answer as they like: a whole number as ``40.0``, an id as a number.
"""

from __future__ import annotations

from typing import Any, Final

from agentops_sdk import semconv

__all__ = ["in_their_types"]

_TYPES: Final[dict[str, type]] = {
    **dict.fromkeys(
        (
            semconv.REQUEST_MAX_TOKENS, semconv.REQUEST_SEED, semconv.REQUEST_TOP_K, semconv.REQUEST_CHOICE_COUNT,
            semconv.RETRIEVAL_TOP_K, semconv.EMBEDDINGS_DIMENSION_COUNT, semconv.SERVER_PORT,
        ),
        int,
    ),
    **dict.fromkeys(
        (
            semconv.REQUEST_TEMPERATURE, semconv.REQUEST_TOP_P, semconv.REQUEST_FREQUENCY_PENALTY,
            semconv.REQUEST_PRESENCE_PENALTY, semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
        ),
        float,
    ),
    **dict.fromkeys(
        (
            semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL, semconv.RESPONSE_ID, semconv.REQUEST_REASONING_LEVEL,
            semconv.REQUEST_PREVIOUS_RESPONSE_ID, semconv.CONVERSATION_ID, semconv.DATA_SOURCE_ID,
            semconv.TOOL_CALL_ID, semconv.OPENAI_SYSTEM_FINGERPRINT, semconv.OPENAI_RESPONSE_SERVICE_TIER,
            semconv.OPENAI_REQUEST_SERVICE_TIER,
        ),
        str,
    ),
    semconv.REQUEST_STREAM: bool,
}  # fmt: skip
_LARGEST: Final = 2**63
_TEXTS: Final = frozenset((
    semconv.REQUEST_STOP_SEQUENCES, semconv.REQUEST_ENCODING_FORMATS, semconv.RESPONSE_FINISH_REASONS,
))  # fmt: skip


TYPED: Final = frozenset((*_TYPES, *_TEXTS, semconv.OUTPUT_TYPE))
"""The attributes that are looked at."""


def in_their_types(attributes: dict[str, Any]) -> None:
    """Give each value its attribute's type; one that cannot have it stands under ``agentops.invalid`` instead."""
    for name in _TYPES.keys() & attributes.keys():
        if type(attributes[name]) is not _TYPES[name] and attributes[name] is not None:
            _put(attributes, name, _as(_TYPES[name], attributes[name]))
    for name in _TEXTS & attributes.keys():
        value = attributes[name]
        if type(value) is not list or not {*map(type, value)} <= {str}:
            _put(attributes, name, _texts(value))
    if attributes.get(semconv.OUTPUT_TYPE, "text") not in semconv.OUTPUT_TYPES:
        del attributes[semconv.OUTPUT_TYPE]  # a video, say: the conventions have no word for it


def _put(attributes: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        attributes[f"{semconv.INVALID}.{name}"] = attributes.pop(name)
    else:
        attributes[name] = value


def _as(kind: type, value: Any) -> Any:
    if kind is str:
        return str.__str__(value) if isinstance(value, str) else str(value) if type(value) in (int, float) else None
    if kind is bool or isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float) or not -_LARGEST < value < _LARGEST:
        return None
    if kind is float:
        return float(value)
    return int(value) if int(value) == value else None


def _texts(value: Any) -> list[str] | None:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list | tuple):
        return None
    return [item for item in map(_text, value) if item is not None] or None


def _text(value: Any) -> str | None:
    text = _as(str, value)
    return text if text is None else str(text)
