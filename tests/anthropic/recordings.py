"""Recorded exchanges of Anthropic's APIs, and what a reply comes to, worked out by none of our code."""

from __future__ import annotations

import json
from typing import Any

from tests.shared import shared


def exchanges() -> list[dict[str, Any]]:
    folder = shared("recorded")
    if folder is None:
        return []
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*/*.json"))]
    return [each for each in found if each["api"] in ("messages", "complete") and each["request"] is not None]


def final(exchange: dict[str, Any]) -> dict[str, Any]:
    """What the reply comes to, worked out from the raw text."""
    if not exchange["stream"]:
        return dict(json.loads(exchange["response_body"]))
    message: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    for line in exchange["response_body"].splitlines():
        if not line.startswith("data:"):
            continue
        event = json.loads(line[5:])
        if event["type"] == "message_start":
            message = event["message"]
        elif event["type"] == "content_block_start":
            blocks[event["index"]] = {**event["content_block"], "json": ""}
        elif event["type"] == "content_block_delta":
            block, delta = blocks[event["index"]], event["delta"]
            for name in ("text", "thinking"):
                block[name] = block.get(name, "") + delta.get(name, "") if name in delta else block.get(name, "")
            block["json"] += delta.get("partial_json", "")
        elif event["type"] == "message_delta":
            message.update(event["delta"])
            message["usage"] = {**message["usage"], **{k: v for k, v in event["usage"].items() if v is not None}}
    for block in blocks.values():
        if block["json"]:
            block["input"] = json.loads(block["json"])
    message["content"] = [blocks[index] for index in sorted(blocks)]
    return message
