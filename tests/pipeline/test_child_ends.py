"""However a child process ends, what it recorded is delivered: by file and over OTLP, alone and beside a provider.

No child here flushes. Only ``os._exit`` and a signal that nobody handles may lose something: what ended in the
last 100 ms. Those rows look at what had reached the disk before.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.export.receiver import Receiver

PROGRAM = '''
import atexit, glob, multiprocessing, os, signal, sys, threading, time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.util import Finalize
import agentops_sdk as agentops

METHOD, EXPORTER, PROVIDER = sys.argv[1:4]

def begin():
    if PROVIDER == "joined":
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        trace.set_tracer_provider(TracerProvider())
    agentops.init(integrations=[], exporters=[EXPORTER])

if METHOD in ("spawn", "forkserver"):  # such a child runs this module anew
    begin()

def record(name):
    """The innermost ends first, the outermost last: nothing comes after it that would carry it along."""
    @agentops.agent(name=name)
    def outer():
        with agentops.span(f"inside {name}"):
            pass
    outer()
    return name

def returns(): record("child")
def exits(): record("child"); sys.exit(3)
def raises(): record("child"); raise ValueError("expected by the test")
def is_interrupted(): record("child"); os.kill(os.getpid(), signal.SIGINT); time.sleep(30)
def is_terminated():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
    record("child")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(30)
def leaves_a_thread():
    record("child")
    threading.Thread(target=lambda: (time.sleep(0.3), record("late"))).start()
def leaves_a_pool_of_threads():
    pool = ThreadPoolExecutor(1)
    for name in ("child", "late"):
        pool.submit(lambda name=name: (time.sleep(0.1), record(name)))
def leaves_an_open_span():
    record("child")
    agentops.span("open").__enter__()
def records_in_a_finalizer():
    record("child")
    Finalize(None, record, args=("late",), exitpriority=0)
def starts_a_child():
    record("child")
    job = multiprocessing.get_context(METHOD).Process(target=record, args=("late",))
    job.start(); job.join()
def forks_and_both_return():
    record("late" if os.fork() == 0 else "child")
def begins_in_a_worker():
    agentops.shutdown()
    begin()
def begins_only_now():
    begins_in_a_worker()
    record("child")
class Own(multiprocessing.get_context(METHOD).Process):
    def run(self): record("child")

def pool_of_processes(tasks=None):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(METHOD), max_tasks_per_child=tasks) as pool:
        return [job.result() for job in [pool.submit(record, f"task {n}") for n in range(6)]]
def recycled_pool_of_processes(): pool_of_processes(1)
def pool_that_nobody_shuts_down():
    pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(METHOD))
    globals()["kept"] = pool, [pool.submit(record, f"task {n}") for n in range(6)]
def multiprocessing_pool(tasks=None):
    pool = multiprocessing.get_context(METHOD).Pool(2, maxtasksperchild=tasks)
    pool.map(record, [f"task {n}" for n in range(6)], chunksize=1)
    pool.close(); pool.join()
def recycled_multiprocessing_pool(): multiprocessing_pool(1)
def pool_of_billiard(tasks=None):
    import billiard  # Celery's
    pool = billiard.Pool(2, maxtasksperchild=tasks)
    pool.map(record, [f"task {n}" for n in range(6)], chunksize=1)
    pool.close(); pool.join()
def recycled_pool_of_billiard(): pool_of_billiard(1)
def pool_that_kills_its_workers():
    with multiprocessing.get_context(METHOD).Pool(2) as pool:
        pool.map(record, [f"task {n}" for n in range(6)], chunksize=1)
def pool_inside_of_an_operation():
    with agentops.span("parent"), multiprocessing.get_context(METHOD).Pool(2) as pool:
        pool.map(record, [f"task {n}" for n in range(6)], chunksize=1)
def pool_that_begins_in_its_workers():
    with multiprocessing.get_context(METHOD).Pool(2, initializer=begins_in_a_worker) as pool:
        pool.map(record, [f"task {n}" for n in range(6)], chunksize=1)

if __name__ == "__main__":
    if METHOD == "fork":
        begin()
    what = globals()[sys.argv[4]]
    if "pool" in sys.argv[4] and "threads" not in sys.argv[4]:
        what()
    else:
        context = multiprocessing.get_context(METHOD)
        make = Own if what is Own else lambda **options: context.Process(target=what, **options)
        job = make(daemon=sys.argv[5] == "daemon")
        job.start()
        job.join()
        print(job.exitcode)
'''

TASKS = [name for number in range(6) for name in (f"inside task {number}", f"invoke_agent task {number}")]
CHILD = ["inside child", "invoke_agent child"]
LATE = ["inside late", "invoke_agent late"]


@dataclass
class Row:
    """One way to end."""

    ending: str
    names: list[str] = field(default_factory=lambda: CHILD)
    code: int | None = 0
    daemon: bool = False
    is_killed: bool = False
    """While it may be sending: what was sent, and not yet marked so, is sent once more, by its parent."""
    methods: tuple[str, ...] = ("fork",)


EVERY = ("fork", "forkserver", "spawn")
ROWS = [
    Row("returns", methods=EVERY),
    Row("returns", daemon=True),
    Row("exits", code=3, methods=EVERY),
    Row("raises", code=1, methods=EVERY),
    Row("is_interrupted", code=1),
    Row("is_terminated", code=5),
    Row("leaves_a_thread", CHILD + LATE, methods=EVERY),
    Row("leaves_a_pool_of_threads", CHILD + LATE),
    Row("leaves_an_open_span", [*CHILD, "open"], methods=EVERY),
    Row("records_in_a_finalizer", CHILD + LATE, methods=EVERY),
    Row("starts_a_child", CHILD + LATE),
    Row("forks_and_both_return", CHILD + LATE),
    Row("begins_only_now", methods=EVERY),
    Row("Own"),
    Row("pool_of_processes", TASKS, None, methods=EVERY),
    Row("recycled_pool_of_processes", TASKS, None, methods=("forkserver",)),
    Row("pool_that_nobody_shuts_down", TASKS, None),
    Row("multiprocessing_pool", TASKS, None),
    Row("recycled_multiprocessing_pool", TASKS, None, methods=("fork", "forkserver")),
    Row("pool_of_billiard", TASKS, None),
    Row("recycled_pool_of_billiard", TASKS, None),
    Row("pool_that_kills_its_workers", TASKS, None, is_killed=True, methods=EVERY),
    Row("pool_inside_of_an_operation", [*TASKS, "parent"], None, is_killed=True, methods=EVERY),
    Row("pool_that_begins_in_its_workers", TASKS, None, is_killed=True, methods=EVERY),
]
JOINED = ("returns", "raises", "leaves_an_open_span", "pool_of_processes", "pool_that_kills_its_workers")
CASES = [
    (row, "fork", exporter, provider)
    for row in ROWS
    for exporter, provider in (("jsonl", "private"), ("otlp", "private"), ("jsonl", "joined"), ("otlp", "joined"))
    if "fork" in row.methods and (provider == "private" or row.ending in JOINED)
]
CASES += [(row, method, "jsonl", "private") for row in ROWS for method in row.methods if method != "fork"]


def on_disk(directory: Path) -> list[str]:
    files = (directory / ".agentops" / "traces").glob("*.jsonl")
    return [json.loads(line)["name"] for path in files for line in path.read_text().splitlines()]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


@pytest.mark.parametrize(
    ("row", "method", "exporter", "provider"),
    [
        pytest.param(
            *case,
            id=f"{case[0].ending}{'-daemon' * case[0].daemon}-{'-'.join(case[1:])}",
            marks=() if case[2:] == ("jsonl", "private") else pytest.mark.once,  # how a child ends is the same there
        )
        for case in CASES
    ],
)
def test_what_a_child_recorded_is_delivered(
    tmp_path: Path, receiver: Receiver, row: Row, method: str, exporter: str, provider: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    sink = "jsonl" if exporter == "jsonl" else f"otlp:{receiver.url}"
    done = subprocess.run(
        [sys.executable, str(program), method, sink, provider, row.ending, "daemon" if row.daemon else ""],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "agentops_sdk" not in done.stderr.replace("import agentops_sdk", "")
    assert done.stdout == ("" if row.code is None else f"{row.code}\n")
    if exporter == "jsonl":
        names = on_disk(tmp_path)
    else:
        names = list(dict(zip(receiver.ids, receiver.names, strict=True)).values()) if row.is_killed else receiver.names
    wanted = [name for name in row.names if provider == "private" or name != "open"]  # that one is the provider's
    assert sorted(names) == sorted(wanted)


ABRUPT = {
    "os._exit": ("os._exit(7)", 7),
    "kill -9": ("os.kill(os.getpid(), signal.SIGKILL); time.sleep(30)", -signal.SIGKILL),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)", -signal.SIGTERM),
}


@pytest.mark.parametrize("how", ABRUPT)
@pytest.mark.parametrize("sink", ["jsonl", "otlp"])
def test_a_child_that_is_cut_short_loses_only_what_had_just_ended(
    tmp_path: Path, receiver: Receiver, how: str, sink: str
) -> None:
    """What it recorded reaches the disk without any help, and then its backend by way of the living parent."""
    ending, code = ABRUPT[how]
    program = f"""
