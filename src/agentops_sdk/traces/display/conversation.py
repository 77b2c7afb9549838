"""What was said in a span, readable: messages, tool arguments and results, inputs and outputs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats.json_values import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_sdk.traces.record import SpanRecord

_PLAIN: Final = (
    ("query", semconv.RETRIEVAL_QUERY),
    ("arguments", semconv.TOOL_CALL_ARGUMENTS),
    ("input", semconv.INPUT),
    ("documents", semconv.RETRIEVAL_DOCUMENTS),
    ("result", semconv.TOOL_CALL_RESULT),
    ("output", semconv.OUTPUT),
)


def contents(span: SpanRecord) -> Iterator[tuple[str, str]]:
    """Label and text of everything that was captured, in the order in which it was said."""
    instructions = parsed(span.attributes.get(semconv.SYSTEM_INSTRUCTIONS))
    if instructions:
        yield "system", _parts(instructions)
    for attribute in (semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES):
        if attribute == semconv.OUTPUT_MESSAGES and span.kind in ("agent", "workflow") and span.outcome == "error":
            continue  # older files repeat there what a model said last
        messages = parsed(span.attributes.get(attribute))
        if isinstance(messages, list):
            for message in messages:
                yield _message(message)
        elif messages is not None:
            yield attribute.rpartition(".")[0].rpartition(".")[2], _shown(messages)
    for label, attribute in _PLAIN:
        value = parsed(span.attributes.get(attribute))
        if value is not None:
            yield label, _shown(value)


def _message(message: Any) -> tuple[str, str]:
    if not isinstance(message, dict):
        return "message", _shown(message)
    role = str(message.get("role", "message"))
    parts = message.get("parts", message.get("content"))
    return role, _parts(parts)


def _parts(parts: Any) -> str:
    if not isinstance(parts, list):
        return _shown(parts)
    return "\n".join(_part(part) for part in parts)


def _part(part: Any) -> str:
    if not isinstance(part, dict):
        return _shown(part)
    kind = part.get("type")
    if kind == "text":
        return _shown(part.get("content"))
    if kind == "reasoning":
        return f"(reasoning) {_shown(part.get('content'))}"
    if kind == "tool_call":
        return f"calls {part.get('name')}({_shown(part.get('arguments'))})"
    if kind == "tool_call_response":
        return _shown(part.get("response", part.get("result")))
    if kind in ("blob", "uri", "file"):
        where = part.get("uri") or part.get("file_id") or f"{len(str(part.get('content', '')))} characters"
        return f"({part.get('modality') or kind} {part.get('mime_type') or ''} {where})".replace("  ", " ")
    return _shown(part)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
