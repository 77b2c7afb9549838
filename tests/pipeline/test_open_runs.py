"""Runs that are open: on disk when they are a second old, whatever becomes of their process. Real processes, killed."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agentops_sdk as agentops
from agentops_sdk._pipeline import process_runtime
from agentops_sdk.exporters.jsonl.open_marker import OpenFile
from agentops_sdk.exporters.jsonl.run_files import tidy
from agentops_sdk.traces import Trace, load

PROGRAM = """
import os, sys, threading, time
import agentops_sdk as agentops
agentops.init(integrations=[])
"""
AGENT = """
with agentops.span("Researcher", kind="agent"):
    for name in ("search", "read"):
        with agentops.span(name, kind="tool"):
            pass
    time.sleep(600)
"""


class Program:
    """A program of its own in a directory, killed at the end if it is not over by then."""

    def __init__(self, directory: Path, code: str, **environment: str) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM + code], cwd=directory, env={**os.environ, **environment}
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def traces(self) -> list[Trace]:
        folder = self.directory / ".agentops" / "traces"
        return list(load(folder)) if folder.exists() else []

    def until(self, wanted: Callable[[list[Trace]], object]) -> list[Trace]:
        """Its traces once they are as ``wanted``; as they are after half a minute at the latest."""
        deadline = time.monotonic() + 30
        while not wanted(traces := self.traces) and time.monotonic() < deadline:
            time.sleep(0.05)
        return traces


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def begin(code: str, **environment: str) -> Program:
        programs.append(Program(tmp_path, code, **environment))
        return programs[-1]

    yield begin
    for program in programs:
        program.kill()


def named(name: str) -> Callable[[list[Trace]], bool]:
    return lambda traces: any(trace.name == name for trace in traces)


def command(directory: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "agentops_sdk", *words], cwd=directory, capture_output=True, text=True, check=True
    )
    return done.stdout


def open_files(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.jsonl.open"))


def wait_for(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_run_has_its_name_and_its_children_while_it_runs_and_after_it_was_killed(
    start: Callable[..., Program], tmp_path: Path
) -> None:
    program = start(AGENT)
    for outcome in ("running", "unfinished"):
        (trace,) = program.until(named("invoke_agent Researcher"))
        assert (trace.outcome, trace.complete, trace.orphans) == (outcome, False, [])
        assert [one.name for one in trace.children(trace.root)] == ["execute_tool search", "execute_tool read"]
        assert trace.root.attributes["gen_ai.agent.name"] == "Researcher"
        told = json.loads(command(tmp_path, "ls", "--json"))
        assert (told["name"], told["outcome"], told["complete"]) == ("invoke_agent Researcher", outcome, False)
        assert command(tmp_path, "show").startswith(f"invoke_agent Researcher  {outcome}  ")
        assert "(parent missing)" not in command(tmp_path, "show")
        assert f"({outcome})" in command(tmp_path, "decisions")
        assert f"1 {outcome}" in command(tmp_path, "stats")
        (row,) = json.loads(command(tmp_path, "stats", "--by", "agent", "--json"))["rows"]
        assert (row["key"], row["calls"], row[outcome]) == ("Researcher", 1, 1)
        sides = json.loads(command(tmp_path, "compare", "latest", "latest", "--json"))
        assert sides["errors"]["a"] == (outcome == "unfinished")
        (file,) = (tmp_path / ".agentops" / "traces").glob("*.jsonl")
        assert load(file).latest.outcome == outcome  # one file alone
        program.kill()


def test_a_run_that_is_killed_within_its_first_second_does_not_look_as_if_it_had_worked(
    start: Callable[..., Program],
) -> None:
    program = start(AGENT)
    traces = program.until(bool)
    program.kill()
    assert [trace.outcome for trace in traces] == ["running"]
    assert [trace.outcome for trace in program.traces] == ["unfinished"]
    assert not program.traces[0].complete


def test_a_killed_run_lasted_at_least_as_long_as_its_process_is_known_to_have_lived(
    start: Callable[..., Program],
) -> None:
    program = start(AGENT)
    folder = program.directory / ".agentops" / "traces"
    assert wait_for(lambda: any("seen_ns" in path.read_text() for path in open_files(folder)))
    program.kill()
    (trace,) = program.traces
    assert trace.outcome == "unfinished"
    assert 5.0 < trace.duration < 60
    assert trace.root.end is not None
    assert trace.root.end.timestamp() == pytest.approx(trace.root.end_ns / 1e9, abs=0.001)


def test_each_open_span_is_told_once_and_all_is_gone_when_they_have_ended(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path, integrations=[])
    with agentops.span("Manager", kind="workflow"), agentops.span("Worker", kind="agent"):
        assert wait_for(lambda: open_files(tmp_path))
        with agentops.span("slow", kind="tool"):
            assert wait_for(lambda: "slow" in open_files(tmp_path)[0].read_text())
            time.sleep(2.5)
            lines = [json.loads(line) for line in open_files(tmp_path)[0].read_text().splitlines()]
            assert [line["name"] for line in lines] == ["invoke_workflow Manager", "execute_tool slow"]
            assert [one["name"] for one in lines[0]["open_below"]] == ["invoke_agent Worker"]
            trace = load(tmp_path / "traces").latest
            assert [one.outcome for one in trace] == ["running"] * 3
            assert [one.name for one in trace.ancestors(trace.spans[-1])] == [
                "invoke_agent Worker", "invoke_workflow Manager",
            ]  # fmt: skip
    assert wait_for(lambda: not open_files(tmp_path))
    trace = load(tmp_path / "traces").latest
    assert (trace.outcome, trace.complete, len(trace)) == ("ok", True, 3)
    (file,) = (tmp_path / "traces").iterdir()
    assert len(file.read_text().splitlines()) == 3


def test_the_status_page_tells_what_runs_and_for_how_long(tmp_path: Path) -> None:
    agentops.init(exporters=["memory"], integrations=[])
    with (
        agentops.serve_status(0) as server,
        agentops.span("long", kind="agent") as span,
        agentops.span("inside", kind="tool"),
        urllib.request.urlopen(
            urllib.request.Request(
                f"http://127.0.0.1:{server.port}/status", headers={"authorization": f"Bearer {server.token}"}
            )
        ) as answer,
    ):
        (run,) = json.loads(answer.read())["runs"]
    assert (run["name"], run["trace_id"], run["open_spans"]) == ("invoke_agent long", span.trace_id, 2)
    assert run["outcome"] == "running"
    assert 0 < run["age"] < 60
    assert agentops.status().runs == []


def test_what_people_and_models_wrote_and_secrets_wait_for_the_end(tmp_path: Path) -> None:
    key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"
    agentops.init(directory=tmp_path, integrations=[])

    @agentops.agent(name=f"agent {key}")
    def work(task: str) -> None:
        assert wait_for(lambda: open_files(tmp_path))
        text = open_files(tmp_path)[0].read_text()
        assert "s-1" in text
        assert "the task" not in text
        assert "abcdefgh" not in text

    with agentops.context(session_id="s-1", metadata={"long": "x" * 5000, "key": key}):
        work("the task")


def test_no_file_is_touched_on_the_users_thread(start: Callable[..., Program], tmp_path: Path) -> None:
    program = start(
        """
