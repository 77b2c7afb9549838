"""Runs that have not ended, as readers see them: running while their process lives, unfinished once it is gone."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.traces.samples import T0, TRACE, agent, chat, span, tool

from agentops_sdk.testing import CapturedTraces
from agentops_sdk.traces import SpanRecord, Trace, load
from agentops_sdk.traces.decisions.narrative import story
from agentops_sdk.traces.figures.comparison import compare
from agentops_sdk.traces.figures.tables import stats
from agentops_sdk.traces.otlp import from_otlp_json, to_otlp_json
from agentops_sdk.traces.process_identity import PATIENCE, this_process

SLEEPER = """
import json, sys, time
from agentops_sdk.traces.process_identity import this_process
print(json.dumps(this_process()), flush=True)
time.sleep(600)
"""
ROOT, INNER = "00000000000000a1", "00000000000000a2"


def open_line(process: dict[str, Any] | None, *, start_ns: int = T0, **more: Any) -> bytes:
    """A line as the writer makes it: an agent that has been open for a second, and a tool in it."""
    return json.dumps(
        {
            "v": 1, "trace_id": TRACE, "span_id": ROOT, "parent_id": None, "name": "invoke_agent travel",
            "kind": "agent", "span_kind": "INTERNAL", "start_ns": start_ns, "end_ns": start_ns + 1_000_000_000,
            "status": "unset", "outcome": "running", "resource": {"service.name": "demo"},
            "attributes": {"agentops.kind": "agent", "gen_ai.agent.name": "travel"}, "flags": 257,
            "open_below": [{"span_id": INNER, "parent_id": ROOT, "name": "execute_tool search", "kind": "tool",
                            "start_ns": start_ns + 5, "attributes": {"gen_ai.tool.name": "search"}}],
            **({"process": process} if process is not None else {}), **more,
        }
    ).encode() + b"\n"  # fmt: skip


class Sleeper:
    """A real process, and what it says of itself."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.identity: dict[str, Any] = json.loads(self.process.stdout.readline())

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_a_run_is_running_while_its_process_lives_and_unfinished_afterwards() -> None:
    sleeper = Sleeper()
    try:
        assert sleeper.identity["pid"] == sleeper.process.pid
        trace = load([open_line(sleeper.identity)]).latest
        assert (trace.outcome, trace.complete, trace.name) == ("running", False, "invoke_agent travel")
        assert [one.outcome for one in trace] == ["running", "running"]
        assert trace.parent(trace.spans[1]) is trace.root
        assert trace.spans[1].resource == {"service.name": "demo"}
        assert trace.duration == pytest.approx(time.time() - T0 / 1e9, abs=30)
    finally:
        sleeper.end()
    trace = load([open_line(sleeper.identity)]).latest
    assert [one.outcome for one in trace] == ["unfinished", "unfinished"]
    assert trace.duration == 1.0


def test_a_process_that_nobody_has_waited_for_is_gone() -> None:
    sleeper = Sleeper()
    os.kill(sleeper.process.pid, signal.SIGKILL)
    try:
        deadline = time.monotonic() + 30
        while load([open_line(sleeper.identity)]).latest.outcome == "running" and time.monotonic() < deadline:
            time.sleep(0.01)
        assert load([open_line(sleeper.identity)]).latest.outcome == "unfinished"
    finally:
        sleeper.end()


def test_another_process_under_the_same_number_is_not_taken_for_it() -> None:
    mine = this_process()
    assert load([open_line(mine)]).latest.outcome == "running"
    for changed in ({"started": mine["started"] - 100}, {"program": "0" * 8}, {"boot": "another boot"}):
        assert load([open_line({**mine, **changed})]).latest.outcome == "unfinished", changed


def test_a_process_that_became_another_program_is_gone(tmp_path: Path) -> None:
    program = SLEEPER.replace("time.sleep(600)", "import os; os.execv('/bin/sleep', ['sleep', '600'])")
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        identity = json.loads(process.stdout.readline())
        deadline = time.monotonic() + 30
        while load([open_line(identity)]).latest.outcome == "running" and time.monotonic() < deadline:
            time.sleep(0.01)
        alive = process.poll() is None
        outcome = load([open_line(identity)]).latest.outcome
        process.kill()
    assert (alive, outcome) == (True, "unfinished")


def test_of_a_process_elsewhere_its_file_tells_and_else_its_last_sign_of_life(tmp_path: Path) -> None:
    long_ago = time.time() - 10 * PATIENCE
    for elsewhere in ({**this_process(), "namespace": "pid:[1]"}, {**this_process(), "boot": "x", "host": "far"}, None):
        path = tmp_path / "copy.jsonl"
        path.write_bytes(open_line(elsewhere))
        os.utime(path, (long_ago, long_ago))
        assert load(path).latest.outcome == "unfinished"
        with path.open("rb+") as writer:
            fcntl.flock(writer, fcntl.LOCK_EX)
            assert load(path).latest.outcome == "running"
        os.utime(path)
        assert load(path).latest.outcome == "running"
        assert load([open_line(elsewhere)]).latest.outcome == "unfinished"
        assert load([open_line(elsewhere, start_ns=time.time_ns())]).latest.outcome == "running"


