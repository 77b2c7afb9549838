"""LangSmith: runs as its client, its interface, its exports and its ingestion requests have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats import chat_messages
from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.formats.readers import Fields, Reader, each, event, members, recognised, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KINDS: Final = {
    "llm": "llm", "chain": "task", "tool": "tool", "retriever": "retriever", "embedding": "embedding",
    "prompt": "task", "parser": "task", "agent": "agent", "graph": "workflow",
}  # fmt: skip
_SESSIONS: Final = ("session_id", "thread_id", "conversation_id")
_DETAILS: Final = {
    ("input_token_details", "cache_read"): semconv.USAGE_CACHE_READ,
    ("input_token_details", "cache_creation"): semconv.USAGE_CACHE_CREATION,
    ("output_token_details", "reasoning"): semconv.USAGE_REASONING,
}
_LISTS: Final = ("runs", "post", "patch")


def _is_any(document: Any) -> bool:
    return recognised(document, _is_one, *_LISTS)


def _is_one(document: Any) -> bool:
    return isinstance(document, dict) and "id" in document and ("run_type" in document or "dotted_order" in document)


def _runs(document: Any) -> Iterator[dict[str, Any] | None]:
    """Each run, those inside of others too; ``None`` for what is none."""
    for item in members(document, *_LISTS):
        if not _is_one(item):
            yield None
            continue
        yield item
        children = item.get("child_runs")
        for child in children if isinstance(children, list) else ():
            above = {"parent_run_id": item["id"], "trace_id": item.get("trace_id")}
            yield from _runs({**above, **child} if isinstance(child, dict) else None)


def _whole(documents: Iterable[Any]) -> Iterator[dict[str, Any] | None]:
    """Each run once: what is sent when it ends comes on top of what was sent when it began."""
    runs: dict[Any, dict[str, Any]] = {}
    for document in documents:
        for run in _runs(document):
            if run is None:
                yield None
                continue
            known = runs.setdefault(str(run["id"]), {})
            known.update({name: value for name, value in run.items() if value is not None or name not in known})
    yield from runs.values()


def _read(run: dict[str, Any] | None) -> Fields | None:
    if run is None:
        return None
    extra = parsed(run.get("extra")) or {}
    metadata = (extra.get("metadata") if isinstance(extra, dict) else None) or parsed(run.get("metadata")) or {}
    inputs, outputs = parsed(run.get("inputs")), parsed(run.get("outputs"))
    kind = _KINDS.get(str(run.get("run_type")).lower(), "span")
    error = run.get("error") or ("no message" if run.get("status") == "error" else None)
    attributes: dict[str, Any] = {
        "langsmith.run.id": str(run["id"]),
        "langsmith.run_type": run.get("run_type"),
        semconv.REQUEST_MODEL: metadata.get("ls_model_name"),
        semconv.PROVIDER_NAME: metadata.get("ls_provider"),
        semconv.SESSION_ID: next((metadata[name] for name in _SESSIONS if metadata.get(name)), None),
        semconv.USER_ID: metadata.get("user_id"),
        "gen_ai.prompt": chat_messages.json_text(inputs),
        "gen_ai.completion": chat_messages.json_text(outputs),
        semconv.TAGS: run.get("tags") or None,
        **_usage(run, outputs, metadata),
    }
    if kind == "llm":
        parameters = extra.get("invocation_params") if isinstance(extra, dict) else None
        parameters = parameters if isinstance(parameters, dict) else {}
        asked = parameters.get("model") or parameters.get("model_name")
        asked = asked or (inputs.get("model") if isinstance(inputs, dict) else None)
        attributes[semconv.REQUEST_MODEL] = attributes[semconv.REQUEST_MODEL] or asked
        tools = parameters.get("tools") or (inputs.get("tools") if isinstance(inputs, dict) else None)
        attributes[semconv.TOOL_DEFINITIONS] = chat_messages.json_text(tools)
    elif kind == "agent" or metadata.get("lc_agent_name"):
        attributes[semconv.AGENT_NAME] = metadata.get("lc_agent_name") or run.get("name")
    return span(
        trace_id=run.get("trace_id") or run["id"],
        span_id=run["id"],
        parent_id=run.get("parent_run_id"),
        name=run.get("name"),
        start=run["start_time"],
        end=run.get("end_time"),
        attributes=attributes,
        kind=kind,
        status="error" if error else "ok",
        message=str(error).partition("\n")[0] if error else None,
        events=[event(one.get("name"), one.get("time")) for one in parsed(run.get("events")) or ()
                if isinstance(one, dict)],
        scope="langsmith",
    )  # fmt: skip


def _told_usage(outputs: Any, metadata: dict[str, Any]) -> dict[str, Any]:
    """Usage as the reply has it, wherever: LangSmith's own figures are not in what a client sends."""
    outputs = outputs if isinstance(outputs, dict) else {}
    of_reply = outputs.get("llm_output")
    places = [
        outputs.get("usage_metadata"),
        metadata.get("usage_metadata"),
        of_reply.get("token_usage", of_reply.get("usage")) if isinstance(of_reply, dict) else None,
        *_in_generations(outputs.get("generations")),
        outputs.get("usage"),
    ]
    return next((usage for usage in places if isinstance(usage, dict) and usage), {})


def _in_generations(value: Any) -> Iterator[Any]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, list):
            yield from _in_generations(one)
        elif isinstance(one, dict) and isinstance(message := one.get("message"), dict):
            yield message.get("kwargs", message).get("usage_metadata")


def _usage(run: dict[str, Any], outputs: Any, metadata: dict[str, Any]) -> dict[str, Any]:
    usage = _told_usage(outputs, metadata)
    figures = {
        "gen_ai.usage.prompt_tokens": run.get("prompt_tokens") or usage.get("input_tokens", usage.get("prompt_tokens")),
        "gen_ai.usage.completion_tokens": run.get("completion_tokens")
        or usage.get("output_tokens", usage.get("completion_tokens")),
        "gen_ai.usage.total_tokens": run.get("total_tokens") or usage.get("total_tokens"),
        "gen_ai.usage.total_cost": run.get("total_cost")
        if run.get("total_cost") is not None
        else usage.get("total_cost"),
    }
    for (holder, name), attribute in _DETAILS.items():
        details = usage.get(holder)
        figures[attribute] = details.get(name) if isinstance(details, dict) else None
    return figures


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    return each(_whole(documents), _read)


READER = Reader(
    "LangSmith", _is_any, _spans, together=True, written_by="LangSmith: list_runs(), bulk export, run trees"
)
