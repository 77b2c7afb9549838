"""What a run is called, and what every run tells of its surroundings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from agentops_sdk.integration import semconv

_OURS = ("langgraph_", "ls_", "lc_", "__", "checkpoint_ns", "thread_id", "session_id", "conversation_id", "run_id",
         "run_attempt", "assistant_id", "graph_id", "user_id")  # fmt: skip
_INTERNAL_TAGS = ("seq:step:", "graph:step:", "map:key:", "langsmith:", "retry:attempt:", "branch:", "condition:")
_MAX_METADATA = 32
_IDS = (str, int, UUID)


def name_of(serialized: Any, own_name: Any, otherwise: str) -> str:
    """A run's name: the one it was given, or its class's."""
    if isinstance(own_name, str) and own_name:
        return own_name
    if isinstance(serialized, dict):
        name = serialized.get("name")
        if isinstance(name, str) and name:
            return name
        path = serialized.get("id")
        if isinstance(path, list) and path and isinstance(path[-1], str):
            return path[-1]
    return otherwise


def common(tags: Sequence[str], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What every run tells of its surroundings: conversation, tags and the program's own metadata."""
    attributes: dict[str, Any] = {}
    own = [tag for tag in tags if isinstance(tag, str) and not tag.startswith(_INTERNAL_TAGS)]
    if own:
        attributes[semconv.TAGS] = own
    for tag in tags:
        if isinstance(tag, str) and tag.startswith("retry:attempt:"):
            attributes[semconv.ATTEMPT] = int(tag.rpartition(":")[2])
    for name in ("thread_id", "session_id", "conversation_id"):
        identity = metadata.get(name)
        if type(identity) in _IDS and identity:
            attributes[semconv.CONVERSATION_ID] = str(identity)[:256]
            break
    for name, value in metadata.items():
        if len(attributes) >= _MAX_METADATA:
            break
        if isinstance(name, str) and not name.startswith(_OURS) and type(value) in (str, int, float, bool):
            attributes[semconv.METADATA_PREFIX + name] = value
    return attributes
