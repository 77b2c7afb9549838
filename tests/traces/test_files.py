"""Files as they are found in the field: torn, foreign, packed, from a newer version, from a collector."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from tests.traces.samples import TRACE, run, span, troubled

from agentops_sdk.errors import TraceError
from agentops_sdk.traces import SpanRecord, Trace, load
from agentops_sdk.traces.otlp import to_otlp_json


def line(record: SpanRecord) -> str:
    return record.model_dump_json(exclude_unset=True) + "\n"


def test_a_directory_with_packed_files_and_subfolders(tmp_path: Path) -> None:
    whole = run()
    (tmp_path / "a.jsonl").write_text("".join(map(line, whole[:4])))
    (tmp_path / "day").mkdir()
    with gzip.open(tmp_path / "day" / "b.jsonl.gz", "wt") as packed:
        packed.writelines(map(line, whole[4:]))
    (tmp_path / "c.jsonl").write_text("".join(map(line, run("a" * 32, at=-5000))))
    (tmp_path / "notes.txt").write_text("not ours")
    traces = load(tmp_path)
    assert traces.ids == [TRACE, "a" * 32]
    assert (traces.torn, traces.foreign, len(traces.files)) == (0, 0, 3)
    assert len(traces.latest) == len(whole)
    assert sorted(traces.latest.spans, key=lambda s: s.span_id) == sorted(whole, key=lambda s: s.span_id)
    assert [trace.trace_id for trace in traces] == traces.ids
    assert traces["aaaa"].trace_id == "a" * 32
    assert traces[-1].trace_id == "a" * 32
    assert TRACE in traces


def test_torn_and_foreign_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    first, *rest = map(line, run())
    torn = '{"v":1,"trace_id":"4bf92f3577b34da6a3ce'
    path.write_text(first + '{"level":"info"}\n' + "plain words\n\n[1]\n" + torn + "\n" + "".join(rest) + torn)
    traces = load(path)
    assert (traces.torn, traces.foreign) == (2, 3)
    assert len(traces.latest) == len(run())


def test_every_cut_of_a_file_is_readable(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    content = "".join(map(line, run()[:2])).encode()
    first = content.index(b"\n")
    for cut in range(first, len(content), 7):
        path.write_bytes(content[:cut])
        traces = load(path)
        assert (len(traces.latest), traces.foreign) == (1, 0)
        assert traces.torn == (cut > first + 1)


def test_bytes_that_are_no_text_are_foreign(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"\xff\xfe\x00\n" + line(span("x")).encode())
    assert load(path).foreign == 1


def test_a_totally_foreign_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    path.write_text('{"level":"info"}\n' * 3)
    with pytest.raises(TraceError, match=r"no span records \(3 foreign and 0 torn"):
        load(path)
    (tmp_path / "good.jsonl").write_text(line(span("x")))
    traces = load(tmp_path)
    assert traces.foreign_files == [path]
    assert len(traces) == 1


def test_empty_missing_and_broken(tmp_path: Path) -> None:
    assert len(load(tmp_path)) == 0
    with pytest.raises(TraceError, match="no traces"):
        _ = load(tmp_path).latest
    with pytest.raises(TraceError, match="does not exist"):
        load(tmp_path / "none")
    (tmp_path / "e.jsonl").touch()
    with pytest.raises(TraceError, match="it is empty"):
        load(tmp_path / "e.jsonl")
    packed = tmp_path / "cut.jsonl.gz"
    packed.write_bytes(gzip.compress(("".join(map(line, run())) * 50).encode())[:-200])
    traces = load(packed)
    assert traces.torn >= 1
    assert len(traces) == 1


def test_a_newer_version_is_read_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    raw = json.loads(line(run()[0])) | {"v": 2, "novelty": {"a": 1}, "kind": "swarm", "outcome": "postponed"}
    raw["events"] = [{"name": "e", "time_ns": 1, "added": True}]
    path.write_text(json.dumps(raw) + "\n")
    (read,) = load(path).latest.spans
    kept = read.model_dump()
    assert (kept["v"], kept["novelty"], kept["kind"], kept["kind_stated"]) == (2, {"a": 1}, "llm", "swarm")
    assert (kept["outcome"], kept["outcome_stated"]) == ("ok", "postponed")
    assert kept["events"][0]["added"] is True


def test_a_collectors_file_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "collector.json"
    path.write_text(json.dumps(to_otlp_json(run())) + "\n" + json.dumps(to_otlp_json(troubled())) + "\n")
    traces = load(path)
    assert len(traces) == 2
    assert traces[TRACE].cost == Trace(run()).cost


def test_an_iterable_of_anything() -> None:
    records = run()
    mixed = [records[0], records[1].model_dump(), line(records[2]), line(records[3]).encode(), {"foreign": 1}]
    traces = load(mixed)
    assert len(traces.latest) == 4
    assert traces.foreign == 1


def test_ambiguous_and_unknown_ids(tmp_path: Path) -> None:
    traces = load([span("a", trace_id="a" * 32), span("b", trace_id="a" * 31 + "b")])
    with pytest.raises(TraceError, match="2 traces begin"):
        traces.get("aa")
    with pytest.raises(TraceError, match="no trace begins"):
        traces.get("ff")
    assert traces.get("A" * 31 + "B").name == "b"
