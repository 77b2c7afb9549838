"""Tool definitions in the conventions' schema, and what a request says of the choice among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agentops_sdk._capture.model_choice import model_choice

# A hosted MCP tool carries its credentials in its definition.
_SECRET = frozenset(("authorization", "headers"))
_NESTED = ("function", "custom", "mcp")
_OFFERS = frozenset(("tools", "functions"))


def definitions(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tools that a request offers, flat: ``{"type", "name", "description", "parameters", …}``."""
    tools = [definition(tool) for tool in _maps(request["tools"])] if "tools" in request else []
    if "functions" in request:
        tools += [definition({"type": "function", "function": function}) for function in _maps(request["functions"])]
    return tools


def definition(tool: Mapping[str, Any]) -> dict[str, Any]:
    """One tool: OpenAI nests a chat tool below its type, and writes a Responses tool flat."""
    kind = str(tool.get("type") or "function")
    inner = tool.get(kind)
    source = {**tool, **inner} if kind in _NESTED and isinstance(inner, Mapping) else dict(tool)
    named = source.get("name") or source.get("server_label") or kind
    kept = {key: value for key, value in source.items() if key not in _SECRET and value is not None and key != kind}
    return {**kept, "type": kind, "name": str(named)}


def _named(request: Mapping[str, Any]) -> Iterable[tuple[str, str | None]]:
    for tool in definitions(request):
        if tool["type"] == "namespace":
            yield from ((str(inner.get("name")), inner.get("description")) for inner in _maps(tool.get("tools")))
        else:
            yield tool["name"], tool.get("description")


def choice(request: Mapping[str, Any], message_parts: list[dict[str, Any]], *, finished: bool) -> dict[str, Any]:
    """The decision in a reply: a tool call, an answer, or a refusal, among the tools that ``request`` offered."""
    if _OFFERS.isdisjoint(request.keys()) and not [part for part in message_parts if part.get("type") == "refusal"]:
        return {}  # nothing was offered, and nothing refused
    wanted = request.get("tool_choice", request.get("function_call"))
    return model_choice(
        [{"name": name, "description": about} for name, about in _named(request)],
        message_parts,
        finished=finished,
        forced=wanted is not None and (wanted in ("required", "any") or isinstance(wanted, Mapping)),
        forbidden=wanted == "none",
    )


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
