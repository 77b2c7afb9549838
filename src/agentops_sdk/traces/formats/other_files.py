"""What files are that hold no spans, and what would help: a row for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["what_bytes_are", "what_it_is"]


class _Document(NamedTuple):
    """One kind of JSON document.

    Attributes:
        holds: whether a document is of this kind.
        name: what it is, and what would help.
    """

    holds: Callable[[dict[str, Any]], bool]
    name: str


_SEARCHED: Final = frozenset(("rootTraceName", "rootServiceName", "spanSets"))


def _of_jaegers_store(trace: dict[str, Any]) -> bool:
    spans = trace.get("spans", [trace])
    return isinstance(spans, list) and any(isinstance(one, dict) and "operation_name" in one for one in spans)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _any(document: dict[str, Any], name: str, holds: Callable[[dict[str, Any]], bool]) -> bool:
    """Whether any of a document's objects under a name, or the document itself, is of a kind."""
    listed = document.get(name)
    return any(isinstance(one, dict) and holds(one) for one in (listed if isinstance(listed, list) else [document]))


def _has(*names: str) -> Callable[[dict[str, Any]], bool]:
    return lambda document: any(name in document for name in names)


_DOCUMENTS: Final = (
    _Document(_has("resourceLogs", "resource_logs"), "log records (OTLP): export the spans as well"),
    _Document(_has("resourceMetrics", "resource_metrics"), "metrics (OTLP): export the spans as well"),
    _Document(_has("resourceProfiles"), "profiles (OTLP): export the spans as well"),
    _Document(
        lambda document: isinstance(traces := document.get("traces"), list)
        and any(isinstance(trace, dict) and not _SEARCHED.isdisjoint(trace) for trace in traces),
        "an answer of Tempo's search, which names traces and does not hold them: ask /api/traces/ID for each",
    ),
    _Document(
        lambda document: isinstance(traces := document.get("data"), list)
        and any(isinstance(trace, dict) and {"trace_id", "project_id"} <= trace.keys() for trace in traces),
        "Phoenix's list of traces, without what their spans tell: ask /v1/projects/NAME/spans",
    ),
    _Document(_has("traceEvents"), "a Chrome trace: times of functions, not spans of agents"),
    _Document(
        lambda document: isinstance(document.get("log"), dict) and "entries" in document["log"],
        "a HAR file: requests of a browser, not spans",
    ),
    _Document(
        lambda document: any(isinstance(document.get(name), list) for name in ("Segments", "Traces"))
        or {"Document", "Id"} <= document.keys(),
        "segments of AWS X-Ray: export the spans as OTLP beside it",
    ),
    _Document(
        lambda document: document.get("data") in ([], None) and isinstance(document.get("errors"), list),
        "an empty answer of Jaeger: the trace was not found",
    ),
    _Document(
        lambda document: "body" in document and ("severity_text" in document or "severityText" in document),
        "log records: export the spans as well",
    ),
    _Document(
        lambda document: isinstance(traces := document.get("data", [document]), list)
        and any(
            isinstance(one, dict) and isinstance(one.get("observations"), list) and "timestamp" in one for one in traces
        ),
        "Langfuse's list of traces, without their observations: ask /api/public/traces/ID for each",
    ),
    _Document(
        lambda document: {"trace_id", "span_id", "meta"} <= document.keys() and "start" in document,
        "spans of Datadog's own form: have its agent export them as OTLP",
    ),
    _Document(
        lambda document: _any(document, "data", lambda one: "ml_app" in _object(one.get("attributes"))),
        "spans of Datadog's own form, of its LLM Observability: have its agent export them as OTLP",
    ),
    _Document(
        lambda document: _any(document, "content", lambda one: {"trace_id", "type", "project_id"} <= one.keys()),
        "traces or spans as Opik answers with them: have the program export OTLP as well",
    ),
    _Document(
        lambda document: {"op_name", "trace_id"} <= document.keys(),
        "calls as Weave has them: have the program export OTLP as well",
    ),
    _Document(
        lambda document: document.get("type") == "transaction" and "contexts" in document,
        "a transaction of Sentry's own form: have the program export OTLP as well",
    ),
    _Document(
        lambda document: {"request_created_at", "request_body"} <= document.keys(),
        "requests as Helicone has them, one by one: what called them is not in them",
    ),
    _Document(
        lambda document: document.get("record_type") == "state" or ("instructions" in document and "git" in document),
        "a session of an older Codex, without times: those of newer ones are read",
    ),
    _Document(
        lambda document: isinstance(fields := document.get("fields"), list)
        and any(isinstance(one, dict) and one.get("name") == "traceID" for one in fields),
        "a table of Grafana's page: ask the store itself, Tempo's at /api/traces/ID",
    ),
    _Document(
        lambda document: isinstance(traces := document.get("traces", [document]), list)
        and any(isinstance(trace, dict) and _of_jaegers_store(trace) for trace in traces),
        "spans as Jaeger's store has them: ask its query service, at /api/v3/traces/ID or /api/traces/ID",
    ),
    _Document(
        lambda document: document.get("type") in ("system", "assistant", "user", "result") and "session_id" in document,
        "what Claude Code prints, without times: read its session, below ~/.claude/projects",
    ),
    _Document(
        lambda document: str(document.get("type")).startswith(("thread.", "turn.", "item.")),
        "what Codex prints, without times: read its session, below ~/.codex/sessions",
    ),
    _Document(_has("level", "levelname", "severity", "msg"), "lines of a log"),
    _Document(
        lambda document: isinstance(document.get("messages"), list),
        "conversations without spans, as for fine-tuning",
    ),
    _Document(_has("eval_name", "testcases", "dataset_id"), "results of an evaluation, not spans"),
)  # fmt: skip
_BYTES: Final = (
    (b"PAR1", "Parquet: write it as lines first, with DuckDB COPY (FROM 'x.parquet') TO 'x.jsonl'"),
    (b"SQLite format 3\x00", "a SQLite database: use the export of the program that wrote it"),
    (b"PK\x03\x04", "a zip archive: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it first, with zstd -d"),
    (b"BZh", "packed with bzip2: unpack it first, with bunzip2"),
    (b"\xfd7zXZ", "packed with xz: unpack it first, with unxz"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"<!DOCTYPE", "a web page: use the export as JSON"),
    (b"<html", "a web page: use the export as JSON"),
    (b"ARROW1", "an Arrow file: write it as JSON lines first"),
)
_TABLE: Final = 2


def what_it_is(document: Any) -> str | None:
    """What a JSON document is that holds no span; ``None`` where nobody knows."""
    while isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return None
    return next((row.name for row in _DOCUMENTS if row.holds(document)), None)


def what_bytes_are(head: bytes) -> str | None:
    """What a file is that begins like this and is no text of JSON; ``None`` where nobody knows."""
    named = next((name for mark, name in _BYTES if head.startswith(mark)), None)
    if named is not None:
        return named
    first = head.partition(b"\n")[0]
    if first.count(b",") >= _TABLE and not first.lstrip().startswith((b"{", b"[")) and b"{" not in first:
        return "a table (CSV): export it as JSON"
    return None
