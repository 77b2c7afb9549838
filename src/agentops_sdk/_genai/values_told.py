"""What an agent, a workflow, a retriever or a memory was asked and what it answered, as the conventions have it.

It is made from the arguments and the result of the function, which stay as they are beside it. Consumer thread only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from agentops_sdk import semconv
from agentops_sdk._genai.memory_values import told_by_memory
from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk.traces.formats.chat_messages import documents, messages

__all__ = ["told_by_values"]

_OBJECT: Final = lazy_pattern(r"<[\w.]+>")
"""How a snapshot writes an object that holds no data."""


def told_by_values(kind: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What the attributes of a span of this kind do not tell yet: empty where nothing of it was captured."""
    asked, result = attributes.get(semconv.INPUT), attributes.get(semconv.OUTPUT)
    if kind == "memory":
        told = told_by_memory(_parsed(asked), _parsed(result), attributes.get(semconv.OPERATION_NAME))
    else:
        told = _retrieval(asked, result) if kind == "retriever" else _messages(asked, result)
    return {name: value for name, value in told.items() if (value or value == 0) and name not in attributes}


def _messages(asked: Any, result: Any) -> dict[str, Any]:
    return {
        semconv.INPUT_MESSAGES: None if asked is None else messages(_only_argument(asked), "user"),
        semconv.OUTPUT_MESSAGES: None if result is None else _answer(messages(result, "assistant")),
    }


def _retrieval(asked: Any, result: Any) -> dict[str, Any]:
    query = None if asked is None else _only_argument(asked)
    found = None if result is None else [document for document in documents(result) if _is_document(document)]
    return {
        semconv.RETRIEVAL_QUERY: query if isinstance(query, str) else None,
        semconv.RETRIEVAL_DOCUMENTS: found,
    }


def _is_document(document: Mapping[str, Any]) -> bool:
    """By the schema: a score is a number, and there is something to read, or to find it by."""
    score = document.get("score", 0.0)
    return isinstance(score, int | float) and (document.get("content") is not None or "id" in document)


def _only_argument(asked: Any) -> Any:
    """The argument of a function that has one, beside clients and other objects: its name is no part of a message."""
    asked = _parsed(asked)
    if not isinstance(asked, dict):
        return asked
    values = [value for value in asked.values() if not (isinstance(value, str) and _OBJECT.fullmatch(value))]
    return values[0] if len(values) == 1 else asked


def _parsed(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            pass
    return value


def _answer(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is the run's own in its result: of a whole conversation that is what the assistant said last."""
    if all(message["role"] == "assistant" for message in messages):
        return messages
    return [message for message in messages if message["role"] == "assistant"][-1:]