touched = []
def audit(event, args):
    ours = event in ("open", "os.rename", "os.remove", "os.utime") and ".agentops" in str(args[0])
    if ours and threading.current_thread() is threading.main_thread():
        touched.append(event)
sys.addaudithook(audit)
for number in range(3):
    with agentops.span("run", kind="agent"), agentops.span("tool", kind="tool"):
        time.sleep(1.3)
open("touched", "w").write(repr(touched))
os._exit(0)
"""
    )
    assert program.process.wait(60) == 0
    assert (tmp_path / "touched").read_text() == "[]"


def test_a_forked_childs_spans_are_filed_under_their_agent_and_each_process_has_its_own_state(
    start: Callable[..., Program],
) -> None:
    program = start(
        """
with agentops.span("Parent", kind="agent"):
    pid = os.fork()
    if pid == 0:
        with agentops.span("Child", kind="agent"), agentops.span("step", kind="tool"):
            time.sleep(600)
    open("pid", "w").write(str(pid))
    time.sleep(600)
"""
    )

    def outcomes() -> dict[str, str]:
        traces = program.until(lambda traces: traces and len(traces[0]) == 3)
        (trace,) = traces
        assert trace.name == "invoke_agent Parent"
        assert [one.name for one in trace.ancestors(trace.spans[-1])] == ["invoke_agent Child", "invoke_agent Parent"]
        return {one.name.split()[-1]: one.outcome for one in trace}

    assert outcomes() == {"Parent": "running", "Child": "running", "step": "running"}
    child = int((program.directory / "pid").read_text())
    program.kill()
    assert outcomes() == {"Parent": "unfinished", "Child": "running", "step": "running"}
    os.kill(child, signal.SIGKILL)
    assert wait_for(lambda: set(outcomes().values()) == {"unfinished"})


def test_a_subprocess_below_a_run_that_goes_on(start: Callable[..., Program]) -> None:
    program = start(
        """
