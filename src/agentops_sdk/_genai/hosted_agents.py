"""Agents that a provider keeps: what the request that makes one says of it, and its reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk import semconv

__all__ = ["creation", "response"]

Json = Mapping[str, Any]


def creation(body: Json) -> dict[str, Any]:
    """The agent's name, description, instructions and model, and the tools' names are its provider's to keep."""
    instructions, model = body.get("instructions") or body.get("system"), body.get("model")
    model = model.get("id") if isinstance(model, Mapping) else model
    said = [{"type": "text", "content": instructions}] if isinstance(instructions, str) else None
    return {
        semconv.AGENT_NAME: _text(body.get("name")),
        semconv.AGENT_DESCRIPTION: _text(body.get("description")),
        semconv.REQUEST_MODEL: _text(model),
        semconv.SYSTEM_INSTRUCTIONS: said,
    }


def response(body: Json, _asked: Json) -> dict[str, Any]:
    """What the provider calls it."""
    version = body.get("version")
    return {
        semconv.AGENT_ID: _text(body.get("id")),
        semconv.AGENT_VERSION: str(version) if type(version) in (str, int) and version != "" else None,
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
