"""What runs can be paused and changed, by whoever has the token, and each change is written down."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest

import agentops_sdk as agentops
from agentops_sdk._audit import audit_log as audit
from agentops_sdk._limits import pauses
from agentops_sdk.cli import main


@pytest.fixture(autouse=True)
def nothing_paused(tmp_path: Path) -> Iterator[None]:
    agentops.init(exporters=["jsonl"], integrations=[], directory=tmp_path)
    audit.last.clear()
    yield
    agentops.shutdown()
    for name in list(pauses.paused):
        pauses.resume(name)


@agentops.tool
def search() -> str:
    return "x"


@agentops.agent
def scout() -> str:
    return search()


@agentops.agent
def writer() -> str:
    return search()


def test_an_agent_is_paused_and_goes_on(tmp_path: Path) -> None:
    agentops.pause("scout", reason="it went astray")
    with pytest.raises(agentops.Paused, match="scout is paused: it went astray") as caught:
        scout()
    assert caught.value.agent == "scout"
    assert writer() == "x"
    assert agentops.status().paused == ["scout"]
    agentops.resume("scout")
    assert scout() == "x"
    agentops.pause()
    for call in (writer, search):
        with pytest.raises(agentops.Paused):
            call()
    agentops.resume()
    assert search() == "x"
    lines = [json.loads(line) for line in (tmp_path / "audit" / "000001.jsonl").read_text().splitlines()]
    assert [(line["action"], line["changes"]["agent"]) for line in lines] == [
        ("pause", "scout"), ("resume", "scout"), ("pause", None), ("resume", None),
    ]  # fmt: skip
    agentops.flush()
    trace = next(trace for trace in agentops.traces.load(tmp_path / "traces") if trace.errors)
    assert [(each.name, each.chosen, each.by) for each in trace.decisions if each.name == "pause"]


def test_an_agent_that_runs_is_stopped_at_its_next_step() -> None:
    @agentops.agent
    def long_running() -> str:
        search()
        agentops.pause("long_running")
        return search()

    with pytest.raises(agentops.Paused):
        long_running()


def test_by_http_with_a_token_and_within_bounds(tmp_path: Path) -> None:
    def post(server: agentops.serve_status, body: Any, token: str | None = "t0ken", path: str = "/configure") -> Any:  # type: ignore[valid-type] # a stand-in until it is loaded
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx2.post(f"http://127.0.0.1:{server.port}{path}", content=content, headers=headers)

    with agentops.serve_status(0, token="t0ken") as server:
        assert post(server, {"pause": "scout"}, token="wrong").status_code == 401
        assert post(server, {"pause": "scout"}, token=None).status_code == 401
        reply = post(server, {"settings": {"limits": "3 tool calls / process"}, "pause": "scout"})
        assert (reply.status_code, reply.json()) == (200, {"changed": ["limits"], "paused": ["scout"]})
        with pytest.raises(agentops.Paused):
            scout()
        for _ in range(3):
            search()
        with pytest.raises(agentops.LimitExceeded):
            search()
        for wrong in (
            {"settings": {"exporters": ["otlp:http://evil"]}}, {"settings": {"alerts": [{"when": "loop"}]}},
            {"settings": {"vendor_propagation": True}}, {"settings": {"sample_ratio": 7}}, {"explode": True}, b"{",
            b"[]", {"pause": ""}, {"settings": {"redact_patterns": "x"}}, {"settings": {"limits": None}}, b"[" * 60_000,
        ):  # fmt: skip
            assert post(server, wrong).status_code == 400, wrong
        assert post(server, {"settings": {"capture_content": False}}).status_code == 200
        assert post(server, {"settings": {"capture_content": True}}).status_code == 400
        assert post(server, b"x" * 70_000).status_code == 413
        assert post(server, {}, path="/status").status_code == 405
        assert post(server, {"resume": "scout", "settings": {"limits": []}}).json()["paused"] == []
    by = [line["by"] for line in map(json.loads, (tmp_path / "audit" / "000001.jsonl").read_text().splitlines())]
    assert set(by) == {"POST /configure from 127.0.0.1"}
    with agentops.serve_status(0) as server:
        assert post(server, {"pause": "scout"}, token=None).status_code == 401
        assert post(server, {"pause": "scout"}, token=server.token).json()["paused"] == ["scout"]
        assert post(server, {"resume": "scout"}, token=server.token).json()["paused"] == []


def test_personal_data_is_in_no_record_of_it_and_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agentops.init(restart=True, exporters=["jsonl"], integrations=[], directory=tmp_path, pii=["email"], audit=True)
    agentops.pause("ann@home.example", reason="ann@home.example asked")
    agentops.pause("nobody", reason="ann@home.example asked", everywhere=True)
    monkeypatch.setenv("AGENTOPS_PII", "email")
    assert main(["pause", "somebody", "--reason", "bob@home.example asked", "--dir", str(tmp_path)]) == 0
    agentops.resume("nobody", everywhere=True)
    agentops.flush()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"@home.example" not in written
    assert written.count(b"[redacted:email] asked") == 4  # in the folder one, in the log three


def test_as_asgi() -> None:
    async def sent(token: str | None, given: str | None) -> int:
        events: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b'{"pause": "scout"}'}

        async def send(event: dict[str, Any]) -> None:
            events.append(event)

        headers = [] if given is None else [(b"authorization", f"Bearer {given}".encode())]
        scope = {"type": "http", "method": "POST", "path": "/agentops/configure", "headers": headers}
        await partial(agentops.status_app, token=token)(scope, receive, send)
        return int(events[0]["status"])

    assert asyncio.run(sent("t", "t")) == 200
    assert asyncio.run(sent("t", "u")) != 200
    assert asyncio.run(sent(None, None)) == 405


def test_configure_is_written_down_without_secrets(tmp_path: Path) -> None:
    agentops.configure(sample_ratio=0.5, limits="5 usd / run")
    agentops.configure(exporters=["otlp:http://user:hunter2@127.0.0.1:9"], shutdown_timeout=0.1)
    (first, second) = audit.last
    assert first["changes"]["sample_ratio"] == {"before": 1.0, "after": 0.5}
    assert first["changes"]["limits"]["after"] == ["5 USD / run"]
    assert "hunter2" not in json.dumps(second)
    assert "hunter2" not in (tmp_path / "audit" / "000001.jsonl").read_text()


@pytest.mark.guard_swallows
def test_a_bug_pauses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    agentops.pause()
    monkeypatch.setattr(pauses, "_paused_around", broken)
    monkeypatch.setattr(audit, "_shown", broken)
    assert search() == "x"
    agentops.configure(sample_ratio=0.5)


OTHER = """
import sys, time
import agentops_sdk as agentops
agentops.init(exporters=["jsonl"], integrations=[], directory=sys.argv[1])
@agentops.agent
def scout():
    return "ran"
