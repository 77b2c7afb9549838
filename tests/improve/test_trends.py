"""Week over week: what changed, whether by more than chance, and causes that add up to the change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.traces.samples import span

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.cli import main
from agentops_sdk.traces import Trace, load
from agentops_sdk.traces.figures.change_causes import RunCauses, causes

from .runs import run, write

WEEK = 7 * 86_400_000


@pytest.fixture
def trends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.chdir(tmp_path)

    def told(*runs: Any, options: tuple[str, ...] = ()) -> Any:
        write(tmp_path / "runs.jsonl", *runs)
        assert main(["trends", "--dir", "runs.jsonl", "--json", *options]) == 0
        return json.loads(capsys.readouterr().out)

    return told


def test_what_changed_since_last_week_and_why(trends: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = [run(cost=0.01, took=1_000 + i, score=1, at=i) for i in range(12)]
    after = [run(cost=0.01 if i % 2 else 0.05, model="gpt-4o-mini" if i % 2 else "gpt-4o", took=3_000 + i, score=0.5,
                 outcome="error" if i < 9 else "ok", at=WEEK + i) for i in range(12)]  # fmt: skip
    told = trends(*before, *after)
    assert [(row["runs"], row["errors"]) for row in told["periods"]] == [(12, 0), (12, 9)]
    changes = {change["name"]: change for change in told["changes"]}
    assert {name for name, change in changes.items() if change["worse"] and change["p"] < 0.05} == {
        "cost", "seconds", "errors", "helpful",
    }  # fmt: skip
    for change in (changes["cost"], changes["seconds"], changes["errors"]):
        assert sum(cause["change"] for cause in change["causes"]) == pytest.approx(change["change"])
        for cause in change["causes"]:
            assert cause["more_often"] + cause["each"] == pytest.approx(cause["change"])
    dearer = {cause["component"]: cause["change"] for cause in changes["cost"]["causes"]}
    assert dearer == {"model gpt-4o": pytest.approx(0.025), "model gpt-4o-mini": pytest.approx(-0.005)}
    assert changes["tokens"]["change"] == 0
    assert main(["trends", "--dir", "runs.jsonl"]) == 0
    out = capsys.readouterr().out
    assert "cost per run $0.0100 -> $0.0300" in out
    assert "model gpt-4o (more or fewer calls +$0.025" in out


def test_a_score_may_have_the_name_of_a_figure(trends: Any, capsys: pytest.CaptureFixture[str]) -> None:
    told = trends(*(run(cost=0.01, score=score, scored="cost", at=at) for score, at in ((1, 0), (0.5, WEEK))))
    changes = {change["name"]: (change["before"], change["after"]) for change in told["changes"]}
    assert (changes["cost"], changes["score cost"]) == ((0.01, 0.01), (1, 0.5))
    assert main(["trends", "--dir", "runs.jsonl"]) == 0
    assert "cost 0.5" in capsys.readouterr().out


def test_periods_are_told_apart_and_unknown_costs_are_counted(trends: Any) -> None:
    runs = [run(release="1", cost=None), run(release="1"), run(release="2", at=WEEK), run(release="2", at=2 * WEEK)]
    told = trends(*runs, options=("--split", "release"))
    assert [(row["of"], row["runs"]) for row in told["periods"]] == [("1", 2), ("2", 1), ("2", 1)]
    assert told["periods"][0]["unknown"] == {"cost": 1}
    assert told["periods"][0]["per_run"]["cost"] == 0.01, "of the run of which it is known"
    by_model = trends(*runs, options=("--split", "model", "--by", "day"))
    assert {row["of"] for row in by_model["periods"]} == {"gpt-4o-mini"}
    assert main(["trends", "--split", "nothing"]) == 2
    after = [run(release="2", cost=0.05, at=WEEK) for _ in range(2)]
    told = trends(*(run(release="1") for _ in range(2)), *after, options=("--split", "release"))
    (dearer,) = (change for change in told["changes"] if change["name"] == "cost")
    assert (dearer["of"], dearer["change"]) == ("1 -> 2", pytest.approx(0.04))


def test_causes_are_of_the_runs_whose_figure_is_known(trends: Any) -> None:
    """A call that failed has no usage and no price: its run is in neither the figure nor its parts."""

    def failed(at: float) -> Any:
        root, call, stated = run(cost=0.01, outcome="error", at=at)
        bare = {name: call.attributes[name] for name in (semconv.KIND, semconv.REQUEST_MODEL)}
        return [root, call.model_copy(update={"attributes": bare, "outcome": "error"}), stated]

    before = [run(cost=0.01, at=i) for i in range(4)]
    after = [failed(WEEK + i) if i % 2 else run(cost=0.03, tokens=150, at=WEEK + i) for i in range(4)]
    told = trends(*before, *after)
    assert told["periods"][1]["unknown"] == {"cost": 2, "tokens": 2}
    changes = {change["name"]: change for change in told["changes"]}
    for name, change in (("cost", 0.02), ("tokens", 50)):
        assert changes[name]["change"] == pytest.approx(change)
        assert sum(cause["change"] for cause in changes[name]["causes"]) == pytest.approx(change)


def test_one_model_is_no_change_of_another(trends: Any) -> None:
    told = trends(
        run(cost=0.01, model="gpt-4o-mini"), run(cost=0.05, model="gpt-4o", at=1), options=("--split", "model")
    )
    assert [row["of"] for row in told["periods"]] == ["gpt-4o", "gpt-4o-mini"]
    assert told["changes"] == []


def test_choices_of_a_variant_are_set_beside_each_other_and_never_beside_another_variants(
    trends: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("prompt=long", "prompt=short", "layout=wide", "canary")
    runs = [
        run(cost=0.03 if name == "prompt=short" else 0.01 + number / 1e6, **{semconv.VARIANT: [name]})
        for number in range(8)
        for name in names
    ]
    told = trends(*runs, options=("--split", "variant"))
    assert {change["of"] for change in told["changes"]} == {"prompt=long -> prompt=short"}
    assert main(["trends", "--dir", "runs.jsonl", "--split", "variant"]) == 0
    out = capsys.readouterr().out
    assert out.count("model gpt-4o-mini") == 1, "what is no more than chance takes one line"


def test_each_instant_of_a_run_belongs_to_one_step() -> None:
    """Two tools overlap: what both cover belongs to the one that began last; the rest is the run's own."""
    root = span("desk", {semconv.KIND: "workflow"}, took=1_000)
    one = span("a", {semconv.KIND: "tool", semconv.TOOL_NAME: "a"}, parent=root, at=100, took=500)
    two = span("b", {semconv.KIND: "tool", semconv.TOOL_NAME: "b"}, parent=root, at=400, took=400)
    late = span("evaluate helpful", {semconv.FEEDBACK_TARGET: "span"}, parent=root, at=9_000_000, took=0)
    trace = Trace([root, one, two, late])
    assert trace.duration == 1.0, "what is thought of it later makes it no longer"
    found = RunCauses()
    found.add(trace)
    assert found.sums["seconds"] == {
        "workflow desk": pytest.approx(0.3), "tool a": pytest.approx(0.3), "tool b": pytest.approx(0.4),
    }  # fmt: skip
    assert sum(found.sums["seconds"].values()) == pytest.approx(trace.duration)
    assert causes(found, found, "seconds")[0].change == 0
    assert causes(RunCauses(), found, "seconds") == []


