"""From files to traces: a few columns of every line first, records only of the spans that are looked at.

Long because what a file may hold (packed, torn, foreign, unfinished lines) is read in one way.
"""

from __future__ import annotations

import gzip
import re
import time
import zlib
from array import array
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Unpack

import orjson

from agentops_sdk import semconv
from agentops_sdk.encryption import DamagedError, SealedError, is_sealed, opened_line
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.advance import advancing
from agentops_sdk.traces.classify import OWN_SCOPE
from agentops_sdk.traces.figures import number_format
from agentops_sdk.traces.figures.background_work import BackgroundWork
from agentops_sdk.traces.figures.columns import MEANING, Columns
from agentops_sdk.traces.figures.outline import Outline
from agentops_sdk.traces.formats import line_index
from agentops_sdk.traces.formats.documents import (
    COLUMNS,
    LARGEST,
    MOST_FAILURES,
    PROTOBUF,
    WHOLE,
    documents,
    form_of,
    read_head,
    read_whole,
)
from agentops_sdk.traces.formats.json_values import DEEPEST, as_text, shallow
from agentops_sdk.traces.formats.line_index import Index
from agentops_sdk.traces.formats.log_messages import with_messages
from agentops_sdk.traces.formats.otlp_lines import span_fields
from agentops_sdk.traces.formats.parquet_lines import parquet_lines
from agentops_sdk.traces.formats.parse import as_records, looks_like_record
from agentops_sdk.traces.process_identity import is_locked
from agentops_sdk.traces.search.attribute_condition import SHORT_NAMES, attribute_names
from agentops_sdk.traces.search.candidate import Candidate
from agentops_sdk.traces.search.filters import Filters, conditions
from agentops_sdk.traces.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from agentops_sdk.traces.figures.columns import Place
    from agentops_sdk.traces.figures.table_rows import Row, Stats
    from agentops_sdk.traces.formats.other_formats import OtherFormats
    from agentops_sdk.traces.growing_files import GrowingFiles
    from agentops_sdk.traces.record import Outcome, SpanRecord

LATEST: Final = "latest"
INDEXED: Final = tuple(name for word in SHORT_NAMES for name in attribute_names(word))
"""Attributes that indexes hold, beside what totals and tables are made of."""
_INDEXED: Final = frozenset(INDEXED)
_FRESH: Final = 3.0
"""Seconds after which the outermost span of a run that goes on is on disk for certain."""
_OURS = re.compile(rb'^\{"v":\d')
_OTHER_GROUPS: Final = frozenset(("resource_spans", "batches"))
_OLDER: Final = frozenset(("instrumentationLibrarySpans", "ilSpans"))
"""Where older writers, and documents that were put together, have spans."""


@dataclass(slots=True)
class TraceEntry:
    """What is known of a trace before anything else is asked of it."""

    start_ns: int
    rows: array[int]


