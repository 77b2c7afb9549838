"""What has just been written to the spool is sent from memory; what is not there is read from the disk, to the byte."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from agentops_sdk.exporters.otlp.segment import Segment
from agentops_sdk.exporters.otlp.spool import Batch, Spool

BOUNDS = {"max_bytes": 100_000_000, "max_age": 3_600.0, "memory_bytes": 20_000}


def taken(spool: Spool, most: int = 5_000) -> Batch:
    batch = spool.peek(most)
    assert batch is not None
    return batch


def settled(spool: Spool, batch: Batch) -> None:
    spool.settle(batch, exported=batch.spans, dropped=Counter())


def test_what_is_in_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path, **BOUNDS)
    spool.append(b"one", 1)
    spool.append(b"two", 2)
    reads = []
    from_file = Segment._from_file
    monkeypatch.setattr(Segment, "_from_file", lambda *asked: reads.append(1) or from_file(*asked))
    batch = taken(spool)
    assert [(piece.payload, piece.spans) for piece in batch.pieces] == [(b"one", 1), (b"two", 2)]
    assert not reads
    spool.keep(batch)  # the backend takes nothing: memory is not for that
    assert taken(spool).pieces == batch.pieces
    assert len(reads) == 1
    settled(spool, batch)
    assert spool.pending == 0
    spool.append(b"three", 1)
    assert [piece.payload for piece in taken(spool).pieces] == [b"three"]
    assert len(reads) == 1
    spool.close()


def test_memory_is_bounded(tmp_path: Path) -> None:
    spool = Spool(tmp_path, **BOUNDS)
    for number in range(100):
        spool.append(bytes([number]) * 1_000, 1)
    held = [piece for segment in spool._segments for piece in segment._held]
    assert 15_000 < sum(len(piece.payload) for piece in held) <= 20_000
    sent = []
    while spool.pending:
        batch = taken(spool)
        sent += [piece.payload for piece in batch.pieces]
        settled(spool, batch)
    assert sent == [bytes([number]) * 1_000 for number in range(100)]
    assert not any(segment._held for segment in spool._segments)
    spool.close()


def test_memory_and_disk_say_the_same(tmp_path: Path) -> None:
    """In whatever order is written, sent and given up: each batch is what lies in the file, with its places."""
    pick = random.Random(4)
    spool = Spool(tmp_path, **BOUNDS)
    written, sent, from_memory = [], [], 0
    for number in range(600):
        payload = bytes([number % 256]) * pick.choice([1, 30, 900, 4_000, 30_000])
        spool.append(payload, 1)
        written.append(payload)
        while spool.pending and pick.random() < 0.55:
            batch = taken(spool, pick.choice([1, 5_000, 50_000]))
            segment = batch.segment
            from_memory += bool(segment._held and segment._held[0].start == segment.acked)
            on_disk = list(segment._from_file(1 << 40))
            assert on_disk[: len(batch.pieces)] == batch.pieces
            if pick.random() < 0.1:
                spool.keep(batch)
                continue
            sent += [piece.payload for piece in batch.pieces]
            settled(spool, batch)
    assert sent == written[: len(sent)]
    assert len(sent) > 400
    assert from_memory > 50
    spool.close()


def test_what_memory_has_no_room_for_goes_in_small_pieces(tmp_path: Path) -> None:
    """A file is worth four megabytes; where there is no disk, the oldest megabyte goes for the newest."""
    spool, bounds = Spool(None, max_bytes=100_000_000, max_age=3_600.0, memory_bytes=4_000_000), []
    for number in range(100):
        spool.append(bytes([number]) * 100_000, 1)
        bounds.append(spool.pending)
    assert min(bounds[40:]) * 100_000 > 4_000_000 - 1_300_000
    assert spool.pending + spool.dropped["spool_full"] == 100
    on_disk = Spool(tmp_path, max_bytes=100_000_000, max_age=3_600.0, memory_bytes=1)
    for number in range(100):
        on_disk.append(bytes([number]) * 100_000, 1)
    assert len(list(tmp_path.rglob("*.seg"))) == 3
    on_disk.close()
    spool.close()
