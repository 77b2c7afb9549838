"""Who is told: signed, in the shape that is wanted, again after a failure and after a restart; and the last traces."""

from __future__ import annotations

import dataclasses
import gzip
import json
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.wire.http import Reply, Request, Wire

import agentops_sdk as agentops
from agentops_sdk._alerts import notice_delivery
from agentops_sdk._alerts.engine import Engine
from agentops_sdk._alerts.notice import Notice, pagerduty, slack
from agentops_sdk._alerts.notice_delivery import SECRET_VARIABLE, Delivery, signature
from agentops_sdk.alert_rules import from_keywords
from agentops_sdk.exporters.memory import MemoryExporter


class Receiver:
    def __init__(self) -> None:
        self.status = 200
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        return Reply({"ok": True}, status=self.status)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def wire(receiver: Receiver) -> Iterator[Wire]:
    with Wire(receiver) as running:
        yield running


NOTICE = Notice("1" * 16, "errors", "firing", "error rate > 20 %", "agent", "scout", 0.5, 0.2, 300, 1_700_000_000.0,
                "critical", "svc", "a" * 32, "https://run.example/<book>")  # fmt: skip


def test_shapes_and_signature(wire: Wire, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "s3cret")
    targets = [f"webhook:{wire.url}/hook", f"slack:{wire.url}/slack", f"pagerduty:KEY@{wire.url}/pd"]
    rule = from_keywords("loop", then=targets)
    delivery = Delivery([rule], None)
    delivery.put(rule, NOTICE)
    delivery.work()
    assert (delivery.delivered, delivery.waiting) == (3, 0)
    hook, message, event_sent = receiver.requests
    moment = hook.headers["x-agentops-timestamp"]
    assert hook.headers["x-agentops-signature"] == signature("s3cret", moment, NOTICE.body())
    assert (hook.body["state"], hook.body["trace_id"], hook.body["runbook"]) == ("firing", "a" * 32, NOTICE.runbook)
    assert "&lt;book&gt;" in message.body["text"]
    assert message.body["blocks"][0]["type"] == "section"
    event = event_sent.body
    assert (event["routing_key"], event["event_action"], event["dedup_key"]) == ("KEY", "trigger", NOTICE.id)
    assert (event["payload"]["severity"], event["payload"]["source"]) == ("critical", "svc")


def test_a_runbook_that_is_no_address_is_no_button() -> None:
    notice = dataclasses.replace(NOTICE, runbook="ask whoever is on duty")
    (section,) = json.loads(slack(notice))["blocks"]
    assert section["text"]["text"].endswith("runbook ask whoever is on duty")
    assert "links" not in json.loads(pagerduty(notice, "KEY"))
    assert len(json.loads(slack(NOTICE))["blocks"]) == 2


