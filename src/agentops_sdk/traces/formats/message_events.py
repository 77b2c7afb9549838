"""Messages that were written as events: on the span, or as log records that name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentops_sdk import semconv
from agentops_sdk.traces.formats import chat_messages
from agentops_sdk.traces.formats.json_values import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["EVENTS", "attributes_of", "is_message_event", "told_of_tool"]


class _Event(NamedTuple):
    """What an event of one name tells.

    Attributes:
        target: where its message belongs.
        role: whose it is, where it does not say.
        holder: the attribute that holds it; ``None`` where the attributes are the message.
    """

    target: str
    role: str
    holder: str | None = None


EVENTS: Final = {
    "gen_ai.system.message": _Event(semconv.INPUT_MESSAGES, "system"),
    "gen_ai.user.message": _Event(semconv.INPUT_MESSAGES, "user"),
    "gen_ai.assistant.message": _Event(semconv.INPUT_MESSAGES, "assistant"),
    "gen_ai.tool.message": _Event(semconv.INPUT_MESSAGES, "tool"),
    "gen_ai.choice": _Event(semconv.OUTPUT_MESSAGES, "assistant"),
    "gen_ai.content.prompt": _Event(semconv.INPUT_MESSAGES, "user", "gen_ai.prompt"),
    "gen_ai.content.completion": _Event(semconv.OUTPUT_MESSAGES, "assistant", "gen_ai.completion"),
}
"""The events of one message each."""
_DETAILS: Final = ("gen_ai.client.inference.operation.details", "gen_ai.client.inference.details")
"""The events that hold all of a call, in the attributes' own names."""
_WHOLE: Final = (
    (semconv.INPUT_MESSAGES, "user"),
    (semconv.OUTPUT_MESSAGES, "assistant"),
    (semconv.SYSTEM_INSTRUCTIONS, "system"),
)
_PREFIX: Final = "gen_ai.event."
_CONTENT: Final = f"{_PREFIX}content"
"""Where Azure's clients have what an event tells."""


def is_message_event(name: Any) -> bool:
    """Whether an event of this name holds messages."""
    return name in EVENTS or name in _DETAILS


def attributes_of(events: Iterable[Any]) -> dict[str, Any]:
    """What events tell, as attributes: messages as JSON text in the conventions' schema."""
    messages: dict[str, list[dict[str, Any]]] = {}
    attributes: dict[str, Any] = {}
    for event in events:
        if not isinstance(event, dict):
            continue
        name, tells = event.get("name"), event.get("attributes")
        if not isinstance(tells, dict):
            continue
        row = EVENTS.get(str(name))
        if row is not None:
            messages.setdefault(row.target, []).extend(_messages(row, tells))
        elif name in _DETAILS:
            for target, role in _WHOLE:
                if target in tells:
                    messages.setdefault(target, []).extend(chat_messages.messages(tells[target], role))
            if semconv.TOOL_DEFINITIONS in tells:
                attributes[semconv.TOOL_DEFINITIONS] = chat_messages.json_text(
                    chat_messages.tool_definitions(tells[semconv.TOOL_DEFINITIONS])
                )
    if instructions := messages.pop(semconv.SYSTEM_INSTRUCTIONS, None):
        parts = [part for message in instructions for part in message["parts"]]
        attributes[semconv.SYSTEM_INSTRUCTIONS] = chat_messages.json_text(parts)
    return {**attributes, **{target: chat_messages.json_text(thread) for target, thread in messages.items() if thread}}


def told_of_tool(events: Iterable[Any]) -> dict[str, Any]:
    """What the events of a tool's span tell: what came in is its arguments, what went out its result."""
    told: dict[str, Any] = {}
    for event in events:
        tells = event.get("attributes") if isinstance(event, dict) else None
        row = EVENTS.get(str(event.get("name"))) if isinstance(tells, dict) else None
        if row is None or not isinstance(tells, dict):
            continue
        value = tells.get("content", tells.get("message"))
        target = semconv.TOOL_CALL_ARGUMENTS if row.target == semconv.INPUT_MESSAGES else semconv.TOOL_CALL_RESULT
        if value is not None:
            told[target] = chat_messages.json_text(value)
    return told


def _messages(row: _Event, tells: Mapping[str, Any]) -> list[dict[str, Any]]:
    if row.holder is not None:
        return chat_messages.messages(tells.get(row.holder), row.role)
    inside = parsed(tells.get("message"))
    message = {name.removeprefix(_PREFIX): parsed(value) for name, value in tells.items()}
    if isinstance(parsed(tells.get(_CONTENT)), dict):  # all of the message
        message["body"] = message.pop("content")
    if isinstance(body := message.get("body"), dict):
        message = {**body, **message}
        inside = body.get("message", inside)
    if isinstance(inside, dict):
        message = {**{name: message[name] for name in ("finish_reason",) if name in message}, **inside}
    elif isinstance(inside, str | list) and "content" not in message:
        message["content"] = inside
    message.setdefault("role", row.role)
    parsed_messages = chat_messages.messages(message, row.role)
    return parsed_messages
