"""``agentops watch`` tells of a run whose process was killed, once, also when it is killed and started again itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.wire.http import Reply, Request, Wire

import agentops_sdk as agentops
from agentops_sdk._alerts.engine import Engine
from agentops_sdk._alerts.notice import Notice
from agentops_sdk._alerts.notice_delivery import SECRET_VARIABLE, signature
from agentops_sdk._alerts.observation import Observation
from agentops_sdk._alerts.told_file import Told
from agentops_sdk.alert_rules import from_keywords
from agentops_sdk.cli.watch import _Folder, _Stored

KILLED = """
import os, sys, time
import agentops_sdk as agentops

agentops.init(directory=sys.argv[1], integrations=[])
with agentops.span("long, and done", kind="workflow"):
    with agentops.span("background", kind="workflow"):
        time.sleep(1)
    agentops.flush()
with agentops.span("killed", kind="workflow"), agentops.span("inner"):
    time.sleep(1.2)
    os.kill(os.getpid(), 9)
"""


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_killed_run_is_told_once_and_its_end_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "s3cret")
    received: list[Request] = []

    def receive(request: Request) -> Reply:
        received.append(request)
        return Reply({}, status=503 if len(received) == 1 else 200)

    def watch() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "agentops_sdk", "watch", str(rules), "--dir", str(tmp_path), "--every", "0.1"]
        return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    rules = tmp_path / "rules.toml"
    with Wire(receive) as wire:
        rules.write_text(
            f'[[alert]]\nwhen = "unfinished runs"\nover = 4\nevery = 600\nthen = "webhook:{wire.url}"\nrunbook = "r"\n'
        )
        watching = watch()
        killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=tmp_path, check=False)
        assert killed.returncode == -9
        alerts = tmp_path / "alerts"
        until(lambda: received and list(alerts.glob("*.json")))  # the receiver is out
        watching.kill()
        watching.wait()
        watching = watch()
        until(lambda: len(received) >= 3 and not list(alerts.glob("*.json")))  # it knows that all has arrived
        watching.kill()
        watching.wait()
        (memory,) = alerts.glob("watch-*")
        looked = memory.read_bytes()
        watching = watch()
        until(lambda: memory.read_bytes() != looked)  # it has looked at everything once more
        watching.kill()
        watching.wait()
    bodies = [request.body for request in received]
    assert [body["state"] for body in bodies] == ["firing", "firing", "recovered"]
    assert bodies[0]["id"] == bodies[1]["id"] == bodies[2]["id"]
    assert (bodies[0]["value"], bodies[0]["runbook"]) == (1.0, "r")
    for request in received:
        moment = request.headers["x-agentops-timestamp"]
        assert request.headers["x-agentops-signature"] == signature("s3cret", moment, request.raw)
    (run,) = [trace for trace in agentops.traces.load(tmp_path) if trace.outcome == "unfinished"]
    assert run.trace_id == bodies[0]["trace_id"]


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path, integrations=[])
    folder = _Folder(tmp_path, everything=False)
    for number in range(2):
        with agentops.span(f"step {number}"):
            pass
    agentops.flush()
    assert len(list(folder.observations())) == 2
    (path,) = tmp_path.rglob("*.jsonl")
    with path.open("r+b") as file:
        file.write(b"x" * path.stat().st_size)
    assert list(folder.observations()) == []
    with agentops.span("another"):
        pass
    agentops.flush()
    assert len(list(folder.observations())) == 1
    agentops.shutdown()


def test_of_a_store_everything_is_read_since_it_was_looked_at(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path, integrations=[])
    with agentops.span("step"):
        pass
    agentops.shutdown()
    for looked, found in ((0.0, 1), (time.time(), 1), (time.time() + 600, 0)):
        assert len(list(_Stored(tmp_path, looked).observations())) == found


def seen(at: float) -> Observation:
    return Observation(at, "workflow", 1.0, True, True, "error", {}, [], 0, "a" * 32)


def test_who_is_started_again_goes_on() -> None:
    rule, heard, told = from_keywords("error rate > 50 %", least=1, over=60, every=600), [], {}

    def tell(_: Any, notice: Notice) -> None:
        heard.append(notice.state)

    Engine([rule], tell, told=told).observe(seen(1_000.0))
    assert heard == ["firing"]
    told = {number: Told(*fact) for number, fact in json.loads(json.dumps(told)).items()}
    again = Engine([rule], tell, told=told, since=1_000.0)
    again.observe(seen(900.0))
    again.observe(seen(1_010.0))
    assert heard == ["firing"]  # of the same period
    again.tick(1_100.0)
    assert heard == ["firing", "recovered"]
    Engine([rule], tell, told=told, since=1_000.0).observe(seen(1_120.0))
    assert heard == ["firing", "recovered"]
    Engine([rule], tell, told=told, since=2_000.0).observe(seen(1_700.0))  # was over before
    assert heard == ["firing", "recovered"]
    Engine([rule], tell, told=told, since=1_000.0).observe(seen(1_700.0))
    assert heard == ["firing", "recovered", "firing"]


def test_what_is_read_once_more_is_not_over() -> None:
    rule, heard, told = from_keywords("error rate > 20 %", least=2, over=300), [], {}
    for _ in range(2):  # begun again while what it has told of is younger than what it last wrote down
        engine = Engine([rule], lambda _, notice: heard.append(notice.state), told=told, since=990.0)
        for at in (1_000.0, 1_001.0, 1_002.0):
            engine.observe(seen(at))
        engine.tick(1_010.0)
    assert heard == ["firing"]
    engine.tick(1_400.0)
    assert heard == ["firing", "recovered"]