def test_what_fails_waits_on_disk_and_another_process_delivers_it(
    wire: Wire, receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = [1_700_000_000.0]
    rule = from_keywords("loop", then=f"webhook:{wire.url}/SECRET-PATH")
    receiver.status = 503
    first = Delivery([rule], tmp_path, clock=lambda: now[0])
    first.put(rule, NOTICE)
    first.work()
    first.work()  # not due yet
    assert (first.waiting, len(receiver.requests)) == (1, 1)
    now[0] += 2
    first.work()
    assert (first.waiting, len(receiver.requests)) == (1, 2)
    (file,) = tmp_path.glob("*.json")
    assert "SECRET-PATH" not in file.read_text()
    assert "SECRET-PATH" not in caplog.text
    receiver.status = 200
    second = Delivery([rule], tmp_path, clock=lambda: now[0])
    second.work()
    second.reconfigure([rule])
    second.work()
    assert (second.delivered, list(tmp_path.glob("*.json"))) == (1, [])
    assert receiver.requests[-1].body["id"] == NOTICE.id


def test_an_end_does_not_arrive_before_what_it_ends(wire: Wire, receiver: Receiver, tmp_path: Path) -> None:
    now = [NOTICE.at]
    rule = from_keywords("loop", then=f"webhook:{wire.url}/")
    receiver.status = 503
    delivery = Delivery([rule], tmp_path, clock=lambda: now[0])
    delivery.put(rule, NOTICE)
    delivery.work()
    receiver.status = 200
    delivery.put(rule, dataclasses.replace(NOTICE, state="recovered", at=NOTICE.at + 1))
    delivery.work()
    assert (delivery.waiting, len(receiver.requests)) == (2, 1)
    now[0] += 60
    delivery.work()
    assert [request.body["state"] for request in receiver.requests] == ["firing", "firing", "recovered"]
    assert (delivery.waiting, list(tmp_path.glob("*.json"))) == (0, [])


def test_what_else_goes_where_nothing_arrives_holds_nobody_up(wire: Wire, receiver: Receiver, tmp_path: Path) -> None:
    now = [NOTICE.at]
    rule = from_keywords("loop", then=f"webhook:{wire.url}/")
    receiver.status = 503
    delivery = Delivery([rule], tmp_path, clock=lambda: now[0])
    for number in range(5):
        delivery.put(rule, dataclasses.replace(NOTICE, id=str(number)))
    delivery.work()
    assert (delivery.waiting, len(receiver.requests), len(list(tmp_path.glob("*.json")))) == (5, 1, 5)
    receiver.status = 200
    now[0] += 60
    delivery.work()
    assert sorted(request.body["id"] for request in receiver.requests[1:]) == list("01234")
    assert (delivery.waiting, list(tmp_path.glob("*.json"))) == (0, [])


def test_time_passes_also_while_there_is_more_to_tell_than_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice_delivery, "_TICK", 0.005)
    ticks: list[float] = []
    told: list[Notice] = []

    def tell(notice: Notice) -> None:
        told.append(notice)
        if len(ticks) < 3 and len(told) < 20_000:
            delivery.put(rule, notice)  # as from a program in which everything fires

    rule = from_keywords("loop", then=tell)
    delivery = Delivery([rule], None, tick=ticks.append)
    delivery.put(rule, NOTICE)
    delivery.start()
    deadline = time.monotonic() + 30
    while len(ticks) < 3 and len(told) < 20_000 and time.monotonic() < deadline:
        time.sleep(0.005)
    delivery.stop(10)
    assert len(ticks) >= 3
    assert len(told) < 20_000


