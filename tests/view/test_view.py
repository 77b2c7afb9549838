"""The local page over real HTTP: who is let in, what it answers, live events, feedback that ``load()`` finds."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.traces.samples import TRACE, agent, chat, message, run, tool
from tests.view.site import TOKEN, Site

from agentops_sdk import encryption
from agentops_sdk.cli import main
from agentops_sdk.traces import SpanRecord, load

pytest.importorskip("starlette", reason="the extra `view` is not installed here")
pytest.importorskip("uvicorn", reason="the extra `view` is not installed here")

from agentops_sdk.view.alignment import align
from agentops_sdk.view.run_list import run_list, session_list


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    other = agent("other", trace_id="c" * 32, at=10)
    records = [*run(), other, chat(other, trace_id="c" * 32, at=20)]
    (tmp_path / "a.jsonl").write_text("".join(r.model_dump_json(exclude_unset=True) + "\n" for r in records))
    running = Site(tmp_path)
    yield running
    running.close()


def test_only_who_has_the_token_is_let_in_under_our_name_from_our_page(site: Site) -> None:
    own = f"http://127.0.0.1:{site.port}"
    for path in ("/", "/api/runs", f"/runs/{TRACE}", "/assets/view.js", "/api/live", "/nothing"):
        assert site.ask(path, Cookie="")[0] == 403, path
        assert site.ask(path, Cookie=f"agentops_view_{site.port}=wrong")[0] == 403, path
    assert site.ask("/", Host="evil.example")[0] == 403  # its owner lets the name mean this machine
    assert site.ask("/", Host=f"evil.example:{site.port}")[0] == 403
    assert site.ask("/", Host="192.0.2.7")[0] == 403
    assert site.ask("/", Host="[::1")[0] == 403
    assert site.ask("/", Host=f"localhost:{site.port}", Cookie=f"agentops_view_{site.port}={TOKEN}")[0] == 200
    assert site.ask("/api/runs", Origin="http://evil.example")[0] == 403
    assert site.ask("/api/runs", Sec_Fetch_Site="cross-site")[0] == 403
    assert site.ask("/api/runs", Origin=own)[0] == 200
    status, headers, _ = site.ask(f"/?user=ada&token={TOKEN}", Cookie="")
    assert (status, headers["location"]) == (303, "/?user=ada")
    assert {"httponly", "samesite=strict"} <= {part.strip().lower() for part in headers["set-cookie"].split(";")}
    assert "default-src 'none'" in site.ask("/")[1]["content-security-policy"]


def test_the_command_opens_with_the_filters_it_was_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "--dir", str(tmp_path), "--since", "soon"]) == 2
    assert "since='soon'" in capsys.readouterr().err
    command = [sys.executable, "-m", "agentops_sdk", "view", "--dir", str(tmp_path)]
    given = ["--agent", "a b", "--agent", "c", "--errors"]
    with subprocess.Popen([*command, *given], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        host, _, path = running.stdout.readline().strip().removeprefix("http://").partition("/")
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request("GET", f"/{path}")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["location"]) == (303, "/?agent=a+b&agent=c&errors=true")
        connection.close()
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=30)
    assert running.returncode in (0, 130)


def test_runs_with_filters_one_as_its_report_and_two_side_by_side(site: Site) -> None:
    everything = site.json("/api/runs")
    assert [row["name"] for row in everything["rows"]] == ["invoke_agent other", "invoke_agent travel"]
    chosen = site.json("/api/runs?session=s-1&errors=true&tool=weather&tool=x&user=")
    assert ([row["id"] for row in chosen["rows"]], chosen["of"]) == ([TRACE], 2)
    assert site.ask("/api/runs?since=soon")[0] == 400
    assert site.ask("/api/runs?colour=red")[0] == 400
    assert 'id="details-0"' in site.ask(f"/runs/{TRACE}")[2]
    assert site.ask("/runs/ffff")[0] == 404
    assert site.json(f"/api/compare?a={TRACE}&b={TRACE}")["first"] is None
    both = site.json(f"/api/compare?a={TRACE}&b={'c' * 32}")
    assert both["first"] == 0
    assert any(row["same"] and row["a"]["name"] == row["b"]["name"] == "chat gpt-4o-mini" for row in both["rows"])


def test_runs_part_where_one_failed_first_not_at_what_failed_with_it(tmp_path: Path) -> None:
    def steps(trace_id: str, status: str) -> list[SpanRecord]:
        top = agent("a", trace_id=trace_id, took=900, status=status)
        inner = agent("b", top, trace_id=trace_id, at=10, took=500, status=status)
        paid = tool("pay", inner, trace_id=trace_id, at=30, status=status)
        return [top, inner, chat(inner, trace_id=trace_id, at=20), paid, chat(top, trace_id=trace_id, at=600)]

    runs = [*steps("a" * 32, "unset"), *steps("b" * 32, "error"), agent("a", trace_id="c" * 32, status="error")]
    runs += [agent("a", trace_id="d" * 32)]
    (tmp_path / "a.jsonl").write_text("".join(r.model_dump_json(exclude_unset=True) + "\n" for r in runs))
    traces = load(tmp_path)
    both = align(traces["a"], traces["b"])
    assert [row["same"] for row in both["rows"]] == [False, False, True, False, True]
    assert both["first"] == 3
    assert align(traces["c"], traces["d"])["first"] == 0  # nothing below it tells why


def test_what_runs_cost_together_is_marked_as_each_of_them(tmp_path: Path) -> None:
    guessed = chat(None, trace_id="a" * 32, source="estimated")
    unknown = chat(None, trace_id="b" * 32, cost=None, attributes={"agentops.cost.unknown_reason": "no price known"})
    for records, told in (([guessed], "~$0.000144"), ([guessed, unknown], "≥~$0.000144"), ([unknown], "unknown")):
        (tmp_path / "a.jsonl").write_text("".join(r.model_dump_json(exclude_unset=True) + "\n" for r in records))
        assert run_list(load(tmp_path))["cost"] == told


def test_a_session_shows_what_the_agent_answered_not_what_a_model_said_last(tmp_path: Path) -> None:
    def said(text: str) -> dict[str, str]:
        return {"gen_ai.output.messages": json.dumps([message("assistant", text)])}

    asked = {"gen_ai.input.messages": json.dumps([message("user", "question")])}
    top = agent("boss", took=900, attributes={"session.id": "s-1", **said("the answer")})
    lone = {"session.id": "s-1", **asked, **said("a reply")}
    records = [
        top,
        chat(top, at=20, attributes=asked | said("a summary")),
        chat(top, at=300, attributes=said("a title for the list")),
        chat(None, trace_id="c" * 32, at=2000, attributes=lone),
    ]
    (tmp_path / "a.jsonl").write_text("".join(r.model_dump_json(exclude_unset=True) + "\n" for r in records))
    turns = session_list(load(tmp_path), "s-1")["turns"]
    assert [(turn["asked"], turn["answered"]) for turn in turns] == [
        ("question", "the answer"),
        ("question", "a reply"),
    ]


def test_what_is_encrypted_by_another_key_is_said_and_not_shown_as_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(encryption, "active", encryption.Cipher([bytes(32)]))
        sealed = encryption.sealed_line(agent("travel").model_dump_json(exclude_unset=True).encode() + b"\n")
    (tmp_path / "a.jsonl").write_bytes(sealed)
    running = Site(tmp_path)
    try:
        for path in ("/api/runs", "/api/sessions", "/api/stats", f"/runs/{TRACE}"):
            status, _, content = running.ask(path)
            assert (status, "which is not given" in content) == (404, True), path
    finally:
        running.close()


def test_feedback_is_found_in_its_run_and_makes_it_no_longer(site: Site) -> None:
    path, own = f"/runs/{TRACE}/feedback", f"http://127.0.0.1:{site.port}"
    told = json.dumps({"name": "helpful", "value": False, "comment": "wrong city"})
    before = load(site.folder)[TRACE].duration
    assert site.ask(path, "POST", told, Content_Type="application/json", Origin=own)[0] == 200
    assert site.ask(path, "POST", told, Content_Type="text/plain")[0] == 415  # what a form elsewhere could send
    assert site.ask(path, "POST", told, Content_Type="application/json", Origin="null")[0] == 403
    assert site.ask(path, "POST", '{"name": 1, "value": true}', Content_Type="application/json")[0] == 400
    assert site.ask(path, "POST", '{"name": "' + "x" * 70_000, Content_Type="application/json")[0] == 413
    trace = load(site.folder)[TRACE]
    (span,) = [span for span in trace if span.name == "evaluate helpful"]
    (event,) = span.events
    assert event.attributes["gen_ai.evaluation.explanation"] == "wrong city"
    assert event.attributes["gen_ai.evaluation.score.value"] == 0.0
    assert trace.parent(span) == trace.root
    assert trace.duration == before
    assert site.json(f"/api/compare?a={TRACE}&b={TRACE}")["first"] is None
    assert "evaluate" not in json.dumps(site.json(f"/api/compare?a={TRACE}&b={'c' * 32}")["rows"])
    assert (site.folder / "feedback.jsonl").stat().st_mode & 0o077 == 0


def test_feedback_on_a_single_file_stands_beside_it_and_a_store_takes_none(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("".join(r.model_dump_json(exclude_unset=True) + "\n" for r in run()))
    (tmp_path / "b.jsonl").write_text(agent("other", trace_id="c" * 32).model_dump_json() + "\n")
    told = json.dumps({"name": "helpful", "value": True})
    for stored, status, verdicts in ((None, 200, ["helpful true"]), (lambda: load(tmp_path / "a.jsonl"), 400, [""])):
        one = Site(tmp_path / "a.jsonl", stored=stored)
        try:
            answer = one.ask(f"/runs/{TRACE}/feedback", "POST", told, Content_Type="application/json")
            assert answer[0] == status, answer[2]
            assert [row["feedback"] for row in one.json("/api/runs")["rows"]] == verdicts
        finally:
            one.close()
    assert [each.label for each in load(tmp_path)[TRACE].evaluations] == ["true"]


def test_what_happens_comes_as_it_happens(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    connection.request("GET", "/api/live", headers={"Cookie": f"agentops_view_{site.port}={TOKEN}"})
    events = connection.getresponse()
    assert events.readline() == b"retry: 2000\n"  # now it follows
    with (site.folder / "b.jsonl").open("w") as file:
        file.write(tool("<b>new</b>", None, trace_id="d" * 32).model_dump_json(exclude_unset=True) + "\n")
    data = next(line for line in iter(events.readline, b"") if line.startswith(b"data: "))
    assert json.loads(data[6:])["text"].endswith("execute_tool <b>new</b> ok  100 ms")
    connection.close()
    assert len(site.json("/api/runs")["rows"]) == 3
    assert site.ask("/api/live?outcome=good")[0] == 400


def test_what_happens_elsewhere_than_in_the_chosen_runs_is_not_told(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    cookie = {"Cookie": f"agentops_view_{site.port}={TOKEN}"}
    connection.request("GET", "/api/live?tool=pay", headers=cookie)
    events = connection.getresponse()
    assert events.readline() == b"retry: 2000\n"
    with (site.folder / "b.jsonl").open("w") as file:
        for record in (tool("search", None, trace_id="d" * 32), tool("pay", None, trace_id="e" * 32)):
            file.write(record.model_dump_json(exclude_unset=True) + "\n")
    data = next(line for line in iter(events.readline, b"") if line.startswith(b"data: "))
    assert json.loads(data[6:])["trace"] == "e" * 32
    connection.close()
