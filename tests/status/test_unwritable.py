"""Where nothing can be written, health() fails with the reason, and the log says so at once, once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import agentops_sdk as agentops


def mounted(path: Path, options: str) -> Path:
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")
    return path


@pytest.fixture
def mounts(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    paths: list[Path] = []

    def mount(options: str) -> Path:
        if shutil.which("mount") is None:
            pytest.skip("this system has no mount")
        paths.append(mounted(tmp_path / f"mount{len(paths)}", options))
        return paths[-1]

    yield mount
    agentops.shutdown()
    for path in paths:
        subprocess.run(["umount", "-l", str(path)], check=True)


def below_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "ops"


def until_failing() -> agentops.Health:
    """What the consumer's own tick finds; nobody flushes."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and agentops.health().status == "ok":
        time.sleep(0.02)
    return agentops.health()


def insist(reason: str, caplog: pytest.LogCaptureFixture) -> None:
    health = until_failing()
    assert health.status == "failing", health
    assert reason in str(health)
    assert agentops.status().sinks["jsonl"].failing
    for _ in range(5):
        with agentops.span("more"):
            pass
        agentops.flush(5.0)
    lines = [record.getMessage() for record in caplog.records if "cannot write" in record.getMessage()]
    assert len(lines) == 1, lines
    assert reason in lines[0]


def record() -> None:
    with agentops.span("s"):
        pass


@pytest.mark.parametrize("how", ["default", "keyword"])
def test_below_a_regular_file(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place = below_a_file(tmp_path)
    if how == "default":
        monkeypatch.setenv("AGENTOPS_DIR", str(place))
    agentops.init(integrations=[], **({"directory": place} if how == "keyword" else {}))
    record()
    insist("Not a directory", caplog)


def test_where_the_kernel_makes_no_directories(caplog: pytest.LogCaptureFixture) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("this system has no /proc")
    agentops.init(directory="/proc/ops", integrations=[])
    record()
    insist("/proc/ops", caplog)


def test_on_a_read_only_disk(mounts: Callable[[str], Path], caplog: pytest.LogCaptureFixture) -> None:
    agentops.init(directory=mounts("ro") / "ops", integrations=[])
    record()
    insist("Read-only file system", caplog)


def test_on_a_full_disk(mounts: Callable[[str], Path], caplog: pytest.LogCaptureFixture) -> None:
    disk = mounts("size=64k")
    (disk / "ballast").write_bytes(b"x" * 65536)
    agentops.init(directory=disk / "ops", integrations=[])
    record()
    insist("No space left on device", caplog)


def test_a_flush_finds_out_before_anything_was_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    agentops.init(directory=below_a_file(tmp_path), integrations=[])
    agentops.flush()
    assert agentops.health().status == "failing"
    assert "Not a directory" in caplog.text


def test_a_spool_too_says_both_of_its_troubles(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    agentops.init(directory=below_a_file(tmp_path), exporters=["otlp:http://127.0.0.1:9"], integrations=[])
    record()
    agentops.flush(5.0)
    health = str(agentops.health())
    assert health.startswith("failing")
    assert "Not a directory" in health
    assert "ConnectError" in health
    assert caplog.text.count("sink otlp cannot write to disk") == 1


def test_a_place_that_comes_back_is_well_again_and_nothing_was_lost(tmp_path: Path) -> None:
    place = below_a_file(tmp_path)
    agentops.init(directory=place, integrations=[])
    record()
    assert until_failing().status == "failing"
    place.parent.unlink()
    assert agentops.flush()
    assert agentops.health().status == "ok"
    assert len(agentops.traces.load(place / "traces")) == 1


def test_a_directory_that_is_taken_away_meanwhile(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path / "ops", integrations=[])
    record()
    assert agentops.flush()
    shutil.rmtree(tmp_path / "ops")
    (tmp_path / "ops").write_text("a file in its place")
    record()
    assert until_failing().status == "failing"


def test_a_sink_that_works_beside_it_makes_it_degraded(tmp_path: Path) -> None:
    agentops.init(directory=below_a_file(tmp_path), exporters=["memory"], integrations=[])
    assert agentops.health().status == "ok"
    agentops.shutdown()
    (tmp_path / "work").mkdir()
    os.chdir(tmp_path / "work")
    agentops.init(exporters=["jsonl", "memory"], integrations=[])
    record()
    shutil.rmtree(tmp_path / "work" / ".agentops", ignore_errors=True)
    (tmp_path / "work" / ".agentops").write_text("")
    record()
    assert until_failing().status == "degraded"
    os.chdir(tmp_path)


def test_a_program_that_looks_at_its_log_sees_it_before_the_end(tmp_path: Path) -> None:
    code = """
import sys, time
import agentops_sdk as agentops
agentops.init(directory=sys.argv[1], integrations=[])
with agentops.span("s"): pass
deadline = time.monotonic() + 20
while agentops.health().status != "failing" and time.monotonic() < deadline: time.sleep(0.02)
print(agentops.health())
print("before the end", file=sys.stderr, flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(below_a_file(tmp_path))], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("failing\n  sink jsonl: [Errno 20] Not a directory")
    assert done.stderr.partition("before the end")[0].count("cannot write to disk") == 1


def test_doctor_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "ops", tmp_path / "file"):
        done = subprocess.run(
            [sys.executable, "-m", "agentops_sdk", "doctor"], env={**os.environ, "AGENTOPS_DIR": str(place)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "Not a directory" in done.stdout
