"""The JSONL sink on a real file system: whole lines, bounded files, and what happens when the disk fails."""

from __future__ import annotations

import gzip
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.export.receiver import spans

from agentops_sdk.errors import ConfigError
from agentops_sdk.exporters.jsonl import JsonlExporter
from agentops_sdk.traces import load


def names(directory: Path) -> list[str]:
    files = sorted(directory.glob("*.jsonl"))
    return [json.loads(line)["name"] for path in files for line in path.read_text().splitlines()]


def balanced(sink: JsonlExporter) -> bool:
    stats = sink.stats()
    return stats["accepted"] == stats["exported"] + stats["pending"] + sum(stats["dropped"].values())


def settle(sink: JsonlExporter) -> None:
    if sink._tidying is not None:
        sink._tidying.join()


def test_one_file_of_whole_lines_for_the_owner_only(tmp_path: Path) -> None:
    sink = JsonlExporter(tmp_path / ".agentops" / "traces")
    sink.export(spans(5))
    sink.export(spans(5, start=5))
    (path,) = (tmp_path / ".agentops" / "traces").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / ".agentops" / ".gitignore").read_text() == "*\n"
    assert names(path.parent) == [f"s{number}" for number in range(10)]
    sink.shutdown()


def test_size_rotates_and_retention_deletes_the_oldest_closed_files(tmp_path: Path) -> None:
    sink = JsonlExporter(tmp_path, max_file_bytes=20_000, max_bytes=100_000)
    for number in range(100):
        sink.export(spans(5, start=number * 5, size=500))
        settle(sink)
    files = list(tmp_path.iterdir())
    assert len(files) > 2
    assert sum(path.stat().st_size for path in files) <= 125_000
    left = names(tmp_path)
    assert "s499" in left
    assert "s0" not in left
    assert sink.stats()["exported"] == 500
    assert sink.stats()["deleted_files"] > 0
    sink.shutdown()


def test_age_rotates_and_old_closed_files_go_but_not_those_of_the_living(tmp_path: Path) -> None:
    other = JsonlExporter(tmp_path)
    other.export(spans(1, start=100))
    foreign = tmp_path / "mine.jsonl"
    foreign.write_text("{}\n")
    closed = tmp_path / "20200101T000000Z-1-0123abcd.jsonl"
    closed.write_text("{}\n")
    assert other.path is not None
    for path in (other.path, foreign, closed):
        os.utime(path, (0, 0))
    sink = JsonlExporter(tmp_path, max_file_age=0.000001)
    sink.export(spans(1))
    sink.export(spans(1, start=1))
    settle(sink)
    assert len(list(tmp_path.glob("*.jsonl"))) == 4
    assert not closed.exists()
    assert foreign.exists()
    assert other.path.exists()
    sink.shutdown()
    other.shutdown()


def test_closed_files_are_compressed_and_still_read(tmp_path: Path) -> None:
    sink = JsonlExporter(tmp_path, max_file_bytes=5_000, compress=True)
    for number in range(20):
        sink.export(spans(5, start=number * 5, size=500))
        settle(sink)
    packed = list(tmp_path.glob("*.jsonl.gz"))
    assert packed
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in packed)
    assert all(line.startswith(b'{"v":') for path in packed for line in gzip.decompress(path.read_bytes()).splitlines())
    assert len(load(tmp_path)) == 100
    sink.shutdown()


@pytest.mark.parametrize("fsync", ["never", "close", "always"])
def test_fsync_policies_write_the_same(fsync: str, tmp_path: Path) -> None:
    sink = JsonlExporter(tmp_path, fsync=fsync)
    sink.export(spans(3))
    assert names(tmp_path) == ["s0", "s1", "s2"]
    sink.shutdown()


def test_a_vanished_directory_comes_back(tmp_path: Path) -> None:
    sink = JsonlExporter(tmp_path / "traces")
    sink.export(spans(1))
    shutil.rmtree(tmp_path / "traces")
    sink.export(spans(1, start=1))
    assert names(tmp_path / "traces") == ["s1"]
    assert balanced(sink)
    sink.shutdown()


