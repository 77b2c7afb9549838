"""Sampling never makes a lie of a trace: a run that failed is whole, or says what it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agentops_sdk as agentops
from agentops_sdk._pipeline import process_runtime
from agentops_sdk.traces import Trace, Traces, load

PRICED = {
    "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o",
    "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100,
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def begin(home: Path, **settings: Any) -> None:
    agentops.init(directory=home, integrations=[], **{"sample_ratio": 0.0, **settings})


def model_call() -> None:
    with agentops.span("gpt-4o", kind="llm", **PRICED):
        pass


def run(steps: int = 2, *, fail: bool, name: str = "job") -> None:
    """A run with a priced model call in each step, the last of which may fail."""
    try:
        with agentops.span(name, kind="agent"):
            for number in range(steps):
                with agentops.span(f"step {number}", kind="tool"):
                    model_call()
            if fail:
                with agentops.span("last", kind="tool"):
                    raise KeyError("gone")
    except KeyError:
        pass


def kept(home: Path) -> Traces:
    agentops.flush()
    folder = home / "traces"
    return load(folder) if folder.exists() else Traces()


def exact() -> bool:
    now = agentops.status()
    before = now.spans["open"] + now.spans["queued"] + now.spans["dropped"] + now.spans["sampled_out"]
    return all(
        now.spans["started"] - before == sink.accepted == sink.exported + sink.pending + sink.lost
        for sink in now.sinks.values()
    )


def test_a_run_that_failed_is_kept_whole_with_its_money(home: Path) -> None:
    begin(home)
    for fail in (False, True, False):
        run(fail=fail)
    (trace,) = kept(home)
    assert sorted(one.name for one in trace) == [
        "chat gpt-4o", "chat gpt-4o", "execute_tool last", "execute_tool step 0", "execute_tool step 1",
        "invoke_agent job",
    ]  # fmt: skip
    assert (trace.outcome, trace.complete, trace.missing_spans, trace.usage.input) == ("error", True, 0, 2000)
    assert trace.cost.amount > 0
    assert not trace.cost.lower_bound
    assert agentops.status().spans["sampled_out"] == 10
    assert exact()


def test_a_long_run_is_released_in_slices(home: Path) -> None:
    sizes: list[int] = []

    class Sizes(InMemorySpanExporter):
        def export(self, spans: Any) -> Any:
            sizes.append(len(spans))
            return super().export(spans)

    begin(home, exporters=[Sizes()])
    run(300, fail=True)
    assert agentops.flush().exported == sum(sizes) == 602
    assert max(sizes) <= 512  # of a sink's own batches
    begin(home, exporters=["jsonl"])
    run(300, fail=True, name="other")
    assert agentops.flush().exported == 602
    sink = agentops.status().sinks["jsonl"]
    assert sink.exports > 2  # a slice has 256 spans at the most
    (trace,) = (trace for trace in kept(home) if trace.name == "invoke_agent other")
    assert (len(trace), trace.complete) == (602, True)


def test_an_error_that_was_dealt_with_keeps_the_run_from_its_first_span_to_its_last(home: Path) -> None:
    begin(home)
    with agentops.span("job", kind="agent"):
        model_call()
        try:
            with agentops.span("try", kind="tool"):
                raise KeyError
        except KeyError:
            pass
        assert len(kept(home).latest) == 2  # at once: a crash after this loses nothing of it
        model_call()
    (trace,) = kept(home)
    assert (trace.outcome, trace.complete, len(trace), trace.usage.input) == ("ok", True, 4, 2000)


def test_what_did_not_fit_makes_figures_a_lower_bound(home: Path) -> None:
    begin(home, queue_size=5)
    with pytest.raises(KeyError), agentops.span("job", kind="agent"):
        for _ in range(10):
            model_call()
            agentops.flush()
        raise KeyError
    (trace,) = kept(home)
    assert (len(trace.llm_calls), trace.root.attributes["agentops.missing_spans"]) == (5, 5)
    assert (trace.missing_spans, trace.complete, trace.outcome) == (5, False, "error")
    assert trace.cost.unknowns == {"span not kept": 5}
    assert not trace.cost < 1000
    assert (trace.usage.lower_bound, trace.usage.unknown) == (True, 5)
    assert "≥" in trace.tree()
    assert "5 span(s) were not kept" in trace.tree()
    assert exact()


def test_spans_that_a_full_queue_dropped_are_not_taken_for_nothing(home: Path) -> None:
    begin(home, sample_ratio=1.0, queue_size=10)
    assert process_runtime.current is not None
    with agentops.span("job", kind="agent"):
        assert process_runtime.current.queue.hold(10.0)  # as while the process forks
        for _ in range(25):
            model_call()
        process_runtime.current.queue.release()
        agentops.flush()
        model_call()
    (trace,) = kept(home)
    assert (len(trace.llm_calls), trace.missing_spans, trace.complete) == (11, 15, False)
    assert trace.cost.unknowns == {"span not kept": 15}
    run(fail=False)
    assert kept(home).latest.complete


def test_what_is_held_is_bounded_for_all_runs_together_and_counted(home: Path) -> None:
    begin(home, queue_size=50)
    release = threading.Event()

    def work() -> None:
        with agentops.span("job", kind="agent"):
            for _ in range(20):
                model_call()
                agentops.flush()
            release.wait()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    while agentops.status().spans["sampled_out"] < 100 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert agentops.status().spans["undecided"] == 50
    assert exact()
    release.set()
    for thread in threads:
        thread.join()
    assert len(kept(home)) == 0
    assert (agentops.status().spans["undecided"], agentops.status().spans["sampled_out"]) == (0, 105)
    assert exact()


def test_nothing_is_held_where_errors_are_not_kept(home: Path) -> None:
    begin(home, keep_errors=False)
    run(fail=True)
    assert len(kept(home)) == 0
    assert agentops.status().spans["sampled_out"] == 6


@pytest.mark.parametrize("flag", ["00", "01"])
def test_a_decision_made_elsewhere_binds_but_for_failed_runs(home: Path, flag: str) -> None:
    begin(home, sample_ratio=1.0 if flag == "00" else 0.0)
    for fail in (False, True):
        header = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-{flag}"}
        with agentops.extract(header):
            run(fail=fail, name="fails" if fail else "works")
    (trace,) = kept(home)
    if flag == "01":
        assert (len(trace), trace.complete) == (11, True)
    else:  # what it shares its trace with was thrown away, and it says so
        assert {one.name for one in trace.roots} == {"invoke_agent fails"}
        assert (len(trace), trace.missing_spans, trace.complete, trace.cost.lower_bound) == (6, 5, False, True)
    assert trace.orphans == []


PROCESSES = {
    "subprocess": "import subprocess; subprocess.run([sys.executable, '-c', child], check=True)",
    "fork": "pid = os.fork()\n    if pid == 0:\n        step()\n        os._exit(0)\n    os.waitpid(pid, 0)",
    "pool": "import concurrent.futures as f\n    with f.ProcessPoolExecutor(1) as pool: pool.submit(step).result()",
    "header": "agentops.inject({})",
    "none": "step()",
}


@pytest.mark.parametrize("way", list(PROCESSES))
def test_what_other_processes_threw_away_is_not_taken_for_nothing(home: Path, way: str) -> None:
    program = f"""
