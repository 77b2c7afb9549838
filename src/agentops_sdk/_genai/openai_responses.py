"""The Responses API: bodies to attributes; stream events to the body they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentops_sdk import semconv
from agentops_sdk._capture.model_choice import ended_by_model
from agentops_sdk._genai import openai_chat as chat
from agentops_sdk._genai import openai_items as items
from agentops_sdk._genai import openai_tools as tools
from agentops_sdk._genai.fields import fields, mapping
from agentops_sdk._genai.openai_chat import Json

_REQUEST = {
    semconv.REQUEST_TEMPERATURE: "temperature:number",
    semconv.REQUEST_TOP_P: "top_p:number",
    semconv.REQUEST_MAX_TOKENS: "max_output_tokens",
    semconv.REQUEST_REASONING_LEVEL: "reasoning.effort",
    semconv.REQUEST_PREVIOUS_RESPONSE_ID: "previous_response_id",
    semconv.OPENAI_REQUEST_SERVICE_TIER: "service_tier",
    semconv.PROMPT_NAME: "prompt.id",
    semconv.PROMPT_VERSION: "prompt.version",
}
_KEPT = ("previous_response_id", "conversation", "prompt")
"""What a request goes on from, or is filled into."""

_RESPONSE = {
    semconv.RESPONSE_ID: "id",
    semconv.RESPONSE_MODEL: "model",
    semconv.RESPONSE_STATUS: "status",
    semconv.OPENAI_RESPONSE_SERVICE_TIER: "service_tier",
}


def request(body: Json) -> dict[str, Any]:
    """Attributes that a request tells."""
    text = body.get("text")
    wanted = text.get("format") if isinstance(text, Mapping) else None
    conversation = body.get("conversation")
    attributes = {
        semconv.OPENAI_API_TYPE: "responses",
        **fields(body, _REQUEST),
        semconv.OUTPUT_TYPE: chat.output_type(wanted),
        semconv.CONVERSATION_ID: conversation.get("id") if isinstance(conversation, Mapping) else conversation,
        semconv.COST_UNKNOWN_REASON: semconv.KEPT_BY_PROVIDER if any(map(body.get, _KEPT)) else None,
    }
    if body.get("input") is not None:
        attributes[semconv.INPUT_MESSAGES] = items.messages(body["input"])
    if body.get("instructions"):
        attributes[semconv.SYSTEM_INSTRUCTIONS] = items.instructions(body["instructions"])
    offered = tools.definitions(body)
    if offered:
        attributes[semconv.TOOL_DEFINITIONS] = offered
    return attributes


def response(body: Json, asked: Json) -> dict[str, Any]:
    """Attributes that a reply tells. It repeats the request; ``asked`` is empty where it was fetched later."""
    conversation = body.get("conversation")
    reason = finish_reason(body)
    attributes = {
        **fields(body, _RESPONSE),
        semconv.RESPONSE_FINISH_REASONS: [reason] if reason else None,
    }
    if isinstance(conversation, Mapping) and conversation.get("id"):
        attributes[semconv.CONVERSATION_ID] = conversation["id"]
    output = body.get("output")
    if isinstance(output, list) and output:
        answer_parts = [part for item in output for part in items.output_parts(item)]
        answer: dict[str, Any] = {"role": "assistant", "parts": answer_parts}
        if reason:
            answer["finish_reason"] = chat.finish_reason(reason)
        attributes[semconv.OUTPUT_MESSAGES] = [answer]
        if any(isinstance(item, Mapping) and item.get("type") == "compaction" for item in output):
            attributes[semconv.CONVERSATION_COMPACTED] = True
        finished = _is_finished(body, asked)
        if not finished:  # its items say for themselves whether they are whole: calls that are have been chosen
            done = [item for item in output if _is_done(item)]
            answer_parts = [part for item in done for part in items.output_parts(item)]
            finished = any(str(item.get("type")).endswith("_call") for item in done)
        attributes.update(tools.choice(asked if asked.get("tools") else body, answer_parts, finished=finished))
    return attributes


def usage(body: Json) -> Json | None:
    """The usage object of a reply, with what the provider's tools used beside: searches, billed by piece, and images.

    Of older replies, searches are counted here; not the pages that were opened then.
    Web searches of the older tool by models without reasoning have a price of their own, which no table has.
    """
    told = chat.usage(body)
    if told is None:
        return None
    called = [item for item in _output(body) if isinstance(item, Mapping)]
    actions = [item.get("action") for item in called if item.get("type") == "web_search_call"]
    kinds = [action.get("type", "search") if isinstance(action, Mapping) else "search" for action in actions]
    offered = {str(tool.get("type")): tool for tool in body.get("tools") or () if isinstance(tool, Mapping)}
    of_old = any(kind.startswith("web_search_preview") for kind in offered) and str(body.get("model"))[:5] == "gpt-4"
    beside = mapping(body.get("tool_usage"))
    billed = mapping(beside.get("web_search")).get("num_requests")
    searches = 0 if of_old else billed if isinstance(billed, int) else kinds.count("search")
    in_files = sum(item.get("type") == "file_search_call" for item in called)
    images = None
    if any(item.get("type") == "image_generation_call" for item in called):
        model = mapping(offered.get("image_generation")).get("model")
        images = {**mapping(beside.get("image_gen")), "model": model}
    return {
        **told,
        "web_search_calls": searches or None,
        "file_search_calls": in_files or None,
        "image_generation": images,
    }


def _is_finished(body: Json, asked: Json) -> bool:
    """Whether the model came to its end: one that a filter or an error stopped, or that goes on, has not."""
    if body.get("status") is None:  # some servers leave it out of a reply in one piece
        return asked.get("stream") is not True
    return body["status"] in ("completed", "incomplete") and ended_by_model(finish_reason(body))


def _is_done(item: Any) -> bool:
    return isinstance(item, Mapping) and (item.get("status") == "completed" or item.get("type") == "reasoning")


def finish_reason(body: Json) -> str | None:
    """Why the model stopped, in the words of chat completions; what cut it short in the provider's own.

    A reply that is still being worked on has no finish reason.
    """
    status = body.get("status")
    if status == "incomplete":
        details = body.get("incomplete_details")
        return str(details.get("reason")) if isinstance(details, Mapping) and details.get("reason") else "incomplete"
    if status == "failed":
        return "error"
    if status == "completed":
        calls = any(map(items.is_client_call, _output(body)))
        return "tool_calls" if calls else "stop"
    return None


def assemble(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The body that a stream's events stand for: the last one sent whole, plus what came after it."""
    body: dict[str, Any] = {}
    output: dict[int, dict[str, Any]] = {}
    for event in events:
        kind = str(event.get("type", ""))
        whole = event.get("response")
        if isinstance(whole, Mapping):
            body = {
                **body,
                **{name: value for name, value in whole.items() if value is not None},
            }
        elif kind == "error":
            body["error"] = event.get("error") or event
        else:
            _add(output, kind, event)
    if output and not _output(body):
        body["output"] = [output[index] for index in sorted(output)]
    return body


