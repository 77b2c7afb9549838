"""However a process ends, what had ended is on disk: run in real processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import os, sys, time, threading
import agentops_sdk as agentops
agentops.init(integrations=[])
with agentops.span("outer"):
    for number in range(3):
        with agentops.span(f"inner {number}"):
            pass
"""

UNTIL_WRITTEN = """
import glob
while sum(open(name).read().count("\\n") for name in glob.glob(".agentops/traces/*")) < 4:
    time.sleep(0.02)
"""


def run(tmp_path: Path, ending: str) -> tuple[int, list[dict], str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + ending], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == ""
    return done.returncode, records(tmp_path), done.stderr


def records(tmp_path: Path) -> list[dict]:
    return [
        json.loads(line)
        for file in (tmp_path / ".agentops" / "traces").glob("*.jsonl")
        for line in file.read_text().splitlines()
    ]


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("", 0),
        ("agentops.shutdown()", 0),
        ("sys.exit(3)", 3),
        ("raise KeyError('gone')", 1),
        ("threading.Thread(target=lambda: agentops.flush()).start()", 0),
        (UNTIL_WRITTEN + "os._exit(4)", 4),
        ("import signal; signal.raise_signal(signal.SIGTERM)", -signal.SIGTERM),  # as uvicorn ends when it has stopped
    ],
)
def test_nothing_is_lost(tmp_path: Path, ending: str, code: int) -> None:
    returned, rows, errors = run(tmp_path, ending)
    assert returned == code
    assert sorted(row["name"] for row in rows) == ["inner 0", "inner 1", "inner 2", "outer"]
    assert "agentops" not in errors.replace("import agentops_sdk", "").replace("agentops.", "")


FINALIZER = """
import {first}
import agentops_sdk as agentops
agentops.init(integrations=[])
from multiprocessing.util import Finalize
def record():
    with agentops.span("late"):
        pass
Finalize(None, record, exitpriority=0)
"""


@pytest.mark.parametrize("first", ["multiprocessing.util", "sys"])
def test_what_the_last_handlers_of_multiprocessing_record_is_kept(tmp_path: Path, first: str) -> None:
    """They run after ours where it was imported before us."""
    subprocess.run([sys.executable, "-c", FINALIZER.format(first=first)], cwd=tmp_path, timeout=60, check=True)
    assert [row["name"] for row in records(tmp_path)] == ["late"]


def test_a_killed_process_keeps_what_had_ended(tmp_path: Path) -> None:
    script = PROGRAM + "time.sleep(60)"  # neither flushes nor exits: what gets to the disk gets there by itself
    with subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path) as process:
        deadline = time.monotonic() + 30
        while len(records(tmp_path)) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    assert len(records(tmp_path)) == 4


def test_a_forked_child_records_its_own_and_repeats_nothing(tmp_path: Path) -> None:
    ending = """
agentops.flush()
with agentops.span("parent"):
    child = os.fork()
    with agentops.span("child" if child == 0 else "other"):
        pass
if child:
    os.waitpid(child, 0)
"""
    returned, rows, _ = run(tmp_path, ending)
    assert returned == 0
    names = sorted(row["name"] for row in rows)
    assert names == ["child", "inner 0", "inner 1", "inner 2", "other", "outer", "parent"]
    spans = {row["name"]: row for row in rows}
    assert spans["child"]["parent_id"] == spans["parent"]["span_id"]
    assert len({row["span_id"] for row in rows}) == len(rows)
    assert len(list((tmp_path / ".agentops" / "traces").iterdir())) == 2


def test_what_is_open_at_the_end_is_recorded_as_interrupted(tmp_path: Path) -> None:
    ending = """
begun = threading.Event()
def work():
    with agentops.span("still running"):
        begun.set()
        time.sleep(60)
threading.Thread(target=work, daemon=True).start()
begun.wait()
"""
    _, rows, _ = run(tmp_path, ending)
    by_name = {row["name"]: row["outcome"] for row in rows}
    assert by_name.pop("still running") == "interrupted"
    assert set(by_name.values()) == {"ok"}


def test_shutdown_inside_an_operation_keeps_it(tmp_path: Path) -> None:
    _, rows, errors = run(tmp_path, "\nwith agentops.span('main'):\n    agentops.shutdown()\nprint(1, file=sys.stderr)")
    assert {row["name"]: row["outcome"] for row in rows}["main"] == "interrupted"
    assert errors == "1\n"