import os, sys
import agentops_sdk as agentops
agentops.init(directory={str(home)!r}, integrations=[], sample_ratio=0.0)
def step():
    with agentops.span("step", kind="tool"):
        pass
child = "import agentops_sdk as a; a.init(integrations=[], sample_ratio=1.0)\\nwith a.trace('step'): pass"
with agentops.span("job", kind="agent"):
    {PROCESSES[way]}
    raise KeyError
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.endswith("KeyError\n")
    (trace,) = kept(home)
    alone = way == "none"
    assert (trace.complete, trace.cost.lower_bound, len(trace)) == (alone, not alone, 2 if alone else 1)


@pytest.mark.parametrize("fails", [True, False])
def test_a_part_of_a_run_that_was_left_out_elsewhere_is_no_whole(home: Path, fails: bool) -> None:
    begin(home)
    with agentops.extract({"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-00"}):
        run(fail=fails)
    traces = list(kept(home))
    assert [(trace.complete, trace.cost.lower_bound) for trace in traces] == [(False, True)] * fails


def test_a_forked_child_keeps_nothing_of_its_parents(home: Path) -> None:
    begin(home)
    with agentops.span("job", kind="agent"):
        model_call()
        agentops.flush()
        pid = os.fork()
        if pid == 0:
            try:
                run(fail=True, name="child")
                agentops.shutdown()
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
    (trace,) = kept(home)
    assert [one.name for one in trace.roots] == ["invoke_agent child"]
    assert trace.orphans == []  # nobody died
    assert "(parent not kept)" in trace.tree()
    assert len(trace) == 6


def test_threads_of_one_run_belong_to_it(home: Path) -> None:
    begin(home)
    with pytest.raises(KeyError), agentops.span("job", kind="agent"):
        threads = [threading.Thread(target=model_call) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        raise KeyError
    assert len(kept(home).latest.llm_calls) == 3


def test_what_outlives_its_run_fails_alone_and_says_what_is_missing(home: Path) -> None:
    begin(home)
    release = threading.Event()

    def late() -> None:
        release.wait()
        with agentops.span("late", kind="tool"):
            raise KeyError

    thread = threading.Thread(target=late)
    with agentops.span("job", kind="agent"):
        model_call()
        thread.start()
    agentops.flush()
    release.set()
    hook, threading.excepthook = threading.excepthook, lambda _: None
    thread.join()
    threading.excepthook = hook
    (trace,) = kept(home)
    assert [one.name for one in trace] == ["execute_tool late"]
    assert (trace.complete, trace.cost.lower_bound, trace.missing_spans) == (False, True, 2)


def test_an_open_run_is_told_once_it_is_known_to_be_kept(home: Path) -> None:
    begin(home)
    with agentops.span("job", kind="agent"):
        time.sleep(1.5)
        assert not list(home.rglob("*.open"))
        try:
            with agentops.span("try", kind="tool"):
                raise KeyError
        except KeyError:
            pass
        deadline = time.monotonic() + 30
        while not list(home.rglob("*.open")) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (kept(home).latest.name, kept(home).latest.outcome) == ("invoke_agent job", "running")


# --- in a program that has a provider of its own ----------------------------------------------------


def test_a_programs_provider_keeps_its_own_and_our_share_is_ours(theirs: InMemorySpanExporter, home: Path) -> None:
    begin(home)
    run(fail=False)
    run(fail=True)
    trace: Trace
    (trace,) = kept(home)
    assert (len(trace), trace.complete, trace.outcome, trace.usage.input) == (6, True, "error", 2000)
    assert len(theirs.get_finished_spans()) == 11
    assert agentops.status().spans["sampled_out"] == 5
    assert exact()


def test_below_a_request_that_the_program_keeps_everything_is_kept(theirs: InMemorySpanExporter, home: Path) -> None:
    begin(home)
    with otel.get_tracer("web").start_as_current_span("GET /"):
        run(fail=False)
    assert len(kept(home).latest) == 5
