"""Experiments: cases through a task and scorers, traced, resumed, compared; cases from runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply

import agentops_sdk as agentops
from agentops_sdk.cli import main
from agentops_sdk.experiments import (
    Case,
    Score,
    asserts,
    cases_version,
    contains,
    cost,
    decision,
    embedding,
    exact,
    json_schema,
    judge,
    latency,
    load_cases,
    load_results,
    numeric,
    regex,
    tools_used,
)
from agentops_sdk.experiments.experiment_page import comparison_text
from agentops_sdk.traces.figures.evaluations import evaluations_in
from agentops_sdk.traces.figures.paired_tests import kappa, sign_test, signed_rank, smallest_difference

CASES = [{"id": str(number), "input": number, "expected": number * 2} for number in range(6)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@agentops.tool
def double(number: int) -> int:
    return number * 2


def task(number: int) -> int:
    agentops.decide("parity", "even" if number % 2 == 0 else "odd", options=["even", "odd"], by="code")
    if number == 4:
        raise RuntimeError("no fours")
    return double(number) if number else 7


def test_each_case_is_a_trace_with_its_scores_and_a_failure_is_one_case(home: Path) -> None:
    agentops.init(exporters=["jsonl"], integrations=[], sample_ratio=0.0, keep_errors=False)
    scorers = [exact(), tools_used("double"), decision("parity", "even"), latency(), cost(max=1)]
    result = agentops.experiment("doubling", CASES, task, scorers)
    assert (len(result.rows), [row.case_id for row in result.errors]) == (6, ["4"])
    assert result.rows[4].error == "RuntimeError: no fours"
    assert [row.value("exact") for row in result.rows] == [0, 1, 1, 1, None, 1]
    assert [row.value("tools_used") for row in result.rows] == [0, 1, 1, 1, 0, 1]
    assert [row.value("decision parity") for row in result.rows] == [1, 0, 1, 0, 1, 0]
    assert result.mean("exact") == pytest.approx(0.8)
    assert "exact" in str(result)
    assert agentops.status().settings["sample_ratio"].value == 0.0, "what held before holds again"
    agentops.shutdown()
    traces = agentops.traces.load("./.agentops/traces")
    assert {row.trace_id for row in result.rows} == set(traces.ids)
    one = traces.get(result.rows[1].trace_id)
    assert one.root.attributes["agentops.experiment.case"] == "1"
    assert {(each.name, each.score) for each in evaluations_in(one)} >= {("exact", 1.0), ("tools_used", 1.0)}
    read = load_results(result.path)
    assert {row.case_id: row.value("exact") for row in read.rows} == {
        row.case_id: row.value("exact") for row in result.rows
    }
    assert (result.path.stat().st_mode & 0o777, read.complete) == (0o600, True)


def test_inside_of_private_neither_cases_nor_a_template_are_kept(home: Path) -> None:
    agentops.init(exporters=["jsonl"], integrations=[])
    secret = "Miller"

    @agentops.agent
    def diagnose(name: str) -> str:
        if name.endswith("?"):
            raise RuntimeError(f"no {name}")
        return f"{agentops.prompt('letter', f'To {secret}').format()}: {name}"

    with agentops.private():
        cases = [{"id": "a", "input": secret, "expected": secret}, {"id": "b", "input": f"{secret}?"}]
        result = agentops.experiment("ward", cases, diagnose, [exact()])
    agentops.shutdown()
    assert result.rows[0].output == f"To {secret}: {secret}", "who runs it has all of it"
    read = load_results(result.path)
    assert {row.case_id: (row.value("exact"), row.error) for row in read.rows} == {
        "a": (0.0, None), "b": (None, "RuntimeError"),
    }  # fmt: skip
    written = {path: path.read_bytes() for path in (home / ".agentops").rglob("*") if path.is_file()}
    assert [path for path, content in written.items() if secret.encode() in content] == []
    assert {trace.root.outcome for trace in agentops.traces.load("./.agentops/traces")} == {"ok", "error"}


@pytest.mark.parametrize(("rules", "is_kept"), [(["on tenant=acme", "off"], False), (["off agent=billing"], True)])
def test_rules_about_content_hold_for_results_and_templates(home: Path, rules: list[str], is_kept: bool) -> None:
    agentops.init(exporters=["jsonl"], integrations=[], content_rules=rules)

    def job(name: str) -> str:
        return agentops.prompt("letter", "To Miller").format() + name

    result = agentops.experiment("rules", [{"id": "a", "input": "Miller"}], job, [exact()])
    agentops.shutdown()
    files = [path for path in (home / ".agentops").rglob("*") if path.is_file()]
    kept = {path.suffix for path in files if b"Miller" in path.read_bytes()}
    assert kept == ({".jsonl", ".md"} if is_kept else set())
    assert [row.output for row in load_results(result.path).rows] == ["To MillerMiller" if is_kept else None]


async def test_a_coroutine_runs_concurrently_and_is_awaited() -> None:
    agentops.init(exporters=["memory"], integrations=[])
    inside, most = 0, 0

    async def slow(number: int) -> int:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.01)
        inside -= 1
        return number

    running = agentops.experiment("slow", range(9), slow, concurrency=3)
    with pytest.raises(agentops.AgentOpsError, match="await it"):
        running.rows  # noqa: B018 - asking is the test
    result = await running
    assert ([row.output for row in result.rows], most) == (list(range(9)), 3)
    assert len({row.trace_id for row in result.rows}) == 9


class CutOffError(BaseException):
    """Ends everything, as an interrupt does."""


def test_a_run_that_was_cut_off_goes_on_and_what_is_done_is_not_done_again() -> None:
    agentops.init(exporters=["memory"], integrations=[])
    seen: list[int] = []

    def stopping(number: int) -> int:
        seen.append(number)
        if number == 3 and len(seen) < 6:
            raise CutOffError
        return number

    with pytest.raises(CutOffError):
        agentops.experiment("long", CASES, stopping, concurrency=1)
    (path,) = Path(".agentops/experiments/long").glob("*.jsonl")
    with path.open("a") as file:
        file.write('{"case_id": "3", "outp')  # as a process that was killed leaves it
    done = {row.case_id for row in load_results(path).rows}
    before = list(seen)
    result = agentops.experiment("long", CASES, stopping, concurrency=1, resume=True)
    assert sorted(seen[len(before) :]) == [number for number in range(6) if str(number) not in done]
    assert {"0", "1"} <= done
    assert (result.path, result.complete, load_results(path).complete) == (path.absolute(), True, True)


def test_a_judge_is_asked_in_a_trace_of_its_own_and_agrees_with_people_so_far() -> None:
    import openai

    def verdict(request: Any) -> Reply:
        good = "Output:\nyes" in request["messages"][-1]["content"]
        return Reply(text='{"verdict": "%s", "reason": "because"}' % ("good" if good else "bad"))

    with LocalModel(verdict) as server:
        agentops.init(exporters=["jsonl"], integrations=["openai"])
        with openai.OpenAI(base_url=server.base_url, api_key="local") as client:

            def ask(prompt: str) -> str:
                messages: Any = [{"role": "user", "content": prompt}]
                reply = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
                return reply.choices[0].message.content or ""

            people = ["good", "good", "bad", "bad"]
            cases = [
                Case(said, metadata={"anna": word})
                for said, word in zip(("yes", "yes", "no", "yes "), people, strict=True)
            ]
            scorer = judge(ask, "Is it polite?", labels=["good", "bad"], people="anna")
            result = agentops.experiment("polite", cases, lambda said: said, [scorer])
    assert [row.value("judge") for row in result.rows] == [1, 1, 0, 1]
    assert result.agreement("judge") == (pytest.approx(0.5), 4)
    spent, unknown = result.judges_cost
    assert spent > 0
    assert unknown == 0
    assert [row.cost for row in result.rows] == [0.0] * 4, "asking the judge is no part of what the case cost"


def test_scorers_by_rules() -> None:
    def one(scorer: Any, output: Any, expected: Any = None) -> float | None:
        agentops.init(exporters=["memory"], integrations=[])
        (row,) = agentops.experiment("one", [Case("in", expected)], lambda _: output, [scorer]).rows
        return row.value(scorer.name)

    assert one(contains("paris", "rome"), "Paris, Rome") == 1
    assert one(contains(), "Paris", ["Paris", "Rome"]) == 0
    assert one(contains(every=False), "Paris", ["Paris", "Rome"]) == 1
    assert one(regex(r"\d{3}"), "a 123") == 1
    assert one(numeric(relative=0.01), "it is 1,005 in all", 1000) == 1
    assert one(numeric(), "1,005", 1000) == 0
    assert one(numeric(), "none", 1000) == 0
    assert one(json_schema({"type": "object", "required": ["a"]}), '{"a": 1}') == 1
    assert one(json_schema({"type": "object", "required": ["a"]}), "{}") == 0
    assert one(json_schema(), "{") == 0
    assert one(embedding(lambda text: [len(text), 1.0], min=0.99), "abcd", "abce") == 1
    assert one(asserts(lambda trace: trace.assert_llm_calls(min=1)), "x") == 0
    assert one(exact(), "x") is None, "nobody said what was expected"
    assert one(cost(), "x") == 0
    assert one(cost(max=1), "x") == 1, "not what it cost"
    assert one(judge(lambda _: "I cannot say", "?"), "x") is None

    def broken(output: str) -> Score:
        raise ValueError(output)

    result = agentops.experiment("one", ["in"], lambda _: "out", [broken])
    assert result.rows[0].scores["broken"] == Score(None, comment="ValueError: out")


def test_a_score_that_is_no_number_is_unknown_and_stops_nothing() -> None:
    class Rated:
        async def __call__(self, output: str) -> float:
            return 0.5

    async def several(output: str) -> Any:
        return [1, 2]

    def ratio(output: str) -> float:
        return float("nan")

    def told(output: str) -> Score:
        return Score(float("inf"))

    result = agentops.experiment("odd", ["a", "b"], str, [Rated(), several, ratio, told])
    assert [result.mean(name) for name in result.score_names] == [0.5, None, None, None]
    assert "list" in str(result.rows[0].scores["several"].comment)
    assert result.rows[0].scores["ratio"].comment == "nan is no number to go by"
    for wrong in (lambda answer: 1, max, len):
        with pytest.raises(agentops.ConfigError, match="scorers"):
            agentops.experiment("odd", ["a"], str, [wrong])


def test_of_a_score_that_is_a_label_the_shares_are_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def tone(output: int) -> str | None:
        return ("rude", "kind", "kind", None)[output]

    results = agentops.experiment("tone", range(4), lambda number: number, [tone])
    line = next(each for each in results.summary() if each["name"] == "tone")
    assert (line["labels"], line["known"], line["unknown"], line["mean"]) == ({"kind": 2, "rude": 1}, 3, 1, None)
    assert "kind 67%, rude 33%" in results.table()
    page = results.html(home / "tone.html").read_text()
    assert ">kind</td>" in page
    assert ">unknown</td>" in page
    assert main(["experiments"]) == 0
    assert "tone kind 67%" in capsys.readouterr().out


def test_a_comparison_pairs_cases_and_says_what_flipped(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    agentops.init(exporters=["memory"], integrations=[])
    cases = [{"id": f"c{number}", "input": number, "expected": number} for number in range(20)]
    agentops.experiment("flips", cases, lambda number: number if number < 10 else -1, [exact()])
    after = agentops.experiment("flips", cases, lambda number: number if number > 0 else -1, [exact()])
    assert main(["experiments", "flips", "--baseline", "previous", "--json", "--html", "page.html"]) == 0
    told = json.loads(capsys.readouterr().out)
    row = next(each for each in told["comparison"]["scores"] if each["name"] == "exact")
    assert (row["worse"], len(row["better"]), row["significant"]) == (["c0"], 10, True)
    assert row["p"] == pytest.approx(min(1, 2 * sign_test(10, 1)), rel=0.6), "corrected by Holm"
    assert row["low"] < row["change"] < row["high"]
    assert 0 < row["smallest"] < 1
    page = (home / "page.html").read_text()
    assert '<td class="worse">c0' in page
    assert "<script" not in page
    assert after.compare(after)["exact"].p == 1.0
    assert "all the same" in str(comparison_text(after.compare(after)))
    for row in after.summary():
        assert row["low"] is None or row["low"] >= 0, "neither seconds nor a share are below 0"
    few = agentops.experiment("few", cases[:2], lambda number: number, [exact()])
    assert [(row["low"], row["high"]) for row in few.summary()] == [(None, None)] * len(few.names)
    assert "too few cases" in few.table()


def test_cases_come_from_files_with_a_version_by_what_they_hold(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "a.jsonl").write_text(
        '{"input": "x", "expected": "1"}\n\n{"question": "y", "lang": "de", "expected": "2"}\n'
    )
    (home / "b.csv").write_text("expected,lang,question\n2,de,y\n")
    one, two = load_cases("a.jsonl")
    assert (one.input, two.input, two.expected) == ("x", {"question": "y", "lang": "de"}, "2")
    assert cases_version([two, one]) == cases_version([one, two]) != cases_version([one])
    assert load_cases("b.csv")[0].id == two.id
    assert main(["dataset", "version", "a.jsonl"]) == 0
    assert capsys.readouterr().out.split()[0] == cases_version([one, two])
    for wrong in ([], [{"id": "a", "input": 1}, {"id": "a", "input": 2}], "nowhere.jsonl"):
        with pytest.raises(agentops.ConfigError):
            load_cases(wrong)


def test_the_worst_runs_become_cases(capsys: pytest.CaptureFixture[str]) -> None:
    agentops.init(exporters=["jsonl"], integrations=[])

    @agentops.agent
    def answer(question: str) -> str:
        return question.upper()

    for number, score in enumerate((0.9, 0.1, None, 0.5)):
        with agentops.span("keeping"), agentops.span("other"):
            pass
        answer(f"question {number}")
        agentops.flush()
        trace = agentops.traces.load("./.agentops/traces").where(agent="answer").latest
        if score is not None:
            agentops.feedback(trace, name="helpful", value=score, comment="so so")
    agentops.shutdown()
    options = ["--agent", "answer", "--worst", "helpful", "-n", "2", "-o", "cases.jsonl"]
    assert main(["dataset", "from", *options]) == 0
    worst, second = load_cases("cases.jsonl")
    assert (worst.input, worst.expected, second.input) == ("question 1", "QUESTION 1", "question 3")
    assert worst.metadata == {"trace_id": worst.metadata["trace_id"], "outcome": "ok", "helpful": 0.1,
                              "comments": {"helpful": "so so"}}  # fmt: skip
    agentops.init(exporters=["jsonl"], integrations=[])
    agentops.feedback(trace, name="mood", value="cross")
    agentops.shutdown()
    capsys.readouterr()
    assert main(["dataset", "from", "--agent", "answer", "--worst", "mood", "-o", "none.jsonl"]) == 1
    said = capsys.readouterr().err
    assert "3 run(s) left out: nobody gave mood" in said
    assert "1 run(s) left out: mood is a label there" in said
    assert main(["dataset", "from", "--agent", "nobody", "-o", "none.jsonl"]) == 1
    assert not Path("none.jsonl").exists()


def test_runs_of_experiments_become_the_cases_they_were_made_of(capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the task records nothing; what judges were asked makes no case."""
    agentops.init(exporters=["jsonl"], integrations=[])

    async def judge(output: str) -> bool:
        return bool(output)

    @agentops.agent
    def shout(question: str) -> str:
        return question.upper()

    cases = [{"input": {"question": "a"}}, {"input": "b"}]
    agentops.experiment("plain", cases, str, [judge])
    with agentops.span("around"), agentops.span("between"):
        shout("hello")
    agentops.shutdown()
    assert main(["dataset", "from", "-o", "cases.jsonl"]) == 0
    assert "left out" not in capsys.readouterr().err
    made = [(case.input, case.expected) for case in load_cases("cases.jsonl")]
    assert sorted(made, key=str) == [("b", "b"), ("hello", "HELLO"), ({"question": "a"}, "{'question': 'a'}")]


@pytest.mark.parametrize("wrong", [{"name": "a/b"}, {"task": 3}, {"concurrency": 0}, {"scorers": [exact(), exact()]}])
def test_wrong_arguments_are_named_at_once(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"name": "x", "cases": [1], "task": str}
    with pytest.raises(agentops.ConfigError, match=next(iter(wrong))):
        agentops.experiment(**{**right, **wrong})


# The expected values are scipy 1.16's (binomtest, wilcoxon) and statsmodels 0.14's (cohens_kappa).
def test_paired_tests_are_those_of_published_implementations() -> None:
    assert (sign_test(1, 9), sign_test(12, 18)) == (pytest.approx(0.021484375), pytest.approx(0.361594608053565))
    assert signed_rank([1.1, 2.3, -0.4, 0.9, 1.7, 2.2, -0.1, 0.8, 1.5, 0.6]) == pytest.approx(0.009765625)
    assert signed_rank([1, 1, 2, -1, 3, 2, 1, -2, 1, 4] * 3) == pytest.approx(0.0019283610241817143)
    assert kappa([(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15) == pytest.approx(0.4)
    assert smallest_difference([1.0, 1.0]) is None
