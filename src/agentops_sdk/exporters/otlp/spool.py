"""The durable spool: encoded requests wait on disk until the backend has acknowledged them.

Bounded in bytes and in age: beyond that the oldest go first, counted. Without a disk, the same in a
smaller piece of memory. The consumer thread appends, the shipper thread reads; one short lock.
Long because what is appended, adopted, read, dropped and deleted is counted in one account.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from pathlib import Path

from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk.encryption import DamagedError, SealedError
from agentops_sdk.exporters.otlp.compression import IS_FAST, gzipped, size_of
from agentops_sdk.exporters.otlp.dead_letters import due, set_aside
from agentops_sdk.exporters.otlp.run_directory import REFUSED, Run, runs
from agentops_sdk.exporters.otlp.segment import Piece, Segment, frame

__all__ = ["Batch", "Spool"]

_SEGMENT_BYTES, _MEMORY_SEGMENT_BYTES = 4 * 1_048_576, 1_048_576
"""On disk, where to make a file and to remove it take as long as to write a hundred kilobytes; in memory."""
_PACKED_BYTES = 256 * 1_024
"""A request from there on is compressed as it comes, where that is fast: it is written, kept and sent so."""
_DISK_RETRY = 5.0
_REFUSED_LOOK = 2.0
_OWN_REFUSED = 10_000
_REMARKS = 100


class Batch(NamedTuple):
    """Consecutive records of one segment, on their way out."""

    segment: Segment
    pieces: list[Piece]

    @property
    def spans(self) -> int:
        return sum(piece.spans for piece in self.pieces)


class Spool:
    """Segments of this run and of dead ones, oldest first.

    Args:
        folder: where runs live; ``None`` keeps everything in memory.
        max_bytes: on disk, what this run wrote and what it took over.
        max_age: seconds a segment is kept.
        memory_bytes: the bound where there is no disk; where there is, and the backend takes what it is sent, requests
            stay in memory as well as long as no more than that waits, and need not be read again.
        packs: whether long requests may be compressed: they are sent so.
    """

    def __init__(
        self, folder: Path | None, *, max_bytes: int, max_age: float, memory_bytes: int, packs: bool = False
    ) -> None:
        self.folder = folder
        self.max_bytes, self.max_age, self.memory_bytes = max_bytes, max_age, memory_bytes
        self.segment_bytes = max(4096, min(_SEGMENT_BYTES, max_bytes // 8))
        self._memory_segment_bytes = min(self.segment_bytes, _MEMORY_SEGMENT_BYTES)
        self._packs = packs and IS_FAST
        self._saved = 0
        self.appended = 0
        self.exported = 0
        self.dropped: Counter[str] = Counter()
        self.adopted = 0
        self.adopted_exported = 0
        self.adopted_dropped: Counter[str] = Counter()
        self.torn = 0
        self.disk_error: str | None = None
        self.last_loss: str | None = None
        self.remarks: dict[str, str] = {}
        """What was damaged, or no segment at all, by its path."""
        self._own_refused: dict[str, int] = {}
        self._look_for_refused = 0.0
        self._segments: list[Segment] = []
        self._active: Segment | None = None
        self._run: Run | None = None
        self._sequence = 0
        self._closed = False
        self._disk_after = 0.0
        self._holds = True
        self._lock = threading.Lock()

    # --- the consumer thread ---------------------------------------------------------------
    def append(self, payload: bytes, spans: int) -> None:
        """Keep one encoded request. Never raises for the disk's sake: memory takes over."""
        size = len(payload)
        if self._packs and size >= _PACKED_BYTES:
            payload = gzipped(payload)
        record = frame(payload, spans)
        with self._lock:
            self.appended += spans
            self._saved += size - len(payload)
            active = self._active
            if active is not None:
                most = self.segment_bytes if active.path is not None else self._memory_segment_bytes
                if active.size >= most or active.gone:
                    self._roll()
            held = payload if self._holds and self.pending_bytes + len(payload) <= self.memory_bytes else None
            try:
                self._writable().append(record, spans, held)
            except OSError as error:
                self._disk_failed(error)
                self._writable().append(record, spans)
            self._make_room()

    def lose(self, spans: int, reason: str, error: Exception) -> None:
        """Count spans that never became a request."""
        with self._lock:
            self.appended += spans
            self.dropped[reason] += spans
            self.last_loss = f"{reason}: {type(error).__name__}"

    # --- the shipper thread ----------------------------------------------------------------
    def peek(self, max_bytes: int, unfinished: Batch | None = None, max_spans: int | None = None) -> Batch | None:
        """The oldest records still to be sent, or what was begun before; they stay until :meth:`settle`."""
        with self._lock:
            self._expire()
            if unfinished is not None and unfinished.segment in self._segments and not self._closed:
                unfinished.segment.in_flight = True
                return unfinished
            for segment in [] if self._closed else list(self._segments):
                if segment.spans <= 0 and segment is not self._active:
                    self._drop(segment, "")
                    continue
                if segment.spans <= 0:
                    continue
                try:
                    pieces = segment.read(max_bytes, max_spans, packed=True)
                except OSError:
                    pieces = []
                except (SealedError, DamagedError) as error:
                    self._leave(segment, error)
                    continue
                if pieces:
                    segment.in_flight = True
                    return Batch(segment, pieces)
                self._drop(segment, "vanished")  # counted as pending, yet nothing can be read any more
        return None

    def settle(self, batch: Batch, *, exported: int, dropped: Counter[str]) -> None:
        """Account for a batch that needs no further sending: ``exported`` + ``dropped`` = its spans."""
        with self._lock:
            segment = batch.segment
            self._holds = True
            self._saved -= sum([size_of(piece.payload) - len(piece.payload) for piece in batch.pieces])
            if segment.adopted:
                self.adopted_exported += exported
                self.adopted_dropped.update(dropped)
            else:
                self.exported += exported
                self.dropped.update(dropped)
            segment.in_flight = False
            segment.acknowledge(batch.pieces[-1].end, batch.spans)
            if segment.spans <= 0 and (segment is not self._active or segment.size > self.segment_bytes // 4):
                self._drop(segment, "")

    def keep(self, batch: Batch) -> None:
        """Sending failed; the batch stays first in line."""
        with self._lock:
            batch.segment.in_flight = self._holds = False
            for segment in self._segments:
                segment.let_go()

    def set_aside(self, batch: Batch, piece: Piece, reason: str, *, proven: bool) -> None:
        """Keep what a backend refused, with its words, for later, for a person or for ``agentops ship --refused``.

        ``proven``: it took others of the same batch.
        """
        if self.folder is None:
            return
        segment = batch.segment
        tries = segment.tries + (proven or segment.tries > 0 or segment.tried)
        try:
            name = set_aside(self.folder, piece, reason, tries=tries, max_bytes=self.max_bytes // 4)
        except OSError as error:
            self.disk_error = str(error)
            return
        self._look_for_refused = 0.0
        if not segment.adopted:
            self._own_refused[name] = piece.spans
            if len(self._own_refused) > _OWN_REFUSED:
                self._own_refused.pop(next(iter(self._own_refused)))

    def take_back(self) -> None:
        """The backend takes requests: one that it refused before, and whose time has come, is to be sent again."""
        if self.folder is None or time.monotonic() < self._look_for_refused:
            return
        try:
            request = due(self.folder)
            if request is None:
                self._look_for_refused = time.monotonic() + _REFUSED_LOOK
            else:
                self.take(request[0], tries=request[1])
        except OSError as error:  # another process was faster, or the disk is in trouble
            self.disk_error = None if isinstance(error, FileNotFoundError) else str(error)

    def adopt(self, spool: Path | None = None) -> int:
        """Take over what dead runs left, by moving it into our own directory; the number of spans found.

        Raises:
            OSError: the spool directory cannot be read or written.
        """
        count = 0
        for folder in runs(spool or self.folder) if self.folder is not None else []:
            if self._closed or (self._run is not None and folder == self._run.folder):
                continue
            dead = Run.adopt(folder)
            if dead is None:
                continue
            for path in dead.entries():
                try:
                    count += self.take(path)
                except ValueError as error:
                    self._remark(path, f"{error}, left where it is")
                except OSError as error:
                    self._remark(path, str(error))
            dead.end()
        return count

    # --- both ------------------------------------------------------------------------------
    @property
    def pending(self) -> int:
        """Spans waiting to be acknowledged, adopted ones among them."""
        return sum(segment.spans for segment in list(self._segments))

    @property
    def pending_bytes(self) -> int:
        return sum(segment.pending_bytes for segment in list(self._segments) if segment.spans > 0)

    @property
    def waiting_bytes(self) -> int:
        """About how long the requests are that wait, without their compression: whether there are enough to send."""
        waiting = self.pending_bytes
        if not waiting:
            self._saved = 0
        return waiting + max(0, self._saved)

    @property
    def settled(self) -> int:
        """Spans that are done with: acknowledged or dropped."""
        return self.exported + self.adopted_exported + self.dropped.total() + self.adopted_dropped.total()

    @property
    def own_pending(self) -> int:
        """Spans of this process that wait."""
        return sum(segment.spans for segment in list(self._segments) if not segment.adopted)

    @property
    def durable(self) -> bool:
        """Whether what waits survives this process."""
        return all(segment.path is not None for segment in list(self._segments) if segment.spans > 0)

    def close(self) -> None:
        """Let go of the files. What lies on disk stays for the next process; memory is lost, counted."""
        with self._lock:
            self._closed = True
            for segment in list(self._segments):
                if segment.spans <= 0:
                    self._drop(segment, "")
                elif segment.path is None:
                    self._drop(segment, "exit_without_disk")
                else:
                    segment.close()
            self._active = None
            if self._run is not None:
                self._run.end()
            self._run = None

    def forget(self) -> None:
        """In a forked child: close what the parent opened, touch nothing of its."""
        for segment in self._segments:
            segment.close()
        if self._run is not None:
            self._run.forget()

    def take(self, path: Path, *, tries: int = 0) -> int:
        """Move one segment file here; the spans in it.

        Raises:
            OSError: it cannot be moved or read.
            ValueError: it is no segment; it stays where it is.
        """
        with self._lock:
            if self._closed:
                return 0
            segment = Segment.reopen(path)  # before it is moved: what is not ours stays where it is
            mine = self._own_run().folder / path.name
            path.rename(mine)
            segment.path = mine
            segment.tries, segment.tried = tries, path.parent.name == REFUSED
            if segment.tried:
                path.with_suffix(".json").unlink(missing_ok=True)
            self._segments.append(segment)
            self._segments.sort(key=lambda one: one.created)
            if path.name in self._own_refused:  # counted as refused: it waits again
                segment.adopted = False
                self.dropped["refused"] -= self._own_refused.pop(path.name)
                self.dropped += Counter()  # without what is zero now
                return segment.spans
            self.adopted += segment.spans + segment.damaged
            if segment.torn:
                self.torn += segment.torn
                self.adopted_dropped += Counter({"damaged": segment.damaged})
                lost = f"{segment.damaged} spans" if segment.damaged else "an unknown number of spans"
                self._remark(path, f"damaged in {segment.torn} place(s): {lost} lost, {segment.spans} saved")
            return segment.spans

    def _leave(self, segment: Segment, error: Exception) -> None:
        """One that cannot be opened stays on the disk: for a process that has the key, or for a person."""
        self._segments.remove(segment)
        segment.close()
        (self.adopted_dropped if segment.adopted else self.dropped)["sealed"] += segment.spans
        self._remark(segment.path or Path("memory"), f"it stays, for it cannot be opened: {error}")

    def _remark(self, path: Path, remark: str) -> None:
        if len(self.remarks) < _REMARKS:
            self.remarks[str(path)] = remark

    # --- under the lock --------------------------------------------------------------------
    def _writable(self) -> Segment:
        if self._active is not None and not (self._active.path is None and self._disk_may_be_back()):
            return self._active
        self._active = None
        path = None
        if self.folder is not None and time.monotonic() >= self._disk_after:
            self._sequence += 1
            path = self._own_run().folder / f"{time.time_ns():020d}-{os.getpid()}-{self._sequence}.seg"
        segment = Segment(path)
        if path is not None:
            self.disk_error = None
        self._segments.append(segment)
        self._active = segment
        return segment

    def _own_run(self) -> Run:
        if self._run is None or not self._run.folder.is_dir():
            if self._run is not None:
                self._run.forget()
            assert self.folder is not None
            self._run = Run.begin(self.folder)
        return self._run

    def _disk_may_be_back(self) -> bool:
        return self.folder is not None and time.monotonic() >= self._disk_after

    def _disk_failed(self, error: OSError) -> None:
        self.disk_error = str(error)
        self._disk_after = time.monotonic() + _DISK_RETRY
        self._roll()

    def _roll(self) -> None:
        if self._active is not None:
            if self._active.gone:
                self._active.rescue()
            self._active.close()
            self._active = None

    def _make_room(self) -> None:
        if sum([segment.size for segment in self._segments]) <= min(self.max_bytes, self.memory_bytes):
            return  # nearly always: no need to tell which of them are where
        for in_memory, bound in ((False, self.max_bytes), (True, self.memory_bytes)):
            mine = [segment for segment in self._segments if (segment.path is None) is in_memory]
            total = sum(segment.size for segment in mine)
            for segment in mine:
                if total <= bound:
                    break
                if segment.in_flight or (segment is self._active and len(mine) > 1):
                    continue
                total -= segment.size
                self._drop(segment, "spool_full")

    def _expire(self) -> None:
        oldest = time.time() - self.max_age
        for segment in list(self._segments):
            if segment.created < oldest and not segment.in_flight:
                self._drop(segment, "too_old")

    def _drop(self, segment: Segment, reason: str) -> None:
        if segment.spans > 0:
            (self.adopted_dropped if segment.adopted else self.dropped)[reason] += segment.spans
            segment.spans = 0
        if segment is self._active:
            self._active = None
        if segment in self._segments:
            self._segments.remove(segment)
        try:
            segment.remove()
        except OSError as error:
            self.disk_error = str(error)
