"""What is counted of decisions is what they are, and lines that state no more than one are not read again for it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from tests.traces.test_line_index import NAME, read_bytes

from agentops_sdk import semconv
from agentops_sdk.cli import main
from agentops_sdk.traces import load
from agentops_sdk.traces.figures.columns import MEANING
from agentops_sdk.traces.formats import line_index

_WORDS: dict[str, tuple[Any, ...]] = {
    semconv.DECISION_NAME: ("route", "handoff", "goto", "limit", "", "n" * 300, ["x"], 7, None),
    semconv.DECISION_CHOSEN: (
        *("yes", "no", '["a","b"]', '[{"name":"a"}]', '{"type":"accept"}', "refusal", "", "c" * 300),
        *(["yes"], ["yes", "no"], [], [["yes"]], 7, True, 1.5, {"name": "a"}, None),
    ),
    semconv.DECISION_BY: ("model", "human", "human", "code", None, 3),
    semconv.GUARDRAIL_NAME: ("filter", ""),
    semconv.RESPONSE_FINISH_REASONS: (["stop"], ["content_filter"], ["length", "refusal"], "refusal", [3], [["x"]]),
    semconv.DECISION_OPTIONS: ('["yes","no"]', None),
    semconv.LIMIT: ("cost",),
    semconv.GRAPH_NODE: ("agent",),
    semconv.GRAPH_RESUMED_FROM: ("c-1",),
    semconv.ATTEMPTS: ('[{"status":500},{"status":200}]', "1"),
    semconv.ATTEMPT: (2,),
    semconv.GUARDRAIL_RESULT: ("true",),
    semconv.OUTPUT_MESSAGES: ('[{"role":"assistant","parts":[{"type":"tool_call","id":"1","name":"search"}]}]',),
    semconv.TOOL_DEFINITIONS: ('[{"name":"search"}]',),
    semconv.GRAPH_CHECKPOINT_ID: ("c-1",),
    semconv.USAGE_OF: ("b-1",),
    semconv.RESPONSE_STATUS: ("queued", "completed"),
}
_EVENTS = (
    *(semconv.DECISION_EVENT, semconv.HANDOFF_EVENT, semconv.GUARDRAIL_EVENT, semconv.TOOL_CALL_DECISION_EVENT),
    *(semconv.EVALUATION_EVENT, "exception"),
)
_KINDS = ("decision", "llm", "tool", "agent", "guardrail", "task")


def any_lines(runs: int, chance: Random) -> bytes:
    """Runs in which decisions are told in every way, some of them wrong."""
    made = []
    for run in range(runs):
        ids = [f"{chance.getrandbits(64) | 1:016x}" for _ in range(4)]
        for number, span_id in enumerate(ids):
            names = chance.sample(list(_WORDS), chance.choice((1, 2, 4, 7)))
            attributes = {name: chance.choice(_WORDS[name]) for name in names}
            raw: dict[str, Any] = {
                "v": 1, "trace_id": f"{run:032x}", "span_id": span_id,
                "parent_id": chance.choice(ids[:number]) if number else None,
                "name": chance.choice(("one", "two", "m" * 300)), "kind": chance.choices(_KINDS, (3, 4, 1, 1, 1, 1))[0],
                "start_ns": (start := chance.randrange(20)), "end_ns": start + chance.randrange(-1, 20),
                "outcome": chance.choices(("ok", "error", "interrupted", "unfinished"), (8, 2, 3, 1))[0],
                "attributes": {**attributes, "noise": chance.randbytes(40).hex()},
            }  # fmt: skip
            if chance.random() < 0.9:
                raw["scope"] = {"name": chance.choices(("agentops_sdk", "theirs"), (4, 1))[0]}
            if chance.random() < 0.2:
                words = {semconv.DECISION_NAME: "late", semconv.DECISION_CHOSEN: "x", semconv.HANDOFF_TO: "writer"}
                raw["events"] = [{"name": chance.choice(_EVENTS), "time_ns": 7, "attributes": words}]
            made.append(orjson.dumps(raw) + b"\n")
    return b"".join(made)


def test_choices_are_those_of_the_decisions_however_they_are_told(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(any_lines(200, Random(18)))
    indexes = []
    for _ in range(2):  # the first makes an index
        traces = load(path)
        for trace in traces:
            assert trace.choices == [(each.name, each.choices) for each in trace.decisions], trace.trace_id
        indexes.append(line_index.index_of(path).read_bytes())
    assert indexes[0] == indexes[1]
    both = [sum(bool(trace.choices) for trace in traces), len(traces)]
    assert both[0] > both[1] / 2, both


def stated(runs: int) -> bytes:
    """Runs of two releases that state one decision each."""
    raws = [
        {
            "trace_id": f"{run:032x}", "span_id": f"{run + 1:016x}", "parent_id": None, "name": "decision route",
            "kind": "decision", "start_ns": run, "end_ns": run + 5, "scope": {"name": "agentops_sdk"},
            "attributes": {
                semconv.DECISION_NAME: "route", semconv.DECISION_CHOSEN: ("yes", "no")[run % 3 == 0],
                "release": f"1.{run % 2}", "noise": Random(run).randbytes(1_000).hex(),
            },
        }
        for run in range(runs)
    ]  # fmt: skip
    return b"".join(orjson.dumps(raw) + b"\n" for raw in raws)


def compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["compare", "release=1.0", "release=1.1", "--json", "--from", str(folder)]) == 0
    return capsys.readouterr().out


def test_what_runs_state_is_compared_without_their_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / NAME
    path.write_bytes(stated(90))
    first = compared(tmp_path, capsys)
    assert {row["choice"]: row["a"] for row in orjson.loads(first)["decisions"]} == {"yes": [30, 45], "no": [15, 45]}
    before = read_bytes()
    assert compared(tmp_path, capsys) == first
    assert read_bytes() - before < path.stat().st_size / 2


def test_an_index_of_another_form_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(stated(90))
    expected = [trace.choices for trace in load(path)]
    index, mark = line_index.index_of(path), line_index.mark_of(path)
    whole = index.read_bytes()
    assert mark is not None
    kept = line_index.read(path, mark, MEANING)
    assert kept is not None
    del kept.facts["spans"]["statements"], kept.columns["stated"]
    line_index.write(path, mark, "another", kept)
    assert index.read_bytes() != whole
    assert [trace.choices for trace in load(path)] == expected
    assert index.read_bytes() == whole
