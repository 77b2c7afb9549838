"""ClickHouse, where the OpenTelemetry Collector's exporter has put a fleet's spans: asked, and never written to."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from agentops_sdk.addresses import without_secrets
from agentops_sdk.errors import AgentOpsError, ConfigError
from agentops_sdk.store.clickhouse_dialect import identifier, literal, text_of, views, with_views
from agentops_sdk.store.collector_rows import SELECTED, is_known, line_of
from agentops_sdk.store.result import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["ClickHouse", "ClickHouseStore"]

_TABLE: Final = "otel_traces"
_SECONDS: Final = 300
_FORM: Final = "clickhouse://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE[?table=otel_traces&secure=true]"


class ClickHouse(Protocol):
    """Whoever runs a statement: a server's client, or the engine in this process."""

    def run(self, sql: str) -> Result:
        """The rows of a statement that only reads.

        Raises:
            AgentOpsError: it is refused.
        """
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class ClickHouseStore:
    """The views over one table of spans. Nothing is made on the server: the views are part of each question."""

    engine = "ClickHouse"
    is_sorted_by_time = True

    def __init__(self, client: ClickHouse, table: str = _TABLE) -> None:
        """See what form the table has.

        Raises:
            AgentOpsError: there is no such table, or the server cannot be asked.
        """
        self.remarks: list[str] = []
        self.not_read: list[str] = []
        self._client = client
        self._table = ".".join(map(identifier, table.split(".")))
        columns = {str(name): str(kind) for name, kind, *_ in client.run(f"DESCRIBE TABLE {self._table}").rows}
        missing = [name for name in ("TraceId", "SpanId", "SpanAttributes", "Duration") if name not in columns]
        if missing:
            raise AgentOpsError(f"{table} is no table of the Collector's exporter: it has no {', '.join(missing)}")
        self.is_json = columns["SpanAttributes"].startswith(("JSON", "Object"))
        self._views = views(self._table, is_json=self.is_json)

    @classmethod
    def at(cls, address: str, seconds: float | None = None) -> ClickHouseStore:
        """The store at an address.

        Args:
            address: as ``--from`` takes it.
            seconds: of work on one question, after which the server breaks it off.

        Raises:
            AgentOpsError: clickhouse-connect is not installed, or the server cannot be reached.
            ConfigError: the address is none.
        """
        parts = urlsplit(address)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        table = options.pop("table", _TABLE)
        return cls(_Server(address, options, seconds), table)

    def query(self, sql: str) -> Result:
        """The rows of one statement that only reads; the views can be named in it.

        Raises:
            AgentOpsError: the server refuses it.
        """
        return self._client.run(with_views(sql.strip().rstrip(";"), self._views))

    def lines(self, ids: Sequence[str], began: tuple[int, int | None] | None = None) -> Iterator[bytes]:
        """The spans of the runs with these ids, as lines that the readers understand.

        The table is sorted by service, name and time: without ``began`` the ids of all spans are read.
        """
        if not ids:
            return
        listed = ", ".join(map(literal, ids))
        selected = ", ".join(f"{column} AS {name}" for name, column in SELECTED.items())
        query = f"SELECT {selected} FROM {self._table} WHERE TraceId IN ({listed})"
        if began is not None:
            first, last = began
            query += f" AND Timestamp >= fromUnixTimestamp64Nano(toInt64({first}))"
            query += "" if last is None else f" AND Timestamp <= fromUnixTimestamp64Nano(toInt64({last}))"
        for row in self._client.run(query).rows:
            yield orjson.dumps(line_of(dict(zip(SELECTED, row, strict=True)), typed=self.is_json))

    def values(self, names: tuple[str, ...], most: int) -> list[tuple[Any, str]] | None:
        """What the spans that the readers take as they are say of an attribute: each text with the run's id.

        ``None`` where the readers have to look: of JSON columns, and where a text would become something else again.
        """
        if self.is_json or any(map(is_known, names)):
            return None
        places = [(column, literal(name)) for name in names for column in ("SpanAttributes", "ResourceAttributes")]
        texts = ", ".join(f"mapContains({column}, {name}), {column}[{name}]" for column, name in places)
        there = " OR ".join(f"mapContains({column}, {name})" for column, name in places)
        query = f"SELECT DISTINCT multiIf({texts}, ''), TraceId FROM {self._table} WHERE {there} LIMIT {most + 1}"
        rows = [(str(text), str(trace_id)) for text, trace_id in self._client.run(query).rows]
        return rows if len(rows) <= most else None

    def attribute(self, name: str) -> str:
        """An attribute's text."""
        return text_of("attributes", name, is_json=self.is_json)

    def number(self, name: str) -> str | None:
        """An attribute's number, where the table holds texts and the name does not tell that it is one."""
        return None if self.is_json or is_known(name) else f"toFloat64OrNull({self.attribute(name)})"

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()


