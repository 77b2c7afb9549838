"""Answers of models as their providers would send them, made from what a trace holds of them.

One row for each form of request. What a trace does not hold (log probabilities, moderation results) is not in the
answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from agentops_sdk._genai import openai_chat, openai_responses
from agentops_sdk.testing.recordings import bedrock_replies, gemini_replies
from agentops_sdk.testing.recordings.anthropic_replies import ANTHROPIC
from agentops_sdk.testing.recordings.reply_form import Reply, ReplyForm, asked, calls_in, text_of

__all__ = ["FORMS", "form_of"]

_REASONS: Final = {
    "tool_call": "tool_calls",
    "tool_calls": "tool_calls",
    "length": "length",
    "content_filter": "content_filter",
}


def form_of(path: str) -> ReplyForm | None:
    """The form of a request by the path of its address."""
    return next((form for form in FORMS if form.fits(path)), None)


def _arguments(part: Mapping[str, Any]) -> str:
    given = part.get("arguments")
    return given if isinstance(given, str) else json.dumps(given if given is not None else {})


# --- chat completions --------------------------------------------------------------------------------


def _chat_message(parts: list[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text_of(parts) or None}
    calls = [
        {
            "id": part.get("id"),
            "type": "function",
            "function": {"name": part.get("name"), "arguments": _arguments(part)},
        }
        for part in calls_in(parts)
    ]
    refusal = next((part.get("content") for part in parts if part.get("type") == "refusal"), None)
    return {**message, **({"tool_calls": calls} if calls else {}), **({"refusal": refusal} if refusal else {})}


def _chat_reason(message: Mapping[str, Any]) -> str:
    return _REASONS.get(str(message.get("finish_reason")), "stop")


def _chat_usage(reply: Reply) -> dict[str, int]:
    given, said = reply.usage
    return {"prompt_tokens": given, "completion_tokens": said, "total_tokens": given + said}


def _chat_body(reply: Reply) -> dict[str, Any]:
    choices = [
        {
            "index": index,
            "message": _chat_message(list(message.get("parts") or ())),
            "finish_reason": _chat_reason(message),
        }
        for index, message in enumerate(reply.messages)
    ]
    return {"id": reply.id, "object": "chat.completion", "created": 0, "model": reply.model, "choices": choices,
            "usage": _chat_usage(reply)}  # fmt: skip


def _chat_events(reply: Reply) -> Iterator[tuple[str, Any]]:
    head = {"id": reply.id, "object": "chat.completion.chunk", "created": 0, "model": reply.model}
    for index, message in enumerate(reply.messages):
        delta = _chat_message(list(message.get("parts") or ()))
        for number, call in enumerate(delta.get("tool_calls", ())):
            call["index"] = number
        yield "", {**head, "choices": [{"index": index, "delta": delta, "finish_reason": None}]}
        yield "", {**head, "choices": [{"index": index, "delta": {}, "finish_reason": _chat_reason(message)}]}
    yield "", {**head, "choices": [], "usage": _chat_usage(reply)}
    yield "", "[DONE]"


def _chat_system(body: dict[str, Any], text: str) -> None:
    messages = [each for each in body.get("messages") or () if each.get("role") not in ("system", "developer")]
    body["messages"] = [{"role": "system", "content": text}, *messages]


# --- OpenAI's responses --------------------------------------------------------------------------------


def _responses_body(reply: Reply) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    text = text_of(reply.parts)
    if text:
        output.append({"type": "message", "id": f"msg_{reply.id}", "role": "assistant", "status": "completed",
                       "content": [{"type": "output_text", "text": text, "annotations": []}]})  # fmt: skip
    output += [
        {"type": "function_call", "id": f"fc_{part.get('id')}", "call_id": part.get("id"), "name": part.get("name"),
         "arguments": _arguments(part), "status": "completed"}
        for part in calls_in(reply.parts)
    ]  # fmt: skip
    given, said = reply.usage
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    usage = {"input_tokens": given, "output_tokens": said, "total_tokens": given + said, **details}
    asked = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    head = {"id": reply.id, "object": "response", "created_at": 0, "status": "completed", "model": reply.model}
    return {**head, **asked, "output": output, "usage": usage}


def _responses_events(reply: Reply) -> Iterator[tuple[str, Any]]:
    whole = _responses_body(reply)
    number = 0

    def event(kind: str, **told: Any) -> tuple[str, Any]:
        nonlocal number
        number += 1
        return kind, {"type": kind, "sequence_number": number, **told}

    yield event("response.created", response={**whole, "status": "in_progress", "output": [], "usage": None})
    for index, item in enumerate(whole["output"]):
        is_text = item["type"] == "message"
        empty = {**item, "content": []} if is_text else {**item, "arguments": ""}
        at = {"item_id": item["id"], "output_index": index}
        yield event("response.output_item.added", output_index=index, item={**empty, "status": "in_progress"})
        if is_text:
            part = item["content"][0]
            at["content_index"] = 0
            yield event("response.content_part.added", **at, part={**part, "text": ""})
            yield event("response.output_text.delta", **at, delta=part["text"], logprobs=[])
            yield event("response.output_text.done", **at, text=part["text"], logprobs=[])
            yield event("response.content_part.done", **at, part=part)
        else:
            yield event("response.function_call_arguments.delta", **at, delta=item["arguments"])
            yield event("response.function_call_arguments.done", **at, arguments=item["arguments"], name=item["name"])
        yield event("response.output_item.done", output_index=index, item=item)
    yield event("response.completed", response=whole)


def _responses_system(body: dict[str, Any], text: str) -> None:
    body["instructions"] = text


FORMS: Final = (
    ReplyForm("/chat/completions", asked(openai_chat.chat_request), _chat_body, _chat_events, _chat_system),
    ANTHROPIC,
    ReplyForm("/responses", asked(openai_responses.request), _responses_body, _responses_events, _responses_system),
    gemini_replies.GEMINI,
    *bedrock_replies.FORMS,
)
"""The forms that can be answered; to add one, add a row."""
