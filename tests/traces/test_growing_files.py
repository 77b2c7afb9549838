"""A file that a program still writes is read on from where it was left, and from its start where it has changed."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from tests.traces.test_line_index import NAME, lines

from agentops_sdk.erasure.trace_lines import blank_lines
from agentops_sdk.traces.files import Traces
from agentops_sdk.traces.growing_files import GrowingFiles
from agentops_sdk.traces.places import load


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[BinaryIO]:
    with (tmp_path / NAME).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as the program that writes there does
        yield file


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The lines that were parsed."""
    seen: list[bytes] = []
    add_line = Traces.add_line

    def counted(self: Traces, line: bytes, *places: Any) -> bool:
        seen.append(line)
        return add_line(self, line, *places)

    monkeypatch.setattr(Traces, "add_line", counted)
    return seen


def put(writer: BinaryIO, data: bytes) -> None:
    writer.write(data)
    writer.flush()


def facts(traces: Traces) -> list[object]:
    return [(t.trace_id, t.name, t.outcome, t.cost, t.usage, [s.name for s in t.spans], t.session_id) for t in traces]


def test_only_what_is_new_is_read(tmp_path: Path, writer: BinaryIO, parsed: list[bytes]) -> None:
    growing = GrowingFiles()
    assert not growing.load(tmp_path)
    put(writer, lines(5))
    assert len(growing.load(tmp_path)) == 5
    first = len(parsed)
    new = lines(2, first=500)
    put(writer, new + b'{"v":1,"trace_id":"')  # whose line goes on
    again = growing.load(tmp_path)
    assert parsed[first:] == new.splitlines(keepends=True)
    assert again.torn == 0
    put(writer, b"\n" + lines(1, first=600))
    expected = facts(load(tmp_path))
    parsed.clear()
    last = growing.load(tmp_path)
    assert facts(last) == expected
    assert len(parsed) == 1 + lines(1).count(b"\n")
    assert (last.torn + last.foreign, len(last)) == (1, 8)
    parsed.clear()
    assert facts(growing.load(tmp_path)) == expected
    assert not parsed


def test_what_was_erased_or_replaced_is_gone(tmp_path: Path, writer: BinaryIO) -> None:
    growing = GrowingFiles()
    put(writer, lines(5))
    ids = list(growing.load(tmp_path).ids)
    assert blank_lines(tmp_path / NAME, lambda line: ids[2].encode() in line)
    assert ids[2] not in growing.load(tmp_path)
    assert len(growing.load(tmp_path)) == 4
    other = tmp_path / "other"
    other.write_bytes(lines(1, first=900))
    other.replace(tmp_path / NAME)
    assert growing.load(tmp_path).ids == [f"{900:032x}"]
    with (tmp_path / NAME).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        put(file, b'{"resourceSpans":[]}\n')  # nothing of ours: its lines are what counts
        assert not growing.load(tmp_path)
        put(file, lines(1, first=901))
        assert growing.load(tmp_path).ids == [f"{901:032x}"]
