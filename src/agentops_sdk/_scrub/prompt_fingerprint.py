"""The prompt's fingerprint: which instructions and tools a model was given, in sixteen hex digits."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from agentops_sdk import semconv


def prompt_fingerprint(attributes: dict[str, Any]) -> str | None:
    """A hash of the system instructions, leading system messages and tool definitions; ``None`` where there are none.

    What the user said is left out: two runs of one agent have one fingerprint, a changed prompt has
    another. Consumer thread, before the content policy.
    """
    parts = [attributes.get(semconv.SYSTEM_INSTRUCTIONS), attributes.get(semconv.TOOL_DEFINITIONS)]
    parts += _leading_system(attributes.get(semconv.INPUT_MESSAGES))
    encoded = [_bytes(part) for part in parts if part]
    if not encoded:
        return None
    return hashlib.sha256(b"\0".join(encoded)).hexdigest()[:16]


def _bytes(part: Any) -> bytes:
    return part.encode() if isinstance(part, str) else orjson.dumps(part, option=orjson.OPT_NON_STR_KEYS)


def _leading_system(messages: Any) -> list[Any]:
    if isinstance(messages, str):
        try:
            messages = orjson.loads(str.__str__(messages))  # it takes no class that is derived from text
        except ValueError:
            return []
    leading = []
    for message in messages if isinstance(messages, list) else ():
        if not isinstance(message, dict) or message.get("role") not in ("system", "developer"):
            break
        leading.append(message)
    return leading
