"""Recorded exchanges and what they say, worked out from the raw reply by other means than the integration's."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.shared import shared

APIS = ("chat.completions", "responses", "completions", "embeddings")


@dataclass
class Said:
    """Facts of a reply that a span must repeat."""

    id: str | None = None
    model: str | None = None
    finish: list[str] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)
    text: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    server_calls: list[str] = field(default_factory=list)


def exchanges() -> list[dict[str, Any]]:
    folder = shared("recorded")
    if folder is None:
        return []
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*/*.json"))]
    return [each for each in found if each["api"] in APIS]


def arguments(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def events(body: str) -> list[dict[str, Any]]:
    lines = [line[5:].strip() for line in body.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line and line != "[DONE]"]


def said(exchange: dict[str, Any]) -> Said:
    body = exchange["response_body"]
    if exchange["api"] == "responses":
        return _responses(events(body)[-1]["response"] if exchange["stream"] else json.loads(body))
    if exchange["stream"]:
        return _chat_stream(events(body))
    return _chat(json.loads(body))


def figures(usage: Any) -> dict[str, int]:
    """Every token figure of a raw usage object under the names of the conventions."""
    usage = usage or {}
    prefix = "gen_ai.usage."
    inner = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    outer = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    made = {
        f"{prefix}input_tokens": usage.get("prompt_tokens", usage.get("input_tokens")),
        f"{prefix}output_tokens": usage.get("completion_tokens", usage.get("output_tokens")),
        f"{prefix}cache_read.input_tokens": inner.get("cached_tokens"),
        f"{prefix}reasoning.output_tokens": outer.get("reasoning_tokens"),
        "agentops.usage.audio.input_tokens": inner.get("audio_tokens"),
        "agentops.usage.audio.output_tokens": outer.get("audio_tokens"),
    }
    return {name: value for name, value in made.items() if value}


def _chat(body: dict[str, Any]) -> Said:
    made = Said(body.get("id"), body.get("model"), usage=figures(body.get("usage")))
    for choice in body.get("choices") or ():
        if choice.get("finish_reason"):
            made.finish.append(choice["finish_reason"])
        message = choice.get("message") or {"content": choice.get("text")}
        made.text += _text(message.get("content"))
        made.thoughts += _thoughts(message)
        for call in message.get("tool_calls") or ():
            made.calls.append((call["function"]["name"], arguments(call["function"].get("arguments"))))
    return made


def _thoughts(message: dict[str, Any]) -> list[str]:
    plain = message.get("reasoning_content") or message.get("reasoning")
    blocks = message["content"] if isinstance(message.get("content"), list) else []
    pieces = [block["thinking"] for block in blocks if block.get("type") == "thinking"]
    return [*([plain] if plain else []), *("".join(part["text"] for part in piece) for piece in pieces)]


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(block.get("text", "") for block in content if block.get("type") == "text")
    return content or ""


def _chat_stream(chunks: list[dict[str, Any]]) -> Said:
    made = Said()
    texts: Counter[int] = Counter()
    pieces: dict[int, str] = {}
    thoughts: dict[int, str] = {}
    finish: dict[int, str] = {}
    calls: dict[tuple[int, int], list[str]] = {}
    for chunk in chunks:
        made.id, made.model = made.id or chunk.get("id"), chunk.get("model") or made.model
        usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage")
        if usage:
            made.usage = figures(usage)
        for choice in chunk.get("choices") or ():
            at = choice["index"]
            texts[at] += 1
            delta = choice.get("delta") or {"content": choice.get("text")}
            pieces[at] = pieces.get(at, "") + _text(delta.get("content"))
            thoughts[at] = thoughts.get(at, "") + "".join(_thoughts(delta))
            if choice.get("finish_reason"):
                finish[at] = choice["finish_reason"]
            for call in delta.get("tool_calls") or ():
                known = calls.setdefault((at, call.get("index", 0)), ["", ""])  # one call where there is no index
                known[0] += call["function"].get("name") or ""
                known[1] += call["function"].get("arguments") or ""
    made.finish = [finish[at] for at in sorted(finish)]
    made.text = "".join(pieces[at] for at in sorted(pieces))
    made.thoughts = [thoughts[at] for at in sorted(thoughts) if thoughts[at]]
    made.calls = [(calls[key][0], arguments(calls[key][1])) for key in sorted(calls)]
    return made


def _responses(body: dict[str, Any]) -> Said:
    made = Said(body["id"], body["model"], usage=figures(body.get("usage")))
    for item in body.get("output") or ():
        if item["type"] == "function_call":
            made.calls.append((item["name"], arguments(item["arguments"])))
        elif item["type"] == "message":
            made.text += "".join(block.get("text", "") for block in item["content"])
        elif item["type"] == "tool_search_call" and item["execution"] == "client":
            made.calls.append(("tool_search", item["arguments"]))
        elif item["type"] == "reasoning":
            made.thoughts += [block["text"] for block in item.get("content") or item.get("summary") or ()]
        elif item["type"].endswith("_call"):
            made.server_calls.append(item.get("name") or item["type"].removesuffix("_call"))
    preview = any(tool["type"].startswith("web_search_preview") for tool in body.get("tools") or ())
    searches = [item for item in body.get("output") or () if item["type"] == "web_search_call"]
    billed = sum((item.get("action") or {}).get("type", "search") == "search" for item in searches)
    if billed and not (preview and body["model"].startswith("gpt-4")):  # where each has another price
        made.usage["agentops.usage.web_searches"] = billed
    in_files = sum(item["type"] == "file_search_call" for item in body.get("output") or ())
    if in_files:
        made.usage["agentops.usage.file_searches"] = in_files
    return made
