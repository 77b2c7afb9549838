"""Tool definitions in the conventions' schema, the choice a model makes among them, and what tools are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk.integration import model_choice


def definitions(offer: Any) -> list[dict[str, Any]]:
    """The tools a request offers, flat: ``{"type", "name", "description", "parameters"}``."""
    if not isinstance(offer, Mapping):
        return []
    result = []
    for tool in [*(offer.get("tools") or ()), *(offer.get("functions") or ())]:
        if not isinstance(tool, Mapping):
            continue
        kind = str(tool.get("type") or "function")
        inner = tool.get(kind)
        source = {**tool, **inner} if isinstance(inner, Mapping) else tool
        parameters = source.get("parameters") or source.get("input_schema") or source.get("args_schema")
        about = {"description": source.get("description"), "parameters": parameters}
        kept = {name: value for name, value in about.items() if value is not None}
        result.append({"type": kind, "name": str(source.get("name") or kind), **kept})
    return result


def decision(offer: Mapping[str, Any], message_parts: list[dict[str, Any]], *, finished: bool) -> dict[str, Any]:
    """``agentops.decision.*`` of a model that was offered tools; empty where it was offered none."""
    choice = offer.get("tool_choice")
    return model_choice(
        definitions(offer),
        message_parts,
        finished=finished,
        forced=choice in ("required", "any") or isinstance(choice, Mapping),
        forbidden=choice == "none",
    )
