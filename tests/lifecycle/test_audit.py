"""The audit log: whole across processes, rotation and kills, and no change of it goes unseen."""

# ruff: noqa: E501 - a row of the table of attacks stands on a line
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk._audit import audit_log, chain
from agentops_sdk._audit.signature import signer_of
from agentops_sdk._audit.verification import verify
from agentops_sdk.cli import main
from agentops_sdk.key_source import key_source

pytestmark = pytest.mark.once


def entry(number: int) -> dict[str, Any]:
    return {"time": float(number), "pid": 1, "action": "configure", "by": "test", "changes": {"n": number}}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Twelve records in several files."""
    for number in range(12):
        chain.append(tmp_path / "audit", [entry(number)], None, file_bytes=600)
    assert len(chain.files(tmp_path / "audit")) > 2
    assert verify(tmp_path / "audit").intact
    return tmp_path / "audit"


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def edit(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(lines(path))))


ATTACKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a figure": (lambda log: edit(log / "000001.jsonl", lambda ls: [ls[0].replace(b'"n":0', b'"n":9'), *ls[1:]]),
                 "000001.jsonl:1: record 1 was changed"),
    "white space": (lambda log: edit(log / "000001.jsonl", lambda ls: [ls[0].replace(b'"n":0', b'"n": 0'), *ls[1:]]),
                    "000001.jsonl:1: record 1 was changed"),
    "a record": (lambda log: edit(log / "000001.jsonl", lambda ls: [ls[0], *ls[2:]]), "record 2 is missing"),
    "the first record": (lambda log: edit(log / "000001.jsonl", lambda ls: ls[1:]), "000001.jsonl:1: record 1 is missing"),
    "an order": (lambda log: edit(log / "000001.jsonl", lambda ls: [ls[1], ls[0], *ls[2:]]), "record 1 stands behind record 2"),
    "a copy": (lambda log: edit(log / "000001.jsonl", lambda ls: [ls[0], ls[0], *ls[1:]]), "000001.jsonl:2: record 1 stands"),
    "a file": (lambda log: (log / "000002.jsonl").unlink(), "file 000002.jsonl is missing"),
    "the first file": (lambda log: (log / "000001.jsonl").unlink(), "file 000001.jsonl is missing"),
    "the last record": (lambda log: edit(chain.files(log)[-1], lambda ls: ls[:-1]), "it was cut"),
    "the last file": (lambda log: chain.files(log)[-1].unlink(), "it was cut"),
    "half a line": (lambda log: edit(log / "000001.jsonl", lambda ls: [ls[0][:50] + b"\n", *ls[1:]]),
                    "000001.jsonl:1: no whole record"),
    "a line behind the last": (lambda log: edit(chain.files(log)[-1], lambda ls: [*ls, b"\xff\xfe\n"]), "no whole record"),
    "the head": (lambda log: (log / "head").unlink(), "head: missing"),
}  # fmt: skip


@pytest.mark.parametrize("what", ATTACKS)
def test_what_was_changed_cut_or_moved_is_found_and_where(what: str, log: Path) -> None:
    attack, words = ATTACKS[what]
    attack(log)
    found = verify(log)
    assert any(words in fault for fault in found.faults), found


def test_who_has_no_key_cannot_write_it_anew_and_an_old_state_needs_an_anchor(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for name, write, read in (("hmac", b"k" * 32, b"k" * 32), ("ed25519", private, public)):
        folder = tmp_path / name / "audit"
        chain.append(folder, [entry(n) for n in range(4)], signer_of(key_source(write)))
        reader = signer_of(key_source(read))
        old = verify(folder, reader).last
        assert verify(folder, reader).intact
        before = {path: path.read_bytes() for path in folder.iterdir()}
        chain.append(folder, [entry(5)], signer_of(key_source(write)))
        anchor = verify(folder, reader).last
        for path, content in before.items():
            path.write_bytes(content)
        older = verify(folder, reader)
        assert older.intact
        assert any("older state" in limit for limit in older.limits)  # it says what it cannot see
        head = (folder / "head").read_bytes()
        chain.append(folder, [entry(6)], None)  # added to it by somebody without the key
        (folder / "head").write_bytes(head)
        assert "they are not signed" in verify(folder, reader).faults[0]
        for path, content in before.items():
            path.write_bytes(content)
        assert "it was cut" in verify(folder, reader, anchor).faults[0]
        assert verify(folder, reader, old).intact
        # Written anew by somebody without the key:
        for path in before:
            path.unlink()
        chain.append(folder, [entry(n) for n in range(4)], signer_of(key_source(b"another")))
        assert "not of this key" in verify(folder, reader).faults[0]
        for path in before:
            path.unlink()
        chain.append(folder, [entry(n) for n in range(4)], None)
        assert "no record is signed" in verify(folder, reader).faults[0]
        assert verify(folder).intact, "who has no key cannot tell, and that is said"
        assert any("no record is signed" in limit for limit in verify(folder).limits)
    for path in before:
        path.unlink()
    assert main(["audit", "verify", "--dir", str(folder.parent)]) == 1, "nothing is not whole"


WRITER = """
import sys, pathlib
from agentops_sdk._audit import audit_log as record
for n in range(int(sys.argv[2])):
    record.record("configure", "me", {"n": n}, pathlib.Path(sys.argv[1]))
    print(n, flush=True)
