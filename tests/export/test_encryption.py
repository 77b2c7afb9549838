"""Encryption at rest: nothing of what was planted is found on the disk, and whoever has the key reads all of it."""

from __future__ import annotations

import gzip
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from tests.export.encrypted_program import PLANTED
from tests.export.receiver import Receiver, spans

import agentops_sdk as agentops
from agentops_sdk import encryption
from agentops_sdk._propagation import privacy
from agentops_sdk.cli import main
from agentops_sdk.config import resolve
from agentops_sdk.encryption import Cipher, DamagedError, SealedError, opened_line, sealed_line
from agentops_sdk.errors import ConfigError
from agentops_sdk.exporters.jsonl import JsonlExporter
from agentops_sdk.exporters.otlp.segment import Segment
from agentops_sdk.mcp_server.answers import Answers
from agentops_sdk.traces import load
from agentops_sdk.traces.classify import OWN_SCOPE
from agentops_sdk.traces.follower import Follower
from agentops_sdk.view.folder import Folder
from agentops_sdk.view.run_list import run_list

KEY = secrets.token_urlsafe(32)
OTHER = secrets.token_hex(32)
PROGRAM = Path(__file__).with_name("encrypted_program.py")
NOBODY = "http://127.0.0.1:9/"


@pytest.fixture(autouse=True)
def no_key_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What one test was given does not help the next."""
    for name, value in (("active", None), ("_given", None), ("_named", None), ("_looked_at", float("-inf"))):
        monkeypatch.setattr(encryption, name, value)
    yield
    agentops.shutdown()
    privacy.make_everything(False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes have left: one that ended with its backend down, and one that was killed."""
    place = tmp_path_factory.mktemp("encrypted")
    for end, code in (("end", 0), ("kill", -signal.SIGKILL)):
        done = run(place, end)
        assert done.returncode == code, f"{end}: {done.returncode}\n{done.stderr}"
    return place


def run(place: Path, end: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AGENTOPS_ENCRYPTION_KEY": KEY, "PYTHONPATH": str(PROGRAM.parents[2]),
                   "AGENTOPS_ENCRYPTION_KEY_SOURCE": "env:AGENTOPS_ENCRYPTION_KEY"}  # fmt: skip
    return subprocess.run(
        [sys.executable, str(PROGRAM), str(place), end, NOBODY], env=environment, check=False, timeout=300, text=True,
        capture_output=True, umask=0,
    )  # fmt: skip


@pytest.fixture
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPS_ENCRYPTION_KEY", KEY)
    monkeypatch.setenv("AGENTOPS_ENCRYPTION_KEY_SOURCE", "env:AGENTOPS_ENCRYPTION_KEY")


def traces_of_it(place: Path) -> list[str]:
    """Files whose bytes or names hold what was planted, packed or not."""
    found = []
    for path in place.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        content = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        if PLANTED.encode() in content or PLANTED in str(path.relative_to(place)):
            found.append(str(path))
    return found


def test_the_disk_holds_nothing_of_it(folder: Path) -> None:
    sorts = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert {".jsonl", ".open", ".seg", ".png"} <= sorts
    assert any((folder / "flights").iterdir()), "the flight recorder wrote nothing"
    sealed_folders = {"traces", "spool", "blobs", "flights", "alerts", "experiments", "prompts"}
    assert {path.name for path in folder.iterdir()} >= sealed_folders | {"audit", "paused", "status-token"}
    # Why somebody paused what is for other processes, and for people without the key: docs/encryption.md names it.
    in_plain = [path for path in traces_of_it(folder) if Path(path).parent.name != "paused"]
    assert [path for path in in_plain if Path(path).parent.name != "audit"] == []
    for path in folder.rglob("*.jsonl*"):
        lines = [line for line in path.read_bytes().splitlines() if line]
        assert all(line.startswith(b"sealed:") for line in lines) or "audit" in path.parts, path
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).parts[0] in sealed_folders and path.name not in (
            "lock", "labels.json",
        ):  # fmt: skip
            assert encryption.is_sealed(path.read_bytes()) or path.suffix == ".seg", path
    page = (Path(__file__).parents[2] / "docs" / "encryption.md").read_text()
    for named in ("audit log", "pauses", "status-token", "limits", "reports", "exports", "evidence", "datasets"):
        assert named in page.partition("## What is not encrypted")[2], named