import subprocess
CHILD = '''
import agentops_sdk as agentops
agentops.init(integrations=[])
with agentops.span("inside", kind="tool"):
    pass
'''
with agentops.span("Outside", kind="agent"):
    subprocess.run([sys.executable, "-c", CHILD], check=True)
    time.sleep(600)
"""
    )
    (trace,) = program.until(lambda traces: named("invoke_agent Outside")(traces) and len(traces[0]) == 2)
    assert [one.name for one in trace.children(trace.root)] == ["execute_tool inside"]
    assert trace.outcome == "running"


def test_under_contention_for_the_interpreter(start: Callable[..., Program]) -> None:
    program = start(
        """
def spin():
    while True:
        pass
for _ in range(6):
    threading.Thread(target=spin, daemon=True).start()
with agentops.span("Busy", kind="agent"):
    with agentops.span("step", kind="tool"):
        pass
    spin()
"""
    )
    assert len(program.until(named("invoke_agent Busy"))) == 1
    program.kill()
    assert (program.traces[0].name, program.traces[0].outcome) == ("invoke_agent Busy", "unfinished")


def test_a_thousand_open_runs(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path, integrations=[])
    runs = [agentops.span(f"run {number}", kind="agent") for number in range(1_200)]
    release, threads = threading.Event(), []

    def hold(run: agentops.trace) -> None:
        with run:
            release.wait()

    threading.stack_size(262_144)
    try:
        threads = [threading.Thread(target=hold, args=(run,)) for run in runs]
        for thread in threads:
            thread.start()
        assert wait_for(lambda: open_files(tmp_path) and len(load(tmp_path / "traces")) == len(runs))
        assert {trace.outcome for trace in load(tmp_path / "traces")} == {"running"}
        (file,) = open_files(tmp_path)
        # Where it took long to get here, a line says that the process lives.
        lines = [line for line in file.read_text().splitlines() if not line.startswith('{"seen_ns"')]
        assert len(lines) == len(runs)
        assert max(map(len, lines)) < 1_500
        now = agentops.status()
        assert now.spans["open"] == len(runs)
        assert len(now.runs) == 100
        assert now.runs[0].name == "invoke_agent run 0"
        assert now.runs[0].age > now.runs[-1].age > 0
        assert "more" in str(now)
    finally:
        threading.stack_size(0)
        release.set()
        for thread in threads:
            thread.join()
    assert wait_for(lambda: not open_files(tmp_path))


def test_a_run_of_many_open_spans_tells_them_in_several_lines(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path, integrations=[])
    with agentops.span("fan out", kind="agent") as top:
        calls = [agentops.span(f"part {number}", kind="tool") for number in range(80)]
        for call in calls:
            call.__enter__()
        try:
            assert wait_for(lambda: open_files(tmp_path) and len(load(tmp_path / "traces")[top.trace_id]) == 81)
            lines = open_files(tmp_path)[0].read_text().splitlines()
            assert [1 + len(json.loads(line)["open_below"]) for line in lines] == [32, 32, 17]
        finally:
            for call in reversed(calls):
                call.__exit__(None, None, None)


def test_other_sinks_never_see_what_is_open(tmp_path: Path) -> None:
    theirs = InMemorySpanExporter()
    agentops.init(exporters=[theirs, f"jsonl:{tmp_path}/a", f"jsonl:{tmp_path}/b", "memory"], integrations=[])
    with agentops.span("long", kind="agent"):
        for place in ("a", "b"):  # both on threads of their own
            assert wait_for(lambda: open_files(tmp_path / place))  # noqa: B023 - it is asked at once
            assert load(tmp_path / place).latest.outcome == "running"
        assert theirs.get_finished_spans() == ()
    assert agentops.flush().exported == 1
    assert len(theirs.get_finished_spans()) == 1
    assert wait_for(lambda: not open_files(tmp_path))


def test_a_directory_that_vanishes_gets_it_again(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path, integrations=[])
    with agentops.span("long", kind="agent"):
        assert wait_for(lambda: open_files(tmp_path))
        shutil.rmtree(tmp_path / "traces")
        assert wait_for(lambda: open_files(tmp_path))
        assert load(tmp_path / "traces").latest.name == "invoke_agent long"


def test_a_sink_that_comes_in_later_is_told_too(tmp_path: Path) -> None:
    agentops.init(exporters=["memory"], integrations=[])
    with agentops.span("long", kind="agent"):
        time.sleep(1.2)
        agentops.configure(exporters=[f"jsonl:{tmp_path}"])
        assert wait_for(lambda: open_files(tmp_path))


def test_a_quiet_program_is_left_alone_and_a_run_that_begins_is_seen(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path, integrations=[])
    with agentops.span("short"):
        pass
    assert process_runtime.current is not None
    queue = process_runtime.current.queue
    assert wait_for(lambda: queue.asleep)  # it waits without a time-out until somebody wakes it
    with agentops.span("first after a pause", kind="agent"):
        assert not queue.asleep
        assert wait_for(lambda: open_files(tmp_path))
    assert wait_for(lambda: queue.asleep)


def test_shutdown_ends_what_is_open_and_leaves_no_file(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path, integrations=[])
    with agentops.span("long", kind="agent"):
        assert wait_for(lambda: open_files(tmp_path))
        agentops.shutdown()
    assert open_files(tmp_path) == []
    assert load(tmp_path / "traces").latest.outcome == "interrupted"


def test_what_the_killed_left_behind_goes_with_age_and_what_the_living_have_stays(
    start: Callable[..., Program], tmp_path: Path
) -> None:
    program = start(AGENT)
    program.until(named("invoke_agent Researcher"))
    folder = tmp_path / ".agentops" / "traces"
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    assert tidy(folder, max_bytes=2**40, max_age=60.0, compress=True) == []
    program.kill()
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    assert len(tidy(folder, max_bytes=2**40, max_age=60.0, compress=True)) == 2
    assert list(folder.iterdir()) == []


def test_the_file_is_written_anew_without_what_has_ended(tmp_path: Path) -> None:
    file = OpenFile(tmp_path)
    big = b"x" * 9_999 + b"\n"
    for number in range(1, 200):
        file.update([(frozenset((number,)), big)], {number, 1})
        (path,) = open_files(tmp_path)
        assert path.stat().st_size < 300_000
        assert path.stat().st_mode & 0o777 == 0o600
    file.update([], {1})
    file.update([], set())
    assert open_files(tmp_path) == []


def test_what_cannot_be_written_now_is_written_later(tmp_path: Path) -> None:
    (tmp_path / "traces").write_text("in the way")
    file = OpenFile(tmp_path / "traces")
    with pytest.raises(OSError, match="traces"):
        file.update([(frozenset((1,)), b"one\n")], {1})
    (tmp_path / "traces").unlink()
    file.update([], {1})
    assert open_files(tmp_path)[0].read_bytes() == b"one\n"
    file.remove()


def test_a_full_disk_leaves_whole_lines_and_is_tried_again(tmp_path: Path) -> None:
    """A limit on the file's size makes the kernel cut a write short, as a full disk does."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    file, line = OpenFile(tmp_path), b"x" * 99 + b"\n"
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (250, old[1]))
        file.update([(frozenset((1,)), line)], {1})
        with pytest.raises(OSError, match="No space"):
            file.update([(frozenset((number,)), line) for number in range(2, 5)], {1, 2, 3, 4})
        assert open_files(tmp_path)[0].read_bytes() == line
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    file.update([], {1, 2, 3, 4})
    assert open_files(tmp_path)[0].read_bytes() == line * 4
    file.remove()


def test_ship_sends_no_open_span(start: Callable[..., Program], tmp_path: Path) -> None:
    from tests.export.receiver import Receiver

    program = start(AGENT)
    program.until(named("invoke_agent Researcher"))
    program.kill()
    receiver = Receiver()
    try:
        folder = str(tmp_path / ".agentops" / "traces")
        assert "2 spans sent" in command(tmp_path, "ship", folder, "--to", receiver.url)
    finally:
        receiver.close()
