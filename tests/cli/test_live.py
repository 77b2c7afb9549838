"""``tail`` and ``top`` over files that processes write at the same moment."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from tests.traces.samples import T0, agent, chat, tool

from agentops_sdk.cli import main
from agentops_sdk.traces import SpanRecord
from agentops_sdk.traces.follower import Follower
from agentops_sdk.traces.process_identity import this_process
from agentops_sdk.traces.search.chosen_events import ChosenEvents


def now(record: SpanRecord, *, ago: float = 0.0) -> SpanRecord:
    """The record as if it had ended just now."""
    moved = time.time_ns() - T0 - (record.end_ns - T0) - int(ago * 1e9)
    return record.model_copy(update={"start_ns": record.start_ns + moved, "end_ns": record.end_ns + moved})


def as_line(record: SpanRecord) -> str:
    return record.model_dump_json(exclude_unset=True, exclude={"start", "end"}) + "\n"


def open_line(record: SpanRecord, **process: object) -> str:
    fields = json.loads(as_line(record))
    return json.dumps({**fields, "outcome": "running", "process": {**this_process(), **process}}) + "\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / ".agentops" / "traces"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AGENTOPS_DIR", raising=False)
    return folder


def seen(follower: Follower) -> list[tuple[str, str, str]]:
    return [(event.kind, event.record.name, event.record.outcome) for event in follower.events()]


def test_each_step_starts_once_and_ends_once(folder: Path) -> None:
    top = agent("travel", span_id="a" * 16)
    search, pay = tool("search", top), tool("pay", top)
    file, opened = folder / "a.jsonl", folder / "a.jsonl.open"
    file.write_text(as_line(agent("before", trace_id="b" * 32)))
    follower = Follower(folder)
    assert seen(follower) == []  # what was there before
    opened.write_text(open_line(top))
    assert seen(follower) == [("started", "invoke_agent travel", "running")]
    assert seen(follower) == []
    with file.open("a") as writer:
        writer.write(as_line(search) + as_line(pay)[:40])  # a line that is still being written
    assert seen(follower) == [("ended", "execute_tool search", "ok")]
    with file.open("a") as writer:
        writer.write(as_line(pay)[40:] + "no record\n" + as_line(top))
    assert seen(follower) == [("ended", "execute_tool pay", "ok"), ("ended", "invoke_agent travel", "ok")]
    opened.unlink()
    (folder / "b.jsonl").write_text(as_line(search))  # a file that another process has begun since
    (folder / "c.jsonl.open").write_text(open_line(tool("killed", top), pid=2**22 + 1, start=0))
    assert seen(follower) == [("ended", "execute_tool killed", "unfinished"), ("ended", "execute_tool search", "ok")]
    assert seen(follower) == []


def test_tail_prints_steps_by_trace_and_escapes_what_paints(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = agent("travel")
    failed = now(tool("pay \x1b[31m", top, status="error", status_message="no money"))
    (folder / "a.jsonl").write_text(as_line(now(chat(top))) + as_line(failed) + as_line(now(top)))
    (folder / "a.jsonl.open").write_text(open_line(now(tool("slow", top))))
    assert main(["tail", "--since", "1h", "--seconds", "0"]) == 0
    lines = [line.split(" ", 2)[2] for line in capsys.readouterr().out.splitlines()]
    assert sorted(lines) == sorted((
        "  → execute_tool slow", "  ◆ chat gpt-4o-mini ok  100 ms  800→40  $0.000144",
        "  ■ execute_tool pay \\x1b[31m error  100 ms  no money", "● invoke_agent travel ok  100 ms  800→40  $0.000144",
    ))  # fmt: skip
    assert main(["tail", "--since", "1h", "--seconds", "0", "--errors", "--json"]) == 0
    assert [json.loads(line)["outcome"] for line in capsys.readouterr().out.splitlines()] == ["error"]
    assert main(["tail", "--seconds", "0"]) == 0
    assert "execute_tool slow" in capsys.readouterr().out  # what runs now is shown, what was is not
    assert main(["tail", "--seconds", "soon"]) == 2


def test_tail_and_top_take_the_filters_of_ls(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run is held back until what is known of it meets them, and then shown from its first step on."""
    ours, other = agent("travel", trace_id="a" * 32), agent("billing", trace_id="b" * 32)
    records = [chat(ours, trace_id="a" * 32), ours, tool("pay", other, trace_id="b" * 32), other]
    (folder / "a.jsonl").write_text("".join(as_line(now(record)) for record in records))
    for filters, shown in (
        (["--agent", "tra*"], "travel"), (["--tool", "pay"], "billing"), (["--min-cost", "0.0001"], "travel"),
        (["--where", "gen_ai.request.model = gpt-4o-mini"], "travel"), (["--text", "billing"], "billing"),
    ):  # fmt: skip
        assert main(["tail", "--since", "1h", "--seconds", "0", *filters]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 2, filters
        assert f"invoke_agent {shown} ok" in lines[1]
        assert main(["top", "-n", "1", *filters]) == 0
        told = capsys.readouterr().out
        assert shown in told
        assert {"travel": "billing", "billing": "travel"}[shown] not in told
    assert main(["tail", "--seconds", "0", "--outcome", "good"]) == 2


def test_what_happens_later_in_a_chosen_run_is_shown_and_what_is_given_up_is_counted(folder: Path) -> None:
    top = agent("travel", trace_id="a" * 32)
    follower, chosen = Follower(folder), ChosenEvents({"tool": "pay"})

    def write(*records: SpanRecord) -> list[str]:
        with (folder / "a.jsonl").open("a") as file:
            file.writelines(map(as_line, records))
        return [event.record.name for event in chosen.of(follower.events())]

    assert write(tool("search", top, trace_id="a" * 32)) == []
    assert write(tool("pay", top, trace_id="a" * 32, at=500)) == ["execute_tool search", "execute_tool pay"]
    assert write(top) == ["invoke_agent travel"]
    assert write(*(agent("other", trace_id=f"{number:032x}") for number in range(1_002))) == []
    assert chosen.dropped == 2
    assert write(tool("pay", None, trace_id=f"{1_001:032x}")) == ["invoke_agent other", "execute_tool pay"]


def test_top_counts_each_call_once_per_minute(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = now(agent("travel"), ago=30)
    outer = now(chat(top, tokens=None, cost=None), ago=10)  # a framework's report of the call below it
    (folder / "a.jsonl").write_text("".join(map(as_line, (
        top, outer, now(chat(outer), ago=10), now(tool("pay", top, status="error")), now(chat(None), ago=100),
    ))))  # fmt: skip
    (folder / "a.jsonl.open").write_text(open_line(agent("busy", trace_id="c" * 32)))
    assert main(["top", "-n", "1"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split("  ")[1:] == ["1 running", "1.0 calls/min", "0 failed", "840 tokens/min", "$0.000144/min"]
    tables = {row.split("  ")[0]: row.split("  ")[1:] for row in rows if row}
    assert tables["invoke_agent busy"][-1] == "cccccccc"
    assert tables["gpt-4o-mini-2024-07-18"] == ["1.0", "-", "100 ms", "840", "$0.000144"]
    assert tables["pay"][:2] == ["1.0", "1"]
    assert main(["top", "--interval", "0"]) == 2
    # Of a run that goes on: its agent has not ended, and the tool is nothing whose cost nobody knows.
    (folder / "a.jsonl").write_text(as_line(now(tool("pay", agent("travel"), flags=257))))
    assert main(["top", "-n", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("0 tokens/min  $0/min")
    # What is estimated is marked, and what nobody knows is not 0.
    guessed = now(chat(None, source="estimated"))
    killed = now(chat(None, tokens=None, cost=None, trace_id="d" * 32)).model_copy(update={"outcome": "unfinished"})
    for records, told in (([guessed], "~840 tokens/min  ~$0.000144/min"), ([killed], "? tokens/min  unknown/min"),
                          ([guessed, killed], "≥~840 tokens/min  ≥~$0.000144/min")):  # fmt: skip
        (folder / "a.jsonl").write_text("".join(map(as_line, records)))
        assert main(["top", "-n", "1"]) == 0
        assert capsys.readouterr().out.splitlines()[0].endswith(told)


def test_what_is_not_there_yet_is_waited_for_and_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["tail", "--seconds", "0.1"], ["top", "-n", "1"]):
        assert main([*command, "--from", "elsewhere"]) == 0
        assert capsys.readouterr().err == "agentops: elsewhere does not exist yet: waiting for it\n"
        assert main([*command, "--from", str(folder)]) == 0
        assert not capsys.readouterr().err


def test_top_follows_the_size_of_its_terminal(folder: Path) -> None:
    (folder / "a.jsonl").write_text("".join(as_line(now(tool(f"tool number {n}", None))) for n in range(30)))
    main_end, terminal = pty.openpty()

    def resize(rows: int, columns: int) -> None:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    resize(40, 100)
    variables = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = [sys.executable, "-m", "agentops_sdk", "top", "--interval", "0.05"]
    deadline, shown, height = time.monotonic() + 30, b"", 40
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, env={**variables, "TERM": "xterm"}) as process:
        while time.monotonic() < deadline and process.poll() is None:
            if not select.select([main_end], [], [], 1)[0]:
                continue
            shown += os.read(main_end, 65_536)
            frames = shown.split(b"\x1b[H")[1:-1]  # the whole ones
            if height == 40 and frames and b"tool number" in frames[-1]:
                resize(height := 8, 60)
                shown = b""
            elif height == 8 and frames and frames[-1].count(b"\n") < height:
                break
        running = process.poll() is None
        process.terminate()
    os.close(terminal)
    os.close(main_end)
    assert running
    assert height == 8
    assert frames[-1].count(b"\n") < height
