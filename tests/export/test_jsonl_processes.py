"""Many processes in one directory that rotate, tidy and compress at once: what was counted as written is there."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.export.receiver import spans
from tests.export.test_jsonl import settle

from agentops_sdk.exporters.jsonl import JsonlExporter
from agentops_sdk.exporters.jsonl.run_files import create_file, tidy
from agentops_sdk.private_files import try_lock
from agentops_sdk.traces import load

PRELUDE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from tests.export.receiver import spans
from agentops_sdk.exporters.jsonl import JsonlExporter
from agentops_sdk.exporters.jsonl.run_files import tidy
"""
BOUNDS = {"max_bytes": 1 << 40, "max_age": 1e9}


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_many_processes_write_rotate_and_compress_is_all_there(tmp_path: Path) -> None:
    """Every batch begins a file; other processes do nothing but tidy, so that the two meet all the time."""
    writer = """
first, directory = int(sys.argv[1]), sys.argv[2]
sink = JsonlExporter(directory, max_file_bytes=1, compress=True)
for number in range(150):
    sink.export(spans(2, start=first + number * 2, size=3000))
sink.shutdown()
print(sink.stats()["exported"])
"""
    tidier = """
import threading
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
while not over.is_set():
    tidy(Path(sys.argv[1]), max_bytes=1 << 40, max_age=1e9, compress=True)
"""
    tidiers = [start(tidier, tmp_path) for _ in range(2)]
    writers = [start(writer, number * 1_000, tmp_path) for number in range(4)]
    counted = sum(int(process.communicate(timeout=120)[0]) for process in writers)
    for process in tidiers:
        process.communicate(timeout=120)
    traces = load(tmp_path)
    assert counted == len(traces) == 1_200
    assert sum(len(trace) for trace in traces) == 1_200
    assert traces.torn == traces.foreign == 0
    assert [process.returncode for process in writers + tidiers] == [0] * 6


def test_reading_while_files_are_being_compressed_misses_nothing(tmp_path: Path) -> None:
    sink = JsonlExporter(tmp_path, max_file_bytes=1)
    for number in range(300):
        sink.export(spans(1, start=number, size=2_000))
    sink.shutdown()
    settle(sink)  # its own tidying holds the directory
    worker = threading.Thread(target=tidy, args=(tmp_path,), kwargs={**BOUNDS, "compress": True})
    worker.start()
    while worker.is_alive():
        assert len([trace.name for trace in load(tmp_path)]) == 300
    worker.join()
    assert not list(tmp_path.glob("*.jsonl"))


def test_what_was_indexed_before_it_was_compressed_is_read_after_it(tmp_path: Path) -> None:
    sink = JsonlExporter(tmp_path)
    sink.export(spans(20))
    sink.shutdown()
    settle(sink)  # its own tidying holds the directory
    traces = load(tmp_path)
    tidy(tmp_path, **BOUNDS, compress=True)
    assert [path.suffix for path in tmp_path.iterdir()] == [".gz"]
    assert {trace.name for trace in traces} == {f"s{number}" for number in range(20)}


def test_killed_while_compressing_leaves_every_span_once(tmp_path: Path) -> None:
    sink = JsonlExporter(tmp_path, max_file_bytes=1)
    for number in range(40):
        sink.export(spans(1, start=number, size=400_000, noise=os.urandom(100_000).hex()))
    sink.shutdown()
    settle(sink)  # its own tidying holds the directory
    program = """
tidy(Path(sys.argv[1]), max_bytes=1 << 40, max_age=1e9, compress=True)
"""
    for _ in range(6):
        process = start(program, tmp_path)
        while process.poll() is None and not list(tmp_path.glob("*.part")):
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert len(load(tmp_path)) == 40
        assert all(len(trace) == 1 for trace in load(tmp_path))
    tidy(tmp_path, **BOUNDS, compress=True)
    assert len(list(tmp_path.iterdir())) == len(list(tmp_path.glob("*.jsonl.gz"))) == 40


def test_a_file_and_its_compressed_copy_count_once(tmp_path: Path) -> None:
    """As a crash between the two steps leaves them; the whole file is believed, the copy may be damaged."""
    sink = JsonlExporter(tmp_path)
    sink.export(spans(3))
    sink.shutdown()
    settle(sink)  # its own tidying holds the directory
    (path,) = tmp_path.iterdir()
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes())[:-20])
    traces = load(tmp_path)
    assert len(traces) == 3
    assert traces.files == [path]
    assert [traces.torn, *(len(list(traces.records(key))) for key in traces.ids)] == [0, 1, 1, 1]
    tidy(tmp_path, **BOUNDS, compress=True)
    (packed,) = tmp_path.iterdir()
    assert [json.loads(line)["name"] for line in gzip.decompress(packed.read_bytes()).splitlines()] == [
        "s0",
        "s1",
        "s2",
    ]


def test_nobody_touches_a_file_that_another_one_is_tidying(tmp_path: Path) -> None:
    path = tmp_path / "20200101T000000Z-1-0123abcd.jsonl"
    path.write_text("{}\n")
    with path.open("r+b") as held:
        assert try_lock(held.fileno())
        assert tidy(tmp_path, max_bytes=1, max_age=1, compress=True) == []
        assert path.exists()
    assert tidy(tmp_path, max_bytes=1, max_age=1, compress=True) == [path]


def test_a_new_file_is_never_one_that_is_gone(tmp_path: Path) -> None:
    over = threading.Event()

    def tidies() -> None:
        while not over.is_set():
            tidy(tmp_path, max_bytes=1, max_age=1e-9, compress=True)

    threads = [threading.Thread(target=tidies) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(400):
            path, descriptor = create_file(tmp_path)
            try:
                assert path.stat().st_ino == os.fstat(descriptor).st_ino
            finally:
                os.close(descriptor)
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("tidiers", [2, 6])
def test_side_by_side_no_more_is_deleted_than_the_bound_asks_for(tidiers: int, tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"20200101T000000Z-1-{number:08x}.jsonl").write_bytes(b"x" * 1_000)
    program = "tidy(Path(sys.argv[1]), max_bytes=100_000, max_age=1e12, compress=False)"
    processes = [start(program, tmp_path) for _ in range(tidiers)]
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0] * tidiers
    assert len(list(tmp_path.iterdir())) == 100