def test_a_command_a_function_and_an_event(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    out = tmp_path / "out"
    program = f"{sys.executable} -c \"import sys; open('{out}', 'w').write(sys.stdin.read())\""
    told: list[Notice] = []
    rule = from_keywords("loop", then=[f"command:{program}", told.append, "log", "event"])
    delivery = Delivery([rule], None)
    with caplog.at_level(logging.WARNING, "agentops_sdk"):
        delivery.put(rule, NOTICE)
        delivery.work()
    assert json.loads(out.read_text())["rule"] == "errors"
    assert told == [NOTICE]
    assert "alert firing: errors" in caplog.text
    assert delivery.delivered == 4


def failing_runs(count: int) -> None:
    for _ in range(count):
        with pytest.raises(ValueError), agentops.span("work", kind="workflow"):
            raise ValueError


def test_in_process_with_the_traces_that_sampling_dropped(tmp_path: Path) -> None:
    exporter, told = MemoryExporter(), []
    agentops.init(
        exporters=[exporter],
        integrations=[],
        directory=tmp_path,
        sample_ratio=0.0,
        keep_errors=False,
        service_name="svc",
    )
    alert = agentops.alert("error rate > 50 %", then=told.append)
    failing_runs(6)
    agentops.flush()
    assert exporter.finished_spans() == ()
    (notice,) = told
    assert (notice.state, notice.value, notice.service) == ("firing", 1.0, "svc")
    traces = agentops.traces.load(notice.flight)
    assert len(traces) == 5
    assert notice.trace_id in traces
    alert.remove()
    failing_runs(6)
    agentops.flush()
    assert len(told) == 1


def test_alerts_that_fire_at_once_write_each_trace_once(tmp_path: Path) -> None:
    told: list[Any] = []
    agentops.init(exporters=["memory"], integrations=[], directory=tmp_path, sample_ratio=0.0)
    alert = agentops.alert("error rate > 50 %", per="user", least=2, then=told.append)

    def fail(*users: str) -> None:
        for user in users:
            with agentops.context(user_id=user):
                failing_runs(2)
        agentops.flush()

    fail("ada", "ben", "cem")
    assert len(told) == 3
    (flight,) = {notice.flight for notice in told}
    assert len(agentops.traces.load(flight)) == 6
    assert len(Path(flight).read_text("utf-8").splitlines()) == 6
    Path(flight).unlink()  # somebody has taken it elsewhere
    fail("dan")
    assert len(agentops.traces.load(told[-1].flight)) == 8
    alert.remove()


def test_runs_that_are_kept_after_all_are_whole(tmp_path: Path) -> None:
    exporter, told = MemoryExporter(), []
    alert = agentops.alert("error rate > 50 %", then=told.append, least=1)
    agentops.init(exporters=[exporter], integrations=[], sample_ratio=0.0)
    with pytest.raises(ValueError), agentops.span("work", kind="workflow"):
        with agentops.span("inner", kind="task", input="a"):
            pass
        raise ValueError
    agentops.flush()
    assert sorted(span.name for span in exporter.finished_spans()) == ["inner", "invoke_workflow work"]
    assert {span.attributes["agentops.kind"] for span in exporter.finished_spans()} == {"task", "workflow"}
    assert len(told) == 1
    alert.remove()


@pytest.mark.guard_swallows
def test_a_bug_of_alerts_loses_no_span(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    exporter = MemoryExporter()
    alert = agentops.alert("loop")
    agentops.init(exporters=[exporter], integrations=[])
    monkeypatch.setattr(Engine, "observe", broken)
    with agentops.span("work"):
        pass
    agentops.flush()
    assert [span.name for span in exporter.finished_spans()] == ["work"]
    alert.remove()


def test_watch_over_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from agentops_sdk.cli import main

    agentops.init(exporters=["jsonl"], integrations=[], directory=tmp_path)
    failing_runs(6)
    agentops.shutdown()
    rules = tmp_path / "rules.toml"
    rules.write_text('[[alert]]\nname = "bad"\nwhen = "error rate > 50 %"\n[[alert]]\nwhen = "loop"\n')
    assert main(["watch", str(rules), "--once", "--json", "--dir", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["rule"], json.loads(line)["state"]) == ("bad", "firing")
    rules.write_text('[[alert]]\nwhen = "loop"\n')
    assert main(["watch", str(rules), "--once", "--dir", str(tmp_path)]) == 0
    assert main(["watch", str(rules), "--once", "--dir", str(tmp_path / "none")]) == 2
    assert "does not exist" in capsys.readouterr().err
    rules.write_text('[[alert]]\nwhen = "lop"\n')
    assert main(["watch", str(rules), "--once", "--dir", str(tmp_path)]) == 2


@pytest.mark.parametrize("form", ["otlp", "packed"])
def test_watch_reads_what_no_line_of_ours_is(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from agentops_sdk.cli import main

    agentops.init(exporters=["jsonl"], integrations=[], directory=tmp_path)
    failing_runs(6)
    agentops.shutdown()
    rules = tmp_path / "rules.toml"
    rules.write_text('[[alert]]\nname = "bad"\nwhen = "error rate > 50 %"\n')
    (lines,) = (tmp_path / "traces").glob("*.jsonl")
    place = tmp_path / "elsewhere"
    place.mkdir()
    if form == "otlp":
        words = ["--since", "2000-01-01", "--dir", str(tmp_path), "-o", str(place / "runs.json")]
        assert main(["export", "--as", "otlp", *words]) == 0
    else:
        with gzip.open(place / f"{lines.name}.gz", "wb") as file:
            file.write(lines.read_bytes())
    capsys.readouterr()
    assert main(["watch", str(rules), "--once", "--json", "--from", str(place)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["rule"], json.loads(line)["state"]) == ("bad", "firing")