class Traces:
    """Many traces, latest first. Records are made only of the spans that are looked at.

    ``traces["4bf9"]`` finds by the beginning of a trace id, ``traces["latest"]`` by time, ``traces[0]`` by
    position. ``torn`` counts lines that were cut off while being written, ``foreign`` lines that hold
    no span, and spans in a line of many that cannot be read; all are skipped.
    """

    def __init__(self, attributes: Iterable[str] = (), *, growing: GrowingFiles | None = None) -> None:
        """Make none.

        Args:
            attributes: see :func:`~agentops_sdk.traces.places.load`.
            growing: what is known of files that are still written to.
        """
        self._columns = Columns(attributes)
        self._growing = growing
        self._entries: dict[str, TraceEntry] = {}
        self._order: list[str] | None = None
        # By a graph's checkpoint: the traces that stopped at it, and those that went on from it, each once.
        self._stopped: dict[str, dict[str, None]] = {}
        self._resumed: dict[str, dict[str, None]] = {}
        self._feedback: dict[tuple[str, str], array[int]] = {}
        """Spans that hold nothing but a verdict, by what it is about: a trace or a session, and its id."""
        self._background = BackgroundWork()
        self._formats: OtherFormats | None = None
        self.files: list[Path] = []
        self.unreadable: list[str] = []
        """Of a directory's files those that cannot be read, a sentence for each."""
        self.notes: list[str] = []
        """What else is to be said of how they were read, or chosen."""
        self.torn = 0
        self.foreign = 0
        self.foreign_files: list[Path] = []
        """Files that hold lines but not one span."""
        self.named: dict[Path, str] = {}
        """What such files hold in place of spans, and what would help, where that is known."""

    @property
    def ids(self) -> list[str]:
        """Trace ids, latest first by the start of their first span."""
        if self._order is None:
            self._order = sorted(self._entries, key=lambda key: (-self._entries[key].start_ns, key))
        return self._order

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Trace]:
        return map(self._trace, advancing(self.ids))

    def sums(self, by: str) -> Stats | None:
        """The table of :func:`~agentops_sdk.traces.figures.tables.stats`, where a store adds up by itself."""
        return None

    def __repr__(self) -> str:
        return f"<{number_format.traces(len(self))}>"

    def _repr_html_(self) -> str:
        from agentops_sdk.traces.display.notebook import of_traces

        return of_traces(self)

    def __contains__(self, trace_id: object) -> bool:
        return trace_id in self._entries

    def __getitem__(self, key: str | int) -> Trace:
        if isinstance(key, int):
            return self.get(self.ids[key])
        return self.get(key)

    def get(self, wanted: str = LATEST) -> Trace:
        """The trace with this id, the beginning of one, or ``latest``.

        Raises:
            TraceError: no such trace, or several begin like that.
        """
        if not self._entries:
            raise TraceError("no traces here")
        if wanted == LATEST:
            matches = (self.runs.ids or self.ids)[:1]
        else:
            matches = [key for key in self.ids if key.startswith(wanted.lower())] if wanted else []
        if not matches:
            raise TraceError(f"no trace begins with {wanted!r}; of {len(self)} here the latest is {self.ids[0]}")
        if len(matches) > 1:
            raise TraceError(f"{len(matches)} traces begin with {wanted!r}: {', '.join(matches[:4])}")
        return self._trace(matches[0])

    @property
    def runs(self) -> Traces:
        """Those that are more than what somebody thought of another one, or of a session."""
        verdicts = self._columns.verdicts
        if not verdicts:
            return self
        return self._only({key: each for key, each in self._entries.items() if not verdicts.issuperset(each.rows)})

    def _only(self, entries: dict[str, TraceEntry]) -> Traces:
        view = copy(self)
        view._entries, view._order = entries, None  # noqa: SLF001 - of this class
        return view

    @property
    def latest(self) -> Trace:
        """The run that started last."""
        return self.get(LATEST)

    def where(self, *texts: str, **filters: Unpack[Filters]) -> Traces:
        """The traces that meet every filter: a view of these, to which nothing is added later.

        Args:
            texts: ``attribute op value``, each as :class:`~agentops_sdk.traces.search.filters.Filters` ``where``.
            filters: see :class:`~agentops_sdk.traces.search.filters.Filters`.

        Raises:
            ConfigError: a filter's value is wrong.
            TraceError: a line cannot be read again.
        """
        if texts:
            where = filters.get("where") or ()
            filters["where"] = [*texts, *([where] if isinstance(where, str) else where)]
        wanted = conditions(filters)
        kept = {}
        for trace_id in advancing(self.ids) if wanted else ():
            entry = self._entries[trace_id]
            run = Candidate(self._columns, entry.rows, entry.start_ns, partial(self._trace, trace_id))
            if all(condition.holds(run) for condition in wanted):
                kept[trace_id] = entry
        view = self._only(kept if wanted else dict(self._entries))
        view.notes = [*self.notes, *filter(None, (condition.remark() for condition in wanted))]
        return view

    def stopped_at(self, checkpoint: str) -> list[str]:
        """Ids of the traces in which a graph ended at this checkpoint: to ask a person, or because it was done."""
        return list(self._stopped.get(checkpoint, ()))

    @property
    def remarks(self) -> list[str]:
        """What was :attr:`not_read`, and what else is to be said of these runs: a sentence for each."""
        return [*self.not_read, *self.notes]

    @property
    def not_read(self) -> list[str]:
        """What files hold and was not read, because it cannot be or is larger than traces are: a sentence for each."""
        return [*self.unreadable, *self._columns.lines.remarks]

    def resumed_from(self, checkpoint: str) -> list[str]:
        """Ids of the traces in which a graph went on from this checkpoint."""
        return list(self._resumed.get(checkpoint, ()))

    def records(self, trace_id: str) -> Iterator[SpanRecord]:
        """The records of one trace, in file order."""
        return map(self._columns.record, self._entries[trace_id].rows)

    def _trace(self, trace_id: str) -> Trace:
        outline = Outline(self._columns, self._entries[trace_id].rows, self._background.roles)
        missing: Outcome = "unfinished"
        if outline.orphans and time.time_ns() - outline.end_ns < _FRESH * 1e9 and self._is_written(trace_id):
            missing = "running"  # its outermost span is too young to be on disk
        feedback = partial(self._verdicts, trace_id) if self._feedback else None
        return Trace.of_outline(trace_id, outline, missing=missing, feedback=feedback)

    def _verdicts(self, trace_id: str, session_id: str | None) -> list[SpanRecord]:
        """The spans, of any trace, that hold a verdict on this one or on its session."""
        rows = [*self._feedback.get(("trace", trace_id), ()), *self._feedback.get(("session", session_id or ""), ())]
        return list(map(self._columns.record, rows))

    def _is_written(self, trace_id: str) -> bool:
        files = {self._columns.file_of(row) for row in self._entries[trace_id].rows}
        return any(is_locked(file) for file in files if file is not None)

    def _add(self, trace_id: str, span_id: str, start: int, row: int, attributes: Mapping[str, Any]) -> None:
        entry = self._entries.get(trace_id)
        if entry is None:
            entry = self._entries[trace_id] = TraceEntry(start, array("I"))
            self._order = None
        elif start < entry.start_ns:
            entry.start_ns = start
            self._order = None
        entry.rows.append(row)
        if semconv.FEEDBACK_TARGET in attributes:
            is_of_session = attributes[semconv.FEEDBACK_TARGET] == "session"
            about = attributes.get(semconv.SESSION_ID if is_of_session else semconv.FEEDBACK_TRACE_ID)
            if about and (is_of_session or about != trace_id):
                key = "session" if is_of_session else "trace", as_text(about)
                self._feedback.setdefault(key, array("I")).append(row)
        if semconv.RESPONSE_ID in attributes or semconv.USAGE_OF in attributes:
            self._background.add(attributes, span_id, start)
        if semconv.GRAPH_CHECKPOINT_ID in attributes:
            self._stopped.setdefault(as_text(attributes[semconv.GRAPH_CHECKPOINT_ID]), {})[trace_id] = None
        if semconv.GRAPH_RESUMED_FROM in attributes:
            self._resumed.setdefault(as_text(attributes[semconv.GRAPH_RESUMED_FROM]), {})[trace_id] = None

    def add(self, item: SpanRecord | dict[str, Any] | str | bytes) -> None:
        """Add a record, its fields, or a line."""
        if not isinstance(item, (dict, str, bytes)):
            self.add_record(item)
        elif isinstance(item, dict):
            if not looks_like_record(item):
                self.add_document(item)
                return
            try:
                for record in as_records(_of_others(item) if item.get("kind", "span") == "span" else item):
                    self.add_record(record)
            except ValueError:
                self.foreign += 1
        else:
            line = item.encode() if isinstance(item, str) else item
            if is_sealed(line):
                try:
                    line = opened_line(line)
                except DamagedError:
                    self.torn += 1
                    return
            self.add_line(line)

    def add_record(self, record: SpanRecord, location: Place | None = None) -> None:
        """Add one record that is already in memory, or can be read again at a place."""
        row = self._columns.add_record(record, location)
        self._add(record.trace_id, record.span_id, self._columns.starts[row], row, record.attributes)

    def add_line(self, line: bytes, location: Place | None = None, path: Path | None = None) -> bool:
        """Add one line of a file; blank lines are nothing, torn and foreign ones are counted. True if a span."""
        try:
            raw = orjson.loads(line)
        except orjson.JSONDecodeError:
            if not line or line.isspace():
                return False
            if _OURS.match(line) or (not line.endswith(b"\n") and line.startswith(b"{")):
                self.torn += 1
            else:
                self.foreign += 1
            return False
        if type(raw) is dict and raw.get("kind", "span") != "span" and self._add_raw(raw, line, location, path):
            return True
        if line.count(b"[") + line.count(b"{") > DEEPEST:
            raw = shallow(raw)
        if looks_like_record(raw):
            if raw.get("kind", "span") == "span" and (fields := _of_others(raw)) is not raw:
                return self._add_all([fields])
            added = self._add_raw(raw, line, location, path)
            self.foreign += not added
            return added
        return self.add_document(raw, path)

    def _add_raw(self, raw: dict[str, Any], line: bytes, location: Place | None, path: Path | None = None) -> bool:
        """Add what one line of ours holds: a span, or several that are open. False where it is none."""
        row = self._columns.add(raw, line, location)
        if row is not None:
            self._add(raw["trace_id"], raw["span_id"], raw["start_ns"], row, raw.get("attributes") or {})
            return True
        if not looks_like_record(raw):
            return False
        try:
            records = list(as_records(raw, path))
        except ValueError:
            return False
        location = location or self._columns.lines.keep(line)
        if raw.get("outcome") == "running":  # what its line tells depends on when it is read
            location = (location[0], 0, 0)
        for record in records:
            self.add_record(record, location)
        return True

    def _add_otlp(self, raw: dict[str, Any]) -> bool:
        """One line as the OpenTelemetry Collector's file exporter writes it."""
        added = False
        for fields in span_fields(raw):
            if "resourceSpans" in fields:  # it is not in the usual form
                added |= self._add_all(self._other_formats.spans(fields))
                continue
            if fields["scope"]["name"] != OWN_SCOPE:
                fields = _translated(fields)
            one = self._add_raw(fields, orjson.dumps(fields), None)
            added |= one
            self.foreign += not one
        return added

    @property
    def _other_formats(self) -> OtherFormats:
        if self._formats is None:
            from agentops_sdk.traces.formats.other_formats import OtherFormats

            self._formats = OtherFormats()
        return self._formats

    def add_document(self, document: Any, path: Path | None = None) -> bool:
        """A document that is no record; whether it holds a span that is read now."""
        if isinstance(document, dict) and _is_usual(document):
            return self._add_otlp(document)
        return self._add_all(self._other_formats.spans(document, path))

    def _add_all(self, spans: Iterable[dict[str, Any] | None]) -> bool:
        added = damaged = 0
        for fields in spans:
            if fields is not None and self._add_fields(fields):
                added += 1
            else:
                damaged += 1
        self.foreign += damaged
        return bool(added)

    def _add_fields(self, fields: dict[str, Any]) -> bool:
        try:
            line = orjson.dumps(fields)
        except (TypeError, ValueError):
            return False
        return self._add_raw(fields, line, None)

    def finish(self) -> int:
        """Add what waited for other lines of its file; how many spans that were."""
        if self._formats is None:
            return 0
        before = len(self._columns)
        self._add_all(self._formats.rest())
        return len(self._columns) - before

    @property
    def holds_messages(self) -> bool:
        """Whether log records were read that hold messages of calls."""
        return self._messages > 0

    @property
    def _messages(self) -> int:
        return 0 if self._formats is None else sum(map(len, self._formats.messages.values()))

    def join_messages(self) -> None:
        """Give the spans the messages that log records hold of them; wherever each stood."""
        messages = self._formats.messages if self._formats is not None else {}
        for trace_id in {trace_id for trace_id, _ in messages} & self._entries.keys():
            for row in self._entries[trace_id].rows:
                key = (trace_id, f"{self._columns.ids[row]:016x}")
                if events := messages.get(key):
                    self._columns.replace(row, with_messages(self._columns.record(row), events))

    def _add_whole(self, path: Path) -> int:
        """A file that does not hold a document on each line; how many spans there were."""
        before = len(self._columns)
        data, torn = read_whole(path)
        if data is None:
            self._columns.lines.cut[path] = f"more than {LARGEST // 1_048_576} MB in one document"
            return 0
        failures = 0
        for document, damaged in documents(data):
            if damaged:
                failures += 1
            else:
                self.add_document(document, path)
        self.torn += failures or torn
        if failures == MOST_FAILURES:
            self._columns.lines.cut[path] = f"{failures} damaged documents"
        return len(self._columns) - before

    def _add_columns(self, path: Path) -> int:
        """A Parquet file; how many spans there were."""
        before = len(self._columns)
        for line in parquet_lines(path):
            self.add_line(line, None, path)
        return len(self._columns) - before

    def _add_protobuf(self, path: Path) -> int:
        """A file of OTLP's own bytes; how many spans there were."""
        from agentops_sdk.traces.formats.otlp_bytes import messages

        before = len(self._columns)
        data, torn = read_whole(path)
        for message in messages(data or b""):
            self.add_document(message, path)
        self.torn += torn
        return len(self._columns) - before

    def add_open_file(self, path: Path) -> None:
        """Add the spans that a process has open, as things stand now. The file goes once nothing is open any more."""
        opened: list[dict[str, Any]] = []
        seen_ns = 0  # the last sign of life
        try:
            lines = [line for line, _ in self._columns.lines.of_file(path) if not line.isspace()]
        except OSError:
            return
        except SealedError as error:
            self.unreadable.append(f"{error}; it was left out")
            return
        self.files.append(path)
        for line in lines:
            try:
                raw = orjson.loads(line)
            except ValueError:
                self.torn += 1
                continue
            if looks_like_record(raw):
                opened.append(raw)
            elif isinstance(raw, dict) and type(raw.get("seen_ns")) is int:
                seen_ns = max(seen_ns, raw["seen_ns"])
        for raw in opened:
            until = raw.get("end_ns")
            if type(until) is int:
                raw["end_ns"] = max(until, seen_ns)
            try:
                for record in as_records(raw, path):
                    self.add_record(record)
            except ValueError:
                self.foreign += 1

    def index_of(self, path: Path) -> Index | None:
        """The index of a file, which is made if need be; ``None`` where its lines have to be read."""
        if self._columns.more != INDEXED or not line_index.is_for(path):
            return None
        if is_locked(path):
            return None if self._growing is None else self._growing.index_of(path)
        mark = line_index.mark_of(path)
        if mark is None:
            return None
        index = line_index.read(path, mark, MEANING)
        if index is None:
            part = Traces(INDEXED)
            index = part._own_index(path)
            line_index.write(path, mark, MEANING, index)
            if line_index.mark_of(path) != mark:
                return None
        return index if index.columns else None

    def _add_indexed(self, path: Path) -> int | None:
        """The spans of a closed file from its index; ``None`` where it has to be read."""
        index = self.index_of(path)
        return None if index is None else self._add_index(index, path)

    def take_note(self, index: Index) -> Sequence[str]:
        """Take note of what an index tells of work in the background; the ids of the traces that are in it."""
        self._background.merge(index.facts["work"], index.columns["replies"])
        return _ids_in(index)

    def set_apart(self, some: Collection[str], work: Traces) -> set[str]:
        """Ids of the traces here whose runs have to be added up as trees: of some, and those that are not plain.

        Args:
            some: ids.
            work: who has taken note of all work in the background.
        """
        from agentops_sdk.traces.figures.plain_runs import unusual

        background = frozenset(int(ident, 16) for ident in work._background.roles())
        ids = list(self._entries)
        odd = unusual(self._columns, self._run_of_row(), len(ids), background)
        return {trace_id for number, trace_id in enumerate(ids) if number in odd or trace_id in some}

    def add_plain(self, by: str, rows: dict[str, Row], apart: Collection[str]) -> None:
        """Add the calls of the runs that are not set apart to the rows of their keys."""
        from agentops_sdk.traces.figures.plain_runs import add_plain

        left_out = {number for number, trace_id in enumerate(self._entries) if trace_id in apart}
        add_plain(self._columns, self._run_of_row(), left_out, by, rows)

    def _run_of_row(self) -> array[int]:
        """By row the number of its trace."""
        runs = array("I", bytes(4 * len(self._columns)))
        for number, entry in enumerate(self._entries.values()):
            for row in entry.rows:
                runs[row] = number
        return runs

    def currencies(self) -> set[str]:
        """Those that costs are in."""
        return self._columns.currencies()

    def lines(self, trace_id: str) -> Iterator[bytes]:
        """The lines of a trace as its file has them."""
        lines = map(self._columns.line, self._entries[trace_id].rows)
        return (line for line in lines if line is not None)

    def _own_index(self, path: Path) -> Index:
        """What is known once a file was read; without columns where that does not do without its lines."""
        with suppress(OSError, EOFError, zlib.error):
            for line, location in self._columns.lines.of_file(path, packed_places=True):
                if not self.add_line(line, location) and self._formats is not None:
                    break
            else:
                if self._columns.stands_in_one_file and not self._columns.lines.remarks:
                    return self.index()
        return Index({}, {})

    def add_stretch(self, path: Path, start: int, end: int) -> bool:
        """Add some whole lines of a plain file; whether all that was added does without its lines.

        Raises:
            OSError: it cannot be read.
            SealedError: a line is encrypted, and the key is not here.
        """
        for line, location in self._columns.lines.of_file(path, stretch=(start, end)):
            if not self.add_line(line, location) and self._formats is not None:
                return False
        return (self._columns.stands_in_one_file or not len(self._columns)) and not self._columns.lines.remarks

    def index(self) -> Index:
        """All that is here, where it stands in one file."""
        own = self._columns.index()
        work = self._background
        traces = {
            "start": array("q", (entry.start_ns for entry in self._entries.values())),
            "count": array("I", (len(entry.rows) for entry in self._entries.values())),
            "rows": array("I", chain.from_iterable(entry.rows for entry in self._entries.values())),
            "trace": array("B", bytes.fromhex("".join(self._entries))),
            "replies": work.replies,
        }
        facts = {
            "torn": self.torn,
            "foreign": self.foreign,
            "feedback": [(key, list(rows)) for key, rows in self._feedback.items()],
            "stopped": {checkpoint: list(ids) for checkpoint, ids in self._stopped.items()},
            "resumed": {checkpoint: list(ids) for checkpoint, ids in self._resumed.items()},
            "work": work.told(),
            "spans": own.facts,
        }
        return Index(facts, {**own.columns, **traces})

    def _add_index(self, index: Index, path: Path) -> int | None:
        """Add what is known of a file; ``None`` where that does not do without its lines."""
        facts, columns, first = index.facts, index.columns, len(self._columns)
        file = self._columns.lines.add_path(path, packed=path.suffix == ".gz")
        if not self._columns.add_index(Index(facts["spans"], columns), file):
            return None
        rows = array("I", map(first.__add__, columns["rows"])) if first else columns["rows"]
        at = 0
        for trace_id, start, count in zip(_ids_in(index), columns["start"], columns["count"], strict=True):
            entry = self._entries.get(trace_id)
            if entry is None:
                self._entries[trace_id] = TraceEntry(start, rows[at : at + count])
            else:
                entry.start_ns = min(entry.start_ns, start)
                entry.rows.extend(rows[at : at + count])
            at += count
        self._order = None
        for (kind, about), verdicts in facts["feedback"]:
            self._feedback.setdefault((kind, about), array("I")).extend(map(first.__add__, verdicts))
        for known, told in ((self._stopped, facts["stopped"]), (self._resumed, facts["resumed"])):
            for checkpoint, trace_ids in told.items():
                known.setdefault(checkpoint, {}).update(dict.fromkeys(trace_ids))
        self._background.merge(facts["work"], columns["replies"])
        self.torn += facts["torn"]
        self.foreign += facts["foreign"]
        self.files.append(path)
        return len(self._columns) - first

    def add_file(self, path: Path) -> int:
        """Index one file, plain or gzip; returns the number of spans found in it.

        Raises:
            TraceError: the file cannot be read.
        """
        count = lines = 0
        before, messages = (self.torn, self.foreign), self._messages
        if (indexed := self._add_indexed(path)) is not None:
            return indexed
        try:
            form = form_of(path)
            ways = {WHOLE: self._add_whole, PROTOBUF: self._add_protobuf, COLUMNS: self._add_columns}
            if form in ways:
                lines, count = 1, ways[form](path)
            else:
                for line, location in self._columns.lines.of_file(path):
                    if self.add_line(line, location, path):
                        count += 1
                    elif not line.isspace():
                        lines += 1
            if self._formats is not None:
                count += self.finish()
            if lines and not count and self._messages == messages and self._is_worth_another_look(path):
                counts, (self.torn, self.foreign) = (self.torn, self.foreign), before
                count = self._add_whole(path) + self.finish()
                if not count:
                    self.torn, self.foreign = counts
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.torn += 1  # a gzip file that was cut off, or is none
        except OSError as error:
            raise TraceError(f"cannot read {path}: {error.strerror or error}") from error
        self.files.append(path)
        if lines and not count and self._messages == messages:
            self.foreign_files.append(path)
            self._name(path)
        return count

    def _is_worth_another_look(self, path: Path) -> bool:
        """Whether documents of several lines may stand between lines of other sorts."""
        head = read_head(path)
        return any(line.strip() in (b"{", b"[") or line.startswith((b"{", b"[")) for line in head.split(b"\n"))

    def _name(self, path: Path) -> None:
        """Keep what a file is that holds no spans."""
        from agentops_sdk.traces.formats.other_files import what_bytes_are

        name = self._other_formats.found.get(path)
        with suppress(OSError):
            name = name or what_bytes_are(read_head(path))
        if name is not None:
            self.named[path] = name


def _ids_in(index: Index) -> list[str]:
    """The ids of the traces in an index."""
    ids = index.columns["trace"].tobytes().hex()
    return [ids[at : at + 32] for at in range(0, len(ids), 32)]


def _is_usual(document: dict[str, Any]) -> bool:
    """Whether spans are in OTLP's usual form, as far as their groups tell."""
    groups = document.get("resourceSpans")
    return (
        type(groups) is list
        and _OTHER_GROUPS.isdisjoint(document)
        and all(type(group) is not dict or ("scopeSpans" in group and _OLDER.isdisjoint(group)) for group in groups)
    )


def _of_others(raw: dict[str, Any]) -> dict[str, Any]:
    """A record whose kind nobody said, in our names where another recorder made its span; else the same object."""
    scope = raw.get("scope")
    if not raw.get("attributes") or raw.get("outcome") == "running":
        return raw
    if scope is None or (type(scope) is dict and scope.get("name", OWN_SCOPE) == OWN_SCOPE):
        return raw
    from agentops_sdk.traces.formats.other_formats import translated_record

    return translated_record(raw)


def _translated(fields: dict[str, Any]) -> dict[str, Any]:
    from agentops_sdk.traces.formats.other_formats import translated

    return translated(fields)
