"""What readers keep beside a closed file: answers as its lines give them, no content, never trusted over the file."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from tests.export.receiver import spans
from tests.traces.samples import run, span
from tests.traces.test_columns import ATTRIBUTES, ODD, call, figures

from agentops_sdk import semconv
from agentops_sdk.erasure.erase import Erasure, Subject
from agentops_sdk.exporters.jsonl import JsonlExporter
from agentops_sdk.exporters.jsonl.content_expiry import expire
from agentops_sdk.exporters.jsonl.run_files import tidy
from agentops_sdk.traces import load
from agentops_sdk.traces.figures.tables import BY, stats
from agentops_sdk.traces.files import Traces
from agentops_sdk.traces.formats.line_index import index_of

NAME = "20251009T085320Z-1000-0000000a.jsonl"
OTHER = "20251009T085320Z-1001-0000000b.jsonl"
CANARY = "the patient's name is Quendolyne"


@cache
def lines(count: int = 60, first: int = 0, **attributes: Any) -> bytes:
    """Whole runs with content, each in a trace of its own; also packed larger than what is worth no index."""
    made, noise = [], Random(first)
    for number in range(first, first + count):
        records = run(f"{number:032x}", at=number * 5_000)
        for record in records:
            record.attributes.update(attributes)
            record.attributes["noise"] = noise.randbytes(400).hex()
            record.attributes[semconv.USER_ID] = f"user-{number % 7}"
            record.resource[semconv.SERVICE_VERSION] = f"1.{number % 3}"
            made.append(record.model_dump_json(exclude_unset=True).encode() + b"\n")
    return b"".join(made)


def everything(traces: Traces) -> dict[str, Any]:
    told: dict[str, Any] = {trace.trace_id: figures(trace) for trace in traces}
    tables = {by: stats(traces, by) for by in (*BY, "release")}
    told["tables"] = {by: [row.as_dict() for row in (*table.rows, table.total)] for by, table in tables.items()}
    told["feedback"] = {trace.trace_id: trace.evaluations for trace in traces}
    told["some"] = [*traces.where(since="2026-08-06T07:10:00Z").ids, *traces.where("release=1.1").ids]
    told["counts"] = traces.torn, traces.foreign, len(traces.files)
    return told


def read_bytes() -> int:
    return int(Path("/proc/self/io").read_text().partition("rchar: ")[2].partition("\n")[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / NAME).write_bytes(lines())
    return tmp_path


def test_an_index_answers_as_the_lines_do(tmp_path: Path) -> None:
    feedback = span(
        "feedback",
        {semconv.FEEDBACK_TARGET: "trace", semconv.FEEDBACK_TRACE_ID: f"{3:032x}"},
        trace_id="f" * 32,
        events=[{"name": semconv.EVALUATION_EVENT, "time_ns": 5, "attributes": {semconv.EVALUATION_NAME: "helpful"}}],
    )
    work = {semconv.OPERATION_NAME: "chat", semconv.USAGE_OF: "b-1", semconv.RESPONSE_STATUS: "queued"}
    began = span("batch", work, trace_id="e" * 32)
    read = span("batch", {**work, semconv.RESPONSE_STATUS: "completed", semconv.USAGE_INPUT_TOKENS: 9}, at=900,
                trace_id="d" * 32)  # fmt: skip
    asked = span("graph", {semconv.GRAPH_CHECKPOINT_ID: "c-1"}, trace_id="c" * 32)
    more = b"".join(one.model_dump_json().encode() + b"\n" for one in (feedback, began, asked))
    plain, indexed = tmp_path / "plain", tmp_path / "indexed"
    for place, names in ((plain, ("a.jsonl", "b.jsonl", "c.jsonl")), (indexed, (NAME, OTHER, "c.jsonl"))):
        place.mkdir()
        (place / names[0]).write_bytes(lines() + more + b"not a span\n")
        # The last run of the one is in the other too, which is packed; and there is one that was not made by us.
        packed = lines(30, first=59) + read.model_dump_json().encode() + b"\n" + b'{"v":1,"torn'
        (place / f"{names[1]}.gz").write_bytes(gzip.compress(packed))
        (place / names[2]).write_bytes(lines(2, first=200))
    expected = everything(load(plain))
    assert everything(load(indexed)) == expected
    assert sorted(path.name for path in indexed.glob("*.index")) == [f"{NAME}.index", f"{OTHER}.index"]
    assert not list(plain.glob("*.index"))
    before = read_bytes()
    again = load(indexed)
    assert read_bytes() - before < sum(path.stat().st_size for path in indexed.glob("*.jsonl*") if path.suffix) / 2
    assert everything(again) == expected
    assert again.stopped_at("c-1") == ["c" * 32]
    assert [one.name for one in again["latest"].spans] == [one.name for one in load(plain)["latest"].spans]
    assert everything(load(indexed / NAME)) == everything(load(plain / "a.jsonl"))


def test_odd_attributes_are_in_it_as_they_are(tmp_path: Path) -> None:
    made = []
    for number, (attribute, odd) in enumerate((name, odd) for name in ATTRIBUTES for odd in ODD):
        raw = {**call(), "trace_id": f"{number:032x}", "span_id": f"{number + 1:016x}", "parent_id": None}
        raw["attributes"] = {**raw["attributes"], attribute: odd}
        made.append(json.dumps(raw) + "\n")
    (tmp_path / "plain.jsonl").write_text("".join(made))
    (tmp_path / NAME).write_text("".join(made))
    expected = {trace.trace_id: figures(trace) for trace in load(tmp_path / "plain.jsonl")}
    for _ in range(2):
        assert {trace.trace_id: figures(trace) for trace in load(tmp_path / NAME)} == expected
    assert index_of(tmp_path / NAME).exists()


def test_a_file_that_changed_is_read_again_whatever_its_size_and_time_say(folder: Path) -> None:
    path = folder / NAME
    assert load(folder).ids[0] == f"{59:032x}"
    facts = path.stat()
    path.write_bytes(path.read_bytes().replace(f"{59:032x}".encode(), b"9" * 32))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert path.stat().st_size == facts.st_size
    assert load(folder).ids[0] == "9" * 32
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"\n", 0, facts.st_size // 2) + 10])
    assert load(folder).torn == 1


def test_a_damaged_index_is_made_again(folder: Path) -> None:
    expected = everything(load(folder))
    index = index_of(folder / NAME)
    whole = index.read_bytes()
    flipped = (whole[:at] + bytes([whole[at] ^ 64]) + whole[at + 1 :] for at in range(30, len(whole), 4_001))
    for damage in (
        b"",
        whole[:40],
        whole[:-1],
        whole + b"x",
        b"\0" * len(whole),
        b"agentops index 0" + whole[16:],
        *flipped,
    ):
        index.write_bytes(damage)
        assert load(folder).ids == list(expected)[:60]
        assert index.read_bytes() == whole
    assert everything(load(folder)) == expected


def test_it_holds_no_content_and_is_for_its_owner_only(tmp_path: Path) -> None:
    content = dict.fromkeys(semconv.CONTENT, CANARY)
    event = {"name": "exception", "time_ns": 1, "attributes": {semconv.EXCEPTION_MESSAGE: CANARY}}
    raws = [orjson.loads(line) for line in lines(**content).splitlines()]
    told = {"events": [event], "status": "error", "status_message": CANARY}
    (tmp_path / NAME).write_bytes(b"".join(orjson.dumps({**raw, **told}) + b"\n" for raw in raws))
    assert load(tmp_path).latest.spans[0].status_message == CANARY
    index = index_of(tmp_path / NAME)
    assert b"Quendolyne" not in index.read_bytes()
    assert index.stat().st_mode & 0o777 == 0o600


def test_nothing_is_kept_of_a_file_that_is_written_nor_of_one_with_another_name(folder: Path) -> None:
    (folder / "mine.jsonl").write_bytes(lines(first=300))
    with (folder / NAME).open("ab") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        load(folder)
        assert not list(folder.glob("*.index"))
        writer.write(lines(1, first=500))
        writer.flush()
        assert f"{500:032x}" in load(folder)
    load(folder)
    assert [path.name for path in folder.glob("*.index")] == [f"{NAME}.index"]


def test_it_goes_with_what_it_tells_of(folder: Path) -> None:
    def indexed() -> bool:
        load(folder)
        assert index_of(folder / NAME).exists()
        return True

    indexed()
    expire(folder, max_age=-1)
    assert not index_of(folder / NAME).exists()
    assert indexed()
    looked = Erasure(folder, Subject(users=frozenset(["user-3"])))
    looked.look()
    assert not looked.remains
    looked.erase()
    assert looked.lines
    assert not list(folder.glob("*.index*"))
    assert indexed()
    assert b"user-3" not in index_of(folder / NAME).read_bytes()
    tidy(folder, max_bytes=10**9, max_age=10**9, compress=True)
    assert [path.name for path in folder.iterdir()] == [f"{NAME}.gz"]
    assert indexed()
    # It counts as a part of the file.
    size = (folder / f"{NAME}.gz").stat().st_size
    assert tidy(folder, max_bytes=size + 10, max_age=10**9, compress=True)
    assert not list(folder.iterdir())
    (folder / NAME).write_bytes(lines())
    assert indexed()
    (folder / NAME).unlink()  # by hand
    tidy(folder, max_bytes=10**9, max_age=10**9, compress=True)
    assert not list(folder.iterdir())


def test_where_nothing_can_be_written_the_lines_are_read(folder: Path) -> None:
    expected = everything(load(folder))
    index = index_of(folder / NAME)
    index.unlink()
    index.mkdir()  # nothing takes its name
    assert everything(load(folder)) == expected
    assert [path.name for path in folder.iterdir() if path.is_file()] == [NAME]


def test_what_another_recorder_made_is_read_from_its_lines(tmp_path: Path) -> None:
    """A reader translates such lines and keeps what comes of them: their places in the file are not known."""
    sink = JsonlExporter(tmp_path)
    sink.export(spans(400, size=200, **{"session.id": "one"}))
    sink.shutdown()
    for _ in range(2):
        records = [record for trace in load(tmp_path) for record in trace.spans]
        assert {record.name for record in records} == {f"s{number}" for number in range(400)}
