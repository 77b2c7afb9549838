"""The table of the OpenTelemetry Collector's ClickHouse exporter, and rows as it writes them, in an engine of our own.

The engine is chdb: ClickHouse in this process.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from agentops_sdk.errors import AgentOpsError
from agentops_sdk.store.result import Result

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.record import SpanRecord


def table(name: str, *, is_json: bool) -> str:
    """The exporter's statement, with the columns, types, indexes and keys that it has today."""
    kind = "JSON" if is_json else "Map(LowCardinality(String), String)"
    text, low = "String CODEC(ZSTD(1))", "LowCardinality(String) CODEC(ZSTD(1))"
    columns = [
        "Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1))",
        *(f"{column} {text}" for column in ("TraceId", "SpanId", "ParentSpanId", "TraceState")),
        *(f"{column} {low}" for column in ("SpanName", "SpanKind", "ServiceName")),
        f"ResourceAttributes {kind} CODEC(ZSTD(1))",
        f"ScopeName {text}",
        f"ScopeVersion {text}",
        f"SpanAttributes {kind} CODEC(ZSTD(1))",
        "Duration UInt64 CODEC(T64, ZSTD(1))",
        f"StatusCode {low}",
        f"StatusMessage {text}",
        f"Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes {kind}) CODEC(ZSTD(1))",
        f"Links Nested (TraceId String, SpanId String, TraceState String, Attributes {kind}) CODEC(ZSTD(1))",
        "INDEX idx_duration Duration TYPE minmax GRANULARITY 1",
    ]
    if not is_json:
        for column in ("ResourceAttribute", "SpanAttribute"):
            pairs = f"CAST({column}s, 'Array(Tuple(String, String))')"
            columns += [
                f"{column}Items Array(String) ALIAS arrayMap(kv -> concat(kv.1, '=', kv.2), {pairs})",
                f"INDEX idx_{column}_key mapKeys({column}s) TYPE text(tokenizer = 'array')",
                f"INDEX idx_{column}_items {column}Items TYPE text(tokenizer = 'array')",
            ]
        columns += [
            "INDEX idx_trace_id TraceId TYPE text(tokenizer = 'array')",
            "INDEX idx_lower_span_name lower(SpanName) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8",
        ]
    keys = "ServiceName, SpanName, toDateTime(Timestamp)"
    return (
        f"CREATE TABLE {name} ({', '.join(columns)}) ENGINE = MergeTree PARTITION BY toDate(Timestamp)"
        f" PRIMARY KEY ({keys}) ORDER BY ({keys}, Timestamp)"
        " SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1"
    )


def row(record: SpanRecord, *, is_json: bool) -> dict[str, Any]:
    """The row that the exporter makes of a span that reaches it over OTLP."""

    def attributes(values: dict[str, Any]) -> dict[str, Any]:
        return values if is_json else {name: _as_string(value) for name, value in values.items()}

    return {
        "Timestamp": _time(record.start_ns),
        "TraceId": record.trace_id,
        "SpanId": record.span_id,
        "ParentSpanId": record.parent_id or "",
        "TraceState": record.trace_state,
        "SpanName": record.name,
        "SpanKind": record.span_kind.capitalize(),
        "ServiceName": str(record.resource.get("service.name", "")),
        "ResourceAttributes": attributes(record.resource),
        "ScopeName": record.scope.name,
        "ScopeVersion": record.scope.version or "",
        "SpanAttributes": attributes(record.attributes),
        "Duration": record.end_ns - record.start_ns,
        "StatusCode": record.status.capitalize(),
        "StatusMessage": record.status_message or "",
        "Events.Timestamp": [_time(event.time_ns) for event in record.events],
        "Events.Name": [event.name for event in record.events],
        "Events.Attributes": [attributes(event.attributes) for event in record.events],
        "Links.TraceId": [link.trace_id for link in record.links],
        "Links.SpanId": [link.span_id for link in record.links],
        "Links.TraceState": [link.trace_state for link in record.links],
        "Links.Attributes": [attributes(link.attributes) for link in record.links],
    }


def _time(ns: int) -> str:
    return f"{ns // 10**9}.{ns % 10**9:09}"


def _as_string(value: Any) -> str:
    """What the Collector makes of a value in a map of texts."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, separators=(",", ":"))


class Engine:
    """ClickHouse in this process, asked as a server is. There is one in a process."""

    def __init__(self, path: str) -> None:
        from chdb import session

        self._session = session.Session(path)
        self._lock = threading.Lock()

    def execute(self, sql: str) -> None:
        self._session.query(sql)

    def run(self, sql: str) -> Result:
        try:
            data = str(self._session.query(sql, "JSONCompactEachRowWithNamesAndTypes"))
        except Exception as error:
            raise AgentOpsError(f"ClickHouse: {error}") from error
        lines = [json.loads(line) for line in data.splitlines()]
        if not lines:
            return Result([], iter(()))
        wide = [kind.removeprefix("Nullable(").startswith(("Int", "UInt")) for kind in lines[1]]
        rows = (
            tuple(int(value) if big and value is not None else value for value, big in zip(line, wide, strict=True))
            for line in lines[2:]
        )
        return Result(lines[0], rows)

    def raw(self, sql: str) -> bytes:
        """The answer in the form that the statement names."""
        with self._lock:
            answer: bytes = self._session.query(sql, "Native").bytes()
        return answer

    def fill(self, name: str, records: Iterable[SpanRecord], *, is_json: bool) -> None:
        """Make the table and write the rows."""
        self.execute(f"DROP TABLE IF EXISTS {name}")
        self.execute(table(name, is_json=is_json))
        self.insert(name, records, is_json=is_json)

    def insert(self, name: str, records: Iterable[SpanRecord], *, is_json: bool) -> None:
        """Write rows."""
        rows = "\n".join(json.dumps(row(record, is_json=is_json)) for record in records)
        if rows:
            self.execute(f"INSERT INTO {name} FORMAT JSONEachRow {rows}")

    def close(self) -> None:
        """Nothing: the session is everybody's."""

    def end(self) -> None:
        """Close the session, which is the process's only one."""
        self._session.close()


class Server(ThreadingHTTPServer):
    """The engine behind ClickHouse's HTTP interface, as far as the official client asks."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.engine = engine
        self.asked: list[str] = []
        self.readonly = "0"
        """What the user's profile says: 2 lets a user set limits, and not this."""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"clickhouse://reader:s3cr3t@127.0.0.1:{self.server_address[1]}/default"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        sql = "\n".join(filter(None, (asked.get("query", [""])[0], body)))
        self.server.asked.append(sql)
        writes = sql.split(None, 1)[0].upper() not in ("SELECT", "WITH", "DESCRIBE", "EXPLAIN")
        status, data = 200, b""
        try:
            if writes and asked.get("readonly") == ["1"]:
                raise AgentOpsError("Code: 164. DB::Exception: Cannot execute query in readonly mode. (READONLY)")
            if "readonly" in asked and self.server.readonly != "0":
                raise AgentOpsError("Code: 164. DB::Exception: Cannot modify 'readonly' in readonly mode. (READONLY)")
            level = self.server.readonly
            profile = f"if(name = 'readonly', '{level}', value) AS value, name = 'readonly' AND {level} > 0 AS readonly"
            sql = sql.replace("FROM system.settings", f"FROM (SELECT name, {profile} FROM system.settings)")
            if limit := asked.get("max_execution_time"):
                sql += f" SETTINGS max_execution_time = {float(limit[0])}"
            data = self.server.engine.raw(sql)
        except Exception as error:
            status, data = 500, str(error).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        """Not to the terminal."""
