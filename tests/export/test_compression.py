"""What is compressed and checked by the faster library is what zlib writes and reads."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from agentops_sdk.exporters.otlp import compression

DATA = [b"", b"x", b"a text, and again a text " * 4_000, random.Random(1).randbytes(100_000)]


@pytest.mark.parametrize("library", ["isal", "zlib"])
def test_both_write_the_same_formats(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    faster = pytest.importorskip("isal.isal_zlib", reason="the extra `speed` is not installed")
    monkeypatch.setattr(compression, "_zlib", faster if library == "isal" else zlib)
    for data in DATA:
        assert compression.crc32(data) == zlib.crc32(data)
        assert gzip.decompress(compression.gzipped(data)) == data
        assert zlib.decompress(compression.deflated(data)) == data
        assert compression.gzipped(data)[4:8] == bytes(4)  # no time: the same bytes for the same spans
