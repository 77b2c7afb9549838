"""Processes as they are in production: pre-fork servers, multiprocessing, signals, kill -9, a frozen sandbox."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from tests.export.receiver import Receiver
from tests.waiting import until


def names(directory: Path) -> list[str]:
    files = (directory / ".agentops" / "traces").glob("*.jsonl")
    return [json.loads(line)["name"] for path in files for line in path.read_text().splitlines()]


def run(tmp_path: Path, program: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "program.py"
    path.write_text(program)
    return subprocess.run(
        [sys.executable, str(path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=90,
        env={**os.environ, **env},
        check=False,
    )


@pytest.mark.parametrize("preload", [False, True])
def test_a_real_gunicorn_with_four_workers(tmp_path: Path, preload: bool) -> None:
    if importlib.util.find_spec("gunicorn") is None:
        pytest.skip("gunicorn is not installed")
    (tmp_path / "app.py").write_text(
        """
import os
import agentops_sdk as agentops
agentops.init(integrations=[])
with agentops.span("startup"):
    pass
def app(environ, start_response):
    with agentops.span("request " + environ["QUERY_STRING"]):
        pass
    start_response("200 OK", [("content-type", "text/plain")])
    return [str(os.getpid()).encode()]
"""
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-w", "4", "-b", f"127.0.0.1:{port}", "app:app"]
    if preload:
        command.append("--preload")
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as server:
        workers: set[str] = set()

        def answers() -> bool:
            try:
                with socket.create_connection(("127.0.0.1", port), 1):
                    return True
            except OSError:
                return False

        assert until(answers)
        asked = 0
        while asked < 60 or (len(workers) < 2 and asked < 600):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/?{asked}", timeout=20) as response:
                workers.add(response.read().decode())
            asked += 1
        assert until(lambda: names(tmp_path).count("startup") >= (1 if preload else 4))  # the last may begin late
        killed = int(min(workers))
        time.sleep(0.5)  # what ended this long ago must be on disk
        os.kill(killed, signal.SIGKILL)
        server.terminate()
        server.wait(30)
    found = names(tmp_path)
    requests = [name for name in found if name.startswith("request")]
    assert sorted(requests) == sorted(f"request {number}" for number in range(asked))
    assert found.count("startup") >= 1 if preload else found.count("startup") >= 4
    if preload:
        assert found.count("startup") == 1
    assert len(workers) >= 2


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(tmp_path: Path, method: str) -> None:
    done = run(
        tmp_path,
        f"""
import multiprocessing
import agentops_sdk as agentops
def work(number):
    agentops.init(integrations=[])
    with agentops.span(f"work {{number}}"):
        pass
def inherit(number):
    with agentops.span(f"inherited {{number}}"):
        pass
if __name__ == "__main__":
    agentops.init(integrations=[])
    context = multiprocessing.get_context({method!r})
    with agentops.span("parent"):
        jobs = [context.Process(target=work, args=(n,)) for n in range(3)]
        if {method!r} == "fork":
            jobs += [context.Process(target=inherit, args=(n,)) for n in range(3)]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
        assert [job.exitcode for job in jobs] == [0] * len(jobs)
""",
    )
    assert done.returncode == 0, done.stderr
    wanted = ["parent", "work 0", "work 1", "work 2"]
    if method == "fork":
        wanted += ["inherited 0", "inherited 1", "inherited 2"]
    assert sorted(names(tmp_path)) == sorted(wanted)


def test_forking_in_the_middle_of_the_work_never_hangs(tmp_path: Path) -> None:
    """Each child starts with whatever state the consumer thread was in: locks taken, modules half imported."""
    done = run(
        tmp_path,
        """
import os, sys
import agentops_sdk as agentops
agentops.init(integrations=[])
children = []
for number in range(20):
    with agentops.span(f"parent {number}"):
        pass
    pid = os.fork()
    if pid == 0:
        with agentops.span(f"child {number}"):
            pass
        sys.exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
