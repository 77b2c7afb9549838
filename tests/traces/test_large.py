"""Traces, files and lines of a size that nobody planned for: read within bounds, and what is left out is said."""

from __future__ import annotations

import gzip
import json
import os
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from benchmarks import large_trace
from tests.traces.samples import MS, chat, span, tool

from agentops_sdk import semconv
from agentops_sdk.cli import main
from agentops_sdk.cli.ls import summary
from agentops_sdk.errors import TraceError
from agentops_sdk.traces import SpanRecord, Trace, load
from agentops_sdk.traces.figures.loops import loops
from agentops_sdk.traces.figures.tables import stats
from agentops_sdk.traces.formats.lines import LONGEST_LINE
from agentops_sdk.traces.formats.parse import as_record
from agentops_sdk.traces.otlp import to_otlp_json

MANY, FEWER = 5_000, 3_500
EACH = 600
"""Bytes of Python objects that a span may take while traces are listed and added up; its record takes some 5,000."""
FIXED = 12 * 1_048_576
MB = 1_048_576


def line(record: SpanRecord) -> bytes:
    return record.model_dump_json(exclude_unset=True).encode() + b"\n"


def peak_of_listing(path: Path) -> int:
    """Bytes that were allocated at most while a file's traces were listed and added up."""
    load(path).latest.usage  # noqa: B018 - what is imported for it is not counted
    tracemalloc.start()
    try:
        traces = load(path)
        for trace in traces:
            assert summary(trace)["spans"] == len(trace)
        for by in ("model", "tool", "session"):
            stats(traces, by)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shape", list(large_trace.SHAPES))
