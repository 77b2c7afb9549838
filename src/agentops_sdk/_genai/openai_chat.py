"""Chat completions and legacy completions: bodies to attributes; stream chunks to the body they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentops_sdk import semconv
from agentops_sdk._capture.model_choice import ended_by_model
from agentops_sdk._genai import message_parts as parts
from agentops_sdk._genai import openai_tools as tools
from agentops_sdk._genai.deltas import merge_delta
from agentops_sdk._genai.fields import fields

Json = Mapping[str, Any]

_REQUEST = {
    semconv.REQUEST_TEMPERATURE: "temperature:number",
    semconv.REQUEST_TOP_P: "top_p:number",
    semconv.REQUEST_TOP_K: "top_k",
    semconv.REQUEST_MAX_TOKENS: "max_completion_tokens|max_tokens",
    semconv.REQUEST_FREQUENCY_PENALTY: "frequency_penalty:number",
    semconv.REQUEST_PRESENCE_PENALTY: "presence_penalty:number",
    semconv.REQUEST_SEED: "seed",
    semconv.REQUEST_REASONING_LEVEL: "reasoning_effort|reasoning.effort:text",
    semconv.OPENAI_REQUEST_SERVICE_TIER: "service_tier",
}
_RESPONSE = {
    semconv.RESPONSE_ID: "id",
    semconv.RESPONSE_MODEL: "model",
    semconv.OPENAI_RESPONSE_SERVICE_TIER: "service_tier",
    semconv.OPENAI_SYSTEM_FINGERPRINT: "system_fingerprint",
}


def request(body: Json) -> dict[str, Any]:
    """Attributes that a request tells; works for both endpoints."""
    count = body.get("n")
    stop = body.get("stop")
    wanted = body.get("response_format")
    attributes = {
        **fields(body, _REQUEST),
        semconv.REQUEST_STOP_SEQUENCES: [stop] if isinstance(stop, str) else stop or None,
        semconv.REQUEST_CHOICE_COUNT: count if isinstance(count, int) and count != 1 else None,
        semconv.OUTPUT_TYPE: output_type(wanted),
    }
    if isinstance(body.get("messages"), list):
        attributes[semconv.INPUT_MESSAGES] = [message(each) for each in body["messages"]]
    elif "prompt" in body:
        attributes[semconv.INPUT_MESSAGES] = _prompts(body["prompt"])
    offered = tools.definitions(body)
    if offered:
        attributes[semconv.TOOL_DEFINITIONS] = offered
    return attributes


def response(body: Json, asked: Json) -> dict[str, Any]:
    """Attributes that a reply tells; ``asked`` is the request it answers."""
    choices = [choice for choice in body.get("choices") or () if type(choice) is dict or isinstance(choice, Mapping)]
    reasons = [str(choice["finish_reason"]) for choice in choices if choice.get("finish_reason")]
    attributes = {**fields(body, _RESPONSE), semconv.RESPONSE_FINISH_REASONS: reasons or None}
    if not choices:
        return attributes
    messages = [_output(choice) for choice in choices]
    attributes[semconv.OUTPUT_MESSAGES] = messages
    answer_parts = [part for each in messages for part in each["parts"]]
    if isinstance(wanted := asked.get("audio"), Mapping):  # the reply does not say what it is
        for part in answer_parts:
            if part.get("modality") == "audio":
                part["mime_type"] = parts.type_of_extension(wanted.get("format"))
    # A reply that came in one piece is finished; of a stream each choice has to say so.
    whole = asked.get("stream") is not True
    finished = all(ended_by_model(choice.get("finish_reason") or (whole and "stop")) for choice in choices)
    attributes.update(tools.choice(asked, answer_parts, finished=finished))
    return attributes


_NOTHING: Json = {}
_PLAIN_MEMBERS: Final = len(("role", "content"))
_PLAIN_ROLES: Final = frozenset(("system", "developer", "user", "assistant"))


def message(source: Any) -> dict[str, Any]:
    """One message of a request in the conventions' schema."""
    if type(source) is dict and len(source) == _PLAIN_MEMBERS:  # most are: nothing else is to be looked for
        content, role = source.get("content"), source.get("role")
        if type(content) is str and content and type(role) is str and role in _PLAIN_ROLES:
            return {"role": role, "parts": [{"type": "text", "content": content}]}
    if not isinstance(source, Mapping):
        return {"role": "user", "parts": parts.of_content(source)}
    role = str(source.get("role") or "user")
    result: dict[str, Any] = {"role": role, "parts": _parts(source, role)}
    if role == "function":
        result["role"] = "tool"
    elif source.get("name"):
        result["name"] = str(source["name"])
    return result


