"""The OpenAI Agents SDK: what its exporter sends, ``span.export()`` and ``trace.export()``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats import chat_messages
from agentops_sdk.traces.formats.readers import Fields, Reader, each, event, members, recognised, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KINDS: Final = {
    "agent": "agent", "generation": "llm", "response": "llm", "function": "tool", "guardrail": "guardrail",
    "handoff": "task", "mcp_tools": "task", "transcription": "llm", "speech": "llm", "speech_group": "task",
    "task": "task", "turn": "task", "custom": "task",
}  # fmt: skip


def _is_any(document: Any) -> bool:
    return recognised(document, lambda item: item.get("object") in ("trace", "trace.span"), "data")


def _read(item: tuple[dict[str, Any], dict[str, Any]]) -> Fields:
    document, trace = item
    data = document.get("span_data") or {}
    stated = str(data.get("type") or "custom")
    inner: dict[str, Any] = data["data"] if isinstance(data.get("data"), dict) else {}
    if stated == "custom" and inner.get("sdk_span_type") in _KINDS:
        stated = inner["sdk_span_type"]
    error = document.get("error") or None
    kind = _KINDS.get(stated, "span")
    attributes: dict[str, Any] = {
        "openai_agents.span.id": document["id"],
        "openai_agents.span.type": stated,
        semconv.SESSION_ID: trace.get("group_id"),
        semconv.USER_ID: (trace.get("metadata") or {}).get("user_id"),
        **_own_attributes(stated, data),
        **_usage(data.get("usage") or inner.get("usage")),
    }
    events = []
    if stated == "handoff" and data.get("to_agent"):
        handoff = {semconv.HANDOFF_FROM: data.get("from_agent"), semconv.HANDOFF_TO: data["to_agent"]}
        events.append(event(semconv.HANDOFF_EVENT, document.get("ended_at") or document["started_at"], handoff))
    return span(
        trace_id=_bare(document["trace_id"]),
        span_id=_bare(document["id"]),
        parent_id=_bare(document.get("parent_id")),
        name=data.get("name") or inner.get("name") or stated,
        start=document["started_at"],
        end=document.get("ended_at"),
        attributes=attributes,
        kind=kind,
        status="error" if error else "ok",
        message=error.get("message") if isinstance(error, dict) else error,
        events=events,
        resource={"workflow.name": trace.get("workflow_name")},
        scope="openai-agents",
    )


def _bare(value: Any) -> Any:
    """An id without the word before it."""
    return value.partition("_")[2] or value if isinstance(value, str) else value


def _own_attributes(stated: str, data: dict[str, Any]) -> dict[str, Any]:
    get = data.get
    if stated in ("agent", "turn", "task"):
        agent = {semconv.AGENT_NAME: get("name") if stated == "agent" else None}
        tools = chat_messages.tool_definitions(get("tools"))
        return {**agent, semconv.TOOL_DEFINITIONS: chat_messages.json_text(tools) if tools else None}
    if stated == "guardrail":
        result = "triggered" if get("triggered") else "passed"
        return {semconv.GUARDRAIL_NAME: get("name"), semconv.GUARDRAIL_RESULT: result}
    if stated == "function":
        return {semconv.TOOL_NAME: get("name"), semconv.TOOL_CALL_ARGUMENTS: get("input"),
                semconv.TOOL_CALL_RESULT: chat_messages.json_text(get("output"))}  # fmt: skip
    asked = get("input")
    return {
        semconv.REQUEST_MODEL: get("model"),
        semconv.RESPONSE_ID: get("response_id"),
        semconv.PROVIDER_NAME: "openai" if stated in ("response", "transcription", "speech") else None,
        "gen_ai.prompt": chat_messages.json_text(asked),
        "gen_ai.completion": chat_messages.json_text(get("output")),
    }


def _usage(usage: Any) -> dict[str, Any]:
    if not isinstance(usage, dict):
        return {}
    read, thought = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    return {
        "gen_ai.usage.prompt_tokens": usage.get("input_tokens", usage.get("prompt_tokens")),
        "gen_ai.usage.completion_tokens": usage.get("output_tokens", usage.get("completion_tokens")),
        semconv.USAGE_CACHE_READ: read.get("cached_tokens") or usage.get("cached_input_tokens"),
        semconv.USAGE_REASONING: thought.get("reasoning_tokens") or usage.get("reasoning_output_tokens"),
    }


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    items = [item if isinstance(item, dict) else {} for document in documents for item in members(document, "data")]
    traces = {str(item.get("id")): item for item in items if item.get("object") == "trace"}
    spans = ((item, traces.get(str(item.get("trace_id")), {})) for item in items if item.get("object") != "trace")
    return each(spans, _read)


READER = Reader(
    "OpenAI Agents SDK",
    _is_any,
    _spans,
    together=True,
    written_by="a TracingExporter or TracingProcessor that keeps export()",
)
