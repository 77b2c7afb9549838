"""Two sets of runs side by side; the tests of significance agree with published implementations."""

from __future__ import annotations

import json

import pytest

from agentops_sdk import semconv
from agentops_sdk.cli import main
from agentops_sdk.traces import Trace
from agentops_sdk.traces.figures.comparison import compare
from agentops_sdk.traces.figures.significance import fisher, holm, rank_sum
from agentops_sdk.traces.figures.tables import stats

from .samples import span
from .test_story import agent, asked, tool


# The expected values are scipy 1.16's fisher_exact and mannwhitneyu(method="asymptotic").
@pytest.mark.parametrize(
    ("table", "p"),
    [((8, 10, 1, 6), 0.034965034965), ((50, 100, 30, 100), 0.005937341167), ((3, 6, 3, 6), 1.0), ((0, 0, 1, 2), 1.0)],
)
def test_fisher(table: tuple[int, int, int, int], p: float) -> None:
    assert fisher(*table) == pytest.approx(p, rel=1e-6)


def test_rank_sum() -> None:
    assert rank_sum([1, 2, 3, 4, 5, 6, 7, 8], [5, 6, 7, 8, 9, 10, 11, 12]) == pytest.approx(0.013313002763816655)
    assert rank_sum([1, 1, 1, 2, 2], [2, 2, 3, 3, 3]) == pytest.approx(0.026888454103745775)
    assert rank_sum([1, 1, 1, 1], [1, 1, 1, 1]) == 1.0
    assert rank_sum([1, 2], [3, 4]) == 1.0


def test_holm_corrects_for_looking_often() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def runs(count: int, choice: str, *, release: str, took: float, at: float = 0) -> list[Trace]:
    made = []
    for number in range(count):
        trace_id = f"{abs(hash((choice, release, number))):032x}"[:32]
        root = span(
            "desk", {semconv.KIND: "workflow", "release": release}, at=at, took=took + number, trace_id=trace_id
        )  # fmt: skip
        stated = span(
            "decision route",
            {semconv.KIND: "decision", semconv.DECISION_NAME: "route", semconv.DECISION_CHOSEN: choice},
            parent=root, at=at + 5, took=1, trace_id=trace_id,
        )  # fmt: skip
        made.append(Trace([root, stated]))
    return made


def test_a_changed_decision_and_a_slower_run_are_told_apart_from_chance() -> None:
    before = runs(20, "refund", release="1", took=100) + runs(2, "escalate", release="1", took=100)
    after = runs(3, "refund", release="2", took=900) + runs(19, "escalate", release="2", took=900)
    found = compare(before, after)
    by_choice = {row.choice: row for row in found.shares}
    assert by_choice["refund"].changed
    assert (by_choice["refund"].count_a, by_choice["refund"].count_b) == (20, 3)
    assert {row.name: row.changed for row in found.figures}["duration"]
    assert not any(row.changed for row in compare(before, before).shares)


def test_two_runs_are_compared_step_by_step() -> None:
    top = agent("a")
    one = Trace([top, asked(top, 1, ["search"]), asked(top, 200, ["answer"])])
    two = Trace([top, asked(top, 1, ["search"]), asked(top, 200, ["buy"])])
    assert compare([one], [two]).steps == [
        ("both", ("tool choice", "search")),
        ("a", ("tool choice", "answer")),
        ("b", ("tool choice", "buy")),
    ]


def test_stats_by_decision_tell_what_each_choice_led_to() -> None:
    top = agent("a")
    made = asked(top, 1, ["search", "buy"], ids=["c1", "c2"])
    trace = Trace([top, made, tool(top, "search", 200, "c1"), tool(top, "buy", 300, "c2", status="error")])
    (row,) = stats([trace], "decision").rows
    assert (row.key, row.calls, row.errors) == ("tool choice: search, buy", 1, 1)
    assert row.durations == [pytest.approx(0.15)]


def test_the_command_line(tmp_path, capsys, monkeypatch) -> None:
    file = tmp_path / "t.jsonl"
    traces = runs(8, "refund", release="1", took=100) + runs(8, "escalate", release="2", took=900, at=5_000)
    file.write_text("".join(one.model_dump_json() + "\n" for trace in traces for one in trace.spans))
    monkeypatch.setenv("AGENTOPS_DIR", str(tmp_path))
    assert main(["compare", "release=1", "release=2"]) == 0
    shown = capsys.readouterr().out
    assert "refund" in shown
    assert "0/8" in shown
    assert main(["compare", "release=1", "release=2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == {"a": 8, "b": 8}
    assert main(["compare", "release=1", "release=9"]) == 1
    assert main(["compare", "2026-99-01..", ".."]) == 2
    capsys.readouterr()
    assert main(["decisions", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["chosen"] == ["escalate"]
    assert main(["stats", "--by", "decision"]) == 0
    assert "route: refund" in capsys.readouterr().out
    assert main(["decisions"]) == 0
    assert "chose escalate for 'route'" in capsys.readouterr().out


def test_money_is_told_in_its_own_currency_and_what_is_in_another_one_is_unknown(tmp_path, capsys) -> None:
    def paid(number: int, amount: float, currency: str) -> Trace:
        cost = {semconv.KIND: "llm", semconv.COST_AMOUNT: amount, semconv.COST_CURRENCY: currency}
        return Trace([span("chat", cost, at=number, trace_id=f"{number:032x}")])

    euros, dearer = [paid(1, 0.5, "EUR")], [paid(2, 0.75, "EUR"), paid(3, 9.0, "USD")]
    for name, traces in (("a", euros), ("b", dearer)):
        records = [one for trace in traces for one in trace.spans]
        (tmp_path / f"{name}.jsonl").write_text("".join(one.model_dump_json() + "\n" for one in records))
    assert main(["compare", str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]) == 0
    shown = capsys.readouterr().out
    (row,) = [line for line in shown.splitlines() if line.startswith("cost")]
    assert row.startswith("cost (some unknown)")
    assert "EUR 0.500" in row
    assert "EUR 0.750" in row
    assert "$" not in row