@pytest.mark.parametrize("first", ["open", "ended"])
def test_the_line_of_the_end_takes_the_place_of_the_open_one(first: str) -> None:
    ended = agent("travel", span_id=ROOT, took=500).model_dump_json().encode() + b"\n"
    lines = [open_line(this_process()), ended]
    trace = load(lines if first == "open" else lines[::-1]).latest
    assert (trace.outcome, trace.root.duration, len(trace)) == ("ok", 0.5, 2)
    assert not trace.complete  # the tool in it goes on
    assert [one.name for one in trace.open] == ["execute_tool search"]


def killed(*below: SpanRecord) -> Trace:
    lines = [open_line({"pid": 1, "boot": "x", "host": "far"}), *(one.model_dump_json().encode() for one in below)]
    return load(lines).latest


def test_what_never_finished_lasted_at_least_to_the_last_end_below_it() -> None:
    late = chat(None, at=4000, took=1000)
    trace = killed(late.model_copy(update={"parent_id": INNER}))
    assert [round(one.duration, 3) for one in trace] == [5.0, 5.0, 1.0]
    assert "≥5.00 s" in trace.tree()


def test_figures_of_what_has_not_ended_are_a_lower_bound() -> None:
    trace = killed(chat(None, cost=0.5).model_copy(update={"parent_id": ROOT}))
    assert str(trace.cost) == "≥$0.500"
    assert trace.cost.unknowns == {"never finished": 1}
    assert not trace.cost < 1
    assert trace.usage.lower_bound
    assert trace.cost_below(trace.root).lower_bound
    captured = CapturedTraces.of([trace])
    for check, limit in (
        (captured.assert_cost_below, 10), (captured.assert_tokens_below, 10**6), (captured.assert_duration_below, 1e6),
    ):  # fmt: skip
        with pytest.raises(AssertionError, match="cannot be verified"):
            check(limit)
    with pytest.raises(AssertionError, match="2 spans never finished"):
        captured.assert_no_errors()
    captured.assert_tree("travel [unfinished]\n  ...\n  search [unfinished]")


def test_a_model_call_that_was_cut_off_is_of_unknown_size() -> None:
    call = {"span_id": INNER, "parent_id": ROOT, "name": "chat gpt-4o", "kind": "llm", "start_ns": T0 + 5,
            "attributes": {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}}  # fmt: skip
    trace = load([open_line({"pid": 1, "boot": "x", "host": "far"}, open_below=[call])]).latest
    assert [one.name for one in trace.llm_calls] == ["chat gpt-4o"]
    assert trace.share(trace.llm_calls[0]).usage.unknown == 1  # type: ignore[union-attr]  # a usage is known of it
    (row,) = stats([trace], "model").rows
    assert (row.key, row.calls, row.unfinished, row.errors, row.durations) == ("gpt-4o", 1, 1, 0, [])


def test_tables_and_stories_tell_it() -> None:
    stated = span(
        "decide next",
        {
            "agentops.kind": "decision", "agentops.decision.name": "next", "agentops.decision.chosen": "search",
            "agentops.decision.options": '["search","stop"]',
        },
        took=0,
    ).model_copy(update={"parent_id": ROOT, "start_ns": T0 + 1, "end_ns": T0 + 2})  # fmt: skip
    trace = killed(stated)
    by_agent = stats([trace, trace], "agent")
    assert [(row.key, row.calls, row.unfinished) for row in by_agent.rows] == [("travel", 2, 2)]
    assert (by_agent.total.traces, by_agent.total.unfinished, by_agent.total.running) == (2, 2, 0)
    assert any("never finished" in sentence for sentence in story(trace))


def test_compare_counts_the_unfinished_as_failed_and_leaves_the_running_out() -> None:
    running = load([open_line(this_process())]).latest
    fine = Trace([agent("travel")])
    found = compare([fine, killed(), running], [fine])
    assert (found.a.runs, found.a.errors, found.a.unfinished, found.a.running) == (3, 1, 1, 1)
    assert found.a.figures["duration"] == found.b.figures["duration"]
    assert found.as_dict()["errors"]["a"] == 1


def test_a_run_whose_outermost_span_is_missing_did_not_end(tmp_path: Path) -> None:
    child = tool("search", None).model_copy(update={"parent_id": ROOT, "flags": 257})
    path = tmp_path / "a.jsonl"
    path.write_text(child.model_dump_json() + "\n")
    trace = load(path).latest
    assert (trace.outcome, trace.complete) == ("unfinished", False)
    assert trace.cost.lower_bound
    assert "(parent missing)" in trace.tree()
    just_now = child.model_copy(update={"start_ns": time.time_ns(), "end_ns": time.time_ns()})
    path.write_text(just_now.model_dump_json(exclude={"start", "end"}) + "\n")
    with path.open("rb+") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)  # as the process does that writes it
        assert load(path).latest.outcome == "running"
    assert load(path).latest.outcome == "unfinished"


def test_otlp_takes_no_span_that_has_not_ended() -> None:
    trace = killed(chat(None).model_copy(update={"parent_id": ROOT}))
    assert [record.kind for record in from_otlp_json(to_otlp_json(trace))] == ["llm"]


def test_records_that_were_printed_are_read_again() -> None:
    trace = load([open_line(this_process())]).latest
    again = load([one.model_dump_json(exclude_unset=True) for one in trace]).latest
    assert [one.outcome for one in again] == ["running", "running"]
