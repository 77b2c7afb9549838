"""What a span was given and what it gave, as one value each, and its structures: the same for every vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from agentops_sdk import semconv

__all__ = ["given", "json_of", "loaded", "messages_of", "parameters", "plain", "result", "text_of_parts"]

_GIVEN: Final = {
    "tool": (semconv.TOOL_CALL_ARGUMENTS, semconv.INPUT),
    "retriever": (semconv.RETRIEVAL_QUERY, semconv.INPUT),
    "decision": (semconv.DECISION_INPUTS, semconv.INPUT, semconv.DECISION_OPTIONS),
}
_RESULT: Final = {
    "tool": (semconv.TOOL_CALL_RESULT, semconv.OUTPUT),
    "retriever": (semconv.RETRIEVAL_DOCUMENTS, semconv.OUTPUT),
    "decision": (semconv.DECISION_CHOSEN, semconv.OUTPUT),
}
_PARAMETERS: Final = {
    semconv.REQUEST_TEMPERATURE: "temperature",
    semconv.REQUEST_TOP_P: "top_p",
    semconv.REQUEST_TOP_K: "top_k",
    semconv.REQUEST_MAX_TOKENS: "max_tokens",
    semconv.REQUEST_FREQUENCY_PENALTY: "frequency_penalty",
    semconv.REQUEST_PRESENCE_PENALTY: "presence_penalty",
    semconv.REQUEST_SEED: "seed",
    semconv.REQUEST_STOP_SEQUENCES: "stop",
    semconv.REQUEST_CHOICE_COUNT: "n",
    semconv.REQUEST_REASONING_LEVEL: "reasoning_effort",
    semconv.REQUEST_STREAM: "stream",
}


def loaded(value: Any) -> Any:
    """The structure in an attribute's JSON text; a text that is no JSON as it is."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def json_of(value: Any) -> str:
    """JSON text."""
    return orjson.dumps(value, default=str).decode()


def messages_of(attributes: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The messages under an attribute; none where it holds something else."""
    value = loaded(attributes.get(name))
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of_parts(parts: Any) -> str | None:
    """The words of a message that is of words alone."""
    if not isinstance(parts, list) or not parts:
        return None
    if not all(isinstance(part, dict) and part.get("type") == "text" for part in parts):
        return None
    return "".join(str(part.get("content", "")) for part in parts)


def given(attributes: Mapping[str, Any]) -> Any:
    """What the span was given: a text, or a structure; ``None`` where that was not captured."""
    return _value(attributes, _GIVEN, semconv.INPUT_MESSAGES, semconv.INPUT)


def result(attributes: Mapping[str, Any]) -> Any:
    """What it gave, likewise."""
    return _value(attributes, _RESULT, semconv.OUTPUT_MESSAGES, semconv.OUTPUT)


def _value(attributes: Mapping[str, Any], table: Mapping[str, tuple[str, ...]], messages: str, value: str) -> Any:
    kind = str(attributes.get(semconv.KIND))
    for name in table.get(kind, (messages, value)):
        if (told := attributes.get(name)) is not None:
            return _plainest(loaded(told)) if name == messages else loaded(told)
    return None


def _plainest(messages: Any) -> Any:
    """Of a conversation of one message of words, the words."""
    if isinstance(messages, list) and len(messages) == 1 and isinstance(messages[0], dict):
        text = text_of_parts(messages[0].get("parts"))
        return messages if text is None else text
    return messages


def plain(value: Any) -> tuple[str, bool]:
    """A value as text, and whether that is JSON."""
    return (value, False) if isinstance(value, str) else (json_of(value), True)


def parameters(attributes: Mapping[str, Any]) -> str | None:
    """The settings of a model call as JSON, by their usual names."""
    told = {short: attributes[name] for name, short in _PARAMETERS.items() if attributes.get(name) is not None}
    return json_of(told) if told else None
