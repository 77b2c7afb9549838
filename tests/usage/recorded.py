"""The recorded exchanges that carry usage, with the final usage object of each as the provider sent it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.shared import shared

PROVIDERS = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "google": "gcp.gemini",
    "vertex": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "local": "openai",
    "zai": "z_ai",
}
SHAPES = {
    "chat.completions": "openai.chat",
    "completions": "openai.completions",
    "embeddings": "openai.embeddings",
    "responses": "openai.responses",
    "messages": "anthropic.messages",
}


class Exchange(NamedTuple):
    id: str
    provider: str
    shape: str
    model: str
    usage: dict[str, Any]
    request: dict[str, Any]
    events: list[dict[str, Any]]


def needs_recordings() -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        shared("recorded") is None, reason="no recordings beside the checkout (../shared/recorded)"
    )


def exchanges() -> list[Exchange]:
    """Every exchange that was answered and tells its usage."""
    folder = shared("recorded")
    found = [_exchange(path) for path in sorted(folder.glob("*/*.json"))] if folder is not None else []
    return [one for one in found if one is not None]


def _exchange(path: Path) -> Exchange | None:
    told = json.loads(path.read_text("utf-8"))
    if told["status"] != 200:
        return None
    events = _events(told["response_body"])
    usage: dict[str, Any] = {}
    for event in events:
        for later in _usages(told["api"], event):
            if told["api"] == "messages":  # the last word corrects the first, field by field
                usage |= {name: value for name, value in later.items() if value is not None}
            else:
                usage = later
    if not usage:
        return None
    request = told["request"] if isinstance(told["request"], dict) else {}
    return Exchange(
        told["id"],
        PROVIDERS.get(told["provider"], told["provider"]),
        SHAPES.get(told["api"], told["api"]),
        _model(told, events, request),
        usage,
        request,
        events,
    )


def _events(body: str) -> list[dict[str, Any]]:
    try:
        whole = json.loads(body)
        return [whole] if isinstance(whole, dict) else list(whole)
    except ValueError:
        pass
    events = []
    for line in body.splitlines():
        text = line.removeprefix("data:").strip()
        if text.startswith("{"):
            events.append(json.loads(text))
    return events


def _usages(api: str, event: dict[str, Any]) -> list[dict[str, Any]]:
    if api.startswith("ollama"):
        return [event] if "eval_count" in event else []
    places = [event, event.get("message"), event.get("response"), event.get("delta")]
    if isinstance(event.get("x_groq"), dict):
        places.append(event["x_groq"])
    names = ("usage", "usageMetadata", "meta")
    found = [
        place[name]
        for place in places
        if isinstance(place, dict)
        for name in names
        if isinstance(place.get(name), dict)
    ]
    if not found and api == "bedrock.invoke":
        return [event] if "inputTextTokenCount" in event else []
    return found


def _model(told: dict[str, Any], events: list[dict[str, Any]], request: dict[str, Any]) -> str:
    for event in events:
        for place in (event, event.get("message"), event.get("response")):
            if isinstance(place, dict):
                name = place.get("model") or place.get("modelVersion")
                if isinstance(name, str) and name and told["provider"] != "bedrock":
                    return name
    in_path = re.search(r"/models?/([^/:?]+(?::\d+|:O)?)", told["path"])
    return str(request.get("model") or (in_path.group(1) if in_path else ""))
