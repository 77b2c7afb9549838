"""Somebody's data goes from every file, also under a process that writes; a kill in the middle loses nothing."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.cli import main
from agentops_sdk.encryption import Cipher
from agentops_sdk.erasure.erase import Erasure, Subject
from agentops_sdk.experiments.experiment_results import load_results
from agentops_sdk.experiments.scorers import Score
from agentops_sdk.exporters.jsonl.content_expiry import expire
from agentops_sdk.exporters.otlp.segment import Segment
from agentops_sdk.store.compaction import pack
from agentops_sdk.traces import load
from agentops_sdk.traces.follower import Follower
from agentops_sdk.traces.formats.parquet_lines import parquet_lines
from agentops_sdk.view.feedback_file import append_feedback

pytestmark = pytest.mark.once

WRITER = """
import sys
import threading
import agentops_sdk as agentops
agentops.init(directory=sys.argv[1], exporters=["jsonl"], integrations=[])
def run(user, times):
    for n in range(times):
        with agentops.context(user_id=user), agentops.span("outer") as outer:
            with agentops.span("inner") as inner:
                inner.set("note", f"{user} {n}")
run("alice", 20); run("bob", 20)
agentops.flush()
print("ready", flush=True)
for line in sys.stdin:
    run("bob", int(line))
    agentops.flush()
    print("more", flush=True)