def test_feedback_is_joined_to_runs_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
    monkeypatch.chdir(tmp_path)
    agentops.init(exporters=["jsonl"], integrations=[])
    ids = []
    for number in range(3):
        with agentops.context(session_id=f"session {number}"), agentops.span(f"run {number}", kind="workflow") as one:
            ids.append(one.trace_id)
            if number == 0:
                agentops.feedback(name="live", value=0.5)
    agentops.feedback(ids[0], name="helpful", value=False, comment="wrong order")
    agentops.feedback(ids[1], name="helpful", value=True)
    agentops.feedback("session 2", name="helpful", value=0.25)
    agentops.shutdown()
    assert main(["ls", "--json"]) == 0
    rows = {row["trace_id"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert list(rows) == ids[::-1], "what was thought of a session is no run"
    assert load("./.agentops/traces").latest.trace_id == ids[2]
    assert main(["sessions", "--json"]) == 0
    sessions = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [each["runs"] if isinstance(each["runs"], int) else len(each["runs"]) for each in sessions] == [1, 1, 1]
    said = [{(each["name"], each["score"]) for each in rows[trace_id]["feedback"]} for trace_id in ids]
    assert said == [{("live", 0.5), ("helpful", 0.0)}, {("helpful", 1.0)}, {("helpful", 0.25)}]
    assert main(["show", ids[0]]) == 0
    assert "helpful false: wrong order" in capsys.readouterr().out
    assert main(["compact"]) == 0
    capsys.readouterr()
    assert main(["ls", "--json", "--from", "./.agentops/traces"]) == 0
    assert {row["trace_id"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())} == rows
    assert main(["feedback", "--name", "helpful", "--json"]) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["count"], row["mean"], row["labels"]) == (3, pytest.approx(1.25 / 3), {"false": 1, "true": 1})
    assert main(["feedback", "--worst", "1"]) == 0
    out = capsys.readouterr().out
    assert ids[0][:8] in out or ids[2][:8] in out
    assert main(["feedback", "--name", "nothing"]) == 1