def test_every_file_and_folder_is_for_its_owner_only_whatever_the_umask(folder: Path) -> None:
    below = [path for path in folder.rglob("*") if not path.is_symlink()]
    kinds = {path.relative_to(folder).parts[0] for path in below}
    assert kinds >= {"alerts", "audit", "blobs", "experiments", "flights", "paused", "prompts", "spool", "traces"}
    assert [path for path in below if path.stat().st_mode & 0o077] == []


def test_what_an_experiment_and_a_prompt_left_is_read_with_the_key_and_not_without(
    folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (["experiments"], ["prompts", "show", "greeting"]):
        assert main([*command, "--dir", str(folder)]) == 1
        assert "encrypted with the key" in capsys.readouterr().err
    monkeypatch.setenv("AGENTOPS_ENCRYPTION_KEY", KEY)
    monkeypatch.setenv("AGENTOPS_ENCRYPTION_KEY_SOURCE", "env:AGENTOPS_ENCRYPTION_KEY")
    assert main(["prompts", "show", "greeting", "--dir", str(folder)]) == 0
    assert f"Greet {{name}}: {PLANTED}" in capsys.readouterr().out
    assert main(["experiments", "--json", "trial", "--dir", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out)["complete"] is True
    (file,) = (folder / "experiments" / "trial").iterdir()
    (row,) = agentops.experiments.load_results(file).rows
    assert (row.input, row.expected, PLANTED in str(row.output)) == (PLANTED, PLANTED, True)


def test_what_follows_says_that_lines_are_left_out_for_want_of_the_key(
    folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow = (["tail", "--since", "1h", "--seconds", "0.1"], ["top", "-n", "1", "--window", "1h"])
    for command in follow:
        assert main([*command, "--dir", str(folder)]) == 1
        assert "lines are left out: encrypted with the key" in capsys.readouterr().err
    monkeypatch.setenv("AGENTOPS_ENCRYPTION_KEY", KEY)
    monkeypatch.setenv("AGENTOPS_ENCRYPTION_KEY_SOURCE", "env:AGENTOPS_ENCRYPTION_KEY")
    monkeypatch.setenv("COLUMNS", "250")
    for command in follow:
        assert main([*command, "--dir", str(folder)]) == 0
        told = capsys.readouterr()
        assert (PLANTED in told.out, told.err) == (True, "")


@pytest.mark.parametrize("is_mixed", [False, True], ids=["all of it", "a part"])
def test_the_local_page_and_the_mcp_server_say_that_files_are_left_out_for_want_of_the_key(
    folder: Path, tmp_path: Path, is_mixed: bool
) -> None:
    shutil.copytree(folder / "traces", tmp_path / "traces")
    if is_mixed:
        plain = JsonlExporter(tmp_path / "traces")
        plain.export(spans(1))
        plain.shutdown()
    shown = Folder(tmp_path / "traces")
    answers = Answers(tmp_path / "traces")
    if not is_mixed:
        for ask in (shown.traces, shown.traces, answers.list_traces, answers.show_trace, answers.stats):
            with pytest.raises(SealedError, match="is encrypted with the key"):
                ask()
        return
    assert any("is encrypted with the key" in remark for remark in run_list(shown.traces())["remarks"])
    for ask in (answers.list_traces, answers.stats, answers.find_errors, answers.find_waste):
        assert any("is encrypted with the key" in remark for remark in json.loads(ask())["remarks"]), ask


COMMANDS = [
    ["ls"], ["show"], ["show", "--json"], ["stats", "--by", "agent"], ["sessions"], ["decisions"],
    ["sql", "select count(*), any_value(name) from spans"], ["export", "--user", f"{PLANTED}-user", "-o", "-"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_every_reader_takes_the_key(
    folder: Path, capsys: Any, with_key: None, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    assert main([*command, "--dir", str(folder)]) == 0
    assert PLANTED in capsys.readouterr().out


def test_without_the_key_and_with_another_one_an_error_says_what_is_needed(
    folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_OTHER", OTHER)
    key_id = Cipher([_raw(KEY)]).key_id
    for more in ([], ["--encryption-key", "env:THE_OTHER"]):
        for command in (["ls"], ["show"], ["sql", "select 1 from spans"]):
            assert main([*command, "--dir", str(folder / "traces"), *more]) == 1
            told = capsys.readouterr()
            assert f"encrypted with the key {key_id}, which is not given" in told.err
            assert "--encryption-key" in told.err
            assert told.out == ""
    assert main(["ls", "--dir", str(folder), "--encryption-key", "env:NOT_SET"]) == 2
    assert main(["ls", "--dir", str(folder), "--encryption-key", f"{KEY}"]) == 2
    assert KEY not in capsys.readouterr().err
    with pytest.raises(SealedError, match=key_id):
        load(folder)


def test_every_reader_that_leaves_out_a_part_for_want_of_the_key_says_so_and_ends_with_1(
    folder: Path, tmp_path: Path, capsys: Any
) -> None:
    shutil.copytree(folder / "traces", tmp_path / "traces")
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[])
    with agentops.context(session_id="s"), agentops.span("plain", kind="agent"), agentops.span("call", kind="llm"):
        agentops.decide("refund", options=["yes", "no"], chosen="yes")
    agentops.shutdown()
    here = ["--dir", str(tmp_path)]
    known = load(tmp_path).latest.trace_id
    readers = [
        ["ls"], ["ls", "--json"], ["show", known], ["stats", "--by", "day"], ["stats", "--json", "--by", "day"],
        ["sessions"], ["decisions"], ["agents"], ["compare", known, known], ["sql", "select count(*) from spans"],
        ["export", known, "--as", "json", "-o", "-"], ["report", known, "-o", str(tmp_path / "r.html")],
        ["evidence", "-o", str(tmp_path / "e.json")], ["erase", "--user", "x"],
    ]  # fmt: skip
    for command in readers:
        assert main([*command, *here]) == 1, command
        told = capsys.readouterr()
        where = told.out if command[0] == "erase" else told.err
        assert "encrypted with the key" in where, command
        assert told.out, command
        if command[0] == "stats" and "--json" in command:
            assert "encrypted with the key" in json.loads(told.out)["not_read"][0]
    assert "encrypted with the key" in json.loads((tmp_path / "e.json").read_text())["remarks"][0]
    gate = ["gate", "--baseline", str(tmp_path), "--candidate", str(tmp_path), *here]
    assert main([*gate, "--json"]) == 2
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["verdict"], verdict["code"]) == ("no data", 2)
    assert "encrypted with the key" in verdict["not_read"][0]
    assert main([*gate, "--junit", str(tmp_path / "j.xml"), "--markdown", "-"]) == 2
    assert capsys.readouterr().out.count("not read: ") == 2 * len(verdict["not_read"])
    assert "encrypted with the key" in (tmp_path / "j.xml").read_text()


def _raw(key: str) -> bytes:
    return encryption.key_source(key.encode()).raw(32)


def test_load_takes_a_key_and_a_killed_run_shows_as_unfinished(folder: Path) -> None:
    traces = load(folder / "traces", key=KEY.encode())
    assert len(traces) == 8
    assert (traces.torn, traces.foreign, traces.foreign_files) == (0, 0, [])
    assert sorted(trace.outcome for trace in traces) == ["ok"] * 7 + ["unfinished"]
    blob = next((folder / "blobs").iterdir())
    assert encryption.opened(blob.read_bytes()) == (PLANTED * 200).encode()


def test_erase_and_compact_leave_nothing_in_plain_text(
    folder: Path, tmp_path: Path, capsys: Any, with_key: None
) -> None:
    place = tmp_path / "copy"
    shutil.copytree(folder, place, ignore=shutil.ignore_patterns("paused", "audit"))
    waiting = sum(Segment.reopen(path).spans for path in place.rglob("*.seg"))
    assert waiting > 0
    assert main(["compact", "--dir", str(place)]) == 0
    assert "it is encrypted" in capsys.readouterr().err
    some = load(place / "traces")[-1].trace_id
    kept = {path: json.loads(encryption.opened(path.read_bytes())) for path in (place / "alerts").glob("*.json")}
    notices = {path: content["notice"] for path, content in kept.items() if "notice" in content}
    assert notices
    for path, notice in notices.items():  # waits for a webhook: erase opens it, and says that it names the run
        assert main(["erase", "--dir", str(place), "--trace", notice["trace_id"]]) == 1
        assert f"{path}: holds one of the ids" in capsys.readouterr().out
        path.unlink()
    assert main(["erase", "--dir", str(place), "--trace", some, "--yes"]) == 0
    assert traces_of_it(place) == []
    assert some not in load(place / "traces").ids
    remembered = [json.loads(encryption.opened(path.read_bytes())) for path in (place / "alerts").glob("told-*")]
    assert remembered
    assert some not in json.dumps(remembered)
    assert 0 < sum(Segment.reopen(path).spans for path in place.rglob("*.seg")) < waiting
    assert main(["erase", "--dir", str(place), "--user", f"{PLANTED}-user", "--yes"]) == 0
    assert traces_of_it(place) == []
    left = [trace for trace in load(place / "traces") if trace.name != "experiment trial"]
    assert [trace.outcome for trace in left] in ([], ["unfinished"])
    assert not list((place / "blobs").iterdir())


def test_what_waited_in_a_spool_is_sent_in_plain_by_a_process_with_the_key_and_stays_for_one_without(
    folder: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "copy"
    shutil.copytree(folder, place)
    receiver = Receiver()
    before = sum(Segment.reopen(path).spans for path in place.rglob("*.seg"))
    assert main(["ship", "--all", "--dir", str(place), "--to", receiver.url]) == 1
    assert "it stays, for it cannot be opened: encrypted with the key" in capsys.readouterr().err
    assert receiver.names == []
    assert sum(Segment.reopen(path).spans for path in place.rglob("*.seg")) == before
    monkeypatch.setenv("AGENTOPS_ENCRYPTION_KEY", KEY)
    monkeypatch.setenv("AGENTOPS_ENCRYPTION_KEY_SOURCE", "env:AGENTOPS_ENCRYPTION_KEY")
    assert main(["ship", "--all", "--dir", str(place), "--to", receiver.url]) == 0
    receiver.close()
    assert len(receiver.names) == before
    assert any(PLANTED in name for name in receiver.names)


# --- the form -----------------------------------------------------------------------------------------


def test_a_file_that_was_cut_anywhere_is_read_up_to_there_and_never_as_garbage(tmp_path: Path) -> None:
    encryption.seal_with(Cipher([_raw(KEY)]))
    sink = JsonlExporter(tmp_path)
    sink.export(spans(4))
    sink.shutdown()
    assert sink._tidying is not None
    sink._tidying.join()
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == 10]
    for length in [*range(len(whole) - 40, len(whole)), *range(0, len(whole), 131)]:
        path.write_bytes(whole[:length])
        os.utime(path, (1, 1))  # nobody is just about to write the rest
        if not length:
            continue
        try:
            traces = load(path)
        except agentops.TraceError:
            assert length < ends[0]
            continue
        assert sum(len(trace.spans) for trace in traces) >= sum(end <= length for end in ends)
        assert traces.foreign == 0
        assert traces.torn == (length not in ends and length + 1 not in ends)
    for place in (30, 60, len(whole) // 2):  # a byte that has changed
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        assert sum(len(trace.spans) for trace in load(path)) == 3


def test_the_nonces_of_many_pieces_processes_and_children_are_all_different() -> None:
    cipher = Cipher([_raw(KEY)])
    first = {cipher.seal(b"")[:36] for _ in range(2_000)}
    assert len(first) == 2_000
    assert len({head[:24] for head in first}) == 1
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, cipher.seal(b"")[:24])
        os._exit(0)
    os.waitpid(child, 0)
    of_child = os.read(read, 24)
    os.close(read)
    os.close(write)
    assert len(of_child) == 24
    assert of_child not in {head[:24] for head in first}
    assert Cipher([_raw(KEY)]).seal(b"")[8:24] != cipher.seal(b"")[8:24]
    cipher._left = 0
    assert cipher.seal(b"")[:24] not in {head[:24] for head in first}


def test_keys_are_rotated_by_naming_the_new_one_first(tmp_path: Path) -> None:
    old = sealed_by([_raw(KEY)], b"old\n")
    new = sealed_by([_raw(OTHER), _raw(KEY)], b"new\n")
    file = tmp_path / "keys"
    file.write_text(f"{OTHER}\n{KEY}\n")
    encryption.read_with(f"file:{file}")
    assert (opened_line(old), opened_line(new)) == (b"old\n", b"new\n")
    encryption._given = Cipher([_raw(OTHER)])
    assert opened_line(new) == b"new\n"
    with pytest.raises(SealedError):
        opened_line(old)
    for wrong in (b"sealed:s:", b"sealed:s:AAAA\n", new[:-13] + b"AAAA" + new[-9:]):
        with pytest.raises(DamagedError):
            opened_line(wrong)


def sealed_by(keys: list[bytes], line: bytes) -> bytes:
    encryption.seal_with(Cipher(keys))
    try:
        return sealed_line(line)
    finally:
        encryption.seal_with(None)


def test_a_follower_and_packed_files_are_read_as_well(tmp_path: Path) -> None:
    encryption.seal_with(Cipher([_raw(KEY)]))
    sink = JsonlExporter(tmp_path)
    follower = Follower(tmp_path)
    sink.export(spans(3))
    assert [event.record.name for event in follower.events()] == ["s0", "s1", "s2"]
    sink.shutdown()
    (path,) = tmp_path.iterdir()
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    traces = load(tmp_path)
    assert sorted(span.name for trace in traces for span in trace.spans) == ["s0", "s1", "s2"]
    assert b'"name":"s1"' not in bytes(traces._columns.lines._pending)  # the scratch file's turn is encrypted, too


def test_content_goes_out_of_encrypted_lines_and_the_rest_stays_encrypted(tmp_path: Path) -> None:
    from agentops_sdk.exporters.jsonl.content_expiry import without_content
    from agentops_sdk.exporters.jsonl.rewriting import rewrite_lines

    encryption.seal_with(Cipher([_raw(KEY)]))
    path = tmp_path / "a.jsonl"
    record = {"v": 1, "name": "kept", "attributes": {"gen_ai.input.messages": PLANTED}}
    path.write_bytes(sealed_line(orjson.dumps(record) + b"\n"))
    assert rewrite_lines(path, without_content) == 1
    line = path.read_bytes()
    assert line.startswith(b"sealed:s:")
    told = json.loads(opened_line(line))
    assert told["name"] == "kept"
    assert PLANTED not in str(told)


@pytest.mark.parametrize("is_packed", [False, True])
def test_the_index_beside_an_encrypted_file_is_encrypted_and_used(tmp_path: Path, is_packed: bool) -> None:
    encryption.seal_with(Cipher([_raw(KEY)]))
    sink = JsonlExporter(tmp_path)
    some = spans(400, size=200, **{"session.id": PLANTED})
    for span in some:
        span._instrumentation_scope = InstrumentationScope(OWN_SCOPE)
    sink.export(some)
    sink.shutdown()
    assert sink._tidying is not None
    sink._tidying.join()
    (path,) = tmp_path.iterdir()
    if is_packed:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        path.unlink()
    first = [trace.session_id for trace in load(tmp_path)]
    (index,) = tmp_path.glob("*.index")
    assert PLANTED.encode() not in index.read_bytes()
    assert first == [PLANTED] * 400
    again = load(tmp_path)
    assert [trace.session_id for trace in again] == first
    assert again.latest.root.attributes["session.id"] == PLANTED
    assert b"xxxx" not in bytes(again._columns.lines._pending)  # of a packed one, what is unpacked stays encrypted
    encryption._given = encryption.active = None
    with pytest.raises(SealedError):
        load(tmp_path)


def test_a_file_is_encrypted_whole_or_not_at_all(tmp_path: Path) -> None:
    sink = JsonlExporter(tmp_path)
    sink.export(spans(2))
    encryption.seal_with(Cipher([_raw(KEY)]))
    sink.export(spans(2, start=2))
    sink.shutdown()
    begins = sorted(path.read_bytes()[:7] for path in tmp_path.iterdir())
    assert begins == [b"sealed:", b'{"v":1,']
    assert len(load(tmp_path)) == 4


# --- settings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["env:NOT_SET", "file:/nowhere/key", b"short", lambda: b"short", lambda: 1 / 0, "abc"])
def test_a_key_that_the_program_names_and_that_cannot_be_had_is_an_error(tmp_path: Path, key: Any) -> None:
    with pytest.raises(ConfigError, match=r"key") as caught:
        agentops.init(directory=tmp_path, encryption_key=key)
    assert "short" not in str(caught.value)
    assert agentops.status().enabled is False or not list(tmp_path.iterdir())


def test_without_the_library_it_is_an_error_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    with pytest.raises(ConfigError, match=r"pip install .agentops-recorder\[encryption\]"):
        agentops.init(directory=tmp_path, encryption_key=secrets.token_bytes(32))


@pytest.mark.parametrize(
    "said",
    ["env:NOT_SET", "file:/nowhere/key", "no source at all", pytest.param(KEY, id="the key itself")],
)
def test_one_that_the_environment_names_warns_and_captures_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("AGENTOPS_ENCRYPTION_KEY_SOURCE", said)
    monkeypatch.setattr("agentops_sdk.config._warned", set())
    with pytest.warns(UserWarning, match="encryption_key") as warned:
        agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[], blobs="files")
    assert KEY not in str([str(each.message) for each in warned])

    @agentops.tool
    def look(word: str) -> str:
        return word

    with agentops.context(user_id=PLANTED, tags=[PLANTED]), agentops.span("helper", kind="agent") as agent:
        agent.set(PLANTED, PLANTED)
        agent.event(PLANTED, {PLANTED: PLANTED})
        look(PLANTED)
        with pytest.raises(ValueError, match=PLANTED), agentops.span(PLANTED):
            raise ValueError(PLANTED)
    agentops.shutdown()
    assert traces_of_it(tmp_path) == []
    (trace,) = load(tmp_path / "traces")
    assert [span.name for span in trace.spans] == ["invoke_agent helper", "execute_tool", "task"]
    assert [span.outcome for span in trace.spans] == ["ok", "ok", "error"]


def test_a_further_init_does_not_switch_it_off_unless_that_is_said(tmp_path: Path) -> None:
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[], encryption_key=_raw(KEY))
    agentops.init(sample_ratio=1.0)
    agentops.init(restart=True, directory=tmp_path, exporters=["jsonl"], integrations=[])
    with agentops.span(PLANTED):
        pass
    agentops.shutdown()
    assert traces_of_it(tmp_path) == []
    assert load(tmp_path / "traces").latest.name == PLANTED  # whoever wrote it in this process reads it
    assert resolve({}).encryption_key is None