agentops.shutdown()
"""


def write(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def notes(folder: Path) -> list[str]:
    traces = load(folder / "traces")
    assert (traces.torn, traces.foreign) == (0, 0)
    return sorted(span.attributes["note"] for trace in traces for span in trace.spans if "note" in span.attributes)


def erase(*words: str, folder: Path) -> int:
    return main(["erase", *words, "--dir", str(folder)])


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_under_a_process_that_writes_and_again_when_it_has_ended(tmp_path: Path, capsys: Any) -> None:
    process = write(tmp_path)
    assert process.stdin is not None
    assert process.stdout is not None
    assert erase("--user", "alice", folder=tmp_path) == 1  # what could not be reached is told beforehand, too
    would = capsys.readouterr().out
    assert "20 trace(s), 40 span(s) would be erased" in would
    assert "its process lives" in would
    (statement,) = (line for line in would.splitlines() if line.startswith("ALTER TABLE otel_traces DELETE WHERE"))
    ids = load(tmp_path / "traces").where(user=["alice"]).ids
    assert (len(ids), [each for each in ids if each not in statement]) == (20, [])
    assert statement.endswith("IN ('alice')) SETTINGS mutations_sync = 1;")
    assert len(notes(tmp_path)) == 40
    assert erase("--user", "alice", "--yes", folder=tmp_path) == 1  # its process lives, and that is said
    told = capsys.readouterr()
    assert "its process lives" in told.out
    assert "ALTER TABLE otel_traces DELETE WHERE" in told.out
    assert b"alice" not in everything(tmp_path)
    process.stdin.write("30\n")
    process.stdin.flush()
    assert process.stdout.readline() == "more\n"
    assert len([note for note in notes(tmp_path) if note.startswith("bob")]) == 50
    (only,) = (tmp_path / "traces").glob("*.jsonl")  # it goes on in its file
    process.communicate()
    assert process.returncode == 0
    assert erase("--user", "alice", "--yes", folder=tmp_path) == 0
    assert len(notes(tmp_path)) == 50
    record = json.loads((tmp_path / "audit" / "000001.jsonl").read_text().splitlines()[-1])
    assert (record["action"], record["changes"]["of"]) == ("erase", "user")
    assert "alice" not in json.dumps(record)
    assert only.stat().st_mode & 0o077 == 0


def lines_of(user: str, count: int) -> bytes:
    return b"".join(
        json.dumps({"v": 1, "kind": "span", "trace_id": f"{hash_of(user) + n:032x}", "span_id": f"{n + 1:016x}",
                    "name": "x", "start_ns": 1, "end_ns": 2, "attributes": {"user.id": user, "note": f"{user} {n}"}}
                   ).encode() + b"\n" for n in range(count))  # fmt: skip


def hash_of(user: str) -> int:
    return int.from_bytes(user.encode(), "big") << 64


def test_closed_compressed_compacted_and_spooled(tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "traces"
    folder.mkdir()
    both = lines_of("alice", 3) + lines_of("bob", 3)
    (folder / "20260101T000000Z-1-00000001.jsonl").write_bytes(both)
    with gzip.open(folder / "20260101T000000Z-1-00000002.jsonl.gz", "wb") as file:
        file.write(both)
    (folder / "20260101T000000Z-1-00000003.jsonl").write_bytes(lines_of("alice", 2))
    from agentops_sdk.store.compaction import pack

    compacted = folder / "20260101T000000Z-1-00000004.jsonl"
    compacted.write_bytes(both)
    assert pack(compacted).reason == ""
    again = folder / "again.jsonl"
    again.write_bytes(both)
    assert pack(again, is_named_once=False).reason == ""
    (tmp_path / "notes.txt").write_text("alice called")
    run = tmp_path / "spool" / "x" / "00000000000000000001-999999999-abcdef"
    run.mkdir(parents=True)
    (run / "lock").touch()
    payload, spans = request()
    segment = Segment(run / "1.seg")
    segment.append(trace_frame(payload, spans), spans)
    segment.close()
    assert erase("--user", "alice", "--yes", folder=tmp_path) == 1
    told = capsys.readouterr()
    assert "notes.txt: holds one of the ids" in told.out
    assert "11 trace(s)" not in told.out
    (tmp_path / "notes.txt").unlink()
    assert b"alice" not in everything(tmp_path)
    assert sum(trace_line.count(b"bob 1") for trace_line in all_lines(folder)) == 4
    assert not (folder / "again.jsonl.parquet").exists()  # a new again.jsonl would hide it
    assert not (folder / "20260101T000000Z-1-00000003.jsonl").exists()
    (piece,) = Segment.reopen(run / "1.seg").read(1 << 20)
    assert piece.spans == 1
    assert b"bob" in piece.payload


def test_events_that_wait_go_and_measurements_that_name_somebody_are_told(tmp_path: Path, capsys: Any) -> None:
    from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
    from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

    events = LogsData()
    records = events.resource_logs.add().scope_logs.add().log_records
    for number, user in enumerate(("alice", "bob"), 1):
        record = records.add(trace_id=bytes([number]) * 16, event_name="x")
        record.attributes.add(key="gen_ai.input.messages").value.string_value = f"{user}'s"
    metrics = MetricsData()
    sums = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="m").sum
    sums.data_points.add().attributes.add(key="user.id").value.string_value = "alice"
    requests = {"x": request()[0], "x-logs": events.SerializeToString(), "x-metrics": metrics.SerializeToString()}
    for name, payload in requests.items():
        run = tmp_path / "spool" / name / "00000000000000000001-999999999-abcdef"
        run.mkdir(parents=True)
        (run / "lock").touch()
        segment = Segment(run / "1.seg")
        segment.append(trace_frame(payload, 2), 2)
        segment.close()
    assert erase("--session", "alice", "--yes", folder=tmp_path) == 1  # a user's id is no session's
    assert b"alice's" in everything(tmp_path)
    capsys.readouterr()
    assert erase("--user", "alice", "--yes", folder=tmp_path) == 1
    told = capsys.readouterr()
    assert "1 trace(s), 2 span(s) erased" in told.out
    assert "measurements that name one of the ids" in told.out
    (tmp_path / "spool" / "x-metrics" / run.name / "1.seg").unlink()
    assert b"alice" not in everything(tmp_path)
    assert b"bob's" in everything(tmp_path)


def all_lines(folder: Path) -> list[bytes]:
    from agentops_sdk.erasure.erase import _lines_of

    return [line for path in folder.iterdir() for line in _lines_of(path)]


def trace_frame(payload: bytes, spans: int) -> tuple[bytes, bytes]:
    from agentops_sdk.exporters.otlp.segment import frame

    return frame(payload, spans)


def request() -> tuple[bytes, int]:
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    data = TracesData()
    scope = data.resource_spans.add().scope_spans.add()
    for number, user in enumerate(("alice", "bob"), 1):
        span = scope.spans.add(trace_id=bytes([number]) * 16, span_id=bytes([number]) * 8, name="x")
        span.attributes.add(key="user.id").value.string_value = user
    return data.SerializeToString(), 2


KILLED = """
import os, signal, sys
from pathlib import Path
from agentops_sdk.erasure import trace_lines
step = int(sys.argv[2])
real_write, real_replace = os.write, Path.replace
count = 0
def die(*_):
    global count
    count += 1
    if count >= step:
        os.kill(os.getpid(), signal.SIGKILL)