def _parts(source: Json, role: str) -> list[parts.Part]:
    content = source.get("content")
    if role in ("tool", "function"):
        answer = content if isinstance(content, str) else [parts.of_block(block) for block in content or ()]
        return [
            {
                "type": "tool_call_response",
                "id": source.get("tool_call_id") or source.get("name"),
                "response": answer,
            }
        ]
    result: list[parts.Part] = []
    thought = source.get("reasoning_content") or source.get("reasoning")
    thoughts = [thought] if thought else source.get("reasoning_details") or ()  # some gateways give the latter alone
    result += [parts.reasoning(text) for text in map(parts.flat, thoughts) if text]
    result += parts.of_content(content)
    if source.get("annotations") and result and result[-1]["type"] == "text":
        result[-1]["annotations"] = source["annotations"]
    if source.get("refusal"):
        result.append({"type": "refusal", "content": str(source["refusal"])})
    audio = source.get("audio")
    if isinstance(audio, Mapping):
        result.append(_audio(audio))
    result += [tool_call(call) for call in source.get("tool_calls") or () if isinstance(call, Mapping)]
    if isinstance(source.get("function_call"), Mapping):
        result.append(tool_call({"function": source["function_call"]}))
    result += [parts.generic(tool, "executed_tool") for tool in source.get("executed_tools") or ()]
    result += [parts.of_block(image) for image in source.get("images") or ()]
    return result


def _audio(audio: Json) -> parts.Part:
    part: parts.Part = {
        "type": "blob",
        "modality": "audio",
        "content": str(audio.get("data") or ""),
    }
    for name in ("id", "transcript"):
        if audio.get(name):
            part[name] = audio[name]
    return part


def tool_call(call: Json) -> parts.Part:
    custom = call.get("custom")
    if isinstance(custom, Mapping):
        name, arguments = custom.get("name"), custom.get("input")
    else:
        function = call.get("function")
        function = function if isinstance(function, Mapping) else {}
        name, arguments = function.get("name"), parts.arguments(function.get("arguments"))
    return {
        "type": "tool_call",
        "id": call.get("id"),
        "name": str(name or ""),
        "arguments": arguments,
    }


def _output(choice: Json) -> dict[str, Any]:
    source = choice.get("message")
    result: dict[str, Any] = {"role": "assistant", "parts": []}
    if type(source) is dict or isinstance(source, Mapping):
        result = message({"role": "assistant", **source} if source.get("role") is None else source)
    if choice.get("text"):  # a legacy completion; some servers end its stream like a chat's
        result["parts"] = [*parts.of_content(choice["text"]), *result["parts"]]
    if choice.get("finish_reason"):
        result["finish_reason"] = finish_reason(str(choice["finish_reason"]))
    if choice.get("logprobs"):
        result["logprobs"] = choice["logprobs"]
    return result


def finish_reason(raw: str) -> str:
    """A message's finish reason in the conventions' words; the span keeps the provider's."""
    return "tool_call" if raw in ("tool_calls", "function_call") else raw


def _prompts(prompt: Any) -> list[dict[str, Any]]:
    several = isinstance(prompt, list) and all(isinstance(each, str | list) for each in prompt)
    texts = prompt if several else [prompt]
    return [
        {
            "role": "user",
            "parts": [parts.text(each)] if isinstance(each, str) else [{"type": "tokens", "content": each}],
        }
        for each in texts
    ]


