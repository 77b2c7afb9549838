"""Interactions, decisions, agents and more: a second, generated client inside of Google's, with its own HTTP.

An interaction is a list of steps: what was said, thought, called and found. Streams tell them by their index.

Long because it is the whole of that client: steps as requests, replies and streams have them, and decisions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from agentops_integrations.google_genai.content import mappings
from agentops_sdk.integration import (
    BoundedMap,
    Patches,
    ended_by_model,
    model_choice,
    semconv,
)
from agentops_sdk.integration.clients import (
    ID,
    Asked,
    Attributes,
    Endpoint,
    Events,
    Exchanged,
    Json,
    Method,
    watch_items,
)
from agentops_sdk.integration.dialects import decision_answers, hosted_agents, number
from agentops_sdk.integration.dialects import message_parts as parts

_PACKAGE = "google.genai._gaos"
_MODEL = re.compile(rb'"(?:model|agent)"\s*:\s*"([^"\\]+)"')

# --- steps and content -----------------------------------------------------------------------------


def _content(content: Any) -> list[parts.Part]:
    if isinstance(content, str):
        return [parts.text(content)]
    return [part for block in mappings(content) for part in _block(block)]


def _block(block: Json) -> list[parts.Part]:
    kind = str(block.get("type") or "")
    if kind == "text":
        part = parts.text(str(block.get("text") or ""))
        return [{**part, "annotations": block["annotations"]} if block.get("annotations") else part]
    if kind in ("image", "audio", "video", "document"):
        part = {"modality": kind, "mime_type": block.get("mime_type")}
        if block.get("uri"):
            return [{"type": "uri", **part, "uri": block["uri"]}]
        return [{"type": "blob", **part, "content": str(block.get("data") or "")}]
    return _step(block)  # in version 2 a reply is a list of both


def _step(step: Json) -> list[parts.Part]:
    kind = str(step.get("type") or "")
    if kind in ("model_output", "user_input"):
        return _content(step.get("content") or [])
    if kind == "thought":
        thoughts = [parts.reasoning(each) for each in mappings(step.get("summary") or [])]
        return thoughts or [parts.reasoning("")]
    if kind == "function_call":
        arguments = parts.arguments(step.get("arguments"))
        return [{"type": "tool_call", "id": step.get("id"), "name": str(step.get("name")), "arguments": arguments}]
    if kind == "function_result":
        failed = {"is_error": True} if step.get("is_error") else {}
        result = {"type": "tool_call_response", "id": step.get("call_id"), "response": step.get("result")}
        return [{**result, **failed}]
    tool, _, role = kind.rpartition("_")
    described = {name: value for name, value in step.items() if name not in ("id", "call_id", "signature")}
    described = {**described, "type": tool}
    if role == "call":
        name = str(step.get("name") or tool)
        return [{"type": "server_tool_call", "id": step.get("id"), "name": name, "server_tool_call": described}]
    if role == "result":
        ident = step.get("call_id")
        return [{"type": "server_tool_call_response", "id": ident, "server_tool_call_response": described}]
    return [parts.generic(step)]


def inputs(source: Any) -> list[dict[str, Any]]:
    """A text, content, or turns: as messages, in the order in which they happened."""
    if isinstance(source, str):
        return [{"role": "user", "parts": [parts.text(source)]}]
    messages: list[dict[str, Any]] = []
    for each in mappings(source):
        kind = str(each.get("type") or "")
        if "role" in each and "content" in each:  # a turn, in version 2
            role, content_parts = str(each["role"]), _content(each["content"])
        elif kind == "function_result":
            role, content_parts = "tool", _step(each)
        else:
            ours = kind in ("", "user_input", "text", "image", "audio", "video", "document")
            role, content_parts = "user" if ours else "assistant", _block(each)
        role = "assistant" if role == "model" else role
        if messages and messages[-1]["role"] == role and role != "tool":
            messages[-1]["parts"] += content_parts
        else:
            messages.append({"role": role, "parts": content_parts})
    return messages


def _tools(body: Json) -> Iterator[dict[str, Any]]:
    for tool in mappings(body.get("tools") or []):
        kind = str(tool.get("type") or "function")
        yield {**tool, "type": kind, "name": str(tool.get("name") or kind)}


# --- interactions ----------------------------------------------------------------------------------


def _request(body: Json) -> Attributes:
    config = body.get("generation_config")
    config = config if isinstance(config, Mapping) else {}
    system, level = body.get("system_instruction"), config.get("thinking_level")
    agent, model = body.get("agent"), body.get("model")
    return {
        semconv.REQUEST_MODEL: model if isinstance(model, str) else None,
        semconv.AGENT_NAME: agent if isinstance(agent, str) else None,
        semconv.REQUEST_TEMPERATURE: number(config.get("temperature")),
        semconv.REQUEST_TOP_P: number(config.get("top_p")),
        semconv.REQUEST_MAX_TOKENS: config.get("max_output_tokens"),
        semconv.REQUEST_SEED: config.get("seed"),
        semconv.REQUEST_STOP_SEQUENCES: config.get("stop_sequences") or None,
        semconv.REQUEST_REASONING_LEVEL: level if isinstance(level, str) else None,
        semconv.REQUEST_PREVIOUS_RESPONSE_ID: body.get("previous_interaction_id"),
        semconv.COST_UNKNOWN_REASON: semconv.KEPT_BY_PROVIDER if agent or body.get("previous_interaction_id") else None,
        semconv.OUTPUT_TYPE: "json" if body.get("response_format") else None,
        semconv.INPUT_MESSAGES: inputs(body.get("input")) or None,
        semconv.SYSTEM_INSTRUCTIONS: _content(system) if system else None,
        semconv.TOOL_DEFINITIONS: list(_tools(body)) or None,
    }


_FINISH_REASONS = {"completed": "stop", "requires_action": "tool_call", "incomplete": "length", "failed": "error"}
_PENDING = ("in_progress", "queued")


def response(body: Json, asked: Json) -> Attributes:
    status = str(body.get("status") or "")
    steps = [step for step in mappings(_steps(body)) if step.get("type") not in ("user_input", "function_result")]
    content_parts = [part for step in steps for part in _block(step)]
    message: dict[str, Any] = {"role": "assistant", "parts": content_parts}
    finished = bool(status) and status not in _PENDING
    if finished:
        message["finish_reason"] = _FINISH_REASONS.get(status, status)
    choice = (asked.get("generation_config") or {}).get("tool_choice")
    return {
        semconv.RESPONSE_ID: body.get("id") or None,
        semconv.RESPONSE_MODEL: body.get("model") or None,
        semconv.RESPONSE_STATUS: status if status in semconv.RESPONSE_STATUSES else None,
        semconv.WORK_STATUS: None if status in semconv.RESPONSE_STATUSES else status or None,
        semconv.RESPONSE_FINISH_REASONS: [status] if finished else None,
        semconv.OUTPUT_MESSAGES: [message] if content_parts or finished else None,
        **model_choice(
            list(_tools(asked)), content_parts,
            finished=finished and ended_by_model(status),
            forced=choice == "any", forbidden=choice == "none",
        ),
    }  # fmt: skip


def _steps(body: Json) -> Any:
    return body.get("steps") or body.get("outputs") or []


def usage(body: Json) -> Json | None:
    """The usage, under the names of the other API, of which it has the same figures."""
    told = body.get("usage")
    if not isinstance(told, Mapping):
        return None
    figures = {theirs: told.get(ours) for ours, theirs in _FIGURES.items()}
    details = {
        theirs: [{"modality": each.get("modality"), "tokenCount": each.get("tokens")} for each in mappings(counts)]
        for ours, theirs in _DETAILS.items()
        if (counts := told.get(ours))
    }
    return {**figures, **details, "serviceTier": body.get("service_tier"), "web_search_calls": _searches(body, told)}


def _searches(body: Json, told: Json) -> int:
    """How many searches there were, which are billed by piece: as the usage tells, else the queries of the steps."""
    counts = [
        each.get("count")
        for each in mappings(told.get("grounding_tool_count") or [])
        if each.get("type") == "google_search"
    ]
    if counts:
        return sum(count for count in counts if isinstance(count, int))
    steps = (each for each in mappings(_steps(body)) if each.get("type") == "google_search_call")
    asked = (step.get("arguments") for step in steps)
    return len({str(query) for each in asked if isinstance(each, Mapping) for query in each.get("queries") or ()})


_FIGURES = {
    "total_input_tokens": "promptTokenCount",
    "total_output_tokens": "candidatesTokenCount",
    "total_thought_tokens": "thoughtsTokenCount",
    "total_tool_use_tokens": "toolUsePromptTokenCount",
    "total_cached_tokens": "cachedContentTokenCount",
    "total_tokens": "totalTokenCount",
}
_DETAILS = {
    "input_tokens_by_modality": "promptTokensDetails",
    "output_tokens_by_modality": "candidatesTokensDetails",
    "tool_use_tokens_by_modality": "toolUsePromptTokensDetails",
    "cached_tokens_by_modality": "cacheTokensDetails",
}


def fold(events: Events) -> dict[str, Any]:
    body: dict[str, Any] = {}
    steps: dict[int, dict[str, Any]] = {}
    for event in events:
        kind = str(event.get("event_type") or event.get("type") or "")
        index = event.get("index")
        if kind.startswith("interaction.") and isinstance(event.get("interaction"), Mapping):
            body.update((name, value) for name, value in event["interaction"].items() if value is not None)
        elif kind == "error":
            body["error"] = event.get("error")
        elif kind.endswith(".start") and isinstance(index, int):
            steps[index] = dict(event.get("step") or event.get("content") or {})
        elif kind.endswith(".delta") and isinstance(index, int):
            _grow(steps.setdefault(index, {}), event.get("delta") or {})
        if event.get("status"):
            body["status"] = event["status"]
        if isinstance(event.get("usage"), Mapping):
            body["usage"] = event["usage"]
    if steps and not _steps(body):
        body["steps"] = [steps[index] for index in sorted(steps)]
    return body


def _grow(step: dict[str, Any], delta: Json) -> None:
    kind = str(delta.get("type") or "")
    if kind == "arguments_delta" or (kind == "function_call" and isinstance(delta.get("arguments"), str)):
        before = step.get("arguments")
        step["arguments"] = (before if isinstance(before, str) else "") + str(delta.get("arguments") or "")
    elif kind == "thought_summary":
        step.setdefault("type", "thought")
        _add(step, "summary", delta.get("content") or {})
    elif kind in ("text", "image", "audio", "video", "document"):
        if step.get("type") == kind:  # in version 2 the content is the step
            step["text"] = str(step.get("text") or "") + str(delta.get("text") or "")
        else:
            step.setdefault("type", "model_output")
            _add(step, "content", delta)
    elif kind not in ("thought_signature", "text_annotation_delta"):
        step.update((name, value) for name, value in delta.items() if value is not None)


def _add(step: dict[str, Any], name: str, block: Json) -> None:
    blocks = step[name] = list(step.get(name) or ())
    last = blocks[-1] if blocks else {}
    if block.get("type") == last.get("type") == "text":
        blocks[-1] = {**last, "text": str(last.get("text") or "") + str(block.get("text") or "")}
    else:
        blocks.append(dict(block))


_counted: BoundedMap[str, None] = BoundedMap(10_000)
"""Ids of interactions that have told their tokens to this process."""


def _settle(attributes: Attributes, exchanged: Exchanged) -> bool:
    """An interaction in the background is begun by one request and read by others: its tokens count once."""
    ident, status = exchanged.reply.get("id"), exchanged.reply.get("status")
    if not isinstance(ident, str) or not ident:
        return exchanged.method == "POST"
    begins = exchanged.method == "POST" and ident not in exchanged.path.split("/")
    if begins and not (exchanged.request.get("background") is True or status in _PENDING):
        if exchanged.figures:
            _counted[ident] = None
        return True
    attributes[semconv.USAGE_OF] = ident
    if status in _PENDING or not exchanged.figures:
        if begins:
            attributes[semconv.COST_UNKNOWN_REASON] = (
                "in the background: its tokens are told to whoever reads its end"
            )  # fmt: skip
        return False
    first = ident not in _counted
    _counted[ident] = None
    if first and not begins:
        attributes[semconv.KIND] = "llm"
    elif not first:
        for name in [name for name in attributes if name.startswith(semconv.DECISION_EVENT)]:
            del attributes[name]
    return first


def counts_once(ident: str, attributes: Attributes, exchanged: Exchanged) -> bool:
    """The tokens of an interaction that several may read count for the first who is told of them."""
    if not ident:
        return True
    attributes[semconv.USAGE_OF] = ident
    first = ident not in _counted
    if exchanged.figures:
        _counted[ident] = None
    return first


# --- decisions -------------------------------------------------------------------------------------


def _decision_request(body: Json) -> Attributes:
    model = body.get("model")
    return {
        semconv.REQUEST_MODEL: model if isinstance(model, str) else None,
        semconv.INPUT_MESSAGES: inputs(body.get("input")) or None,
        semconv.INPUT: body.get("questions"),
        semconv.OUTPUT_TYPE: "json",
    }


# --- the table, and the methods --------------------------------------------------------------------


_INTERACTION = Endpoint(
    path="interactions", operation="generate_content", request=_request, response=response, fold=fold, usage=usage,
    usage_shape="gemini.generate", settle=_settle, failed=lambda body: body.get("status") == "failed",
    end_mark=re.compile(rb'"event_type"\s*:\s*"(?:interaction\.complete|error)'),
)  # fmt: skip


def _read_later(method: str, path: str, name: str) -> Endpoint:
    return Endpoint(
        path=path, method=method, kind="span", operation=name, span_name=name, request=lambda body: {},
        response=response, fold=fold, usage=usage, usage_shape="gemini.generate", settle=_settle,
        end_mark=_INTERACTION.end_mark,
    )  # fmt: skip


ROWS = (
    _INTERACTION,
    _read_later("GET", f"interactions/{ID}", "interactions.get"),
    _read_later("POST", f"interactions/{ID}/cancel", "interactions.cancel"),
    Endpoint(
        path="decisions", operation="generate_content", request=_decision_request,
        response=decision_answers.response, usage=usage, usage_shape="gemini.generate",
    ),
    Endpoint(
        path="agents", kind="span", operation="create_agent", span_name="create_agent", request=hosted_agents.creation,
        response=hosted_agents.response,
    ),
)  # fmt: skip


def _asked(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    request = kwargs.get("request", args[1] if len(args) > 1 else None)
    if request is None:
        return None
    body = request.content if request.headers.get("content-type", "").startswith("application/json") else b""
    model = _MODEL.search(body)
    path = request.url.path
    return Asked(
        path, body, url=str(request.url), method=request.method, model=model[1].decode() if model else None,
        provider="gcp.vertex_ai" if "/projects/" in path else "gcp.gemini",
    )  # fmt: skip


METHODS = [
    Method(f"{_PACKAGE}.basesdk", owner, name, _asked, http=True)
    for owner, name in (("BaseSDK", "do_request"), ("AsyncBaseSDK", "do_request_async"))
]


def install(patches: Patches) -> None:
    """Patch what reads the events of a stream, once it is imported."""
    patches.when_imported(f"{_PACKAGE}.utils.eventstreaming", lambda module: _patch(module, patches))


def _patch(module: ModuleType, patches: Patches) -> None:
    patches.wrap(module, "stream_events", _events)
    patches.wrap(module, "stream_events_async", _events)


def _events(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    reply = kwargs.get("response") if not args else args[0]
    events = wrapped(*args, **kwargs)
    return watch_items(events, reply)
