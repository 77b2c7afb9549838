"""What an agent or a workflow was asked and what it answered, as messages: from its arguments and its result.

Consumer thread only. The arguments and the result stay as they are beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from agentops_sdk import semconv

__all__ = ["run_messages"]

_OBJECT: Final = re.compile(r"<[\w.]+>")
"""How a snapshot writes an object that holds no data."""


def run_messages(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The messages that a run's own attributes do not tell yet: empty where nothing of it was captured."""
    from agentops_sdk.traces.formats.chat_messages import messages

    told: dict[str, Any] = {}
    if semconv.INPUT_MESSAGES not in attributes and (asked := attributes.get(semconv.INPUT)) is not None:
        told[semconv.INPUT_MESSAGES] = messages(_only_argument(asked), "user")
    if semconv.OUTPUT_MESSAGES not in attributes and (result := attributes.get(semconv.OUTPUT)) is not None:
        told[semconv.OUTPUT_MESSAGES] = _answer(messages(result, "assistant"))
    return {name: value for name, value in told.items() if value}


def _only_argument(asked: Any) -> Any:
    """The argument of a function that has one, beside clients and other objects: its name is no part of a message."""
    if isinstance(asked, str):
        try:
            asked = orjson.loads(asked)
        except orjson.JSONDecodeError:
            return asked
    if not isinstance(asked, dict):
        return asked
    values = [value for value in asked.values() if not (isinstance(value, str) and _OBJECT.fullmatch(value))]
    return values[0] if len(values) == 1 else asked


def _answer(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is the run's own in its result: of a whole conversation that is what the assistant said last."""
    if all(message["role"] == "assistant" for message in messages):
        return messages
    return [message for message in messages if message["role"] == "assistant"][-1:]
