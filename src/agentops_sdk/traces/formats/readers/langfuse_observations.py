"""Langfuse: traces and observations as its interface, its client, its exports and its ingestion requests have them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats import chat_messages
from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.formats.readers import DAMAGED, Fields, Reader, each, members, recognised, span
from agentops_sdk.traces.formats.vocabularies import offered, price
from agentops_sdk.traces.formats.vocabularies.langfuse_names import tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KINDS: Final = {
    "generation": "llm", "agent": "agent", "tool": "tool", "chain": "task", "retriever": "retriever",
    "embedding": "embedding", "guardrail": "guardrail", "evaluator": "task", "span": "span", "event": "span",
}  # fmt: skip
_CAMEL: Final = re.compile("(?<=[a-z0-9])([A-Z])")
_USAGE: Final = {
    "total": "gen_ai.usage.total_tokens", "totalTokens": "gen_ai.usage.total_tokens",
    "total_tokens": "gen_ai.usage.total_tokens",
    "input_cached_tokens": semconv.USAGE_CACHE_READ, "cache_read_input_tokens": semconv.USAGE_CACHE_READ,
    "input_cache_read": semconv.USAGE_CACHE_READ, "cache_creation_input_tokens": semconv.USAGE_CACHE_CREATION,
    "input_cache_creation": semconv.USAGE_CACHE_CREATION, "output_reasoning_tokens": semconv.USAGE_REASONING,
    "output_reasoning": semconv.USAGE_REASONING,
}  # fmt: skip
_SIDES: Final = {"input": semconv.USAGE_INPUT_TOKENS, "output": semconv.USAGE_OUTPUT_TOKENS}
_COSTS: Final = ("calculated_total_cost", "total_cost", "total_price")
_LISTS: Final = ("data", "batch", "traces")
_OLDER: Final = ("prompt_tokens", "completion_tokens", "total_tokens")
"""Sides of usage as older versions have them on the observation itself."""
_SHOWN: Final = {"input": "input_usage", "output": "output_usage", "total": "total_usage"}
"""The same as the page has them, with 0 where there are none."""
_CREATE: Final = ("-create", "-update")


def _is_any(document: Any) -> bool:
    return recognised(document, _is_one, *_LISTS)


def _is_one(document: Any) -> bool:
    inside = document.get("observations")
    if isinstance(inside, list) and any(isinstance(one, dict) for one in inside):
        return True
    if str(document.get("type", "")).endswith(_CREATE) and isinstance(document.get("body"), dict):
        return True
    if isinstance(document.get("trace"), dict) and isinstance(document.get("observations"), list):
        return True
    named = {"traceId", "trace_id"} & document.keys() and {"startTime", "start_time"} & document.keys()
    return bool(named) and "id" in document and str(document.get("type", "")).lower() in _KINDS


def _items(document: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each observation and, where it is known, its trace; a trace itself as the second without the first."""
    if isinstance(document.get("body"), dict) and "type" in document:
        kind = str(document["type"]).rpartition("-")[0].upper()
        body = document["body"]
        yield ({}, body) if kind == "TRACE" else ({"type": kind, **body}, {})
        return
    inside = document.get("observations")
    if isinstance(inside, list):
        outer = document["trace"] if isinstance(document.get("trace"), dict) else document
        yield {}, outer
        yield from ((one, outer) for one in inside)
        return
    yield document, {}


def _snake(item: dict[str, Any]) -> dict[str, Any]:
    return {_CAMEL.sub(r"_\1", name).lower(): value for name, value in item.items()}


def _pairs(documents: Iterable[Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]] | None]:
    """Each observation once with what is known of its trace: what is sent at its end comes on top of its beginning."""
    traces: dict[Any, dict[str, Any]] = {}
    observations: dict[Any, dict[str, Any]] = {}
    for item in (item for document in documents for item in members(document, *_LISTS)):
        try:
            pairs = [(one, _snake(trace)) for one, trace in _items(item)]
        except DAMAGED:
            yield None
            continue
        for one, known in pairs:
            if known.get("id"):
                traces.setdefault(str(known["id"]), {}).update(known)
            if not isinstance(one, dict):
                yield None
            elif one:
                observation = {name: value for name, value in _snake(one).items() if value is not None}
                observation.setdefault("trace_id", known.get("id"))
                observations.setdefault(str(observation.get("id")), {}).update(observation)
    for one in observations.values():
        yield one, traces.get(str(one.get("trace_id")), {})


