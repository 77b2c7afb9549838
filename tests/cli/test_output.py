"""What the commands print for a person and for a program: a terminal of its own, a pipe, a file."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.traces.samples import chat, run, span

LONG = "an agent with a name that is far longer than any terminal is wide " * 3 + "end"
COMMANDS = (["ls"], ["show", "c"], ["show", "latest"], ["stats"], ["stats", "--by", "agent"], ["decisions", "4bf"],
            ["compare", "4bf", "aaaaaaaa"])  # fmt: skip


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AGENTOPS_DIR", "COLUMNS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    folder = Path(".agentops/traces")
    folder.mkdir(parents=True)
    long = [
        span(LONG, span_id="1" * 16, trace_id="c" * 32, kind="agent", attributes={"gen_ai.agent.name": LONG}),
        chat("1" * 16, model=f"model-{LONG}", trace_id="c" * 32),
        span("short", span_id="2" * 16, trace_id="c" * 32, parent_id="1" * 16),
    ]
    records = [*run(), *run("a" * 32, at=-86_400_000), *long]
    text = "".join(record.model_dump_json(exclude_unset=True) + "\n" for record in records)
    (folder / "a.jsonl").write_text(text, encoding="utf-8")


def command(arguments: list[str], **environment: str) -> list[str]:
    return [sys.executable, "-m", "agentops_sdk", *arguments]


def through_a_pipe(arguments: list[str], **environment: str) -> str:
    done = subprocess.run(
        command(arguments), env={**os.environ, **environment}, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def in_a_terminal(arguments: list[str], width: int = 100) -> str:
    import termios

    near, far = os.openpty()
    termios.tcsetwinsize(far, (40, width))
    with subprocess.Popen(command(arguments), stdout=far, env={**os.environ, "TERM": "xterm"}) as running:
        os.close(far)
        printed = b""
        with contextlib.suppress(OSError):
            while part := os.read(near, 65_536):
                printed += part
    os.close(near)
    assert running.returncode == 0
    return re.sub(r"\x1b\[[\d;]*m", "", printed.decode().replace("\r\n", "\n"))


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("environment", [{}, {"COLUMNS": "40"}, {"LINES": "5", "TERM": "dumb"}], ids=str)
def test_through_a_pipe_nothing_is_cut_or_padded(arguments: list[str], environment: dict[str, str]) -> None:
    out = through_a_pipe(arguments, **environment)
    assert "…" not in out
    assert "\x1b" not in out
    for line in out.splitlines():
        assert line == line.rstrip()
        assert not re.search(r"\S {3,}\S", line.lstrip("│├└─ ")), line
    if arguments[0] in ("ls", "show") and arguments[-1] != "latest":
        assert LONG in out


def test_a_file_gets_the_same_as_a_pipe() -> None:
    with Path("out.txt").open("w", encoding="utf-8") as file:
        subprocess.run(command(["ls"]), stdout=file, check=True)
    assert Path("out.txt").read_text(encoding="utf-8") == through_a_pipe(["ls"])


def test_columns_of_a_pipe_stay_columns() -> None:
    """An empty cell has its place, so that the nth field of each line is the same."""
    rows = [re.split(r" {2}", line) for line in through_a_pipe(["ls"]).splitlines()]
    assert {len(row) for row in rows} == {len(rows[0])}


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no pseudo-terminal")
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_in_a_terminal_everything_fits(arguments: list[str]) -> None:
    out = in_a_terminal(arguments)
    assert all(len(line) <= 100 for line in out.splitlines() if not line.startswith("p: ")), out
    if arguments in (["ls"], ["show", "c"]):
        assert "…" in out
        assert LONG not in out


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_every_command_tells_the_same_time(zone: str) -> None:
    listed = through_a_pipe(["ls"], TZ=zone)
    assert "when (UTC)" in listed.splitlines()[0]
    (row,) = [line for line in listed.splitlines() if line.startswith("4bf92f35")]
    day, clock = re.search(r"(\d\d-\d\d) (\d\d:\d\d)", row).groups()  # type: ignore[union-attr]  # without a match it fails, too
    shown = through_a_pipe(["show", "4bf"], TZ=zone)
    assert re.search(rf"\d{{4}}-{day} {clock}:\d\d UTC", shown)
    assert f"-{day}" in through_a_pipe(["stats", "--by", "day"], TZ=zone)


def test_every_column_of_a_pipe_has_a_heading() -> None:
    for arguments in (["ls"], ["stats"]):
        assert "-" not in through_a_pipe(arguments).splitlines()[0].split()
    assert through_a_pipe(["ls"]).splitlines()[0].split()[-1] == "outcome"


def test_every_command_tells_the_same_cost_and_the_same_model() -> None:
    """A model with a date in its name, and a cost of many digits."""
    call = chat(None, cost=0.00123456, trace_id="d" * 32)
    text = call.model_dump_json(exclude_unset=True) + "\n"
    Path("one.jsonl").write_text(text, encoding="utf-8")
    Path("two.jsonl").write_text(text.replace("d" * 32, "e" * 32), encoding="utf-8")
    shown = [
        through_a_pipe([*arguments, "--dir", "one.jsonl"])
        for arguments in (["ls"], ["show"], ["stats"], ["compare", "one.jsonl", "two.jsonl"])
    ]
    assert [re.findall(r"\$[\d.]+", out)[0] for out in shown] == ["$0.00123"] * 4
    assert "gpt-4o-mini-2024-07-18" in shown[0]
    assert "gpt-4o-mini-2024-07-18" in shown[2]


def test_a_run_that_is_compared_with_itself_is_told() -> None:
    same = through_a_pipe(["compare", "4bf", "4bf92f35"])
    assert "A and B are the same run" in same
    assert "themselves" in through_a_pipe(["compare", "4bf", ".agentops/traces/a.jsonl"])
    other = through_a_pipe(["compare", "4bf", "aaaaaaaa"])
    assert "same run" not in other
    assert "themselves" not in other
    latest = through_a_pipe(["compare", "latest", "4bf"])
    assert re.search(r"A: latest \([0-9a-f]{8}\), 1 run", latest)