def is_whole(event: Json) -> bool:
    """Whether it has the whole output, so that nothing of what brought it in pieces is looked at."""
    return bool(_output(mapping(event.get("response"))))


def _add(output: dict[int, dict[str, Any]], kind: str, event: Json) -> None:
    index = event.get("output_index")
    if not isinstance(index, int):
        return
    item = event.get("item")
    if isinstance(item, Mapping):  # response.output_item.added, .done
        output[index] = {**item}
        return
    known = output.setdefault(index, {"type": _ITEM_OF_DELTA.get(kind, "message")})
    delta = event.get("delta")
    if not kind.endswith(".delta") or not isinstance(delta, str):
        return
    field = _FIELD_OF_DELTA.get(kind)
    if field is not None:
        known[field] = (known.get(field) or "") + delta
    elif kind in _BLOCK_OF_DELTA:
        _grow(known, event, delta, *_BLOCK_OF_DELTA[kind])


def _grow(item: dict[str, Any], event: Json, delta: str, listing: str, kind: str) -> None:
    blocks = item[listing] = list(item.get(listing) or ())
    position = event.get("summary_index" if listing == "summary" else "content_index")
    position = position if isinstance(position, int) and 0 <= position < 10_000 else 0
    while len(blocks) <= position:
        blocks.append({"type": kind})
    name = "refusal" if kind == "refusal" else "text"
    blocks[position] = {
        **blocks[position],
        name: (blocks[position].get(name) or "") + delta,
    }


_FIELD_OF_DELTA = {
    "response.function_call_arguments.delta": "arguments",
    "response.mcp_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
    "response.code_interpreter_call_code.delta": "code",
}
_ITEM_OF_DELTA = {
    "response.function_call_arguments.delta": "function_call",
    "response.mcp_call_arguments.delta": "mcp_call",
    "response.custom_tool_call_input.delta": "custom_tool_call",
    "response.code_interpreter_call_code.delta": "code_interpreter_call",
    "response.reasoning_text.delta": "reasoning",
    "response.reasoning_summary_text.delta": "reasoning",
}
_BLOCK_OF_DELTA = {
    "response.output_text.delta": ("content", "output_text"),
    "response.refusal.delta": ("content", "refusal"),
    "response.reasoning_text.delta": ("content", "reasoning_text"),
    "response.reasoning_summary_text.delta": ("summary", "summary_text"),
}

DELTAS: Final = tuple(
    begin % kind.encode()
    for kind in {**_ITEM_OF_DELTA, **_BLOCK_OF_DELTA}
    for begin in (b"event: %b\n", b'data: {"type":"%b",')
)
"""How the events begin that bring the output in pieces, as OpenAI writes them."""


def _output(body: Json) -> list[Any]:
    output = body.get("output")
    return output if isinstance(output, list) else []
