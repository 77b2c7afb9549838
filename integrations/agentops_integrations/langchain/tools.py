"""Tool definitions in the conventions' schema, the choice a model makes among them, and what tools are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_integrations.langchain.messages import dumps
from agentops_sdk.integration import semconv

ANSWER = "answer"
"""What a model chose that called no tool."""


def definitions(offer: Any) -> list[dict[str, Any]]:
    """The tools a request offers, flat: ``{"type", "name", "description", "parameters"}``."""
    if not isinstance(offer, Mapping):
        return []
    made = []
    for tool in [*(offer.get("tools") or ()), *(offer.get("functions") or ())]:
        if not isinstance(tool, Mapping):
            continue
        kind = str(tool.get("type") or "function")
        inner = tool.get(kind)
        source = {**tool, **inner} if isinstance(inner, Mapping) else tool
        parameters = source.get("parameters") or source.get("input_schema") or source.get("args_schema")
        about = {"description": source.get("description"), "parameters": parameters}
        kept = {name: value for name, value in about.items() if value is not None}
        made.append({"type": kind, "name": str(source.get("name") or kind), **kept})
    return made


def decision(offer: Mapping[str, Any], said: list[dict[str, Any]]) -> dict[str, Any]:
    """``agentops.decision.*`` of a model that was offered tools; empty where it was offered none."""
    offered = definitions(offer)
    choice = offer.get("tool_choice") if offered else None
    if not offered or choice == "none":
        return {}
    forced = choice in ("required", "any") or isinstance(choice, Mapping)
    options = [{key: tool[key] for key in ("name", "description") if key in tool} for tool in offered]
    if not forced:
        options.append({"name": ANSWER})
    chosen = [part["name"] for part in said if part["type"] == "tool_call"] or [ANSWER]
    made: dict[str, Any] = {
        semconv.DECISION_NAME: "tool choice",
        semconv.DECISION_OPTIONS: dumps(options),
        semconv.DECISION_CHOSEN: chosen[0] if len(chosen) == 1 else dumps(chosen),
        semconv.DECISION_BY: "model",
    }
    if forced:
        made[semconv.DECISION_FORCED] = True
    if chosen != [ANSWER]:
        reason = "\n".join(part["content"] for part in said if part["type"] in ("reasoning", "text"))
        if reason:
            made[semconv.DECISION_REASON] = reason
    return made
