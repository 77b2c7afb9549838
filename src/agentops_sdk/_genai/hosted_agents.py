"""Agents that a provider keeps: what the request that makes one says of it, and its reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._genai.fields import text_value

__all__ = ["creation", "response"]

Json = Mapping[str, Any]
_INSTRUCTIONS = ("instructions", "system", "instruction", "system_instruction")


def creation(body: Json) -> dict[str, Any]:
    """The agent's name, description, instructions and model, and the tools' names are its provider's to keep."""
    instructions, model = _first(body, _INSTRUCTIONS), _first(body, ("model", "foundationModel"))
    model = model.get("id") if isinstance(model, Mapping) else model
    said = [{"type": "text", "content": instructions}] if isinstance(instructions, str) else None
    return {
        semconv.AGENT_NAME: text_value(_first(body, ("name", "agentName"))),
        semconv.AGENT_DESCRIPTION: text_value(body.get("description")),
        semconv.REQUEST_MODEL: text_value(model),
        semconv.SYSTEM_INSTRUCTIONS: said,
    }


def response(body: Json, _asked: Json) -> dict[str, Any]:
    """What the provider calls it."""
    agent = body.get("agent")
    agent = agent if isinstance(agent, Mapping) else body
    version = _first(agent, ("version", "agentVersion"))
    return {
        semconv.AGENT_ID: text_value(_first(agent, ("id", "agentId"))),
        semconv.AGENT_VERSION: str(version) if type(version) in (str, int) and version != "" else None,
    }


def _first(body: Json, names: tuple[str, ...]) -> Any:
    """Providers have a few words for each of these, and none of them has two."""
    return next((body[name] for name in names if body.get(name) not in (None, "")), None)
