"""Braintrust: rows of its logs, as its client sends them and its exports and queries give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats import chat_messages
from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.formats.readers import Fields, Reader, each, members, recognised, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KINDS: Final = {"llm": "llm", "tool": "tool"}
"""By Braintrust's type; every other is a step."""
_METRICS: Final = {
    "prompt_tokens": "gen_ai.usage.prompt_tokens",
    "completion_tokens": "gen_ai.usage.completion_tokens",
    "prompt_cached_tokens": semconv.USAGE_CACHE_READ,
    "prompt_cache_creation_tokens": semconv.USAGE_CACHE_CREATION,
    "completion_reasoning_tokens": semconv.USAGE_REASONING,
    "estimated_cost": "gen_ai.usage.total_cost",
}
_LISTS: Final = ("rows", "events", "data")


def _is_any(document: Any) -> bool:
    return recognised(document, _is_one, *_LISTS)


def _is_one(document: Any) -> bool:
    return isinstance(document, dict) and {"span_id", "root_span_id", "span_parents"} <= document.keys()


def _whole(documents: Iterable[Any]) -> Iterator[dict[str, Any] | None]:
    """Each row once: what is sent of it later is put into what was sent at first, object by object."""
    rows: dict[Any, dict[str, Any]] = {}
    for document in documents:
        for row in members(document, *_LISTS):
            if not _is_one(row):
                yield None
                continue
            known = rows.setdefault((str(row["root_span_id"]), str(row["span_id"])), {})
            for name, value in row.items():
                before, value = known.get(name), parsed(value) if name in ("metrics", "span_attributes") else value
                known[name] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
    yield from rows.values()


def _read(row: dict[str, Any] | None) -> Fields | None:
    if row is None:
        return None
    about, metrics, metadata = (_object(row.get(name)) for name in ("span_attributes", "metrics", "metadata"))
    kind = _KINDS.get(str(about.get("type")).lower(), "task")
    error, parents = row.get("error"), row.get("span_parents")
    attributes: dict[str, Any] = {
        "braintrust.span.type": about.get("type"),
        semconv.TAGS: row.get("tags") or None,
        **{f"braintrust.metadata.{name}": value for name, value in metadata.items() if name not in ("model", "tools")},
        **{name: metadata[name] for name in ("session_id", "thread_id", "user_id") if name in metadata},
        **{ours: metrics.get(theirs) for theirs, ours in _METRICS.items()},
    }
    said = {name: chat_messages.json_text(row.get(name)) for name in ("input", "output")}
    if kind == "llm":
        attributes |= {
            semconv.REQUEST_MODEL: metadata.get("model"),
            semconv.PROVIDER_NAME: metadata.get("provider"),
            semconv.TOOL_DEFINITIONS: chat_messages.json_text(metadata.get("tools")),
            "gen_ai.prompt": said["input"],
            "gen_ai.completion": said["output"],
        }
    elif kind == "tool":
        attributes |= {
            semconv.TOOL_NAME: about.get("name"),
            semconv.TOOL_CALL_ARGUMENTS: said["input"],
            semconv.TOOL_CALL_RESULT: said["output"],
        }
    else:
        attributes |= {semconv.INPUT: said["input"], semconv.OUTPUT: said["output"]}
    return span(
        trace_id=row["root_span_id"],
        span_id=row["span_id"],
        parent_id=parents[0] if isinstance(parents, list) and parents else None,
        name=about.get("name"),
        start=metrics.get("start", row.get("created")),
        end=metrics.get("end"),
        attributes=attributes,
        kind=kind,
        status="error" if error else "unset",
        message=str(error).partition("\n")[0] if error else None,
        scope="braintrust",
    )


def _object(value: Any) -> dict[str, Any]:
    value = parsed(value)
    return value if isinstance(value, dict) else {}


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    return each(_whole(documents), _read)


READER = Reader(
    "Braintrust", _is_any, _spans, together=True, written_by="Braintrust: its client's requests, fetches, exports"
)
