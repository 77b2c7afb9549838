"""A long request is compressed once: written, kept and sent so; whoever cannot take it gets it as it was."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.export.receiver import Receiver, spans

from agentops_sdk.encryption import DamagedError
from agentops_sdk.exporters.otlp import OTLPExporter, compression
from agentops_sdk.exporters.otlp.compression import gzipped, is_packed, size_of, unpacked
from agentops_sdk.exporters.otlp.segment import Segment
from agentops_sdk.exporters.otlp.spool import Spool

pytestmark = pytest.mark.skipif(not compression.IS_FAST, reason="the extra `speed` is not installed")
BOUNDS: Any = {"max_bytes": 100_000_000, "max_age": 3_600.0, "memory_bytes": 1_000_000}
LONG = b"\x0a" + b"a text, and again a text " * 20_000


def test_what_is_long_waits_compressed_and_goes_alone(tmp_path: Path) -> None:
    one = Spool(tmp_path, packs=True, **BOUNDS)
    for payload in (b"\x0aa", b"\x0ab", LONG, LONG, b"\x0ac"):
        one.append(payload, 1)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.seg")) < len(LONG) // 10
    assert 2 * len(LONG) < one.waiting_bytes < 2 * len(LONG) + 1_000  # enough to be sent at once
    for kept in (False, True):  # from memory, and from the disk
        batches = []
        segment = one._segments[0]
        if kept:
            segment.let_go()
        acknowledged = segment.acked
        while segment.acked < segment.size:
            pieces = segment.read(1_000_000, packed=True)
            batches.append([piece.payload for piece in pieces])
            segment.acked = pieces[-1].end
        segment.acked = acknowledged
        assert [[unpacked(payload) for payload in batch] for batch in batches] == [
            [b"\x0aa", b"\x0ab"], [LONG], [LONG], [b"\x0ac"]
        ]  # fmt: skip
        assert [is_packed(payload) for batch in batches for payload in batch] == [False, False, True, True, False]
        assert [size_of(payload) for payload in batches[1]] == [len(LONG)]
    assert [piece.payload for piece in segment.read(1 << 40)] == [b"\x0aa", b"\x0ab", LONG, LONG, b"\x0ac"]
    while (batch := one.peek(1_000_000)) is not None:
        one.settle(batch, exported=batch.spans, dropped=Counter())
    assert (one.exported, one.pending, one.waiting_bytes) == (5, 0, 0)
    one.close()


@pytest.mark.parametrize("takes", ["gzip", "deflate", "none", "no gzip"])
def test_a_backend_gets_what_it_takes(
    takes: str, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process left compressed is sent by one that is to send otherwise."""
    receiver.unpacks = takes != "no gzip"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip" if takes == "no gzip" else takes)
    sender = OTLPExporter(receiver.url, directory=tmp_path)
    sender._spool._packs = True  # as it would be, had the setting been another
    sender.export(spans(40, size=10_000))
    (segment,) = sender._spool._segments
    assert is_packed(segment._held[0].payload)
    assert sender.force_flush(10_000)
    assert sorted(receiver.names) == sorted(f"s{number}" for number in range(40))
    encodings = {"gzip": "gzip", "deflate": "deflate", "none": None, "no gzip": None}
    assert receiver.headers[-1].get("content-encoding") == encodings[takes]
    sender.shutdown(1)


def test_what_is_refused_or_too_large_is_taken_apart(receiver: Receiver, tmp_path: Path) -> None:
    receiver.behave = lambda names, size: (
        (413, {}, b"") if size > 100_000 else (400, {}, b"not to my taste") if "s17" in names else None
    )
    sender = OTLPExporter(receiver.url, directory=tmp_path)
    sender.export(spans(40, size=10_000))
    assert sender._spool._saved > 100_000
    assert sender.force_flush(10_000)
    assert sorted(receiver.names) == sorted(f"s{number}" for number in range(40) if number != 17)
    assert sender.stats()["dropped"] == {"refused": 1}
    (refused,) = tmp_path.rglob("refused/*.seg")
    assert b"s17" in b"".join(piece.payload for piece in Segment.reopen(refused).read(1 << 20))
    sender.shutdown(1)


def test_a_segment_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    one = Spool(tmp_path, **BOUNDS)
    one.append(LONG, 3)
    one.close()
    (path,) = tmp_path.rglob("*.seg")
    written = path.read_bytes()
    earlier = b"\xffOT\xfe"
    assert earlier not in written  # an earlier version would send it again, from its beginning and compressed
    path.write_bytes(written.replace(b"AGOTLP2\n", b"AGOTLP1\n").replace(b"\xffOT\xfd", earlier))
    assert [(piece.payload, piece.spans) for piece in Segment.reopen(path).read(1 << 20)] == [(LONG, 3)]
    path.write_bytes(b"AGOTLP1\n")
    assert Segment.reopen(path).spans == 0
    path.write_bytes(b"AGOTLP3\n" + bytes(100))
    with pytest.raises(ValueError, match="not a segment"):
        Segment.reopen(path)


def test_what_is_no_gzip_is_not_taken_for_a_request() -> None:
    packed = gzipped(LONG)
    for damaged in (packed[:-100], packed[:50] + b"x" + packed[51:]):
        with pytest.raises(DamagedError):
            unpacked(damaged)
    assert unpacked(b"") == b""
