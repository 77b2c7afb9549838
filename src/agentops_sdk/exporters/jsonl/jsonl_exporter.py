"""The exporter that writes JSONL: a line per span, whole lines only, into a file of this run of the process.

Long because a disk can fail in many ways, and a line is lost, kept for later or counted in each of them.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentops_sdk import encryption
from agentops_sdk._host.guard import guard
from agentops_sdk._host.own_thread import OwnThread
from agentops_sdk.config import log_once
from agentops_sdk.encryption import EVENT, sealed_line
from agentops_sdk.errors import ConfigError
from agentops_sdk.exporters._export_result import export_result
from agentops_sdk.exporters.contract import Create, SinkOptions
from agentops_sdk.exporters.jsonl.open_marker import OpenFile
from agentops_sdk.exporters.jsonl.run_files import create_file, tidy
from agentops_sdk.private_files import private_directory
from agentops_sdk.traces.formats.from_otel import open_line, record_line
from agentops_sdk.traces.formats.wire_values import UNENCODABLE
from agentops_sdk.traces.process_identity import this_process

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExportResult

    from agentops_sdk.config import Settings
    from agentops_sdk.encryption import Cipher

__all__ = ["JsonlExporter", "create", "obstacle"]

EVENT_LINE = b'{"resourceLogs"'
_EVENT_LINES = (EVENT_LINE, EVENT)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_WAITING_BYTES = 8 * 1_048_576
_RETRY = 1.0
_LONG, _VECTORS = 262_144, 1_000
_TIDIES = 1.0  # seconds that an end waits for files to be tidied
_REASONS = {errno.ENOSPC: "disk_full", errno.EDQUOT: "disk_full", errno.EROFS: "read_only", errno.EACCES: "no_access"}


class JsonlExporter(SinkOptions):
    """Appends records to ``DIRECTORY/TIME-PID-RANDOM.jsonl``; the file is made with the first span.

    A batch leaves by one ``write`` on an ``O_APPEND`` descriptor: what the kernel has taken survives
    the death of the process. What cannot be written waits in memory, bounded and counted, and is
    tried again.

    Args:
        directory: made when needed, for its owner only.
        max_file_bytes: a file that is longer is closed and a new one begun.
        max_file_age: the same, in seconds.
        max_bytes: closed files go, oldest first, when all together are larger.
        max_age: closed files older than this many seconds go.
        max_content_age: from closed files older than this many seconds content goes; 0 leaves it in.
        compress: gzip files once they are closed.
        fsync: ``never``, ``close`` (when a file is closed) or ``always`` (after each write).

    Raises:
        ConfigError: a limit is not above 0.
    """

    inline = True
    disk = True
    lean = True

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        max_file_bytes: int = 64 * 1_048_576,
        max_file_age: float = 86_400.0,
        max_bytes: int = 512 * 1_048_576,
        max_age: float = 30 * 86_400.0,
        max_content_age: float = 0.0,
        compress: bool = False,
        fsync: str = "never",
    ) -> None:
        limits = {"max_file_bytes": max_file_bytes, "max_file_age": max_file_age}
        for name, value in {**limits, "max_bytes": max_bytes, "max_age": max_age}.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                raise ConfigError(name, value, "a number above 0")
        if fsync not in ("never", "close", "always"):
            raise ConfigError("fsync", fsync, "never, close or always")
        # Absolute from the start: the host may change its working directory later.
        self.directory = Path(directory).expanduser().absolute()
        self.max_file_bytes, self.max_file_age = max_file_bytes, max_file_age
        self.max_bytes, self.max_age = max_bytes, max_age
        self.max_content_age = max_content_age
        self.compress, self.fsync = compress, fsync
        self.path: Path | None = None
        self._open = OpenFile(self.directory)
        self._begin()

    def _begin(self) -> None:
        self._descriptor = -1
        self._file = (0, 0)
        self._opened_at = 0.0
        self._sealed_by: Cipher | None = None
        self._size = 0
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._retry_at = 0.0
        self._tidying: threading.Thread | None = None
        self.accepted = 0
        self.exported = 0
        self.dropped: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        """Lines of events: ``accepted`` and ``exported``."""
        self.dropped_events: Counter[str] = Counter()
        self.last_error: str | None = None
        self.disk_error: str | None = None
        """Why nothing can be written now."""
        self.last_error_time: float | None = None
        self.last_success_time: float | None = None
        self.deleted_files = 0
        self.path = None

    # --- SpanExporter ----------------------------------------------------------------------
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write the spans, or keep them for the next try. Only called by one thread at a time."""
        is_sealed = encryption.active is not None
        for span in spans:
            self.accepted += 1
            try:
                line = sealed_line(record_line(span)) if is_sealed else record_line(span)
            except UNENCODABLE as error:  # this one only
                self.dropped["unencodable"] += 1
                self.last_error, self.last_error_time = f"unencodable: {type(error).__name__}", time.time()
                continue
            self._waiting.append(line)
            self._waiting_bytes += len(line)
        self._write()
        return export_result(success=not self._waiting)

    def export_events(self, events: Sequence[Any]) -> bool:
        """Write events, each a line of OTLP's JSON among the spans'; accounted for apart."""
        from agentops_sdk.exporters._event_records import event_line

        for sent in events:
            self.events["accepted"] += 1
            try:
                line = sealed_line(event_line(sent), EVENT)
            except (TypeError, ValueError) as error:  # this one only
                self.dropped_events["unencodable"] += 1
                self.last_error, self.last_error_time = f"unencodable: {type(error).__name__}", time.time()
                continue
            self._waiting.append(line)
            self._waiting_bytes += len(line)
        self._write()
        return not self._waiting

    def export_open(self, runs: Sequence[Sequence[ReadableSpan]], still_open: AbstractSet[int]) -> None:
        """Write a line for each run with its spans that are open, into a file of its own.

        No part of the account: each span comes again once it has ended. Called every second while anything is
        open, and once when nothing is any more.

        Args:
            runs: the spans to tell, by run.
            still_open: ids of all spans that are open, those told before and those to be told among them.
        """
        lines = [
            (
                frozenset(span.context.span_id for span in spans if span.context),
                sealed_line(open_line(spans, this_process())),
            )
            for spans in runs
        ]
        try:
            self._open.update(lines, still_open)
        except OSError as error:
            self.last_error, self.last_error_time = str(error), time.time()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Try again what could not be written; where nothing waits, see whether it could be."""
        self._retry_at = 0.0
        self._write()
        if not self._waiting and self._descriptor < 0:
            error = obstacle(self.directory)
            self.disk_error = str(error) if error is not None else None
        return not self._waiting

    def shutdown(self) -> None:
        """A last try, then close; what still cannot be written is lost, counted."""
        self.force_flush()
        if self._waiting:
            self._drop(len(self._waiting))
        self._close_file()
        self._open.remove()
        if self._tidying is not None:  # of programs that run for a moment only, none would ever get it done
            self._tidying.join(_TIDIES)

    def after_fork(self) -> None:
        """A child process writes a file of its own; the parent's descriptor stays the parent's."""
        self._release()
        self._open.forget()
        self._begin()

    def stats(self) -> dict[str, Any]:
        """Exact accounting: accepted = exported + pending + all dropped."""
        return {
            "accepted": self.accepted,
            "exported": self.exported,
            "pending": len(self._waiting) - self._events_among(self._waiting),
            "dropped": dict(self.dropped),
            **self._event_stats(),
            "path": str(self.path) if self.path is not None else None,
            "deleted_files": self.deleted_files,
            "last_error": self.last_error,
            "last_error_time": self.last_error_time,
            "last_success_time": self.last_success_time,
            "disk_error": self.disk_error,
        }

    # --- writing ---------------------------------------------------------------------------
    def _write(self) -> None:
        if not self._waiting or time.monotonic() < self._retry_at:
            self._bound()
            return
        try:
            self._ready()
            self._append(self._waiting, self._waiting_bytes)
        except OSError as error:
            self.last_error = self.disk_error = str(error)
            self.last_error_time = time.time()
            self._reason = _REASONS.get(error.errno or 0, "unwritable")
            self._retry_at = time.monotonic() + _RETRY
            if error.errno not in _FULL:  # on a full disk the file stays: a new one each time would fill it further
                self._close_file()
            self._bound()
            return
        self._written(len(self._waiting))
        self._waiting, self._waiting_bytes = [], 0
        self.last_success_time, self.disk_error = time.time(), None

    def _ready(self) -> None:
        if self._descriptor >= 0:
            old = time.monotonic() - self._opened_at > self.max_file_age
            old = old or self._sealed_by is not encryption.active  # a file is encrypted whole, or not at all
            if old or self._size >= self.max_file_bytes or self._vanished():
                self._close_file()
        if self._descriptor < 0:
            private_directory(self.directory)
            self.path, self._descriptor = create_file(self.directory)
            self._file = self._identity(os.fstat(self._descriptor))
            self._opened_at, self._size, self._sealed_by = time.monotonic(), 0, encryption.active
            self._tidy()

    def _vanished(self) -> bool:
        assert self.path is not None
        try:
            return self._identity(self.path.stat()) != self._file or not self._still_ours(self._descriptor)
        except OSError:
            return True

    @staticmethod
    def _identity(facts: os.stat_result) -> tuple[int, int]:
        return facts.st_dev, facts.st_ino

    def _still_ours(self, descriptor: int) -> bool:
        """A program that becomes a daemon closes every descriptor; the number may be another file's by now."""
        try:
            return self._identity(os.fstat(descriptor)) == self._file
        except OSError:
            return False

    def _release(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0 and self._still_ours(descriptor):
            os.close(descriptor)

    def _append(self, waiting: list[bytes], size: int) -> None:
        # Many long ones would take longer to be put together than to be written; a system takes 1,024 at once.
        if size >= _LONG and len(waiting) <= _VECTORS and hasattr(os, "writev"):
            written = os.writev(self._descriptor, waiting)
        else:
            written = os.write(self._descriptor, b"".join(waiting))
        if written != size:
            # Nobody shall read half a line: the whole ones stay, the rest is written again later.
            lines = b"".join(waiting)
            whole = lines.rfind(b"\n", 0, written) + 1
            os.ftruncate(self._descriptor, self._size + whole)
            self._size += whole
            count = lines.count(b"\n", 0, whole)
            self._written(count)
            del self._waiting[:count]
            self._waiting_bytes -= whole
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self._size += written
        if self.fsync == "always":
            os.fsync(self._descriptor)

    def _close_file(self) -> None:
        if self._descriptor < 0:
            return
        try:
            if self.fsync == "close" and self._still_ours(self._descriptor):
                os.fsync(self._descriptor)
        except OSError as error:
            self.last_error, self.last_error_time = str(error), time.time()
        finally:
            self._release()

    def _events_among(self, lines: Sequence[bytes]) -> int:
        return sum(line.startswith(_EVENT_LINES) for line in lines) if self.events else 0

    def _written(self, count: int) -> None:
        """The first of those that wait are in the file."""
        events = self._events_among(self._waiting[:count])
        self.exported += count - events
        if events:
            self.events["exported"] += events

    def _event_stats(self) -> dict[str, Any]:
        if not self.events:
            return {}
        pending = self._events_among(self._waiting)
        return {"events": {**self.events, "pending": pending, "dropped": dict(self.dropped_events)}}

    def _bound(self) -> None:
        drop = 0
        while self._waiting_bytes > _WAITING_BYTES:
            self._waiting_bytes -= len(self._waiting[drop])
            drop += 1
        if drop:
            self._drop(drop)

    def _drop(self, count: int) -> None:
        """The oldest go first."""
        events = self._events_among(self._waiting[:count])
        self.dropped[self._reason] += count - events
        if events:
            self.dropped_events[self._reason] += events
        del self._waiting[:count]
        self._waiting_bytes = sum(map(len, self._waiting))

    _reason = "unwritable"

    def _tidy(self) -> None:
        if self._tidying is None or not self._tidying.is_alive():
            self._tidying = OwnThread("tidy", self._tidy_now)
            try:
                self._tidying.start()
            except RuntimeError:  # an ending interpreter starts no threads: the next process will tidy
                pass

    def _tidy_now(self) -> None:
        with guard("jsonl.tidy"):
            try:
                gone = tidy(self.directory, max_bytes=self.max_bytes, max_age=self.max_age, compress=self.compress)
                self.deleted_files += len(gone)
                if self.max_content_age > 0:
                    from agentops_sdk.exporters.jsonl.content_expiry import expire

                    unopened: list[Path] = []
                    expire(self.directory, self.max_content_age, unopened=unopened)
                    if unopened:
                        log_once(
                            f"content is older than content_max_days, and stays: {unopened[0].name} is encrypted with "
                            "a key that is not given, or damaged"
                        )
            except OSError as error:
                self.last_error, self.last_error_time = str(error), time.time()


def create(argument: str | None, settings: Settings) -> JsonlExporter:
    """``"jsonl"`` (below the setting ``directory``) or ``"jsonl:DIRECTORY"``."""
    exporter = JsonlExporter(
        argument or Path(settings.directory) / "traces",
        max_file_bytes=settings.traces_max_file_bytes,
        max_bytes=settings.traces_max_bytes,
        max_age=settings.traces_max_days * 86_400,
        max_content_age=settings.content_max_days * 86_400,
        compress=settings.traces_compress,
        fsync=settings.traces_fsync,
    )
    # Asked for by name it must work; the default in a read-only place is quiet and shows in status().
    if settings.origins.get("exporters", "default") != "default":
        error = obstacle(exporter.directory)
        if error is not None:
            wanted = "a directory" if error.errno == errno.ENOTDIR else "a writable directory"
            fault = "a file" if error.errno == errno.ENOTDIR else "not"
            raise ConfigError("exporters", f"jsonl:{exporter.directory}", f"{wanted}; {error.filename} is {fault}")
    return exporter


def obstacle(directory: Path) -> OSError | None:
    """Why files can certainly not be written below a directory, which need not exist; changes nothing."""
    for part in (directory, *directory.parents):
        try:
            if not stat.S_ISDIR(part.stat().st_mode):
                return OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(part))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return error
        if not os.access(part, os.W_OK | os.X_OK):
            return OSError(errno.EACCES, os.strerror(errno.EACCES), str(part))
        return None
    return None


_CREATE: Create = create  # a type checker sees here that it keeps the contract
