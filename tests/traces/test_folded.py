"""What is shown of a trace with more spans than anybody reads: a part, with what is left out counted."""

from __future__ import annotations

import json
import re
import tracemalloc
from pathlib import Path

import pytest
from benchmarks import large_trace
from tests.traces.samples import chat, span, tool

from agentops_sdk import semconv
from agentops_sdk.cli import main
from agentops_sdk.traces import Trace, load
from agentops_sdk.traces.display.folding import MOST
from agentops_sdk.traces.display.render import text

DEEP = 30_000
ROOM = DEEP * 2_000
"""Bytes of Python objects; records of all would take some 5,000 for each."""


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[str], str]:
    assert main(list(arguments)) == 0
    told = capsys.readouterr()
    return told.out.splitlines(), told.err


def spans_in(lines: list[str]) -> int:
    in_head = lines[2] != ""  # an only root has no line beside the head; else a blank one stands below it
    return in_head + sum(bool(re.search(r"[·●◆■◇] \S", line)) for line in lines)


@pytest.mark.parametrize("shape", list(large_trace.SHAPES))
def test_show_of_a_large_trace_is_bounded_and_says_what_it_leaves_out(
    shape: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.jsonl"
    large_trace.write(shape, 3_000, path)
    lines, _ = show(capsys, "show", str(path))
    shown = spans_in(lines)
    left_out = sum(int(number.replace(",", "")) for number in re.findall(r"… ([\d,]+) more", "\n".join(lines)))
    assert shown <= MOST
    assert shown + left_out == 3_000
    assert f"{left_out:,} of 3,000 spans are left out; --all shows them" in lines
    lines, _ = show(capsys, "show", str(path), "--all")
    assert spans_in(lines) == 3_000
    assert not [line for line in lines if "left out" in line]
    assert spans_in(load(path).latest.tree().splitlines()) == 3_000
    lines, _ = show(capsys, "show", str(path), "--json")
    assert len(lines) == 3_000


@pytest.mark.parametrize(("shape", "count"), [("chain", DEEP), ("flat", DEEP)])
def test_show_makes_no_record_of_what_it_leaves_out(
    shape: str, count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.jsonl"
    large_trace.write(shape, count, path)
    trace = load(path).latest
    trace.beginning  # noqa: B018 - decisions are looked for there, in records
    tracemalloc.start()
    try:
        text(trace, whole=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < ROOM
    for command in (["show"], ["ls"], ["stats", "--by", "day"], ["compare", str(path)], ["stats", "--by", "decision"]):
        arguments = [*command, str(path)] if command[0] in ("show", "compare") else [*command, "--dir", str(path)]
        assert main(arguments) in (0, 1)
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        assert len(told.out.splitlines()) < MOST + 20


def test_a_trace_of_roots_alone_is_bounded(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    records = [span(f"s{n}", at=n, parent="f" * 16, flags=257) for n in range(MOST + 500)]
    path.write_text("".join(record.model_dump_json() + "\n" for record in records))
    lines, _ = show(capsys, "show", str(path))
    assert "… 1,480 more" in lines
    assert f"{MOST + 500} span(s) whose parent is missing" in lines


def test_what_failed_stays_in_sight() -> None:
    root = span("root", took=10_000)
    records = [root]
    for n in range(MOST):
        records.append(span(f"agent {n}", {semconv.OPERATION_NAME: "invoke_agent"}, parent=root, at=n))
    failing = span("agent that failed", {semconv.OPERATION_NAME: "invoke_agent"}, parent=root, at=5_000)
    inner = span("the step that failed", parent=failing, at=5_001, status="error", status_message="no disk")
    records += [failing, inner, *(span(f"late {n}", parent=root, at=6_000 + n, status="error") for n in range(30))]
    drawn = text(Trace(records), whole=False)
    assert "agent that failed" in drawn
    assert "the step that failed error" in drawn
    assert "no disk" in drawn
    assert re.search(r"└─ … 1,001 more \(21 failed\)", drawn)
    assert text(Trace(records), whole=False, ascii_only=True).isascii()


def test_totals_of_what_is_shown_hold_what_is_left_out() -> None:
    root = span("invoke_agent a", {semconv.OPERATION_NAME: "invoke_agent"}, took=10_000)
    trace = Trace([root, *(chat(root, at=n, cost=0.001) for n in range(MOST + 1))])
    head, _, first, *_ = text(trace, whole=False).splitlines()
    assert "$1.00" in head
    assert "$0.00100" in first


def test_up_to_the_bound_everything_is_shown() -> None:
    root = span("root")
    trace = Trace([root, *(span(f"s{n}", parent=root) for n in range(MOST - 1))])
    assert text(trace, whole=False) == text(trace)
    assert "more" not in text(trace, whole=False)


def many_decisions(path: Path, count: int) -> None:
    """Model calls that each chose a tool, and its execution, below one agent."""
    root = span("invoke_agent a", {semconv.OPERATION_NAME: "invoke_agent"}, took=10**7, span_id="f" * 16)
    with path.open("w") as file:
        file.write(root.model_dump_json(exclude_unset=True) + "\n")
        for n in range(count // 2):
            chosen = {
                semconv.DECISION_OPTIONS: ["a", "b"],
                semconv.DECISION_CHOSEN: "a",
                semconv.DECISION_NAME: "next",
                semconv.DECISION_BY: "model",
            }
            call = chat(root, at=4 * n, took=1, attributes=chosen)
            for record in (call, tool("a", root, at=4 * n + 2, took=1)):
                file.write(record.model_dump_json(exclude_unset=True) + "\n")


def test_decisions_and_comparisons_look_at_the_beginning_of_a_very_large_run_and_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentops_sdk.traces.trace.LARGE", 3_000)
    path = tmp_path / "t.jsonl"
    many_decisions(path, 4_000)
    partly = "decisions and loops were looked for in the first 3,000 spans alone"
    lines, told = show(capsys, "decisions", str(path))
    assert len(lines) < MOST + 3
    assert lines[-1].endswith("more sentences; --all prints them")
    assert f"{partly}; --all looks at everything" in told
    lines, told = show(capsys, "decisions", str(path), "--all")
    assert len(lines) == 1 + 4_000 // 2
    assert told == ""
    lines, told = show(capsys, "compare", str(path), str(path), "--json")
    found = json.loads(lines[0])
    assert found["partial"] == {"a": 1, "b": 1}
    assert len(found["steps"]) == 500
    assert found["decisions"][0]["a"][0] == 3_000 // 2
    lines, _ = show(capsys, "compare", str(path), str(path))
    assert f"of very large runs, {partly}" in lines
    _, told = show(capsys, "stats", "--by", "decision", "--dir", str(path))
    assert f"of 1 very large run(s), {partly}" in told
    lines, _ = show(capsys, "show", str(path))
    assert any("decisions and loops of the first" in line for line in lines)


def test_comparing_many_runs_holds_one_of_them_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.jsonl"
    with path.open("w") as file:
        for number in range(40):
            for raw in large_trace.mixed(300):
                file.write(json.dumps({**raw, "trace_id": f"{number + 1:032x}"}) + "\n")
    tracemalloc.start()
    try:
        assert main(["compare", str(path), str(path), "--json"]) == 0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert json.loads(capsys.readouterr().out)["runs"] == {"a": 40, "b": 40}
    assert peak < 40 * 300 * 2_500  # the records of all take some 5,000 bytes each