for line in sys.stdin:
    try:
        print(scout(), flush=True)
    except agentops.Paused as error:
        print(error, flush=True)
    agentops.flush()
"""


class Other:
    """A second process that works in the same folder: each line it is given is one run of its agent."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OTHER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def step(self) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def within(self, said: str, steps: int = 200) -> bool:
        """Whether it says so before it has made so many steps; a step later than 250 ms after another looks again."""
        return any(self.step() == said or time.sleep(0.05) for _ in range(steps))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()


def test_everywhere_is_in_each_process_of_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Other(tmp_path) as other:
        assert other.step() == "ran"
        agentops.pause("scout", reason="by me", everywhere=True)
        with pytest.raises(agentops.Paused, match="by me"):
            scout()
        assert other.within("agent scout is paused: by me")
        with Other(tmp_path) as later:
            assert later.step() == "agent scout is paused: by me"
        assert agentops.status().paused == ["scout"]
        assert main(["pause", "--dir", str(tmp_path)]) == 0
        assert capsys.readouterr().out == "scout: by me\n"
        assert main(["resume", "scout", "--dir", str(tmp_path)]) == 0
        assert other.within("ran")
        time.sleep(0.3)  # no more is asked of the folder than every quarter of a second
        assert scout() == "x"
        assert main(["pause", "--all", "--dir", str(tmp_path)]) == 0
        assert other.within("everything is paused")
        agentops.resume(everywhere=True)
        assert search() == "x"
        assert main(["resume", "--all", "--dir", str(tmp_path)]) == 1
    agentops.shutdown()
    capsys.readouterr()
    for name in ("scout", "scuot"):
        assert main(["pause", name, "--dir", str(tmp_path)]) == 0
        assert main(["resume", name, "--dir", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["scout: paused", "scout: resumed", "scuot: paused", "scuot: resumed"]
    assert err == "agentops: no agent of that name was ever seen here: did you mean scout?\n"
    assert pauses.why() == {}
    assert audit_actions(tmp_path) == ["pause", "resume"] * 4
    agentops.init(exporters=["memory"], integrations=[])
    with pytest.raises(agentops.ConfigError, match="writes files"):
        agentops.pause(everywhere=True)


def audit_actions(folder: Path) -> list[str]:
    lines = (folder / "audit" / "000001.jsonl").read_text().splitlines()
    return [line["action"] for line in map(json.loads, lines) if line["action"] in ("pause", "resume")]


@pytest.mark.guard_swallows
def test_a_folder_that_cannot_be_written_pauses_here(tmp_path: Path) -> None:
    (tmp_path / "paused").write_text("a file in its place")
    agentops.pause("scout", everywhere=True)
    with pytest.raises(agentops.Paused):
        scout()
