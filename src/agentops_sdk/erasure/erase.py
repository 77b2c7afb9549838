"""Takes the traces of a user or a session, or one trace, out of everything below a directory; what stays is told.

Long because each place where an id may stand is looked at here, or told of.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv
from agentops_sdk.encryption import DamagedError, SealedError, is_sealed, opened, opened_line, sealed_by_reader
from agentops_sdk.erasure.spooled_requests import holds, is_of_metrics, rewrite_segment, trace_ids_in
from agentops_sdk.erasure.trace_lines import belongs, blank_lines, is_ours, rewrite, trace_ids_of
from agentops_sdk.errors import AgentOpsError, TraceError
from agentops_sdk.exporters.jsonl.rewriting import PART
from agentops_sdk.exporters.jsonl.run_files import claimed, is_own_name, remove_abandoned
from agentops_sdk.exporters.otlp.run_directory import REFUSED, Run
from agentops_sdk.private_files import replace_private
from agentops_sdk.traces.formats import line_index
from agentops_sdk.traces.formats.from_otel import OPEN_SUFFIX
from agentops_sdk.traces.process_identity import is_alive, is_locked

if TYPE_CHECKING:
    from agentops_sdk.exporters.jsonl.run_files import _Claim

__all__ = ["Erasure", "Subject", "clickhouse_statement"]

_LINES: Final = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", OPEN_SUFFIX)
_BLOB: Final = re.compile(rb"blobs/[0-9a-f]{64}(?:\.[a-z0-9]{1,5})?")
_HASHED_USER: Final = re.compile(rb'\[user:[0-9a-f]{16}\]|"user\.id":"\[[a-z_]+:[0-9a-f]{16}\]"')
_LIVES: Final = "{}: its process lives, and may have more about them in memory: look again later"
_TABLE: Final = "otel_traces"
_KEPT: Final = "audit"
"""The audit log names no user; it is only ever added to."""


@dataclass(frozen=True)
class Subject:
    """Whose data goes.

    Attributes:
        users: ids of the user: as it is, and as its hash where there is a key.
        sessions: ids of a session or conversation.
        traces: ids of traces.
    """

    users: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()
    traces: frozenset[str] = frozenset()


@dataclass
class Erasure:
    """What an erasure does, or would do.

    Attributes:
        trace_ids: the traces that go.
        lines: of files, by path, how many go.
        spans: waiting in spools, by path, how many go.
        remains: what could not be reached: a sentence for each.
    """

    base: Path
    subject: Subject
    trace_ids: set[str] = field(default_factory=set)
    lines: dict[Path, int] = field(default_factory=dict)
    spans: dict[Path, int] = field(default_factory=dict)
    remains: list[str] = field(default_factory=list)
    blobs: set[bytes] = field(default_factory=set)
    """Contents of messages in files of their own, to which only lines that go refer."""
    _hashed: bool = False
    """Whether there are users by their hashes, and no key to tell who they are."""

    def look(self) -> None:
        """Find the traces, and count; changes nothing."""
        self.trace_ids = set(self.subject.traces)
        wanted = self.subject.users | self.subject.sessions
        lacks_key = len(self.subject.users) == 1 and not any(map(_HASHED_USER.search, map(str.encode, wanted)))
        for path in self._files() if wanted else ():
            for line in _lines_of(path):
                self._hashed = self._hashed or (lacks_key and _HASHED_USER.search(line) is not None)
                self.trace_ids |= trace_ids_of(line, self.subject.users, self.subject.sessions)
        for path in self._segments() if wanted else ():
            with suppress(OSError, ValueError, TraceError):
                self.trace_ids |= trace_ids_in(path, self.subject.users, self.subject.sessions)
        self._each(dry=True)
        self._spare_blobs()
        self._others(dry=True)

    def erase(self) -> None:
        """Do it. A file that cannot be written anew stays as it was, and that is told.

        Raises:
            OSError: what was left by a killed process, or readers have made, cannot be removed.
        """
        for made in (*self.base.rglob(f"*{PART}"), *line_index.below(self.base)):  # readers make indexes again
            made.unlink(missing_ok=True)
        for part in self.base.rglob("*.part"):  # half of a file that a killed process was compressing
            if is_own_name(part):
                remove_abandoned(part)
        self._each(dry=False)
        self._spare_blobs()
        for name in self.blobs:
            (self.base / name.decode()).unlink(missing_ok=True)
        self._others(dry=False)

    # --- the walk --------------------------------------------------------------------------------

    def _each(self, *, dry: bool) -> None:
        self.lines, self.spans, self.remains = {}, {}, []
        if self._hashed:
            self.remains.append("users whose ids were recorded as hashes: without pii_key nobody knows who they are")
        for path in self._below():
            if path.is_symlink():  # what it leads to may be anybody's, and is looked at where it lies
                self.remains.append(
                    f"{path}: leads to {path.resolve()}, which was not looked into: erase there as well"
                )
        for path in self._files():
            self._file(path, dry=dry)
        for path in self._segments():
            self._segment(path, dry=dry)

    def _goes(self, line: bytes) -> bool:
        goes = belongs(line, self.trace_ids)
        if goes:
            self.blobs.update(_BLOB.findall(line))
        return goes

    def _names(self, line: bytes) -> bool:
        """Whether a line of any form holds the id of a user or session, which JSON may have escaped."""
        texts = self.subject.users | self.subject.sessions
        needles = {form for text in texts for form in (text.encode(), json.dumps(text)[1:-1].encode())}
        return any(re.search(rb"(?<!\w)" + re.escape(needle) + rb"(?!\w)", line) for needle in needles)

    def _reads(self, path: Path) -> bool:
        """Whether readers, who know forms and ids of many recorders, find a run that should go in a file."""
        from agentops_sdk.traces.places import load

        with suppress(OSError, AgentOpsError):
            return any(
                trace.trace_id in self.trace_ids
                or trace.user_id in self.subject.users
                or trace.session_id in self.subject.sessions
                for trace in load(path)
            )
        return False

    def _spare_blobs(self) -> None:
        """Pictures and other contents of messages stay where a line that stays refers to them."""
        for path in self._files() if self.blobs else ():
            for line in _lines_of(path):
                named = self.blobs.intersection(_BLOB.findall(line))
                if named and not belongs(line, self.trace_ids):
                    self.blobs -= named

    def _file(self, path: Path, *, dry: bool) -> None:
        count = 0
        foreign = named = False
        for line in _lines_of(path, self.remains):
            if self._goes(line):
                count += 1
            elif line.strip() and not is_ours(line):
                foreign, named = True, named or self._names(line)
        if named or (foreign and self._reads(path)):
            self.remains.append(f"{path}: holds one of the ids in lines that are none of ours; look at it yourself")
        if not count:
            return
        if dry:
            self.lines[path] = count
            if is_locked(path):
                self.remains.append(_LIVES.format(path.name))
            return
        with claimed(path) as claim:
            try:
                self.lines[path] = self._without(path, claim)
            except (OSError, EOFError, zlib.error, TraceError) as error:  # damaged, or no right: the others go
                self.remains.append(f"{path}: {count} line(s) are still there, it cannot be written anew: {error}")
                return
        if claim is None and path.exists():
            self.remains.append(_LIVES.format(path.name))

    def _without(self, path: Path, claim: _Claim | None) -> int:
        if path.suffix == ".parquet":
            from agentops_sdk.store.compaction import pack, restore

            restored = restore(path).path
            if restored == path:
                self.remains.append(f"{path}: no file that agentops compact has made")
                return 0
            count = rewrite(restored, self._goes)
            if restored.exists():
                pack(restored, is_named_once=is_own_name(restored))  # else a later file of that name would hide it
            return count
        if claim is not None or path.suffix == ".gz":
            return rewrite(path, self._goes)
        return blank_lines(path, self._goes)

    def _segment(self, path: Path, *, dry: bool) -> None:
        run = None
        if is_of_metrics(path):  # they are sums over many
            with suppress(OSError, ValueError, TraceError):
                if holds(path, (*self.subject.users, *self.subject.sessions)):
                    self.remains.append(f"{path}: measurements that name one of the ids wait in it; delete it yourself")
            return
        if path.parent.name != REFUSED and (run := Run.adopt(path.parent)) is None:
            with suppress(OSError, ValueError, TraceError):
                if rewrite_segment(path, self.trace_ids, dry=True):
                    self.remains.append(f"{path}: its process lives and is sending it: let it end, then erase again")
            return
        try:
            if count := rewrite_segment(path, self.trace_ids, dry=dry):
                self.spans[path] = count
        except (OSError, ValueError, TraceError) as error:
            self.remains.append(f"{path}: it cannot be read: {error}")
        finally:
            if run is not None:
                run.forget()

    def _files(self) -> list[Path]:
        return [
            path
            for path in self._below()
            if path.name.endswith((*_LINES, ".parquet")) and _is_here(path) and not self._is_kept(path)
        ]

    def _segments(self) -> list[Path]:
        return [path for path in self._below() if path.suffix == ".seg" and _is_here(path)]

    def _below(self) -> list[Path]:
        return sorted(self.base.rglob("*"))

    def _is_kept(self, path: Path) -> bool:
        return path.relative_to(self.base).parts[0] == _KEPT

    def _others(self, *, dry: bool) -> None:
        """Files of any other sort that hold an id as text."""
        ids = (*self.subject.users, *self.subject.sessions, *self.trace_ids)
        needles = {form for text in ids for form in (text.encode(), json.dumps(text)[1:-1].encode())}
        indexes = set(line_index.below(self.base))
        for path in sorted(set(self._below()) - indexes):
            if path.name.endswith((*_LINES, ".parquet", ".seg", PART)) or self._is_kept(path) or not _is_here(path):
                continue
            if bytes(path.relative_to(self.base)) in self.blobs:
                continue
            if path.suffix == ".part":
                if not (dry and is_own_name(path)):
                    self.remains.append(f"{path}: half of a file that is being written, or was left: look at it again")
                continue
            with suppress(OSError):
                try:
                    content = opened(path.read_bytes())
                except (DamagedError, SealedError) as error:
                    self.remains.append(f"{path}: cannot be read: {error}")
                    continue
                if path.name.startswith("told-") and path.parent.name == "alerts":
                    content = self._told(path, content, dry=dry)
                if any(needle in content for needle in needles):
                    self.remains.append(f"{path}: holds one of the ids and is no trace file; look at it yourself")

    def _told(self, path: Path, content: bytes, *, dry: bool) -> bytes:
        """What alerts of a process that has ended remember, without the ids of runs that go; of others as it is."""
        try:
            fact = json.loads(content)
            if is_alive(fact["process"], None, path.stat().st_mtime_ns):
                return content
            told = {number: ["" if part in self.trace_ids else part for part in each]
                    for number, each in fact["told"].items()}  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError):
            return content
        after = json.dumps({**fact, "told": told}).encode()
        if not dry and told != fact["told"]:
            replace_private(path, sealed_by_reader(after) if is_sealed(path.read_bytes()[:4]) else after)
        return after


def _is_here(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _lines_of(path: Path, remains: list[str] | None = None) -> Iterator[bytes]:
    try:
        if path.suffix == ".parquet":
            from agentops_sdk.traces.formats.parquet_lines import parquet_lines

            yield from parquet_lines(path)
            return
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as source:
            for line in source:
                with suppress(DamagedError):  # a line that was cut off while it was written
                    yield opened_line(line).removesuffix(b"\n")
    except FileNotFoundError:
        pass  # a writer's retention has deleted it by now
    except (OSError, EOFError, zlib.error, TraceError, AgentOpsError) as error:
        if remains is not None:
            remains.append(f"{path}: cannot be read: {error}")


def clickhouse_statement(subject: Subject, trace_ids: Collection[str]) -> str:
    """The statement that does the same in the table of the OpenTelemetry Collector's exporter."""

    def listed(texts: Collection[str]) -> str:
        return ", ".join("'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'" for text in sorted(texts))

    found: list[str] = [f"TraceId IN ({listed(trace_ids)})"] if trace_ids else []
    conditions = [f"SpanAttributes['{semconv.USER_ID}'] IN ({listed(subject.users)})"] if subject.users else []
    conditions += [
        f"SpanAttributes['{name}'] IN ({listed(subject.sessions)})"
        for name in (semconv.SESSION_ID, semconv.CONVERSATION_ID)
        if subject.sessions
    ]
    if conditions:
        found.append(f"TraceId IN (SELECT TraceId FROM {_TABLE} WHERE {' OR '.join(conditions)})")  # noqa: S608 - shown, not run; values are quoted
    return f"ALTER TABLE {_TABLE} DELETE WHERE {' OR '.join(found)} SETTINGS mutations_sync = 1;"
