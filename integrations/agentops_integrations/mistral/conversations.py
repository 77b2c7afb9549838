"""Conversations that Mistral keeps: each turn is a chat, of entries in place of messages.

What was said before stays with the provider: a turn tells the entries that are new, and a reply has several where its
tools run there. Streams tell entries by their index.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agentops_sdk.integration import semconv
from agentops_sdk.integration.clients import ID, Attributes, Endpoint, Events, Json
from agentops_sdk.integration.dialects import mappings, openai_chat, openai_tools
from agentops_sdk.integration.dialects import message_parts as parts

__all__ = ["ROWS"]

_JOINED = ("text", "thinking")
"""Blocks of a stream that go on in the next piece."""


# --- entries ---------------------------------------------------------------------------------------


def _entry(entry: Json) -> tuple[str, list[parts.Part]]:
    """Who said it, and its parts."""
    kind = str(entry.get("type") or "message.input")
    if kind in ("message.input", "message.output"):
        role = "assistant" if kind == "message.output" else str(entry.get("role") or "user")
        return role, parts.of_content(entry.get("content"))
    if kind == "function.result":
        return "tool", [
            {"type": "tool_call_response", "id": entry.get("tool_call_id"), "response": entry.get("result")}
        ]
    if kind == "function.call":
        arguments = parts.arguments(entry.get("arguments"))
        name = str(entry.get("name") or "")
        return "assistant", [
            {"type": "tool_call", "id": entry.get("tool_call_id"), "name": name, "arguments": arguments}
        ]
    if kind == "tool.execution":
        return "assistant", list(_execution(entry))
    return "assistant", [parts.generic(entry)]


def _execution(entry: Json) -> Iterator[parts.Part]:
    """A tool that runs at the provider's, and what it told of it."""
    name, ident = str(entry.get("name") or ""), entry.get("id")
    asked = {"type": name, "arguments": parts.arguments(entry.get("arguments"))}
    yield {"type": "server_tool_call", "id": ident, "name": name, "server_tool_call": asked}
    if entry.get("info"):
        told = {"type": name, "info": entry["info"]}
        yield {"type": "server_tool_call_response", "id": ident, "server_tool_call_response": told}


def _inputs(source: Any) -> list[dict[str, Any]]:
    if isinstance(source, str):
        return [{"role": "user", "parts": [parts.text(source)]}]
    messages: list[dict[str, Any]] = []
    for role, said in map(_entry, mappings(source)):
        if messages and messages[-1]["role"] == role == "assistant":  # entries of one turn
            messages[-1]["parts"] += said
        else:
            messages.append({"role": role, "parts": said})
    return messages


# --- bodies ----------------------------------------------------------------------------------------


def _settings(body: Json) -> Json:
    asked = body.get("completion_args")
    return asked if isinstance(asked, Mapping) else {}


def _request(body: Json) -> Attributes:
    settings, model, instructions = _settings(body), body.get("model"), body.get("instructions")
    agent = body.get("agent_id")
    return {
        semconv.REQUEST_MODEL: model if isinstance(model, str) else None,
        semconv.AGENT_ID: agent if isinstance(agent, str) else None,
        semconv.COST_UNKNOWN_REASON: semconv.KEPT_BY_PROVIDER if agent else None,
        **openai_chat.request({"seed": settings.get("random_seed"), **settings}),
        semconv.INPUT_MESSAGES: _inputs(body.get("inputs")) or None,
        semconv.SYSTEM_INSTRUCTIONS: [parts.text(instructions)] if isinstance(instructions, str) else None,
        semconv.TOOL_DEFINITIONS: openai_tools.definitions(body) or None,
    }


def _further_request(body: Json) -> Attributes:
    return {**_request(body), semconv.COST_UNKNOWN_REASON: semconv.KEPT_BY_PROVIDER}


def _response(body: Json, asked: Json) -> Attributes:
    entries = mappings(body.get("outputs"))
    said = [part for entry in entries for part in _entry(entry)[1]]
    models = {str(entry["model"]): None for entry in entries if entry.get("model")}
    attributes: Attributes = {
        semconv.CONVERSATION_ID: body.get("conversation_id") or None,
        semconv.RESPONSE_MODEL: next(reversed(models), None),
        semconv.OUTPUT_MESSAGES: [{"role": "assistant", "parts": said}] if said else None,
        semconv.COST_UNKNOWN_REASON: _unpriced(body, len(models)),
    }
    # What a stream tells last are its figures.
    finished = asked.get("stream") is not True or isinstance(body.get("usage"), Mapping)
    wanted = {"tools": asked.get("tools"), "tool_choice": _settings(asked).get("tool_choice")}
    return attributes | openai_tools.choice(wanted, said, finished=finished and "error" not in body)


def _unpriced(body: Json, models: int) -> str | None:
    usage = body.get("usage")
    if isinstance(usage, Mapping) and (usage.get("connector_tokens") or usage.get("connectors")):
        return "no price known for what connectors read"
    return "tokens of several models were told together" if models > 1 else None


def _fold(events: Events) -> dict[str, Any]:
    body: dict[str, Any] = {}
    entries: dict[Any, dict[str, Any]] = {}
    for event in events:
        subject, _, step = str(event.get("type") or "").rpartition(".")
        if subject == "conversation.response":
            if step == "error":
                body["error"] = {"code": event.get("code"), "message": event.get("message")}
            body.update((name, event[name]) for name in ("conversation_id", "usage") if event.get(name) is not None)
        else:
            entry = entries.setdefault((event.get("output_index"), event.get("id")), {"type": subject})
            _grow(entry, event)
    body["outputs"] = list(entries.values())
    return body


def _grow(entry: dict[str, Any], event: Json) -> None:
    content, arguments = event.get("content"), event.get("arguments")
    entry.update((name, value) for name, value in event.items() if name not in _GROWN and value is not None)
    if isinstance(arguments, str):
        entry["arguments"] = entry.get("arguments", "") + arguments
    if content:
        block = {"type": "text", "text": content} if isinstance(content, str) else content
        if isinstance(block, Mapping):
            _add(entry.setdefault("content", []), block)


def _add(blocks: list[dict[str, Any]], block: Json) -> None:
    kind = block.get("type")
    known = blocks[-1] if blocks else {}
    if kind in _JOINED and known.get("type") == kind and type(known.get(kind)) is type(block.get(kind)):
        known[kind] = known[kind] + block[kind]
    else:
        blocks.append(dict(block))


_GROWN = ("type", "content", "arguments", "content_index", "output_index")


# --- the table -------------------------------------------------------------------------------------


ROWS = tuple(
    Endpoint(
        path=path, request=request, response=_response, fold=_fold,
        end_mark=re.compile(rb'"type"\s*:\s*"conversation\.response\.(?:done|error)"'),
    )
    for path, request in (
        ("conversations", _request), (f"conversations/{ID}", _further_request),
        (f"conversations/{ID}/restart", _further_request),
    )
)  # fmt: skip
"""To start a conversation, to go on with it, and to go on from an entry of before."""
