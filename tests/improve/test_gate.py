"""The gate: what fails, what passes, what cannot be judged, and that looking often fools nobody."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import pytest

from agentops_sdk.cli import main
from agentops_sdk.traces.figures.intervals import (
    difference,
    fewest_for_percentile,
    of_mean,
    of_percentile,
    of_share,
    student,
    within,
)

from .runs import run, write


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Judge runs by rules: the exit code, the JSON, and what was said on stderr."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "good.jsonl", *(run(cost=0.01 + i % 5 / 1000, took=1000 + i, score=1) for i in range(40)))

    def judge(*candidates: Any, rules: str | None = None, options: tuple[str, ...] = ()) -> Any:
        write(tmp_path / "new.jsonl", *candidates)
        if rules is not None:
            (tmp_path / "gate.toml").write_text(rules)
            options = (*options, "--rules", "gate.toml")
        code = main(["gate", "--baseline", "good.jsonl", "--candidate", "new.jsonl", "--json", *options])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return judge


def failed(verdict: Any) -> set[str]:
    return {check["name"].split()[0] for check in verdict["checks"] if check["verdict"] == "fail"}


@pytest.mark.parametrize(
    ("worse", "check"),
    [
        ({"cost": 0.02}, "cost"),
        ({"took": 3000}, "latency"),
        ({"tokens": 500}, "tokens"),
        ({"outcome": "error"}, "errors"),
        ({"outcome": "unfinished"}, "unfinished"),
        ({"choice": "escalate"}, "decisions.route"),
        ({"score": 0}, "scores.helpful"),
    ],
)
def test_without_rules_what_is_surely_worse_fails_and_nothing_else(
    gate: Any, worse: dict[str, Any], check: str
) -> None:
    usual = {"cost": 0.012, "took": 1010, "score": 1}
    code, verdict, _ = gate(*(run(**{**usual, "took": 1000 + i}) for i in range(30)))
    assert (code, failed(verdict)) == (0, set())
    code, verdict, _ = gate(*(run(**{**usual, **worse}) for i in range(30)))
    assert (code, failed(verdict)) == (1, {check})


def test_a_variant_is_no_difference_between_variants(gate: Any) -> None:
    usual = [run(cost=0.012, took=1000 + i, score=1, variant="b") for i in range(30)]
    assert not [each for each in gate(*usual)[1]["checks"] if "variant" in each["name"]]
    code, verdict, _ = gate(*usual, rules='[decisions."variant prompt".b]\nmin = 0.9\n')
    assert (code, verdict["verdict"]) == (0, "pass")


def test_over_a_limit_but_not_surely_is_undecided(gate: Any) -> None:
    rules = "[decisions.route]\nmax_increase = 0.1\nconfidence = 0.95\n"
    code, verdict, _ = gate(run(choice="refund"), run(choice="escalate"), rules=rules)
    assert (code, [each["verdict"] for each in verdict["checks"]]) == (0, ["undecided"])


def test_rules_are_taken_at_their_word_and_files_say_so(gate: Any, tmp_path: Path) -> None:
    rules = (
        '[cost]\nmax = 0.1\nmax_increase = "10 %"\n[scores.helpful]\nmin = 0.9\n[decisions.route.refund]\nmin = 0.9\n'
    )
    options = ("--junit", "gate.xml", "--markdown", "gate.md")
    code, verdict, _ = gate(run(cost=0.015, score=1), run(cost=0.015, score=0), rules=rules, options=options)
    assert (code, verdict["verdict"], failed(verdict)) == (1, "fail", {"cost", "scores.helpful"})
    suite = Tree.parse(tmp_path / "gate.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), len(suite.findall("*/failure"))) == ("4", "2", 2)
    page = (tmp_path / "gate.md").read_text(encoding="utf-8")
    assert "agentops gate: fail" in page
    assert "| ❌ | cost mean | 0.012 | 0.015 | +25 % | max increase 10 % | |" in " ".join(page.split("  "))


def test_a_cost_that_nobody_knows_is_told_and_is_no_pass(gate: Any) -> None:
    rules = "[cost]\nmax = 0.05\n"
    code, verdict, said = gate(run(cost=None), run(cost=None), rules=rules)
    assert (code, verdict["checks"][0]["candidate"]) == (2, None)
    assert "no data for cost mean: cost is unknown for all runs of the candidate: no price" in said
    code, verdict, _ = gate(run(cost=None), run(cost=0.04), rules=rules)
    assert (code, verdict["checks"][0]["remark"]) == (0, "unknown for 1 of 2 runs of the candidate (no price)")
    code, verdict, _ = gate(run(cost=None))
    assert code == 0, "nobody wrote a rule for it"
    assert [check["verdict"] for check in verdict["checks"] if check["name"].startswith("cost")] == ["unknown"]


@pytest.mark.parametrize(
    "missing", ["./before", "../before", "before.jsonl", "before/20260101T000000Z-1-00000001.parquet"]
)
def test_a_side_that_is_not_there_is_named_with_what_would_be_right(
    gate: Any, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (
        ["--baseline", missing, "--candidate", "good.jsonl"],
        ["--baseline", "good.jsonl", "--candidate", missing],
    ):
        assert main(["gate", *words, "--dir", "good.jsonl"]) == 2  # not 1, which is a candidate that failed
        said = capsys.readouterr().err
        assert f"{Path(missing)} does not exist: it has to be a trace id" in said
        assert "a file or directory" in said


def test_no_data_and_wrong_usage_are_2(gate: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate()[0] == 2
    assert main(["gate", "--baseline", "good.jsonl", "--candidate", "nowhere"]) == 2
    assert "no data" in capsys.readouterr().err
    assert main(["gate", "--baseline", "good.jsonl"]) == 2


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            "[cost]\nmax_increase = 0.1\nmaximum = 3\n",
            "gate.toml, line 3: [cost] maximum=3: expected one of the keys max",
        ),
        ('[latency]\n\nmax = "fast"\n', "gate.toml, line 3: [latency] max='fast': expected a number"),
        ("[costs]\nmax = 1\n", "gate.toml, line 1: [costs]=<dict>: expected one of the tables [cost]"),
        ("[errors]\nmax = 5\n", "gate.toml, line 2: [errors] max=5: expected a share from 0 to 1"),
        ("cost.confidence = 3\n", "gate.toml, line 1: [cost] confidence=3: expected a number from 0.5"),
        ("[scores.helpful]\nleast = 1\n", "gate.toml, line 2: [scores.helpful] least=1: expected one of the keys"),
        ("[cost\n", "a TOML file: "),
        ("", "at least one rule"),
    ],
)
def test_a_wrong_rules_file_names_the_line_and_the_key(gate: Any, rules: str, said: str) -> None:
    code, _, err = gate(run(), rules=rules)
    assert code == 2
    assert said in err


def test_a_canary_that_is_looked_at_often_is_not_fooled() -> None:
    """Two hundred canaries that are as good as the baseline, each looked at eighty times."""
    chance = random.Random(7)
    alarms = {False: 0, True: 0}
    baseline = of_share(100, 1000, 0.975)
    for _ in range(200):
        hits, alarmed = 0, set()
        for count in range(1, 401):
            hits += chance.random() < 0.1
            if count % 5 == 0:
                for again in (False, True):
                    if of_share(hits, count, 0.975, again=again).low > baseline.value:
                        alarmed.add(again)
        for again in alarmed:
            alarms[again] += 1
    assert alarms[True] <= 10 < alarms[False], alarms


def test_sequential_alarms_for_what_is_broken_and_settles(gate: Any) -> None:
    options = ("--sequential",)
    code, verdict, _ = gate(*(run(outcome="error", score=1) for _ in range(20)), options=options)
    assert (code, verdict["settled"], "errors" in failed(verdict)) == (1, True, True)
    code, verdict, _ = gate(*(run(cost=0.012, score=1) for _ in range(3)), options=options)
    assert (code, verdict["settled"]) == (0, False)


# The expected values are scipy 1.16's and statsmodels 0.14's (Newcombe's method 10 for the difference).
def test_intervals_are_those_of_published_implementations() -> None:
    expected = [((0.95, 1), 6.313751514675037), ((0.975, 2), 4.302652729749462), ((0.99, 10), 2.7637694581126957)]
    for arguments, quantile in [*expected, ((0.975, 300), 1.9679030112610865)]:
        assert student(*arguments) == pytest.approx(quantile)
    ends = {(of_share(0, count, 0.975).low, of_share(count, count, 0.975).high) for count in range(1, 60)}
    assert ends == {(0.0, 1.0)}, "of none and of all, to the last digit"
    between = difference(of_share(20, 100, 0.975), of_share(30, 100, 0.975))
    assert between[1:] == pytest.approx((-0.0202493621530, 0.2167343540177))
    assert of_percentile(range(1, 101), 50, 0.975)[1:] == (40, 61)
    assert of_mean([1.0, 2.0, 3.0], 0.975)[1:] == pytest.approx(
        (2 - 4.302652729749462 / 3**0.5, 2 + 4.302652729749462 / 3**0.5)
    )


def test_the_bounds_of_a_mean_stay_where_its_values_can_lie() -> None:
    few = of_mean([0.1, 0.2, 4.0], 0.975)
    assert few.low < 0
    above = within(few, 0.0)
    assert 0 < above.low < few.value < few.high < above.high
    between = within(of_mean([0.5, 1.0, 0.9], 0.975), 0.0, 1.0)
    assert 0 < between.low < 0.8 < between.high < 1
    many = of_mean([number / 1000 for number in range(1, 1000)], 0.975)
    assert within(many, 0.0, 1.0) == pytest.approx(many, abs=1e-4), "of many values it is the same"
    assert within(of_mean([1.0, 1.0], 0.975), 0.0, 1.0) == (1.0, 1.0, 1.0)


def test_a_percentile_says_how_many_runs_it_takes(gate: Any, capsys: pytest.CaptureFixture[str]) -> None:
    rules = '[latency]\nstatistic = "p95"\nmax_increase = 0.1\nconfidence = 0.95\n'
    _, verdict, _ = gate(*(run(took=9_000 + i) for i in range(58)), rules=rules)
    assert verdict["checks"][0]["verdict"] == "undecided"
    assert main(["gate", "--baseline", "good.jsonl", "--candidate", "new.jsonl", "--rules", "gate.toml"]) == 0
    said = "too few runs to be sure: p95 takes 59, the candidate has 58 and the baseline has 40"
    assert said in capsys.readouterr().out
    write(Path("good.jsonl"), *(run(took=1_000 + i) for i in range(59)))
    code, verdict, _ = gate(*(run(took=9_000 + i) for i in range(59)), rules=rules)
    assert (code, verdict["checks"][0]["verdict"]) == (1, "fail"), "as many as it says are enough"


@pytest.mark.parametrize("again", [False, True])
def test_as_many_values_as_are_said_have_bounds(again: bool) -> None:
    needed = fewest_for_percentile(95, 0.975, again=again)
    assert of_percentile(range(needed), 95, 0.975, again=again).high < float("inf")
    assert of_percentile(range(needed - 1), 95, 0.975, again=again).high == float("inf")
