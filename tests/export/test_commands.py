"""``agentops ship`` and ``agentops doctor`` as a person runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.export.receiver import Receiver

import agentops_sdk as agentops
from agentops_sdk.cli import doctor


def command(place: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "AGENTOPS_"))}
    return subprocess.run(
        [sys.executable, "-m", "agentops_sdk", *arguments],
        cwd=place, capture_output=True, text=True, timeout=90, env={**clean, **env}, check=False,
    )  # fmt: skip


def leave_behind(receiver: Receiver, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run during an outage, with JSONL beside it."""
    monkeypatch.chdir(place)
    # Told to come back in an hour, the sink sends nothing more once the first answer is in.
    receiver.behave = lambda _names, _size: (503, {"retry-after": "3600"}, b"outage")
    agentops.init(exporters=["jsonl", f"otlp:{receiver.url}"], integrations=[], shutdown_timeout=0.5)
    for number in range(30):
        with agentops.span(f"s{number}"):
            pass
    assert not agentops.flush(60.0)
    assert receiver.requests == 1
    agentops.shutdown()
    receiver.behave = lambda _names, _size: None


def test_ship_sends_the_spool_once(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_behind(receiver, tmp_path, monkeypatch)
    done = command(tmp_path, "ship", "--to", receiver.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "30 spans sent" in done.stdout
    assert len(receiver.names) == 30
    assert "0 spans sent" in command(tmp_path, "ship", "--to", receiver.url).stdout


def test_ship_says_what_is_left_when_nobody_answers(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(receiver, tmp_path, monkeypatch)
    receiver.behave = lambda _names, _size: (503, {}, b"still out")
    done = command(tmp_path, "ship", "--to", receiver.url, "--timeout", "5")
    assert done.returncode == 1
    assert "30 left in the spool" in done.stdout
    assert "still out" in done.stderr
    receiver.behave = lambda _names, _size: None
    assert command(tmp_path, "ship", "--to", receiver.url).returncode == 0


def test_ship_sends_jsonl_files_that_were_made_without_otlp(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(receiver, tmp_path, monkeypatch)
    done = command(tmp_path, "ship", ".agentops/traces", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, AGENTOPS_DIR="other")
    assert done.returncode == 0, done.stderr
    assert sorted(receiver.names) == sorted(f"s{number}" for number in range(30))


def test_ship_sends_the_others_where_one_record_cannot_be_sent(receiver: Receiver, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"trace_id": f"{1:032x}", "span_id": f"{number:016x}", "name": f"s{number}", "start_ns": 5, "end_ns": 6}
        for number in range(1, 9)
    ]
    rows[2] |= {"flags": -1}
    rows[4] |= {"start_ns": -7, "attributes": {"large": 2**64 - 1, "bytes": {"$bytes": "a"}}}
    rows[5] |= {"start_ns": -7, "end_ns": 10**18 * 17, "attributes": {"large": 2**64 - 1}}
    (tmp_path / "runs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = command(tmp_path, "ship", "runs.jsonl", "--to", receiver.url)
    assert done.returncode == 1
    assert "6 spans sent" in done.stdout
    assert sorted(receiver.names) == ["s1", "s2", "s4", "s6", "s7", "s8"]
    assert done.stderr.count("cannot be sent") == 2
    assert "Traceback" not in done.stderr


def test_ship_moves_another_endpoints_spool_only_when_told(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(receiver, tmp_path, monkeypatch)
    elsewhere = receiver.url + "/other/v1/traces"
    done = command(tmp_path, "ship", "--to", elsewhere)
    assert "0 spans sent" in done.stdout
    (left,) = (tmp_path / ".agentops" / "spool").iterdir()
    assert f"30 spans wait in {left.relative_to(tmp_path)}: --to" in done.stderr
    done = command(tmp_path, "ship", "--to", elsewhere, "--all")
    assert "30 spans sent" in done.stdout
    assert done.stderr == ""


def test_ship_tries_again_what_was_refused(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    receiver.behave = lambda names, _size: (400, {}, b"no s3, please") if "s3" in names else None
    agentops.init(exporters=[f"otlp:{receiver.url}"], integrations=[])
    for number in range(10):
        with agentops.span(f"s{number}"):
            pass
    agentops.flush(10.0)
    agentops.shutdown()
    found = command(tmp_path, "doctor", "--json", AGENTOPS_EXPORTERS="jsonl")
    assert found.returncode == 1
    assert any("no s3, please" in finding["what"] for finding in json.loads(found.stdout))
    receiver.behave = lambda _names, _size: None
    assert "1 spans sent" in command(tmp_path, "ship", "--to", receiver.url, "--refused").stdout
    assert sorted(receiver.names) == sorted(f"s{number}" for number in range(10))
    assert command(tmp_path, "doctor", AGENTOPS_EXPORTERS="jsonl").returncode == 0


def test_doctor_finds_leftovers_and_reaches_the_backend(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(receiver, tmp_path, monkeypatch)
    done = command(tmp_path, "doctor", "--send", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "30 spans left behind" in done.stdout
    assert "-> agentops ship sends them" in done.stdout
    assert receiver.names == ["agentops doctor"]
    assert "openai" in done.stdout


def test_doctor_tells_what_waits_for_a_backend_that_is_away(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "_NOTICED", -1.0)
    receiver.behave = lambda _names, _size: (503, {}, b"")
    agentops.init(exporters=[f"otlp:{receiver.url}"], integrations=[])
    for number in range(3):
        with agentops.span(f"s{number}"):
            pass
    assert not agentops.flush(0.5)
    (found,) = (finding for finding in doctor.examine(send=False) if "spool " in finding.what)
    assert found.grade == "note"
    assert "1 live processes use it; 3 spans wait there" in found.what
    receiver.behave = lambda _names, _size: None
    assert agentops.flush(20.0)
    (found,) = (finding for finding in doctor.examine(send=False) if "spool " in finding.what)
    assert (found.grade, "wait there" in found.what) == ("ok", False)


def test_doctor_tells_that_a_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "_LEAST_FREE", 1 << 60)
    (tmp_path / ".agentops").mkdir(mode=0o700)
    assert [found.grade for found in doctor.examine(send=False) if "its disk is full" in found.what] == ["problem"]


def test_doctor_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    done = command(tmp_path, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "PROBLEM http://127.0.0.1:9/v1/traces: ConnectError" in done.stdout
    assert "is it running" in done.stdout


def test_ship_says_what_is_damaged_and_what_is_no_segment(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(receiver, tmp_path, monkeypatch)
    (segment,) = tmp_path.rglob("*.seg")
    segment.write_bytes(segment.read_bytes()[:-9])
    (segment.parent / "notes.seg").write_text("what I wanted to remember")
    (segment.parent / "lock").unlink()
    # The process that made it is this one, and lives: give it another one's number.
    stamp, _, rest = segment.parent.name.split("-")
    segment = segment.parent.rename(segment.parent.with_name(f"{stamp}-999999999-{rest}")) / segment.name
    done = command(tmp_path, "ship", "--to", receiver.url)
    assert done.returncode == 1
    assert f"{segment.name}: damaged in 1 place(s)" in done.stderr
    assert "notes.seg: not a segment of a spool, left where it is" in done.stderr
    assert "Traceback" not in done.stderr
    assert (segment.parent / "notes.seg").exists()
    assert not segment.exists()


def test_doctor_prints_nothing_that_a_terminal_obeys(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    evil = b"\x1b]0;owned\x07\x1b[2J\xc2\x9b31mno\xe2\x80\xae"
    receiver.behave = lambda _names, _size: (400, {"content-type": "text/plain; charset=\x9b"}, evil)
    folder = tmp_path / ".agentops/spool/127.0.0.1_1-\x1b[31m/refused"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text(json.dumps({"reason": "\x1b[2Jwiped", "spans": 1}))
    (folder / "2.json").write_text('{"torn')
    (folder.parent.parent / "other" / "refused").mkdir(parents=True)
    (folder.parent.parent / "other" / "refused" / "1.json").write_text(json.dumps({"reason": "\x1b[2Jwiped"}))
    for arguments in (("doctor",), ("doctor", "--send"), ("ship",)):
        done = command(tmp_path, *arguments, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
        assert "Traceback" not in done.stderr
        assert all(text.isprintable() for text in (done.stdout + done.stderr).splitlines())
        assert "owned" in done.stdout or arguments == ("ship",)