""",
    )
    assert done.returncode == 0, done.stderr
    wanted = [f"parent {number}" for number in range(20)] + [f"child {number}" for number in range(20)]
    assert sorted(names(tmp_path)) == sorted(wanted)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_the_program_handles_by_exiting(tmp_path: Path, number: signal.Signals) -> None:
    program = """
import signal, sys, time
import agentops_sdk as agentops
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
agentops.init(integrations=[])
with agentops.span("before"):
    pass
print("ready", flush=True)
with agentops.span("interrupted"):
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(number)
        process.wait(20)
    assert sorted(names(tmp_path)) == ["before", "interrupted"]


def test_a_signal_that_kills_leaves_what_had_ended(tmp_path: Path) -> None:
    program = """
import time
import agentops_sdk as agentops
agentops.init(integrations=[])
with agentops.span("warm"):
    pass
agentops.flush()
for number in range(500):
    with agentops.span(f"s{number}"):
        pass
time.sleep(0.5)
print("ready", flush=True)
time.sleep(60)
"""
    for number in (signal.SIGTERM, signal.SIGKILL):
        place = tmp_path / number.name
        place.mkdir()
        with subprocess.Popen([sys.executable, "-c", program], cwd=place, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(number)
            assert process.wait(20) == -number
        assert len(names(place)) == 501


def test_exit_with_a_hanging_backend_takes_no_longer_than_it_may(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        done = run(
            tmp_path,
            f"""
import atexit, time
atexit.register(lambda: print(time.monotonic() - started, flush=True))
import agentops_sdk as agentops
agentops.init(exporters=["otlp:http://127.0.0.1:{silent.getsockname()[1]}"], integrations=[], shutdown_timeout=1.0)
for number in range(10):
    with agentops.span("s"):
        pass
agentops.flush(0.1)
started = time.monotonic()
""",
        )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 2.5
    assert done.stderr == ""
    assert list((tmp_path / ".agentops" / "spool").rglob("*.seg"))


def test_killed_workers_leave_their_spool_to_the_living(tmp_path: Path) -> None:
    """Outage, kill -9, restart: everything that ended arrives."""
    receiver = Receiver()
    receiver.behave = lambda _names, _size: (503, {}, b"")
    program = f"""
import os, signal, sys
import agentops_sdk as agentops
agentops.init(exporters=["otlp:{receiver.url}"], integrations=[])
for number in range(200):
    with agentops.span(f"{{sys.argv[1]}}-{{number}}"):
        pass
from agentops_sdk._pipeline import process_runtime
process_runtime.current.queue.flush(20)
os.kill(os.getpid(), signal.SIGKILL)
"""
    try:
        for worker in ("a", "b", "c"):
            done = subprocess.run([sys.executable, "-c", program, worker], cwd=tmp_path, check=False)
            assert done.returncode == -9
        receiver.behave = lambda _names, _size: None
        survivor = f"""
import agentops_sdk as agentops
agentops.init(exporters=["otlp:{receiver.url}"], integrations=[])
with agentops.span("survivor"):
    pass
while agentops.status().sinks["otlp"].details["adopted"]["exported"] < 600:
    agentops.flush(0.2)
"""
        assert subprocess.run([sys.executable, "-c", survivor], cwd=tmp_path, timeout=60, check=False).returncode == 0
        wanted = {f"{worker}-{number}" for worker in "abc" for number in range(200)} | {"survivor"}
        assert set(receiver.names) == wanted
    finally:
        receiver.close()


def test_frozen_between_calls_as_in_a_serverless_sandbox(tmp_path: Path) -> None:
    program = """
import agentops_sdk as agentops
agentops.init(integrations=[])
for number in range(3):
    with agentops.span(f"invocation {number}"):
        pass
    agentops.flush()
    print(number, flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        for number in range(3):
            process.stdout.readline()
            process.send_signal(signal.SIGSTOP)
            assert len(names(tmp_path)) == number + 1
            process.send_signal(signal.SIGCONT)
            process.stdin.write("\n")
            process.stdin.flush()
        assert process.wait(20) == 0
    assert len(names(tmp_path)) == 3
