"""Tool definitions in the conventions' schema, and the decision a model makes among the tools it is offered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from agentops_sdk.integration import semconv

# A hosted MCP tool carries its credentials in its definition.
_SECRET = frozenset(("authorization", "headers"))
_NESTED = ("function", "custom", "mcp")

ANSWER = "answer"
"""What a model chose that called no tool."""

REFUSAL = "refusal"
"""What a model chose that would not answer."""


def dumps(value: Any) -> str:
    """JSON text; what came from JSON always goes back."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def definitions(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tools that a request offers, flat: ``{"type", "name", "description", "parameters", …}``."""
    tools = [definition(tool) for tool in _maps(request.get("tools"))]
    tools += [definition({"type": "function", "function": function}) for function in _maps(request.get("functions"))]
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


def decision(
    request: Mapping[str, Any],
    chosen: list[str],
    reason: str | None,
    *,
    refusal: str | None = None,
) -> dict[str, Any]:
    """``agentops.decision.*`` of a model that was offered tools; empty where it was offered none.

    Args:
        request: the request's body.
        chosen: names of the tools it called, in order; none means that it answered.
        reason: its own words on the way to the choice, where it gave any.
        refusal: its words where it refused; a refusal is a decision even where no tool was offered.
    """
    offered = list(_named(request))
    choice = request.get("tool_choice", request.get("function_call"))
    if choice == "none":
        offered = []
    if not offered and not refusal:
        return {}
    forced = choice in ("required", "any") or isinstance(choice, Mapping)
    options: list[dict[str, Any]] = [
        {"name": name, "description": about} if about else {"name": name} for name, about in offered
    ]
    if not forced:
        options.append({"name": ANSWER})
    if refusal:
        options.append({"name": REFUSAL})
    names = chosen or [REFUSAL if refusal else ANSWER]
    known = {name for name, _ in offered}
    attributes: dict[str, Any] = {
        semconv.DECISION_NAME: "tool choice" if offered else "answer or refuse",
        semconv.DECISION_OPTIONS: dumps(options),
        semconv.DECISION_CHOSEN: names[0] if len(names) == 1 else dumps(names),
        semconv.DECISION_BY: "model",
    }
    if forced:
        attributes[semconv.DECISION_FORCED] = True
    if chosen and not known.issuperset(chosen):
        attributes[semconv.DECISION_UNLISTED] = True
    if refusal or reason:
        attributes[semconv.DECISION_REASON] = refusal or reason
    return attributes


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