def _read(pair: tuple[dict[str, Any], dict[str, Any]] | None) -> Fields | None:
    if pair is None:
        return None
    one, trace = pair
    get = one.get
    kind = _KINDS.get(str(get("type")).lower(), "span")
    failed = str(get("level")).upper() == "ERROR"
    tags = trace.get("tags") or get("tags")
    return span(
        trace_id=get("trace_id") or get("id"),
        span_id=get("id"),
        parent_id=get("parent_observation_id"),
        name=get("name") or str(get("type", "")).lower(),
        start=one["start_time"],
        end=get("end_time") or (one["start_time"] if kind == "span" and get("type") == "EVENT" else None),
        attributes={
            "langfuse.observation.id": str(get("id")),
            "langfuse.observation.type": get("type"),
            semconv.REQUEST_MODEL: get("model") or get("provided_model_name"),
            semconv.SESSION_ID: trace.get("session_id") or get("session_id"),
            semconv.USER_ID: trace.get("user_id") or get("user_id"),
            "gen_ai.prompt": chat_messages.json_text(get("input")),
            "gen_ai.completion": chat_messages.json_text(get("output")),
            semconv.TOOL_DEFINITIONS: _offered(get("input")),
            semconv.PROMPT_NAME: get("prompt_name"),
            semconv.TAGS: tags if isinstance(tags, list) and tags else None,
            **_figures(one),
        },
        kind=kind,
        status="error" if failed else "unset",
        message=get("status_message"),
        scope="langfuse",
    )


def _offered(asked: Any) -> str | None:
    """The tools that stand among the messages, as its handler for LangChain writes them."""
    asked = parsed(asked)
    contents = [each.get("content") for each in asked if isinstance(each, dict)] if isinstance(asked, list) else []
    return offered([each for each in contents if chat_messages.is_offer(each)])


def _figures(one: dict[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    units = one.get("usage")
    unit = units.get("unit") if isinstance(units, dict) else one.get("unit")
    of_tokens = unit is None or str(unit).upper() == "TOKENS"
    usages = [parsed(one.get(name)) for name in ("usage_details", "usage")]
    usages = [usage for usage in usages if isinstance(usage, dict)]
    shown = {name: one.get(column) for name, column in _SHOWN.items()} if one.get("total_usage") else {}
    for usage in (*usages, {name: one.get(name) for name in _OLDER}, shown) if of_tokens else ():
        for side, ours in _SIDES.items():
            if (tokens := tokens_of(usage, side)) is not None:
                figures.setdefault(ours, tokens)
        for theirs, ours in _USAGE.items():
            if usage.get(theirs) is not None:
                figures.setdefault(ours, usage[theirs])
    costs = [one.get(name) for name in _COSTS]
    details = parsed(one.get("cost_details"))
    if isinstance(details, dict):
        costs += [details.get("total"), _sum(details, "input", "output")]
    costs += [usage.get("totalCost", usage.get("total_cost")) for usage in usages]
    costs += [_sum(one, f"{before}input_cost", f"{before}output_cost") for before in ("calculated_", "")]
    figures["gen_ai.usage.total_cost"] = next(
        (cost for cost in costs if cost), next((c for c in costs if c is not None), None)
    )
    return figures


def _sum(costs: dict[str, Any], *names: str) -> float | None:
    """Of input and output, where both are told."""
    prices = [price(costs.get(name)) for name in names]
    return None if None in prices else sum(filter(None, prices))


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    return each(_pairs(documents), _read)


READER = Reader(
    "Langfuse", _is_any, _spans, together=True, written_by="Langfuse: /api/public/traces, exports, ingestion"
)