def test_what_cannot_be_written_waits_and_is_written_later(tmp_path: Path) -> None:
    (tmp_path / "traces").write_text("in the way")
    sink = JsonlExporter(tmp_path / "traces")
    sink.export(spans(3))
    assert sink.stats()["pending"] == 3
    assert sink.stats()["last_error"]
    (tmp_path / "traces").unlink()
    assert sink.force_flush()
    assert names(tmp_path / "traces") == ["s0", "s1", "s2"]
    assert balanced(sink)
    sink.shutdown()


def test_what_waits_is_bounded_and_lost_at_exit_with_a_count(tmp_path: Path) -> None:
    (tmp_path / "traces").write_text("in the way")
    sink = JsonlExporter(tmp_path / "traces")
    for number in range(20):
        sink.export(spans(10, start=number * 10, size=100_000))
    stats = sink.stats()
    assert 0 < stats["pending"] < 100
    assert balanced(sink)
    sink.shutdown()
    assert sum(sink.stats()["dropped"].values()) == 200
    assert balanced(sink)


def test_a_full_disk_leaves_whole_lines_only(tmp_path: Path) -> None:
    """A limit on the file's size makes the kernel cut a write short, as a full disk does."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    sink = JsonlExporter(tmp_path)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, old[1]))
        for number in range(10):
            sink.export(spans(3, start=number * 3, size=1_000))
            sink._retry_at = 0.0
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        assert sink.force_flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert sorted(names(tmp_path)) == sorted(f"s{number}" for number in range(30))
    assert balanced(sink)
    sink.shutdown()


def test_a_forked_child_writes_a_file_of_its_own(tmp_path: Path) -> None:
    sink = JsonlExporter(tmp_path)
    sink.export(spans(2))
    pid = os.fork()
    if pid == 0:
        try:
            sink.after_fork()
            sink.export(spans(2, start=2))
            sink.shutdown()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    sink.export(spans(1, start=4))
    assert sorted(len(path.read_text().splitlines()) for path in tmp_path.glob("*.jsonl")) == [2, 3]
    sink.shutdown()


def test_many_processes_share_a_directory(tmp_path: Path) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.export.receiver import spans
from agentops_sdk.exporters.jsonl import JsonlExporter
sink = JsonlExporter({str(tmp_path)!r}, max_file_bytes=30_000)
for number in range(50):
    sink.export(spans(4, start=int(sys.argv[1]) * 1000 + number * 4, size=300))
"""
    running = [subprocess.Popen([sys.executable, "-c", program, str(number)]) for number in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    assert len(names(tmp_path)) == len(set(names(tmp_path))) == 800


def test_killed_in_the_middle_of_writing_loses_no_line_that_was_written(tmp_path: Path) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.export.receiver import spans
from agentops_sdk.exporters.jsonl import JsonlExporter
sink = JsonlExporter({str(tmp_path)!r})
number = 0
while True:
    sink.export(spans(4, start=number * 4))
    number += 1
    print(number * 4, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 2_000:
            pass
        process.kill()
        told = [int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    at_least = told[-1] if told else 2_000
    assert len(load(tmp_path)) >= at_least


@pytest.mark.parametrize(("name", "value"), [("max_bytes", -1), ("max_age", 0), ("fsync", "?")])
def test_limits_that_cannot_work_are_refused(name: str, value: object, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=name):
        JsonlExporter(tmp_path, **{name: value})  # type: ignore[arg-type]  # one name of several types


def test_a_file_appears_only_with_the_first_span(tmp_path: Path) -> None:
    JsonlExporter(tmp_path / "traces").shutdown()
    assert not (tmp_path / "traces").exists()


def test_what_fits_on_a_full_disk_is_written_once(tmp_path: Path) -> None:
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    sink = JsonlExporter(tmp_path)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, old[1]))
        sink.export(spans(20, size=1_000))
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        written = names(tmp_path)
        assert 4 < len(written) < 12
        assert sink.stats()["exported"] == len(written)
        assert balanced(sink)
        assert sink.force_flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert sorted(names(tmp_path)) == sorted(f"s{number}" for number in range(20))
    assert len(list(tmp_path.glob("*.jsonl"))) == 1
    sink.shutdown()