def write(descriptor, data):
    if data.strip() == b"":   # blanks over a line: half of them, then the end
        real_write(descriptor, data[: len(data) // 2]) if count + 1 >= step else None
        die()
    return real_write(descriptor, data)
os.write = write
def replace(self, target):
    die()
    return real_replace(self, target)
Path.replace = replace
path = Path(sys.argv[1])
goes = lambda line: b"alice" in line
(trace_lines.blank_lines if sys.argv[3] == "open" else trace_lines.rewrite)(path, goes)
"""


@pytest.mark.parametrize("how", ["open", "closed"])
def test_a_kill_in_the_middle_loses_nothing_and_the_next_time_finishes_it(how: str, tmp_path: Path) -> None:
    folder = tmp_path / "traces"
    folder.mkdir()
    path = folder / "20260101T000000Z-1-00000001.jsonl"
    path.write_bytes(lines_of("bob", 2) + lines_of("alice", 5) + lines_of("carol", 2))
    step = "3" if how == "open" else "1"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), step, how], check=False)
    assert done.returncode == -signal.SIGKILL
    for user in (b"bob 0", b"bob 1", b"carol 0", b"carol 1"):
        assert path.read_bytes().count(user) == 1
    assert b"alice 4" in path.read_bytes()
    work = Erasure(tmp_path, Subject(users=frozenset(("alice",))))
    work.look()
    work.erase()
    assert b"alice" not in everything(tmp_path)
    assert [path.name for path in folder.iterdir()] == ["20260101T000000Z-1-00000001.jsonl"]
    assert notes(tmp_path) == ["bob 0", "bob 1", "carol 0", "carol 1"]


def test_what_a_link_leads_to_or_nobody_can_open_is_told_and_not_said_to_be_erased(tmp_path: Path, capsys: Any) -> None:
    elsewhere = tmp_path / "disk"
    elsewhere.mkdir()
    (elsewhere / "a.jsonl").write_bytes(lines_of("alice", 2))
    base = tmp_path / "base"
    base.mkdir()
    (base / "traces").symlink_to(elsewhere)
    (base / "b.jsonl").symlink_to(elsewhere / "a.jsonl")
    with_key = Cipher([os.urandom(32)])
    (base / "c.jsonl").write_bytes(b"sealed:s:" + base64.b64encode(with_key.seal(lines_of("alice", 1))) + b"\n")
    (base / "d.jsonl.gz").write_bytes(gzip.compress(lines_of("alice", 2), mtime=0)[:-20])
    assert erase("--user", "alice", folder=base) == 1
    assert "c.jsonl: cannot be read" in capsys.readouterr().out
    assert erase("--user", "alice", "--yes", folder=base) == 1
    told = capsys.readouterr()
    assert "trace(s), 0 span(s) erased" in told.out
    assert "line(s) are still there, it cannot be written anew" in told.out
    for name in (
        "traces: leads to",
        "b.jsonl: leads to",
        "c.jsonl: cannot be read",
        "d.jsonl.gz: ",
    ):
        assert name in told.out
    assert (elsewhere / "a.jsonl").read_bytes() == lines_of("alice", 2)
    assert (base / "b.jsonl").is_symlink()
    assert gzip.compress(lines_of("alice", 2), mtime=0)[:-20] == (base / "d.jsonl.gz").read_bytes()
    assert erase("--user", "alice", "--yes", folder=base / "traces") == 0
    assert not (elsewhere / "a.jsonl").exists()  # nothing else was in it


def test_half_of_a_file_that_was_being_compressed_goes_or_is_told(tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "traces"
    folder.mkdir()
    half = gzip.compress(lines_of("alice", 3) + lines_of("bob", 3))
    (folder / "20260101T000000Z-1-00000001.jsonl").write_bytes(lines_of("alice", 3) + lines_of("bob", 3))
    (folder / "20260101T000000Z-1-00000001.jsonl.gz.part").write_bytes(half)
    (folder / "20260101T000000Z-1-00000002.jsonl.gz").write_bytes(half)
    (folder / "20260101T000000Z-1-00000002.jsonl.parquet.part").write_bytes(half)
    (folder / "mine.jsonl.gz.part").write_bytes(half)
    assert erase("--user", "alice", "--yes", folder=tmp_path) == 1
    assert "mine.jsonl.gz.part: half of a file" in capsys.readouterr().out
    assert [path.name for path in folder.glob("*.part")] == ["mine.jsonl.gz.part"]
    with gzip.open(folder / "20260101T000000Z-1-00000002.jsonl.gz") as packed:
        assert packed.read() == lines_of("bob", 3)
    (folder / "mine.jsonl.gz.part").unlink()
    assert erase("--user", "alice", "--yes", folder=tmp_path) == 0


def test_export_gives_a_person_their_data_by_the_hash_too(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("AGENTOPS_PII_KEY", "a key")
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[], hash_user_id=True)
    for user in ("alice", "bob"):
        with agentops.context(user_id=user), agentops.span("one") as span:
            span.set("note", f"for {user[0]}")
    agentops.shutdown()
    assert main(["export", "--user", "alice", "-o", str(tmp_path / "hers.json"), "--dir", str(tmp_path)]) == 0
    hers = (tmp_path / "hers.json").read_text()
    assert "for a" in hers
    assert "for b" not in hers
    assert main(["export", "--dir", str(tmp_path)]) == 2
    assert main(["export", "--user", "*", "-o", str(tmp_path / "all.json"), "--dir", str(tmp_path)]) == 2
    assert not (tmp_path / "all.json").exists()  # one person's data is what it gives out
    (tmp_path / "hers.json").unlink()
    monkeypatch.delenv("AGENTOPS_PII_KEY")
    for user in ("alice", "[user:0123456789abcdef]"):  # without the key it is not said that this was all, or nothing
        capsys.readouterr()
        assert main(["export", "--user", user, "-o", str(tmp_path / "x.json"), "--dir", str(tmp_path)]) == 1
        assert "2 run(s) of users whose ids were recorded as hashes" in capsys.readouterr().err
    monkeypatch.setenv("AGENTOPS_PII_KEY", "a key")
    assert erase("--user", "alice", "--yes", folder=tmp_path) == 0
    assert notes(tmp_path) == ["for b"]
    actions = [json.loads(line)["action"] for line in (tmp_path / "audit" / "000001.jsonl").read_text().splitlines()]
    assert actions == ["export", "erase"]


def test_a_user_whose_id_is_a_mail_address_that_was_hashed_as_one_is_found(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("AGENTOPS_PII_KEY", "a key")
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[], pii=["email:hash"])
    for user in ("ann@home.example", "bob@home.example"):
        with agentops.context(user_id=user), agentops.span("one") as span:
            span.set("note", f"for {user[0]}")
    agentops.shutdown()
    assert b"@home.example" not in everything(tmp_path)
    monkeypatch.delenv("AGENTOPS_PII_KEY")
    assert erase("--user", "ann@home.example", "--yes", folder=tmp_path) == 1  # says that it cannot know
    monkeypatch.setenv("AGENTOPS_PII_KEY", "a key")
    assert erase("--user", "ann@home.example", "--yes", folder=tmp_path) == 0
    assert notes(tmp_path) == ["for b"]


def test_a_statement_cannot_be_left_by_a_quote_and_a_trace_by_its_whole_id(tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "traces"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(lines_of("bob", 2))
    assert erase("--user", "x' OR 1=1 --", folder=tmp_path) == 0
    assert "IN ('x\\' OR 1=1 --')" in capsys.readouterr().out
    assert erase("--trace", "abc", "--yes", folder=tmp_path) == 2
    assert erase("--trace", f"{hash_of('bob'):032x}", "--yes", folder=tmp_path) == 0
    assert notes(tmp_path) == ["bob 1"]
    assert [path.name for path in folder.iterdir()] == ["a.jsonl"]


def test_lines_of_events_go_and_lose_their_content_as_spans_do(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path, exporters=["jsonl"], events=["jsonl"], event_content=True, integrations=[])
    for user in ("alice", "bob"):
        with agentops.context(user_id=user), agentops.span("chat", kind="llm") as span:
            span.set("gen_ai.operation.name", "chat")
            span.set("gen_ai.input.messages", [{"role": "user", "parts": [{"type": "text", "content": f"{user}'s"}]}])
    agentops.shutdown()
    assert b"alice's" in everything(tmp_path)
    assert erase("--user", "alice", "--yes", folder=tmp_path) == 0
    assert b"alice" not in everything(tmp_path)
    (file,) = (tmp_path / "traces").iterdir()
    assert file.read_bytes().count(b"bob's") == 2  # on the span, and on its event
    os.utime(file, (1, 1))
    assert expire(tmp_path / "traces", 1) == [file]
    assert b"bob's" not in file.read_bytes()
    assert b'{"resourceLogs"' in file.read_bytes()


def test_a_picture_goes_with_its_trace_or_its_age_and_is_not_told_as_left(tmp_path: Path, capsys: Any) -> None:
    from agentops_sdk._recorder.blob_files import BlobFiles
    from agentops_sdk.config import resolve

    files = BlobFiles(resolve({"directory": str(tmp_path), "content_max_days": 7}))
    (tmp_path / "blobs").mkdir()
    old = tmp_path / "blobs" / "old.png"
    old.write_bytes(b"old")
    os.utime(old, (time.time() - 8 * 86_400,) * 2)
    part = {"type": "blob", "mime_type": "image/png", "content": base64.b64encode(b"alice" * 300).decode()}
    attributes: dict[str, Any] = {"gen_ai.input.messages": [{"role": "user", "parts": [part]}]}
    files.take(attributes)
    assert not old.exists()
    (tmp_path / "traces").mkdir()
    record = {"trace_id": "a" * 32, "attributes": {"user.id": "alice", **attributes}}
    (tmp_path / "traces" / "20260101T000000Z-1-00000001.jsonl").write_text(json.dumps(record) + "\n")
    (picture,) = (tmp_path / "blobs").iterdir()
    assert b"alice" in picture.read_bytes()
    assert erase("--user", "alice", folder=tmp_path) == 0
    told = capsys.readouterr()
    assert ("1 file(s) with contents of messages would be erased" in told.out, picture.exists()) == (True, True)
    assert "not reached: /" not in told.out
    other = tmp_path / "traces" / "20260101T000000Z-1-00000002.jsonl"
    other.write_text(json.dumps(record | {"trace_id": "b" * 32, "attributes": {**attributes, "user.id": "bob"}}) + "\n")
    assert erase("--user", "alice", folder=tmp_path) == 1
    told = capsys.readouterr()
    assert "contents of messages" not in told.out  # bob's line refers to it too
    assert f"{picture.name}: holds one of the ids" in told.out
    other.unlink()
    assert erase("--user", "alice", "--yes", folder=tmp_path) == 0
    assert "not reached: /" not in capsys.readouterr().out
    assert not list((tmp_path / "blobs").iterdir())


@pytest.mark.parametrize("words", [("erase", "--user", ""), ("erase", "--session", " "), ("export", "--user", "")])
def test_an_empty_id_is_refused(words: tuple[str, ...], tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "notes.txt").write_text("anything")
    assert main([*words, "--dir", str(tmp_path)]) == 2
    assert words[1] in capsys.readouterr().err


def test_without_the_key_of_hashes_it_is_not_said_that_all_is_erased(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "a.jsonl").write_text('{"trace_id": "1", "attributes": {"user.id": "[user:0123456789abcdef]"}}\n')
    assert erase("--user", "alice", "--yes", folder=tmp_path) == 1
    assert "recorded as hashes" in capsys.readouterr().out
    assert erase("--user", "[user:0123456789abcdef]", "--yes", folder=tmp_path) == 0


def test_content_goes_before_figures_do(tmp_path: Path) -> None:
    folder = tmp_path / "traces"
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[])

    @agentops.tool
    def look(word: str) -> str:
        raise ValueError(word)

    with pytest.raises(ValueError, match="pestilence"):
        look("pestilence")
    agentops.shutdown()
    (old,) = folder.iterdir()
    young = folder / "20260101T000000Z-1-00000002.jsonl"
    young.write_bytes(old.read_bytes())
    day = time.time() - 8 * 86_400
    flight = tmp_path / "flights" / "20260101T000000-error-rate-7-123456.jsonl"
    flight.parent.mkdir()
    again = tmp_path / "replays" / "4bf92f35-1700000000000000000.jsonl"
    again.parent.mkdir()
    for path in (flight, folder / "20260101T000000Z-1-00000003.jsonl", flight.with_name("mine.jsonl"), again):
        path.write_bytes(old.read_bytes())
        os.utime(path, (day, day))
    packed = pack(folder / "20260101T000000Z-1-00000003.jsonl").path
    os.utime(old, (day, day))
    assert packed.suffix == ".parquet"
    assert set(expire(folder, 7 * 86_400)) == {old, flight, again}
    assert b"pestilence" not in again.read_bytes()
    assert expire(folder, 7 * 86_400) == []
    assert main(["compact", "--content-max-days", "7", "--dir", str(tmp_path)]) == 0
    assert main(["compact", "--back", str(folder / f"{old.name}.parquet"), str(folder / f"{young.name}.parquet")]) == 0
    assert b"pestilence" not in b"".join(parquet_lines(packed)) + flight.read_bytes()
    assert b'"gen_ai.tool.name":"look"' in b"".join(parquet_lines(packed))
    assert b"pestilence" in flight.with_name("mine.jsonl").read_bytes()
    packed.unlink()
    assert abs(old.stat().st_mtime - day) < 1
    assert b"pestilence" not in old.read_bytes()
    (span,) = load(old)[0].spans
    assert (span.outcome, span.attributes["gen_ai.tool.name"], len(span.events)) == ("error", "look", 1)
    assert b"pestilence" in young.read_bytes()
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[], content_max_days=7)
    assert agentops.status().settings["content_max_days"].value == 7


def test_content_of_experiments_and_of_feedback_goes_as_well(tmp_path: Path) -> None:
    folder, week = tmp_path / "traces", 7 * 86_400
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[])
    cases = [{"id": "a", "input": "pestilence", "expected": "pestilence", "metadata": {"from": "pestilence"}}]

    def answer(text: str) -> str:
        raise ValueError(text)

    def scorer(input: str) -> Score:
        return Score(1.0, label=input, comment=input)

    result = agentops.experiment("trial", [*cases, {"id": "b", "input": "pestilence"}], answer, [scorer])
    agentops.flush()
    trace = load(folder)[-1]
    append_feedback(folder, trace, name="right", value=True, comment="an old pestilence")
    agentops.shutdown()
    feedback = folder / "feedback.jsonl"
    old = time.time_ns() - 8 * 86_400 * 10**9
    lines = re.sub(rb'"time_ns":\d+', b'"time_ns":%d' % old, feedback.read_bytes())
    feedback.write_bytes(lines)
    append_feedback(folder, trace, name="wrong", value="no", comment="a young pestilence")
    kept = result.path
    assert kept is not None
    assert kept.read_bytes().count(b"pestilence") > 4
    os.utime(kept, (time.time() - week - 99,) * 2)
    assert set(expire(folder, week)) == {kept, feedback}
    assert b"pestilence" not in kept.read_bytes()
    assert (b"an old pestilence" in feedback.read_bytes(), b"a young pestilence" in feedback.read_bytes()) == (
        False, True,
    )  # fmt: skip
    assert len(feedback.read_bytes().splitlines()[0]) == len(lines.splitlines()[0])
    assert {(each.name, each.verdict) for each in load(folder).get(trace.trace_id).evaluations} >= {
        ("right", "true"), ("wrong", "no"),
    }  # fmt: skip
    rows = {row.case_id: row for row in load_results(kept).rows}
    assert [(row.input, row.expected, row.output, row.error, dict(row.metadata)) for row in rows.values()] == [
        (None, None, None, "ValueError", {})
    ] * 2
    assert rows["a"].seconds > 0
    assert expire(folder, week) == []
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[])
    agentops.experiment("trial", [*cases, {"id": "b", "input": "pestilence"}], answer, [scorer], resume=True)
    agentops.shutdown()
    assert b"pestilence" in kept.read_bytes()  # what was done anew is young
    os.utime(kept, (time.time() - week - 99,) * 2)
    assert expire(folder, week) == [kept]
    assert b"pestilence" not in kept.read_bytes()


def test_what_is_added_while_content_goes_is_not_lost(tmp_path: Path, monkeypatch: Any) -> None:
    folder = tmp_path / "traces"
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[])
    cases = [{"id": "a", "input": "pestilence"}]
    kept = agentops.experiment("trial", cases, lambda _: 1 / 0, []).path
    assert kept is not None
    os.utime(kept, (0, 0))
    at_work, resumed = threading.Event(), threading.Event()
    true_replace = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self.name.endswith(".anew"):
            at_work.set()
            resumed.wait(0.3)  # is not set before this: who adds has to wait
        return true_replace(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    expiry = threading.Thread(target=expire, args=(folder, 86_400))
    expiry.start()
    assert at_work.wait(10)
    agentops.experiment("trial", cases, lambda text: text, [], resume=True)
    resumed.set()
    expiry.join()
    assert [(row.output, row.error) for row in load_results(kept).rows] == [("pestilence", None)]


def test_content_that_cannot_be_opened_is_told_and_not_said_to_be_gone(tmp_path: Path, capsys: Any) -> None:
    sealed = tmp_path / "20260101T000000Z-1-aaaaaaaa.jsonl"
    with_key = Cipher([os.urandom(32)])
    sealed.write_bytes(b"sealed:s:" + base64.b64encode(with_key.seal(lines_of("alice", 1))) + b"\n")
    os.utime(sealed, (0, 0))
    assert main(["compact", "--dir", str(tmp_path), "--content-max-days", "1"]) == 1
    assert f"{sealed} keeps its content" in capsys.readouterr().err


def test_lines_of_other_recorders_are_told_and_not_said_to_be_erased(tmp_path: Path, capsys: Any) -> None:
    fixtures = Path(__file__).parents[1] / "reading" / "fixtures"
    for name, words in {
        "langfuse.jsonl": ("--user", "user-1"),
        "openinference.jsonl": ("--session", "session-1"),
        "laminar.jsonl": ("--trace", load(fixtures / "laminar.jsonl")[0].trace_id),
        "logfire_stream.jsonl": ("--trace", load(fixtures / "logfire_stream.jsonl")[0].trace_id),
    }.items():
        base = tmp_path / name
        base.mkdir()
        (base / name).write_bytes((fixtures / name).read_bytes())
        assert erase(*words, "--yes", folder=base) == 1
        assert f"{name}: " in capsys.readouterr().out
    base = tmp_path / "ours"
    base.mkdir()
    line = json.loads(lines_of("alice", 1).splitlines()[0])
    line["attributes"]["user.id"] = 42  # as who calls OpenTelemetry itself may have it
    (base / "a.jsonl").write_text(json.dumps(line) + "\n")
    (base / "b.txt").write_text(json.dumps({"user": "jürgen"}))
    assert erase("--user", "42", "--yes", folder=base) == 0
    assert not (base / "a.jsonl").exists()
    assert erase("--user", "jürgen", "--yes", folder=base) == 1


def test_a_file_that_is_written_anew_without_content_tells_nothing_again(tmp_path: Path) -> None:
    path = tmp_path / "20260101T000000Z-1-aaaaaaaa.jsonl"
    path.write_bytes(lines_of("alice", 3).replace(b'"note"', b'"agentops.input"'))
    os.utime(path, (time.time() - 99,) * 2)
    early, late = Follower(tmp_path, since=0), Follower(tmp_path)
    assert (len(early.events()), late.events()) == (3, [])
    assert expire(tmp_path, 50) == [path]
    assert (early.events(), late.events()) == ([], [])
    path.write_bytes(path.read_bytes() + lines_of("bob", 1))
    assert (len(early.events()), len(late.events())) == (1, 1)
