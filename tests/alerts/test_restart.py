"""A process that is killed while its alert is being sent leaves both to the next one: the alert, and that it fires."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.wire.http import HANG, Reply, Request, Wire

import agentops_sdk as agentops
from agentops_sdk._alerts.engine import Engine
from agentops_sdk._alerts.observation import Observation
from agentops_sdk._alerts.told_file import ToldFile
from agentops_sdk.alert_rules import from_keywords

KILLED = """
import sys, time
from pathlib import Path
import agentops_sdk as agentops
from agentops_sdk._alerts.told_file import ToldFile

folder, rule = Path(sys.argv[1]), dict(over=1, every=600, per="agent", least=1, then=sys.argv[2])
agentops.init(directory=folder, integrations=[], service_name="svc")
agentops.alert("error rate > 50 %", **rule)
try:
    with agentops.span("work", kind="agent", **{"gen_ai.agent.name": "scout"}):
        raise ValueError
except ValueError:
    pass
time.sleep(600)
"""


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def received() -> list[Request]:
    return []


@pytest.fixture
def wire(received: list[Request]) -> Iterator[Wire]:
    def receive(request: Request) -> Reply:
        received.append(request)
        return Reply(HANG) if len(received) == 1 else Reply({})

    with Wire(receive) as running:
        yield running


def test_a_restart_tells_what_was_to_be_told_once_and_its_end(
    tmp_path: Path, wire: Wire, received: list[Request]
) -> None:
    target = f"webhook:{wire.url}/hook"
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), target]) as killed:
        try:
            until(lambda: received)
            names = sorted(path.name for path in (tmp_path / "alerts").glob("*"))
        finally:
            killed.kill()
    assert [name.endswith(".json") for name in names] == [True, False]  # before it was sent
    assert names[1].startswith(f"told-{killed.pid}-")
    agentops.init(directory=tmp_path, integrations=[], service_name="svc")
    alert = agentops.alert("error rate > 50 %", over=1, every=600, per="agent", least=1, then=target)
    with agentops.span("work", kind="agent", **{"gen_ai.agent.name": "another"}):
        pass  # of the one that fired nothing more is heard
    until(lambda: any(request.body["state"] == "recovered" for request in received[1:]))
    agentops.shutdown()
    alert.remove()
    told = [(request.body["state"], request.body["key"]) for request in received[1:]]
    assert told == [("firing", "scout"), ("recovered", "scout")]
    assert len({request.body["id"] for request in received[1:]}) == 1
    assert list((tmp_path / "alerts").glob("*.json")) == []
    (memory,) = (tmp_path / "alerts").glob("told-*")
    assert memory.name.startswith(f"told-{os.getpid()}-")
    assert [fact[1] for fact in json.loads(memory.read_bytes())["told"].values()] == [False]


def test_what_another_program_or_a_living_process_has_told_stays_theirs(tmp_path: Path) -> None:
    tmp_path.joinpath("told-1").write_text(json.dumps({"service": "other", "looked": 1, "told": {"a": [1, True]}}))
    living = {"service": "svc", "looked": time.time(), "process": {"pid": 1}, "told": {"b": [1, True, "", 1, ""]}}
    tmp_path.joinpath("told-2").write_text(json.dumps(living))
    memory = ToldFile(tmp_path / "told-3", "svc")
    memory.adopt()
    assert memory.told == {}
    os.utime(tmp_path / "told-2", (1, 1))  # it shows no sign of life any more
    memory.adopt()
    assert memory.told.keys() == {"b"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["told-1", "told-3"]


def test_what_falls_silent_while_nobody_is_there_is_missed(tmp_path: Path) -> None:
    """It had not fired before: whoever starts again knows of it by what was seen; of users, names are not written."""
    rules = [
        from_keywords("silence", over=60, every=1000, per="agent"),
        from_keywords("silence", over=60, every=1000, per="user"),
    ]
    memory = ToldFile(tmp_path / "told-1", "svc")
    before = Engine(rules, lambda *_: None, "svc", memory.told)
    for at, agent in ((1_000.0, "scout"), (1_020.0, "scout"), (1_100.0, "writer")):
        attributes = {"gen_ai.agent.name": agent, "user.id": "ada"}
        before.observe(Observation(at, "agent", 1.0, False, True, "ok", attributes, [], 0, "a" * 32))
    memory.keep(1_100.0)
    assert b"ada" not in (tmp_path / "told-1").read_bytes()
    again = ToldFile(tmp_path / "told-1", "svc")
    told: list[tuple[str, str]] = []
    after = Engine(rules, lambda _, notice: told.append((notice.state, notice.key)), "svc", again.told)
    again.read()
    after.remember(1_130.0)
    after.tick(1_150.0)
    assert told == [("firing", "scout")]
    after.tick(1_200.0)
    assert told == [("firing", "scout"), ("firing", "writer")]