def assemble(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """The body that a stream's chunks stand for, whole or as far as it came."""
    body: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    said: dict[int, list[str]] = {}
    """Of a choice that goes on, what has come of its text and is not in its message yet."""
    for chunk in chunks:
        ident = body.get("id") or chunk.get("id")  # some servers make up another one for each chunk
        for name, value in chunk.items():
            if value is not None and name != "choices":
                body[name] = value  # noqa: PERF403 - with each chunk: no dict is made for it
        body["id"] = ident
        for choice in chunk.get("choices") or ():
            if type(choice) is dict or isinstance(choice, Mapping):  # the common type first, as in ``fields``
                index = choice.get("index")
                index = index if isinstance(index, int) else 0
                if index in said:
                    if (more := _more_text(choice)) is not None:
                        said[index].append(more)
                        continue
                    if pieces := said.pop(index):
                        choices[index]["message"]["content"] += "".join(pieces)
                _add_choice(choices, choice)
                if type(choices[index].get("message", _NOTHING).get("content")) is str:
                    said[index] = []
    for index, pieces in said.items():
        choices[index]["message"]["content"] += "".join(pieces)
    _settle_usage(body, chunks)
    body["choices"] = [choices[index] for index in sorted(choices)]
    return body


def _settle_usage(body: dict[str, Any], chunks: list[dict[str, Any]]) -> None:
    groq = body.get("x_groq")
    if "usage" not in body and isinstance(groq, Mapping) and groq.get("usage"):
        body["usage"] = groq["usage"]
    usage = body.get("usage")
    if type(usage) is dict and not usage.get("total_tokens") and not _counts(usage):
        # A chunk that ends the stream may tell of itself alone.
        body["usage"] = next((told for each in reversed(chunks) if _counts(told := each.get("usage"))), usage)


def _counts(figures: Any) -> bool:
    return isinstance(figures, Mapping) and any(type(figure) is int and figure for figure in figures.values())


def text_of(chunk: Json) -> str | None:
    """The text of a chunk that brings nothing but more of one choice's."""
    choices = chunk.get("choices")
    if type(choices) is not list or len(choices) != 1 or type(choices[0]) is not dict:
        return None
    return _more_text(choices[0])


def _more_text(choice: Json) -> str | None:
    """The text of a chunk that brings nothing else, as most do."""
    delta = choice.get("delta")
    if type(delta) is not dict or len(delta) != 1:
        return None
    content = delta.get("content")
    if type(content) is not str or choice.get("finish_reason"):
        return None
    return content if choice.get("logprobs") is None and choice.get("text") is None else None


def _add_choice(choices: dict[int, dict[str, Any]], choice: Json) -> None:
    index = choice.get("index")
    known = choices.setdefault(index if isinstance(index, int) else 0, {"index": index})
    delta = choice.get("delta") if "delta" in choice else choice.get("message")
    if delta and (type(delta) is dict or isinstance(delta, Mapping)):
        merge_delta(known.setdefault("message", {}), delta)
    if isinstance(choice.get("text"), str):
        known["text"] = known.get("text", "") + choice["text"]
    if (logprobs := choice.get("logprobs")) is not None and isinstance(logprobs, Mapping):
        merge_delta(known.setdefault("logprobs", {}), logprobs)
    if choice.get("finish_reason"):
        known["finish_reason"] = choice["finish_reason"]


def usage(body: Json) -> Json | None:
    """The usage object of a reply, wherever the provider put it."""
    figures = body.get("usage")
    if type(figures) is not dict and not isinstance(figures, Mapping):
        for choice in body.get("choices") or ():
            if isinstance(choice, Mapping) and isinstance(choice.get("usage"), Mapping):
                return choice["usage"]  # type: ignore[no-any-return]  # a Mapping, as was just asked
        return None
    return figures


def output_type(wanted: Any) -> str | None:
    """``gen_ai.output.type`` of a response format, in either API's spelling."""
    if wanted is None:
        return None
    kind = wanted.get("type") if isinstance(wanted, Mapping) else wanted
    if not isinstance(kind, str):
        return None
    return "json" if kind.startswith("json") else kind


def chat_request(body: Json) -> dict[str, Any]:
    """Attributes of a chat completion's request."""
    return {semconv.OPENAI_API_TYPE: "chat_completions", **request(body)}
