"""The evidence of a period: every figure is what its query gives, and it says what it does not show."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk import encryption
from agentops_sdk.cli import main
from agentops_sdk.cli.evidence import period
from agentops_sdk.evidence import evidence_rows

pytestmark = pytest.mark.once


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[], audit=True)

    @agentops.tool
    def look() -> None:
        raise LookupError("<b>nothing</b>")

    with agentops.span("<i>scout</i>", kind="agent"):
        agentops.decide("refund", options=["yes", "no"], chosen="yes", by="human", by_name="Ann")
        with agentops.span("call", kind="llm") as call:
            call.set("gen_ai.request.model", "gpt-4o")
        with pytest.raises(LookupError):
            look()
    agentops.pause("scout")
    agentops.shutdown()
    return tmp_path


def test_every_figure_is_what_its_query_gives(folder: Path, capsys: Any) -> None:
    out = folder / "evidence.json"
    assert main(["evidence", "--period", "1d", "-o", str(out), "--dir", str(folder)]) == 0
    capsys.readouterr()
    document = json.loads(out.read_text())
    figures = {figure["title"]: figure for figure in document["figures"]}
    assert not [figure["problem"] for figure in figures.values() if figure["problem"]]
    for figure in figures.values():
        words = shlex.split(figure["query"], comments=True)
        if words[1] == "sql":
            assert main(["sql", words[2], "--json", "--dir", str(folder)]) == 0
            rows = [list(json.loads(line).values()) for line in capsys.readouterr().out.splitlines()]
            assert rows == json.loads(json.dumps(figure["rows"])), figure["title"]
        else:
            assert main(["audit", "--json", "--dir", str(folder)]) == 0
            actions = figure["query"].partition("action: ")[2].partition(";")[0].split(", ")
            records = map(json.loads, capsys.readouterr().out.splitlines())
            seqs = [record["seq"] for record in records if record["action"] in actions]
            assert seqs == [row[0] for row in figure["rows"]], figure["title"]
    models = figures["Models and providers, by agent"]
    assert models["rows"][0][models["columns"].index("used_model")] == "gpt-4o"
    assert [row[2] for row in figures["Approvals and overrides, from the audit log"]["rows"]] == ["approval"]
    assert "pause" in [row[2] for row in figures["Pauses and changes of settings, from the audit log"]["rows"]]
    assert figures["Errors by kind of step and type"]["rows"]
    assert document["audit_log"]["faults"] == []
    assert any("no compliance" in sentence for sentence in document["does_not_show"])
    assert out.stat().st_mode & 0o077 == 0


def test_the_page_has_no_script_and_escapes_what_it_shows(folder: Path, capsys: Any) -> None:
    out = folder / "evidence.html"
    assert main(["evidence", "-o", str(out), "--dir", str(folder)]) == 0
    page = out.read_text()
    assert "<script" not in page
    assert "http://" not in page
    assert "<i>scout" not in page
    assert "Article 12" in page
    assert main(["evidence", "-o", str(folder / "x.pdf"), "--dir", str(folder)]) == 2
    assert main(["evidence", "--period", "soon", "--dir", str(folder)]) == 2


def test_what_a_limit_stopped_has_no_unknown_cost_and_what_is_not_on_the_page_is_said(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("active", "_given"):
        monkeypatch.setattr(encryption, name, None)  # put back afterwards
    monkeypatch.setattr(evidence_rows, "_MOST_ROWS", 2)
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[], encryption_key=bytes(32))
    with agentops.span("of another key"):
        pass
    agentops.shutdown()
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[], audit=True)
    for model in ("a", "b", "c"):
        with agentops.span("call", kind="llm") as call:
            call.set("gen_ai.request.model", model)
    with agentops.limits(model_calls=0), pytest.raises(agentops.LimitExceeded), agentops.span("stopped", kind="llm"):
        pass
    agentops.shutdown()
    for name in ("active", "_given"):
        monkeypatch.setattr(encryption, name, None)
    out = tmp_path / "evidence.json"
    assert main(["evidence", "-o", str(out), "--dir", str(tmp_path)]) == 1
    assert "is encrypted with the key" in capsys.readouterr().err
    document = json.loads(out.read_text())
    assert "is encrypted with the key" in document["remarks"][0]
    figures = {figure["title"]: figure for figure in document["figures"]}
    models = figures["Models and providers, by agent"]
    assert (len(models["rows"]), models["omitted"]) == (2, 2)
    query = shlex.split(figures["Cost by currency and model; calls of unknown cost are counted, not added"]["query"])
    assert main(["sql", query[2], "--json", "--dir", str(tmp_path)]) == 1
    costs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["used_model"]: row["calls_of_unknown_cost"] for row in costs} == {"a": 1, "b": 1, "c": 1, "stopped": 0}
    assert main(["evidence", "-o", str(tmp_path / "evidence.html"), "--dir", str(tmp_path)]) == 1
    page = (tmp_path / "evidence.html").read_text()
    shutil.rmtree(tmp_path / "audit")
    assert main(["evidence", "-o", str(out), "--dir", str(tmp_path)]) == 1
    limits = next(figure for figure in json.loads(out.read_text())["figures"] if figure["section"] == "Limits")
    assert limits["problem"] == "there is no audit log", "which is not that none was reached"
    assert "2 more rows, which the query gives" in page
    assert "is encrypted with the key" in page


def test_signatures_are_checked_with_the_key_that_is_set_and_a_refused_call_is_no_approval(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTOPS_AUDIT_KEY_SOURCE", "env:SIGNS")
    monkeypatch.setenv("SIGNS", "a key")
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[], audit=True)
    agentops.pause("scout")
    with pytest.raises(agentops.Paused), agentops.span("scout", kind="agent"):
        pass
    for seconds in (10.0, 20.0):
        with agentops.span("other", kind="agent") as other:
            other.update({"agentops.decision.name": "refund", "agentops.decision.chosen": "yes",
                          "agentops.decision.by": "human", "agentops.decision.waited": seconds})  # fmt: skip
    agentops.resume("scout")
    agentops.shutdown()
    out = tmp_path / "evidence.json"
    command = ["evidence", "-o", str(out), "--dir", str(tmp_path)]
    assert main(command) == 0
    document = json.loads(out.read_text())
    assert document["audit_log"]["signed"] == document["audit_log"]["records"] == 6
    assert not any("not checked" in limit for limit in document["audit_log"]["limits"])
    figures = {figure["title"]: figure["rows"] for figure in document["figures"]}
    assert [row[2] for row in figures["Approvals and overrides, from the audit log"]] == ["approval"] * 2
    answers = figures["Answers of people, and seconds that were waited for them, from spans"]
    assert answers == [["refund", "yes", 2, 15.0, 20.0]]
    assert figures["Calls that were not made because somebody had paused their agent, from spans"] == [["scout", 1]]
    assert main(["audit", "--json", "--dir", str(tmp_path)]) == 0
    actions = {json.loads(line)["action"] for line in capsys.readouterr().out.splitlines()[1:]}
    assert actions == {"start", "pause", "refusal", "approval", "resume"}
    for key, fault in (("another", "is not of this key"), ("", "the signatures were not checked")):
        monkeypatch.setenv("SIGNS", key)
        assert main(command) == 1
        assert fault in capsys.readouterr().err
        assert any(fault in each for each in json.loads(out.read_text())["audit_log"]["faults"])
    monkeypatch.delenv("AGENTOPS_AUDIT_KEY_SOURCE")
    assert main(command) == 0
    assert any("not checked" in limit for limit in json.loads(out.read_text())["audit_log"]["limits"])
    (tmp_path / "key").write_text("a key")
    assert main([*command, "--key", f"file:{tmp_path / 'key'}"]) == 0


def test_periods() -> None:
    day = 86_400.0
    assert period("7d", 100 * day) == (93 * day, 100 * day)
    since, until = period("2026-02", 0)
    assert until - since == 28 * day
    assert period("2026-01-01..2026-12-31", 0) == period("2026", 0)