def test_a_span_takes_few_bytes_while_traces_are_listed_and_added_up(shape: str, tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    large_trace.write(shape, MANY, path)
    assert peak_of_listing(path) < FIXED + MANY * EACH


def odd_lines(count: int) -> Iterator[bytes]:
    for raw in large_trace.mixed(count):
        yield json.dumps({**raw, "outcome": "of a newer version"}).encode() + b"\n"


def collected(count: int) -> Iterator[bytes]:
    batch: list[SpanRecord] = []
    for raw in large_trace.mixed(count):
        batch.append(as_record(raw))
        if len(batch) == 500:
            yield json.dumps(to_otlp_json(batch)).encode() + b"\n"
            batch = []


@pytest.mark.parametrize("lines", [odd_lines, collected])
def test_spans_that_have_to_be_converted_take_few_bytes_as_well(lines: Any, tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        file.writelines(lines(FEWER))
    assert peak_of_listing(path) < FIXED + FEWER * EACH


def test_a_packed_file_takes_no_more(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    large_trace.write("mixed", MANY, path)
    (tmp_path / "large.jsonl.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
    path.unlink()
    assert peak_of_listing(tmp_path / "large.jsonl.gz") < FIXED + MANY * EACH


def test_a_large_trace_gives_the_records_that_a_small_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.jsonl"
    large_trace.write("mixed", 300, path)
    small = load(path).latest
    spans, depths = list(small.spans), [(depth, one.span_id) for depth, one in small.walk()]
    below = [(small.usage_below(one), small.cost_below(one)) for one in spans]
    monkeypatch.setattr("agentops_sdk.traces.trace.LARGE", 10)
    large = load(path).latest
    assert large.is_large
    assert not small.is_large or len(small) > 10
    assert list(large.spans) == spans
    assert large.spans[3] == spans[3]
    assert large.spans[-2:] == spans[-2:]
    assert [(depth, one.span_id) for depth, one in large.walk()] == depths
    assert [(large.usage_below(one), large.cost_below(one)) for one in spans] == below
    assert large.decisions == load(path).latest.decisions


# --- deep ---------------------------------------------------------------------------------------


def steps_of(build: Any) -> int:
    """Python functions that were entered meanwhile: a measure that no other process disturbs."""
    count = 0

    def enter(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(enter)
    try:
        build()
    finally:
        sys.setprofile(None)
    return count


def test_a_deep_chain_that_never_finished_takes_steps_in_proportion() -> None:
    records: list[SpanRecord] = []
    for depth in range(2_000):
        parent = records[-1] if records else None
        records.append(span("step", parent=parent, at=depth, took=depth, outcome="unfinished"))
    trace = Trace(records)
    assert {one.end_ns for one in trace.spans} == {records[-1].end_ns}
    few = steps_of(lambda: Trace(records[:200]).usage)
    assert steps_of(lambda: Trace(records).usage) < 20 * few


def failed_calls(count: int) -> list[SpanRecord]:
    root = span("root", took=10**7)
    calls = [chat(root, at=n // 2, took=5, status="error") for n in range(count)]
    return [root, *calls, *(span("step", parent=root, at=count + n) for n in range(count))]


def repeated_steps(count: int) -> list[SpanRecord]:
    root = span("root", took=10**7)
    return [root, *(span("s", {semconv.ATTEMPT: 2}, parent=root, at=n, status="error") for n in range(count))]


def nested_choices(count: int) -> list[SpanRecord]:
    chosen = {semconv.DECISION_CHOSEN: "a", semconv.DECISION_OPTIONS: ["a", "b"], semconv.DECISION_BY: "model"}
    records = [span("root")]
    for n in range(count):
        records.append(chat(records[-1], at=n, attributes=chosen))
    return records


def nested_handoffs(count: int) -> list[SpanRecord]:
    records = [span("root")]
    for n in range(count):
        event = {"name": semconv.HANDOFF_EVENT, "time_ns": n, "attributes": {semconv.HANDOFF_TO: f"agent {n}"}}
        records.append(span("s", parent=records[-1], at=n, events=[event]))
    return records


def nested_tools(count: int) -> list[SpanRecord]:
    records = [span("root")]
    for n in range(count):
        records.append(tool("t", records[-1], {semconv.TOOL_CALL_ARGUMENTS: "{}"}, at=n))
    return records


@pytest.mark.parametrize("shape", [failed_calls, repeated_steps, nested_choices, nested_handoffs, nested_tools])
def test_decisions_and_loops_take_steps_in_proportion(shape: Callable[[int], list[SpanRecord]]) -> None:
    def look(records: list[SpanRecord]) -> None:
        trace = Trace(records)
        trace.decisions  # noqa: B018 - looking makes them
        loops(trace)

    few, many = shape(100), shape(1_600)
    look(few)  # what is done once is not counted
    assert steps_of(lambda: look(many)) < 2 * 16 * steps_of(lambda: look(few))


def test_circles_that_never_finished_end() -> None:
    records = [
        span("a", parent="b" * 16, span_id="a" * 16, took=1, outcome="unfinished"),
        span("b", parent="a" * 16, span_id="b" * 16, at=1, took=5, outcome="unfinished"),
        span("self", parent="c" * 16, span_id="c" * 16, at=2, outcome="unfinished"),
    ]
    trace = Trace(records)
    assert [one.name for one in trace.roots] == ["a", "self"]
    assert trace.spans[0].end_ns == records[1].end_ns == records[1].start_ns + 5 * MS


# --- packed -------------------------------------------------------------------------------------


def bomb(path: Path, filling: bytes, *first: SpanRecord, size: int = 300 * MB) -> None:
    """A small file that unpacks to ``size`` bytes behind the lines of ``first``."""
    packer = zlib.compressobj(9, wbits=31)
    with path.open("wb") as file:
        file.write(packer.compress(b"".join(map(line, first))))
        block = filling * (MB // len(filling))
        for _ in range(size // len(block)):
            file.write(packer.compress(block))
        file.write(packer.flush())
    assert path.stat().st_size < MB


_HUGE, _EMPTY = "unpacks to more than 256 MB", "more than 100,000 of its lines hold no span"


@pytest.mark.parametrize(("filling", "reason"), [(b" ", _HUGE), (b"\0", _HUGE), (b"\n", _EMPTY), (b"{}\n", _EMPTY)])
def test_a_small_file_that_unpacks_to_far_too_much_is_left_and_counted(
    filling: bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bomb(tmp_path / "a.jsonl.gz", filling, span("before the bomb"))
    (tmp_path / "b.jsonl").write_bytes(line(span("beside it", trace_id="b" * 32)))
    tracemalloc.start()
    try:
        assert main(["ls", "--dir", str(tmp_path)]) == 1  # there was more
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 160 * MB
    told = capsys.readouterr()
    assert "before the bomb" in told.out
    assert "beside it" in told.out
    assert f"a.jsonl.gz: {reason}, the rest was left out" in told.err


def test_a_line_of_unlimited_length_is_left_out_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = b'{"v":1,"name":"' + b"x" * LONGEST_LINE + b'"}\n'
    lines = [line(span("first")), long, line(span("second", at=1)), long, line(span("third", at=2))]
    path = tmp_path / "plain.jsonl"
    path.write_bytes(b"".join(lines))
    traces = load(path)
    assert [one.name for one in traces.latest.spans] == ["first", "second", "third"]
    assert (traces.torn, traces.foreign) == (0, 0)
    assert traces.remarks == [f"{path}: 2 line(s) of more than 64 MB left out"]
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes(), 1))
    path.unlink()
    traces = load(tmp_path)
    assert [one.name for one in traces.latest.spans] == ["first", "second", "third"]
    assert traces.remarks == [f"{packed}: 2 line(s) of more than 64 MB left out"]
    assert main(["stats", "--by", "day", "--dir", str(tmp_path)]) == 1
    assert "2 line(s) of more than 64 MB left out" in capsys.readouterr().err


@pytest.mark.parametrize("size", [LONGEST_LINE - 1, LONGEST_LINE])
def test_a_line_of_just_the_greatest_length_is_read(size: int, tmp_path: Path) -> None:
    raw = line(span("x", status_message="")).rstrip(b"\n")
    padded = raw + b" " * (size - len(raw) - 1) + b"\n"
    path = tmp_path / "t.jsonl"
    path.write_bytes(padded + line(span("y", at=1)))
    traces = load(path)
    assert ([one.name for one in traces.latest.spans], traces.remarks) == (["x", "y"], [])


def test_a_packed_file_is_read_as_far_as_it_has_been_written(tmp_path: Path) -> None:
    records = [span(f"s{n}", at=n) for n in range(400)]
    whole = gzip.compress(b"".join(map(line, records)))
    path = tmp_path / "t.jsonl.gz"
    counts = set()
    for part in (0.5, 0.9, 0.99):
        path.write_bytes(whole[: int(len(whole) * part)])
        traces = load(path)
        assert traces.torn in (1, 2)  # the file, and the line that was cut
        counts.add(len(traces.latest))
    assert 0 < min(counts) < max(counts) < len(records) + 1
    path.write_bytes(whole[:12])
    with pytest.raises(TraceError, match="no span records"):
        load(path)
    path.write_bytes(b"no gzip at all")
    with pytest.raises(TraceError, match="no span records"):
        load(path)


def test_records_of_a_file_that_is_packed_meanwhile_are_still_there(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    records = [span(f"s{n}", at=n) for n in range(5)]
    path.write_bytes(b"".join(map(line, records)))
    traces = load(path)
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert list(traces.latest.spans) == records


def test_records_of_a_file_that_is_gone_or_shorter_are_missed_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(line(span("a")) + line(span("b", at=1)))
    traces = load(path)
    path.unlink()
    with pytest.raises(TraceError, match=r"cannot read .*t\.jsonl again"):
        traces.latest.spans  # noqa: B018 - looking makes them
    path.write_bytes(b"{}\n")
    with pytest.raises(TraceError, match="it has become shorter"):
        traces["4bf9"].spans  # noqa: B018 - looking makes them


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    records = [span(f"s{n}", at=n) for n in range(5)]
    writer = threading.Thread(target=lambda: path.write_bytes(b"".join(map(line, records))))
    writer.start()
    assert list(load(path).latest.spans) == records
    writer.join()