class _Server:
    """A server over HTTP, by its official client."""

    def __init__(self, address: str, options: dict[str, str], seconds: float | None) -> None:
        try:
            library: Any = import_module("clickhouse_connect")
        except ImportError:
            raise AgentOpsError('this needs clickhouse-connect: pip install "agentops-recorder[clickhouse]"') from None
        parts = urlsplit(address)
        try:
            port = parts.port
        except ValueError:
            raise ConfigError("--from", without_secrets(address), _FORM) from None
        unknown = sorted(set(options) - {"secure", "verify"})
        if not parts.hostname or parts.path.count("/") > 1 or unknown:
            raise ConfigError("--from", without_secrets(address), _FORM)
        secure = parts.scheme == "clickhouses" or options.get("secure", "").lower() in ("1", "true", "yes")
        self._errors: tuple[type[Exception], ...] = (library.driver.exceptions.Error, OSError)
        self._name = f"{parts.hostname}:{port or (8443 if secure else 8123)}"
        try:
            self._client: Any = library.get_client(
                host=parts.hostname,
                port=port or (8443 if secure else 8123),
                username=unquote(parts.username) if parts.username else None,
                password=unquote(parts.password or ""),
                database=parts.path.strip("/") or "default",
                secure=secure,
                verify=options.get("verify", "true").lower() not in ("0", "false", "no"),
                connect_timeout=10,
                send_receive_timeout=max(_SECONDS, (seconds or 0) + 10),
                client_name="agentops",
                autogenerate_session_id=False,
            )
        except self._errors as error:
            raise AgentOpsError(f"cannot reach ClickHouse at {self._name}: {_message(error)}") from error
        self._settings = _settings(self._client.server_settings, seconds)

    def run(self, sql: str) -> Result:
        try:
            stream = self._client.query_row_block_stream(sql, settings=self._settings)
        except self._errors as error:
            raise AgentOpsError(f"ClickHouse: {_message(error)}") from error
        return Result(list(stream.source.column_names), self._rows(stream))

    def _rows(self, stream: Any) -> Iterator[tuple[Any, ...]]:
        try:
            with stream:
                for block in stream:
                    yield from (tuple(row) for row in block)
        except self._errors as error:
            raise AgentOpsError(f"ClickHouse: {_message(error)}") from error

    def close(self) -> None:
        self._client.close()


def _settings(known: Any, seconds: float | None) -> dict[str, str]:
    """What the server is told: to refuse whatever does not only read, and what takes longer.

    A user whom the server itself lets only read may set little, or nothing: it keeps to its own limits then.
    """
    settings = {"readonly": "1"} if "readonly" not in known or known["readonly"].value == "0" else {}
    limit = known.get("max_execution_time")
    if seconds is not None and limit is not None and not limit.readonly:
        own = float(limit.value)
        settings["max_execution_time"] = f"{min(own, seconds) if own else seconds:g}"
    return settings


def _message(error: Exception) -> str:
    text = str(error).strip()
    text = text.partition(" (version ")[0].removeprefix("Received ClickHouse exception, ")
    return without_secrets(text[:500])