import glob, multiprocessing, os, signal, sys, time
import agentops_sdk as agentops

def work():
    for number in range(50):
        with agentops.span(f"early {{number}}"):
            pass
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        files = glob.glob(".agentops/**/*.jsonl", recursive=True) + glob.glob(".agentops/**/*.seg", recursive=True)
        if sum(open(name, "rb").read().count(b"early ") for name in files) == 50:
            break
        time.sleep(0.01)
    {ending}

if __name__ == "__main__":
    agentops.init(integrations=[], exporters=[{"jsonl" if sink == "jsonl" else "otlp:" + receiver.url!r}])
    job = multiprocessing.get_context("fork").Process(target=work)
    job.start()
    job.join()
    print(job.exitcode, flush=True)
    input()
"""
    wanted = [f"early {number}" for number in range(50)]
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        assert parent.stdout.readline() == f"{code}\n"
        if sink == "jsonl":
            assert sorted(on_disk(tmp_path)) == sorted(wanted)
        else:
            # The parent itself never recorded anything, and is still running.
            deadline = time.monotonic() + 30
            while len(receiver.names) < 50 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert sorted(receiver.names) == sorted(wanted)
        parent.stdin.write("\n")
        parent.stdin.close()
        assert parent.wait(30) == 0


@pytest.mark.parametrize("sink", ["jsonl", "otlp"])
def test_a_forked_child_that_exits_at_once_has_its_work_on_disk(tmp_path: Path, receiver: Receiver, sink: str) -> None:
    """As a worker that forks for each job does, RQ's for one: most of its runs were lost, and nobody knew."""
    program = f"""
import os, signal
import agentops_sdk as agentops
theirs, raises = os._exit, signal.raise_signal
agentops.init(integrations=[], exporters=[{"jsonl" if sink == "jsonl" else "otlp:" + receiver.url!r}])
for number in range(5):
    child = os.fork()
    if child == 0:
        with agentops.span(f"job {{number}}"):
            pass
        os._exit(number)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == number
child = os.fork()
if child == 0:
    agentops.shutdown()
    theirs(0 if os._exit is theirs and signal.raise_signal is raises else 9)
assert os.waitpid(child, 0)[1] == 0
"""
    # From 3.12 on Python warns of a fork beside threads, which the exporter has.
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        cwd=tmp_path,
        timeout=60,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    names = (
        on_disk(tmp_path) if sink == "jsonl" else list(dict(zip(receiver.ids, receiver.names, strict=True)).values())
    )
    assert sorted(names) == [f"job {number}" for number in range(5)]


