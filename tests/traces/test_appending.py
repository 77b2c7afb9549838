"""Files that others write to while they are read: by one process, by two, in pieces, and without pause."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.traces.samples import TRACE, span

from agentops_sdk.traces import Traces, load
from agentops_sdk.traces.formats.lines import Lines
from agentops_sdk.traces.otlp import to_otlp_json

WRITER = """
import os, sys, time
path, kind, line = sys.argv[1:4]
pause = float(sys.argv[4])
file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
number = 0
while True:
    data = line.replace("NUMBER", f"{os.getpid():08x}{number:08x}").encode() + b"\\n"
    middle = len(data) // 2 if kind == "pieces" else len(data)
    os.write(file, data[:middle])
    if data[middle:]:
        time.sleep(0.001)
        os.write(file, data[middle:])
    number += 1
    if pause:
        time.sleep(pause)
"""
RECORD = json.loads(span("step", {"note": "x" * 2_000}, span_id="a" * 16).model_dump_json(exclude_unset=True))
LINE = json.dumps(RECORD).replace("a" * 16, "NUMBER")
OTLP = json.dumps(to_otlp_json([span("step", span_id="a" * 16)])).replace("a" * 16, "NUMBER")


@contextmanager
def writing(path: Path, kind: str, line: str, *, pause: float = 0.0, processes: int = 1) -> Iterator[None]:
    command = [sys.executable, "-c", WRITER, str(path), kind, line, str(pause)]
    writers = [subprocess.Popen(command) for _ in range(processes)]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (not path.exists() or path.stat().st_size < 100_000):
        time.sleep(0.01)
    try:
        yield
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()


def insist_on_growth(path: Path, rounds: int = 5) -> Traces:
    """Read again and again: nothing torn, nothing foreign, and never less than before."""
    seen: set[str] = set()
    for _ in range(rounds):
        traces = load(path)
        assert (traces.torn, traces.foreign) == (0, 0)
        now = {record.span_id for record in traces.records(TRACE)}
        assert now >= seen
        seen = now
    return traces


def test_two_writers_append_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with writing(path, "whole", LINE, pause=0.0005, processes=2):
        trace = insist_on_growth(path).latest
        assert len({record.span_id[:8] for record in trace}) == 2
        assert trace.tree()


def test_a_line_that_comes_in_two_pieces_is_no_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with writing(path, "pieces", LINE):
        insist_on_growth(path, rounds=20)


def test_otlp_lines_that_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with writing(path, "pieces", OTLP, pause=0.001):
        insist_on_growth(path)


def test_a_writer_that_never_pauses_keeps_no_reader(tmp_path: Path) -> None:
    """What is read is what was there at the beginning, however much comes meanwhile."""
    path = tmp_path / "t.jsonl"
    text = LINE.replace("NUMBER", "b" * 16) + "\n"
    path.write_text(text * 10)
    reader = Lines().of_file(path)
    with path.open("a") as file:
        count = 0
        for line, _ in reader:
            assert line == text.encode()
            count += 1
            file.write(text)  # one more for each that is read
            file.flush()
            assert count <= 100
    assert count == 10


def test_a_torn_line_of_a_process_that_is_gone_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(LINE.replace("NUMBER", "b" * 16) + "\n" + LINE[:100])
    assert load(path).torn == 1
    long_ago = time.time() - 3_600
    os.utime(path, (long_ago, long_ago))
    assert load(path).torn == 1
