"""Memory that Anthropic keeps for managed agents, and the agents themselves: what is made, changed and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk.integration import semconv
from agentops_sdk.integration.clients import ID, Attributes, Endpoint, Exchanged, Json
from agentops_sdk.integration.dialects import hosted_agents


def _request(body: Json) -> Attributes:
    content, path = body.get("content"), body.get("path")
    if not isinstance(content, str):
        return {}
    about = {"metadata": {"path": path}} if isinstance(path, str) else {}
    return {semconv.MEMORY_RECORDS: [{"content": content, **about}], semconv.MEMORY_RECORD_COUNT: 1}


def _response(_body: Json, _asked: Json) -> Attributes:
    return {}


def _settle(attributes: Attributes, exchanged: Exchanged) -> bool:
    """Which store and which record: those of the path, and what has been made by its reply."""
    segments = exchanged.path.partition("?")[0].strip("/").split("/")
    below: list[Any] = segments[segments.index("memory_stores") + 1 :]
    reply = exchanged.reply
    made = reply.get("id") if isinstance(reply, Mapping) and not reply.get("error") else None
    ids = [each for each in below if each != "memories"]
    names = [semconv.MEMORY_STORE_ID, *([semconv.MEMORY_RECORD_ID] if "memories" in below else [])]
    for name, ident in zip(names, [*ids, made], strict=False):
        if isinstance(ident, str) and ident:
            attributes.setdefault(name, ident)
    return False


def _row(method: str, path: str, operation: str) -> Endpoint:
    return Endpoint(
        path=path, method=method, kind="memory", operation=operation, request=_request, response=_response,
        settle=_settle,
    )  # fmt: skip


ROWS = (
    _row("POST", "memory_stores", "create_memory_store"),
    _row("DELETE", f"memory_stores/{ID}", "delete_memory_store"),
    _row("POST", f"memory_stores/{ID}/memories", "create_memory"),
    _row("POST", f"memory_stores/{ID}/memories/{ID}", "update_memory"),
    _row("DELETE", f"memory_stores/{ID}/memories/{ID}", "delete_memory"),
    Endpoint(
        path="agents", kind="span", operation="create_agent", named_by="name", request=hosted_agents.creation,
        response=hosted_agents.response,
    ),
)  # fmt: skip
