"""DuckDB over trace files: lines of ours and Parquet as they are, whatever else the readers know by way of a copy.

Long because one connection is set up, locked and asked here.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
import weakref
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.encryption import LINE, SealedError
from agentops_sdk.errors import AgentOpsError, ConfigError, TraceError
from agentops_sdk.store.duckdb_dialect import columns_of_lines, lines_of, quoted, views
from agentops_sdk.store.packed_files import packed_files
from agentops_sdk.store.result import Result
from agentops_sdk.store.run_rules import NO_RUNS
from agentops_sdk.traces.classify import OWN_SCOPE
from agentops_sdk.traces.files import Traces
from agentops_sdk.traces.formats.documents import read_head
from agentops_sdk.traces.formats.from_otel import OPEN_SUFFIX
from agentops_sdk.traces.formats.parquet_lines import PARQUET, columns_of
from agentops_sdk.traces.places import load, trace_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["DuckDBStore"]

_TEXT: Final = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
_TABLE_BYTES: Final = 512 * 1_048_576
"""Text files of up to this size are read once; larger ones again with each question, so that no copy fills the disk."""
_READS: Final = ("SELECT", "EXPLAIN")
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_STRANGE: Final = (
    "trace_id IS NOT NULL AND (outcome = 'running'"
    f" OR (coalesce(kind, 'span') = 'span' AND coalesce(scope, '{OWN_SCOPE}') <> '{OWN_SCOPE}'))"
)
"""What a reader makes something else of: a span that was open, one that another recorder made."""


class DuckDBStore:
    """The views over one directory, file or pattern. Closes with the process; nothing of it is written to the place."""

    engine = "DuckDB"
    is_sorted_by_time = False

    def __init__(self, place: Path, *, seconds: float | None = None, memory: str | None = None) -> None:
        """Find the files and define the views.

        Args:
            place: a directory, a file, or a pattern of files.
            seconds: of work on one question; a longer one is broken off.
            memory: what sorting, joining and grouping may take before they use the disk, in DuckDB's words: ``2GB``.

        Raises:
            AgentOpsError: DuckDB is not installed.
            ConfigError: ``memory`` is no size.
            TraceError: nothing is there, or nothing that can be read.
        """
        try:
            self._duckdb: Any = import_module("duckdb")
        except ImportError:
            raise AgentOpsError('this needs DuckDB: pip install "agentops-recorder[duckdb]"') from None
        self.place = place
        self._seconds = seconds
        self._left: float | None = None
        self.remarks: list[str] = []
        self.not_read: list[str] = []
        self._found = self._files()
        self._sealed: SealedError | None = None
        is_sealed = any(map(_is_sealed, self._found[2]))
        # What is opened here is copied: into memory, where there is a folder of it.
        self._scratch = tempfile.mkdtemp(prefix="agentops-", dir=_MEMORY if is_sealed and _MEMORY.is_dir() else None)
        self._clean = weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        self._connection: Any = self._duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")  # the views' times are UTC: now() compares with them as it is
        self._connection.execute("SET preserve_insertion_order = true")
        self._connection.execute("SET parquet_metadata_cache = true")
        self._connection.execute(f"SET temp_directory = {quoted(self._scratch)}")
        try:
            if memory is not None:
                self._connection.execute(f"SET memory_limit = {quoted(memory)}")
        except self._duckdb.Error:
            raise ConfigError("memory", memory, "a size such as 500MB or 4GB") from None
        try:
            self._define()
        except self._duckdb.Error as error:
            raise TraceError(f"cannot read {place}: {_first_line(error)}") from error

    # --- setting up ----------------------------------------------------------------------------

    def _define(self) -> None:
        texts, packed, others = self._found
        parts: list[str] = []
        summed = [NO_RUNS]
        unsummed = ["SELECT NULL::VARCHAR AS trace_id WHERE false"]
        if texts:
            parts.append(self._text_part(texts))
            unsummed.append(f"SELECT trace_id FROM ({parts[0]})")
        if packed:
            files = packed_files(self._connection, packed)
            parts += files.rows
            summed += files.summed
            unsummed += files.unsummed
        whole = " UNION ALL ".join(f"({part})" for part in parts)
        if whole:
            self._connection.execute(f"CREATE VIEW whole AS {whole}")
        copy = self._copy(others, has_whole=bool(whole))
        allowed = [*texts, *packed]
        if copy is not None:
            lines = columns_of_lines(lines_of([str(copy)]))
            self._connection.execute(f"CREATE TABLE copied AS {lines}")
            unsummed.append("SELECT trace_id FROM copied")
            if whole:
                # The line of a span's end takes the place of those that were written while it was open.
                whole = (
                    f"SELECT * FROM whole WHERE NOT coalesce({_STRANGE}, false) UNION ALL SELECT copied.* FROM copied"
                    " ANTI JOIN (SELECT trace_id, span_id FROM whole WHERE outcome <> 'running') AS ended"
                    " ON copied.outcome IN ('running', 'unfinished') AND ended.trace_id = copied.trace_id"
                    " AND ended.span_id = copied.span_id"
                )
            else:
                whole = "SELECT * FROM copied"
        elif whole:
            whole = "SELECT * FROM whole"
        else:
            raise self._sealed or TraceError(f"no traces in {self.place}")
        self._connection.execute(f"CREATE VIEW stored AS {whole}")
        self._connection.execute(f"CREATE VIEW summed_runs AS {' UNION ALL '.join(summed)}")
        self._connection.execute(f"CREATE VIEW unsummed AS {' UNION ALL '.join(unsummed)}")
        for name, query in views().items():
            self._connection.execute(f"CREATE VIEW {name} AS {query}")
        paths = ", ".join(quoted(str(path)) for path in allowed)
        self._connection.execute(f"SET allowed_paths = [{paths}]")
        self._connection.execute(f"SET allowed_directories = [{quoted(self._scratch + '/')}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def _text_part(self, texts: Sequence[Path]) -> str:
        lines = lines_of([str(path) for path in texts])
        query = columns_of_lines(lines)
        packed = sum(path.stat().st_size * (8 if path.suffix == ".gz" else 1) for path in texts)
        if packed > _TABLE_BYTES:
            self.remarks.append("these files are read anew for each question: agentops compact makes that fast")
            return query
        self._connection.execute(f"CREATE TABLE of_text AS {query}")
        return "SELECT * FROM of_text"

    def _files(self) -> tuple[list[Path], dict[Path, list[str]], list[Path]]:
        """Text files with lines of ours, Parquet files of ours by their columns, and what the readers alone know."""
        texts: list[Path] = []
        packed: dict[Path, list[str]] = {}
        others: list[Path] = []
        if self.place.is_dir():
            paths = trace_files(self.place)
            others += sorted(self.place.rglob(f"*{OPEN_SUFFIX}"))
        elif self.place.exists():
            paths = [self.place]
        else:
            paths = sorted(self.place.parent.glob(self.place.name))
            if not paths:
                raise TraceError(f"{self.place} does not exist")
        columns = columns_of([path for path in paths if path.suffix == PARQUET])
        for path in paths:
            if path.suffix == PARQUET:
                if "record" in columns[path]:  # it was made by compaction
                    packed[path] = columns[path]
                else:
                    others.append(path)
            elif path.name.endswith(_TEXT) and _begins_as_ours(path):
                texts.append(path)
            elif path.stat().st_size:
                others.append(path)
        return texts, packed, others

    def _copy(self, others: Sequence[Path], *, has_whole: bool) -> Path | None:
        """Lines of ours made of what is not one, as the readers understand it."""
        path = Path(self._scratch) / "copied.jsonl"
        count = 0
        with path.open("wb") as file:
            for other in others:
                traces = Traces()
                try:
                    if other.name.endswith(OPEN_SUFFIX):
                        traces.add_open_file(other)
                    else:
                        traces.add_file(other)
                        traces.join_messages()
                except TraceError as error:
                    self._sealed = error if isinstance(error, SealedError) else self._sealed
                    self.not_read.append(f"{error}; it was left out")
                    continue
                self.not_read += traces.not_read
                self.remarks += traces.notes
                count += _write(file, traces)
            # Whether there are any is known without a line being read.
            if has_whole and self._connection.execute(f"SELECT 1 FROM whole WHERE {_STRANGE} LIMIT 1").fetchall():
                rows = self._connection.execute(f"SELECT record FROM whole WHERE {_STRANGE}").fetchall()
                count += _write(file, load([record for (record,) in rows]))
        return path if count else None

    # --- asking --------------------------------------------------------------------------------

    def query(self, sql: str) -> Result:
        """The rows of one statement that only reads.

        Raises:
            AgentOpsError: it is no such statement, DuckDB refuses it, or it takes longer than it may.
        """
        self._left = self._seconds
        with self._asking():
            statements = self._connection.extract_statements(sql)
            kinds = [statement.type.name for statement in statements]
            if len(kinds) != 1 or kinds[0] not in _READS:
                raise AgentOpsError("only one statement that reads is run: SELECT, WITH ... SELECT, EXPLAIN")
            cursor = self._connection.execute(sql)
            names = [name for name, *_ in cursor.description or ()]
        return Result(names, self._rows(cursor))

    def _rows(self, cursor: Any) -> Iterator[tuple[Any, ...]]:
        while True:
            with self._asking():
                rows = cursor.fetchmany(2_000)
            if not rows:
                return
            yield from rows

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """DuckDB at work on a question: what it refuses comes in words, and its time is up when the limit is reached.

        Whoever reads the rows slowly uses up none of it.
        """
        clock = None if self._left is None else threading.Timer(self._left, self._connection.interrupt)
        begin = time.monotonic()
        if clock is not None:
            clock.daemon = True
            clock.start()
        try:
            yield
        except self._duckdb.InterruptException:
            raise AgentOpsError(f"broken off after {self._seconds:g} s, which is the limit of a question") from None
        except self._duckdb.Error as error:
            raise AgentOpsError(f"DuckDB: {str(error).strip()}") from error
        finally:
            if clock is not None and self._left is not None:
                clock.cancel()
                clock.join()
                self._left = max(0.0, self._left - (time.monotonic() - begin))

    def own(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement of this package's own, which may make temporary tables.

        Raises:
            AgentOpsError: DuckDB refuses it.
        """
        self._left = None
        with self._asking():
            rows: list[tuple[Any, ...]] = self._connection.execute(sql, list(values)).fetchall()
        return rows

    def lines(self, ids: Sequence[str], began: tuple[int, int | None] | None = None) -> Iterator[bytes]:
        """The lines of the runs with these ids."""
        if not ids:
            return
        listed = ", ".join(map(quoted, ids))
        query = f"SELECT record FROM stored WHERE trace_id IN ({listed})"
        for (record,) in self.query(query).rows:
            yield record.encode()

    def values(self, names: tuple[str, ...], most: int) -> None:
        """Nothing: a comparison of many runs is made as a whole, see :mod:`agentops_sdk.store.duckdb_comparison`."""

    def attribute(self, name: str) -> str:
        """An attribute's text."""
        return f"json_extract_string(attributes, {_path(name)})"

    def number(self, name: str) -> str | None:
        """Nothing: lines keep what a value is."""
        return None

    def close(self) -> None:
        """Give everything back."""
        self._connection.close()
        self._clean()


def _write(file: Any, traces: Traces) -> int:
    count = 0
    for trace_id in traces.ids:
        for record in traces.records(trace_id):
            file.write(record.model_dump_json(exclude_unset=True).encode() + b"\n")
            count += 1
    return count


def _begins_as_ours(path: Path) -> bool:
    """Whether the first lines of a file are span records as we write them."""
    from agentops_sdk.traces.formats.lines import opened
    from agentops_sdk.traces.formats.parse import looks_like_record

    try:
        _, source, _ = opened(path)
        with source:
            for _ in range(20):
                line = source.readline(1_048_576)
                if not line:
                    return False
                try:
                    raw = json.loads(line)
                except ValueError:
                    continue
                return looks_like_record(raw)
    except (OSError, EOFError):
        return False
    return False


def _is_sealed(path: Path) -> bool:
    """Whether a file begins with an encrypted line."""
    try:
        return read_head(path).startswith(LINE)
    except OSError:
        return False


def _path(name: str) -> str:
    return quoted(f'$."{name}"')


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