def test_a_parent_that_ends_takes_along_what_its_child_left(tmp_path: Path, receiver: Receiver) -> None:
    program = f"""
import os
import agentops_sdk as agentops
from agentops_sdk._pipeline import process_runtime
agentops.init(integrations=[], exporters=["otlp:{receiver.url}"])
child = os.fork()
if child == 0:
    with agentops.span("child"):
        pass
    process_runtime.current.queue.flush(30)  # it is in the spool, and has not been sent
    os._exit(0)
os.waitpid(child, 0)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 0
    assert receiver.names == ["child"]
    assert not list((tmp_path / ".agentops" / "spool").rglob("*.seg"))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_parent_watches_over_children_that_it_did_not_fork(tmp_path: Path, receiver: Receiver, method: str) -> None:
    (tmp_path / "program.py").write_text(f"""
import multiprocessing, os
import agentops_sdk as agentops
agentops.init(integrations=[], exporters=["otlp:{receiver.url}"])

def work():
    from agentops_sdk._pipeline import process_runtime
    with agentops.span("child"):
        pass
    process_runtime.current.queue.flush(30)
    os._exit(0)

if __name__ == "__main__":
    job = multiprocessing.get_context({method!r}).Process(target=work)
    job.start()
    job.join()
    input()
""")
    with subprocess.Popen([sys.executable, "program.py"], cwd=tmp_path, stdin=subprocess.PIPE) as parent:
        assert parent.stdin is not None
        deadline = time.monotonic() + 30
        while not receiver.names and time.monotonic() < deadline:
            time.sleep(0.05)
        assert receiver.names == ["child"]
        parent.stdin.close()
        parent.wait(30)
