"""What frameworks tell of their steps, in the conventions' form: content, documents, tools, and calls of models.

Of a call of a model, a client whose requests are recorded knows more, and what it has told stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._capture.call import Call, NullCall
from agentops_sdk._genai import openai_chat
from agentops_sdk._snapshot.snapshot import mark_cut, snapshot, snapshot_source
from agentops_sdk._snapshot.text import clip

__all__ = ["content", "error_text", "model_reply", "told_by_client", "tool_definitions"]

_MOST_TOOLS = 200
_MOST_ERROR = 2_000


def content(name: str, value: Any) -> dict[str, Any]:
    """One attribute with what people, models or tools wrote; none where content is not captured, or there is none."""
    if value is None or not _recorder_port.active.settings.records_content:
        return {}
    return {name: value if type(value) is str else snapshot(value).decode()}


def tool_definitions(tools: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """The tools that an agent has, given their names and descriptions."""
    rows: list[dict[str, Any]] = []
    for name, description in tools:
        if type(name) is str and len(rows) < _MOST_TOOLS:
            about = {"description": description} if type(description) is str and description else {}
            rows.append({"type": "function", "name": name, **about})
    return {semconv.TOOL_DEFINITIONS: snapshot(rows).decode()} if rows else {}


def error_text(call: Call | NullCall, text: Any, kind: str | None = None) -> None:
    """A failure that is told as text only, which may hold what people or models wrote."""
    call.set(semconv.ERROR_TYPE, kind)
    if type(text) is str and text and _recorder_port.active.settings.records_content:
        call.event(semconv.EXCEPTION_EVENT, {semconv.EXCEPTION_MESSAGE: clip(text, _MOST_ERROR)})


def told_by_client(call: Call | NullCall) -> bool:
    """Whether a client whose requests are recorded has told of this call of a model."""
    span = getattr(call, "span", None)
    return span is None or semconv.SERVER_ADDRESS in span.attributes


def model_reply(
    call: Call | NullCall,
    *,
    messages: Any = None,
    reply: Any = None,
    tools: Any = None,
    tool_choice: Any = None,
    finish_reason: str | None = None,
    usage: Mapping[str, Any] | None = None,
    usage_shape: str = "openai.chat",
) -> None:
    """What a framework tells of a call of a model, as far as no client has told of it.

    Args:
        messages: the conversation, as OpenAI's chat messages.
        reply: the answer, as such a message or as text.
        tools: those on offer, as OpenAI's definitions.
        tool_choice: what was asked for of the choice among them, as OpenAI has it.
        finish_reason: as OpenAI has it.
        usage: the provider's usage, by names of ``usage_shape``.
    """
    if told_by_client(call):
        return
    from agentops_sdk._usage.provider_usage import usage_attributes

    figures = usage_attributes(usage_shape, usage) if isinstance(usage, Mapping) else {}
    if figures:
        call.update({**figures, semconv.USAGE_SOURCE: "reported"})
    if not _recorder_port.active.settings.records_content:
        return
    message = {"role": "assistant", "content": reply} if isinstance(reply, str) else reply
    kept = snapshot_source({"messages": messages, "reply": message, "tools": tools, "tool_choice": tool_choice})

    def work(attributes: dict[str, Any]) -> None:
        body = orjson.loads(kept.data)
        request = {name: body[name] for name in ("messages", "tools") if isinstance(body.get(name), list)}
        told = dict(openai_chat.request(request))
        if body.get("tool_choice") is not None:
            request["tool_choice"] = body["tool_choice"]
        if isinstance(body.get("reply"), dict):
            choice = {"message": {"role": "assistant", **body["reply"]}, "finish_reason": finish_reason}
            told.update(openai_chat.response({"choices": [choice]}, request))
        for name, value in told.items():
            if value is not None:
                attributes.setdefault(name, value)
        mark_cut(attributes, semconv.OUTPUT_MESSAGES, kept)

    call.defer(work)
