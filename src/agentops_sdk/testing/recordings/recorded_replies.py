"""Answers of models as their providers would send them, made from what a trace holds of them.

One row for each form of request: how its messages are read, and how a recorded answer is written in it. What a trace
does not hold (log probabilities, moderation results) is not in the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agentops_sdk import semconv
from agentops_sdk._genai import anthropic_messages, openai_chat, openai_responses
from agentops_sdk.testing.recordings.http_boundary import Answer

__all__ = ["FORMS", "Reply", "ReplyForm", "form_of"]

_JSON: Final = [("content-type", "application/json"), ("x-should-retry", "false")]
_EVENTS: Final = [("content-type", "text/event-stream")]
_REASONS: Final = {
    "tool_call": "tool_calls",
    "tool_calls": "tool_calls",
    "length": "length",
    "content_filter": "content_filter",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered, as a trace holds it.

    Attributes:
        id: of the answer.
        model: that answered.
        messages: in the conventions' form, one for each choice.
        usage: input and output tokens.
        error: the message of a call that failed; ``None`` where it did not.
        status: of the answer to a call that failed.
    """

    id: str
    model: str
    messages: list[dict[str, Any]]
    usage: tuple[int, int]
    error: str | None = None
    status: int = 500

    @property
    def parts(self) -> list[dict[str, Any]]:
        """What the first choice says."""
        return list(self.messages[0].get("parts") or ()) if self.messages else []


@dataclass(frozen=True, slots=True)
class ReplyForm:
    """One form of request.

    Attributes:
        path: how the path of its address ends.
        messages: what the model is given, from a request's body: instructions and messages.
        body: the answer to a request that is not streamed.
        events: the same as server-sent events: name and data; the name may be empty.
        with_system: a request's body with other instructions.
    """

    path: str
    messages: Callable[[Mapping[str, Any]], list[Any]]
    body: Callable[[Reply], dict[str, Any]]
    events: Callable[[Reply], Iterator[tuple[str, Any]]]
    with_system: Callable[[dict[str, Any], str], None]

    def answer(self, reply: Reply, *, stream: bool) -> Answer:
        """What the client gets."""
        if reply.error is not None:
            told = {"error": {"message": reply.error, "type": "replayed_error"}, "type": "error"}
            return Answer(reply.status, _JSON, [json.dumps(told).encode()])
        if not stream:
            return Answer(200, _JSON, [json.dumps(self.body(reply)).encode()])
        pieces = []
        for name, data in self.events(reply):
            text = data if isinstance(data, str) else json.dumps(data)
            pieces.append((f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode())
        return Answer(200, _EVENTS, pieces)


def form_of(path: str) -> ReplyForm | None:
    """The form of a request by the path of its address."""
    return next((form for form in FORMS if path.rstrip("/").endswith(form.path)), None)


def _asked(read: Callable[[Any], dict[str, Any]]) -> Callable[[Mapping[str, Any]], list[Any]]:
    def messages(body: Mapping[str, Any]) -> list[Any]:
        told = read(body)
        return [told.get(semconv.SYSTEM_INSTRUCTIONS) or [], told.get(semconv.INPUT_MESSAGES) or []]

    return messages


def _text(parts: list[dict[str, Any]]) -> str:
    return "".join(str(part.get("content") or "") for part in parts if part.get("type") == "text")


def _calls(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part for part in parts if part.get("type") == "tool_call"]


def _arguments(part: Mapping[str, Any]) -> str:
    given = part.get("arguments")
    return given if isinstance(given, str) else json.dumps(given if given is not None else {})


# --- chat completions --------------------------------------------------------------------------------


def _chat_message(parts: list[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": _text(parts) or None}
    calls = [
        {
            "id": part.get("id"),
            "type": "function",
            "function": {"name": part.get("name"), "arguments": _arguments(part)},
        }
        for part in _calls(parts)
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


# --- Anthropic's messages ------------------------------------------------------------------------------


def _blocks(reply: Reply) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for part in reply.parts:
        if part.get("type") == "text":
            blocks.append({"type": "text", "text": str(part.get("content") or "")})
        elif part.get("type") == "reasoning":
            blocks.append({"type": "thinking", "thinking": str(part.get("content") or ""), "signature": ""})
        elif part.get("type") == "tool_call":
            given = part.get("arguments")
            blocks.append({"type": "tool_use", "id": part.get("id"), "name": part.get("name"),
                           "input": given if isinstance(given, dict) else {}})  # fmt: skip
    return blocks


def _anthropic_body(reply: Reply) -> dict[str, Any]:
    given, said = reply.usage
    length = bool(reply.messages) and reply.messages[0].get("finish_reason") == "length"
    reason = "tool_use" if _calls(reply.parts) else "max_tokens" if length else "end_turn"
    return {"id": reply.id, "type": "message", "role": "assistant", "model": reply.model, "content": _blocks(reply),
            "stop_reason": reason, "stop_sequence": None,
            "usage": {"input_tokens": given, "output_tokens": said}}  # fmt: skip


def _anthropic_events(reply: Reply) -> Iterator[tuple[str, Any]]:
    whole = _anthropic_body(reply)
    blocks = whole["content"]
    yield "message_start", {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    for index, block in enumerate(blocks):
        kind = block["type"]
        empty = {
            "text": {**block, "text": ""},
            "thinking": {**block, "thinking": ""},
            "tool_use": {**block, "input": {}},
        }[kind]
        delta = {
            "text": {"type": "text_delta", "text": block.get("text")},
            "thinking": {"type": "thinking_delta", "thinking": block.get("thinking")},
            "tool_use": {"type": "input_json_delta", "partial_json": json.dumps(block.get("input"))},
        }[kind]
        yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": empty}
        yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": index}
    ending = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": ending, "usage": whole["usage"]}
    yield "message_stop", {"type": "message_stop"}


def _anthropic_system(body: dict[str, Any], text: str) -> None:
    body["system"] = text


# --- OpenAI's responses --------------------------------------------------------------------------------


def _responses_body(reply: Reply) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    text = _text(reply.parts)
    if text:
        output.append({"type": "message", "id": f"msg_{reply.id}", "role": "assistant", "status": "completed",
                       "content": [{"type": "output_text", "text": text, "annotations": []}]})  # fmt: skip
    output += [
        {"type": "function_call", "id": f"fc_{part.get('id')}", "call_id": part.get("id"), "name": part.get("name"),
         "arguments": _arguments(part), "status": "completed"}
        for part in _calls(reply.parts)
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
    ReplyForm("/chat/completions", _asked(openai_chat.chat_request), _chat_body, _chat_events, _chat_system),
    ReplyForm("/messages", _asked(anthropic_messages.request), _anthropic_body, _anthropic_events, _anthropic_system),
    ReplyForm("/responses", _asked(openai_responses.request), _responses_body, _responses_events, _responses_system),
)
"""The forms that can be answered; to add one, add a row."""