"""


def test_several_processes_one_of_which_is_killed(tmp_path: Path) -> None:
    def start(count: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(count)], stdout=subprocess.PIPE, text=True
        )

    doomed, other = start(100_000), start(60)
    told = 0
    for _ in range(40):
        told = int((doomed.stdout.readline() if doomed.stdout else "") or told)
    os.kill(doomed.pid, signal.SIGKILL)
    told = max([told, *map(int, (doomed.communicate()[0].splitlines() or [told])[:-1])])
    other.communicate()
    assert other.returncode == 0
    found = verify(tmp_path / "audit")
    assert found.intact, found.faults
    records = [json.loads(line) for path in chain.files(tmp_path / "audit") for line in path.read_bytes().splitlines()]
    by = [record["changes"]["n"] for record in records if record["pid"] == doomed.pid]
    assert by[: told + 1] == list(range(told + 1))
    assert len([record for record in records if record["pid"] == other.pid]) == 60


def test_threads_write_each_record_once(tmp_path: Path) -> None:
    def work(by: str) -> None:
        for number in range(20):
            audit_log.record("x", by, {"number": number}, tmp_path)

    threads = [threading.Thread(target=work, args=(f"thread {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (tmp_path / "audit" / "000001.jsonl").read_text().splitlines()
    told = [(record["by"], record["changes"]["number"]) for record in map(json.loads, lines)]
    assert len(told) == len(set(told)) == 120
    assert verify(tmp_path / "audit").intact
    assert not audit_log._waiting[tmp_path]


def test_a_torn_line_is_told_of_and_none_that_was_whole_can_pass_for_one(log: Path) -> None:
    last = chain.files(log)[-1]
    with last.open("ab") as file:
        file.write(b'{"action":"conf')
    assert any("torn" in limit for limit in verify(log).limits)
    (record,) = chain.append(log, [entry(13)], None)
    assert (record["seq"], verify(log).intact) == (14, True)
    torn = next(line for line in lines(last) if line.startswith(b'{"action":"conf\n'))
    edit(last, lambda ls: [b'{"action":"conF\n' if line == torn else line for line in ls])
    assert "no whole record" in verify(log).faults[0]


def test_what_spans_and_control_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setenv("AUDIT", "a shared key")
    agentops.init(directory=tmp_path, exporters=["jsonl"], integrations=[], audit=True, audit_key="env:AUDIT")
    agentops.configure(sample_ratio=1.0, limits="1 tool calls / run")

    @agentops.tool
    def look() -> None: ...

    with agentops.span("work", kind="agent"):
        look()
        with pytest.raises(agentops.LimitExceeded):
            look()
        agentops.decide("refund", options=["yes", "no"], chosen="yes", by="human", by_name="Ann")
        with agentops.span("call", kind="llm") as call:
            call.set("gen_ai.request.model", "gpt-4o")
    agentops.shutdown()
    assert main(["audit", "--json", "--dir", str(tmp_path)]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {record["action"] for record in records} == {"start", "configure", "limit", "approval", "in use"}
    approval = next(record for record in records if record["action"] == "approval")
    assert (approval["by"], approval["changes"]["chosen"], approval["changes"]["agent"]) == ("Ann", "yes", "work")
    assert next(r for r in records if r["action"] == "in use")["changes"]["gen_ai.request.model"] == "gpt-4o"
    assert main(["audit", "verify", "--key", "env:AUDIT", "--dir", str(tmp_path)]) == 0
    assert "whole" in capsys.readouterr().out
    assert main(["audit", "head", "--dir", str(tmp_path)]) == 0
    anchor = capsys.readouterr().out.strip()
    (tmp_path / "audit" / "000001.jsonl").write_bytes(b"".join(lines(tmp_path / "audit" / "000001.jsonl")[:-1]))
    (tmp_path / "audit" / "head").unlink()
    assert main(["audit", "verify", "--key", "env:AUDIT", "--anchor", anchor, "--dir", str(tmp_path)]) == 1
    assert "it was cut" in capsys.readouterr().out


def test_secrets_and_personal_data_go_from_all_that_users_write(tmp_path: Path) -> None:
    secret = "sk-proj-" + "Ab3dEf6hIj9lMn2pQr5tUv8xYz1aBc4dEf7gHi0jKl3mNo6p"
    text = f"ann@home.example {secret}"
    told: list[Any] = []
    alert = {"name": f"mail {text}", "when": "tool failures > 0", "then": [told.append]}
    agentops.init(
        directory=tmp_path, exporters=["jsonl"], integrations=[], audit=True, pii=["email", "phone", "card"],
        alerts=[alert], resource_attributes={"owner.phone": 4155552671, "shelves": [4111111111111111]},
    )  # fmt: skip
    with pytest.raises(ValueError, match="x"), agentops.span("look", kind="tool"):
        raise ValueError("x")
    agentops.flush()
    agentops.pause(f"scout {text}", reason=text)
    agentops.resume(f"scout {text}")
    agentops.decide("refund", options=["yes", "no"], chosen="yes", by="human", by_name=text)
    agentops.shutdown()
    assert told
    log = (tmp_path / "audit" / "000001.jsonl").read_text()
    assert {json.loads(line)["action"] for line in log.splitlines()} >= {"alert", "pause", "resume", "start"}
    assert ("ann@home" in log, secret in log, "mail [redacted:email] [redacted:openai-key]" in log) == (
        False, False, True,
    )  # fmt: skip
    assert secret not in json.dumps(list(audit_log.last))
    assert ("4155552671" in log, "4111111111111111" in log, "[redacted:phone]" in log) == (False, False, True)
    agentops.shutdown()
    audit_log.scrub = None
    audit_log.record("x", text, {text: text}, tmp_path)  # a command, where nothing runs
    assert secret not in (tmp_path / "audit" / "000001.jsonl").read_text()


@pytest.mark.parametrize("is_watched", [False, True])
@pytest.mark.parametrize("keep_errors", [False, True])
def test_what_is_audited_is_no_matter_of_sampling(tmp_path: Path, is_watched: bool, keep_errors: bool) -> None:
    agentops.init(
        exporters=["jsonl"], directory=tmp_path, sample_ratio=0.0, keep_errors=keep_errors, integrations=[], audit=True,
        alerts=[{"when": "error rate > 99 %"}] if is_watched else [],
    )  # fmt: skip

    @agentops.tool
    def step() -> None: ...

    with pytest.raises(ValueError), agentops.span("run", kind="agent"):
        with agentops.limits(tool_calls=1, on_limit=lambda error: True):
            step()
            step()
        raise ValueError
    agentops.shutdown()
    records = [json.loads(line) for path in (tmp_path / "audit").glob("*.jsonl") for line in lines(path)]
    assert [record["action"] for record in records].count("override") == 1
