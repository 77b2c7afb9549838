"""The command ``agentops`` as people and scripts run it."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.traces.samples import TRACE, chat, run, span, troubled

from agentops_sdk.cli import main
from agentops_sdk.traces import SpanRecord


def write(path: Path, *records: SpanRecord) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(record.model_dump_json(exclude_unset=True) + "\n" for record in records), encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path / ".agentops" / "traces" / "a.jsonl", *run(), *troubled())
    write(tmp_path / ".agentops" / "traces" / "b.jsonl", *run("a" * 32, at=-86_400_000))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AGENTOPS_DIR", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def run_command(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "agentops_sdk", *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        check=False,
    )


def test_ls(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls"]) == 0
    out, err = capsys.readouterr()
    rows = out.splitlines()
    assert [row.split()[0] for row in rows] == ["trace", "4bf92f35", "0af76519", "aaaaaaaa"]
    assert re.search(r"travel +3\.40 s +gpt-4o-\S+ +3\.0k +\$0\.00256 +ok$", rows[1])
    assert all(len(row) <= 80 for row in rows)
    assert err == ""
    assert main(["ls", "-n", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 more; -n shows more"


def test_ls_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls", "--json"]) == 0
    first, second, _ = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["trace_id"], first["llm_calls"], first["cost"]["amount"]) == (TRACE, 3, 0.002561)
    assert (second["cost"]["lower_bound"], second["cost"]["estimated"]) == (True, 0.000144)


def test_show_by_prefix_latest_and_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wanted in (["4bf"], ["latest"], [], [".agentops/traces/a.jsonl"]):
        assert main(["show", *wanted]) == 0
        assert capsys.readouterr().out.startswith("invoke_agent travel  ok  3.40 s")
    assert main(["show", "--messages"]) == 0
    assert "What is the weather in Paris?" in capsys.readouterr().out


def test_show_json_is_the_records(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "4bf", "--json"]) == 0
    read = [SpanRecord.model_validate_json(row) for row in capsys.readouterr().out.splitlines()]
    assert [record.name for record in read] == [record.name for record in sorted(run(), key=lambda r: r.start_ns)]


def test_show_svg(home: Path) -> None:
    assert main(["show", "--svg", "trace.svg"]) == 0
    assert (home / "trace.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize("by", ["model", "tool", "agent", "session", "day", "tag"])
def test_stats(home: Path, capsys: pytest.CaptureFixture[str], by: str) -> None:
    assert main(["stats", "--by", by]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].startswith(by)
    assert all(len(row) <= 80 for row in rows)
    assert main(["stats", "--by", by, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["total"]["traces"] == 3
    assert made["total"]["cost"]["lower_bound"]
    assert main(["stats", "--by", by, "--csv"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert sum(float(row["cost"] or 0) for row in table) == pytest.approx(made["total"]["cost"]["amount"])


def test_csv_keeps_unknown_apart_from_zero_and_runs_no_formula(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unknown = chat(None, model="=cmd()", cost=None, trace_id="b" * 32)
    write(home / "x.jsonl", unknown)
    assert main(["stats", "--csv", "--dir", "x.jsonl"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["cost"], row["cost_unknown"]) == ("", "1")
    assert row["key"].startswith("'=cmd()")


def test_nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AGENTOPS_DIR", raising=False)
    for command in ("ls", "show", "stats"):
        assert main([command]) == 1
        out, err = capsys.readouterr()
        assert (out, "does not exist" in err) == ("", True)
    (tmp_path / ".agentops" / "traces").mkdir(parents=True)
    assert main(["ls"]) == 1
    assert "no traces in .agentops/traces" in capsys.readouterr().err
    assert main(["show", "ff"]) == 1


def test_torn_and_foreign(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = home / ".agentops" / "traces"
    (place / "app.jsonl").write_text('{"level": "info"}\n')
    with (place / "a.jsonl").open("a") as file:
        file.write('{"v":1,"trace_id":"4bf92')
    assert main(["ls"]) == 0
    err = capsys.readouterr().err
    assert "app.jsonl holds no span records" in err
    assert "1 torn line(s) skipped" in err
    assert main(["show", str(place / "app.jsonl")]) == 1
    assert "no span records (1 foreign and 0 torn line(s))" in capsys.readouterr().err
    (home / "torn.jsonl").write_text('{"v":1,"trace_id":"4bf92')
    assert main(["show", "torn.jsonl"]) == 1
    assert "1 torn" in capsys.readouterr().err


def test_agentops_dir_and_dir(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir("/")
    assert main(["ls", "--dir", str(home / ".agentops")]) == 0
    assert main(["ls", "--dir", str(home / ".agentops" / "traces")]) == 0
    monkeypatch.setenv("AGENTOPS_DIR", str(home / ".agentops"))
    assert main(["ls"]) == 0
    assert capsys.readouterr().out.count("4bf92f35") == 3


@pytest.mark.parametrize(
    "wrong", [[], ["fly"], ["ls", "-n", "0"], ["ls", "-n", "x"], ["stats", "--by", "colour"], ["ls", "--wrong"]]
)
def test_wrong_usage(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(wrong) == 2
    assert "usage: agentops" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["ls", "-n", "many"], "'many': expected a whole number of at least 1"),
        (["dataset", "from", "-n", "0"], "'0': expected a whole number of at least 1"),
        (["feedback", "--worst", "x"], "'x': expected a whole number of at least 1"),
        (["export"], "--output=None: expected a FILE that ends in one of .trace.json, "),
        (["export", "-o", "run.txt"], "--output='run.txt': expected a FILE that ends in one of .trace.json, "),
        (["prompts", "show", "greeting"], "no prompt greeting in "),
        (["pause"], "nothing is paused in .agentops"),
        (["resume", "poet"], "poet is not paused in .agentops"),
    ],
)
def test_what_is_wrong_or_not_there_is_named_on_stderr(
    wrong: list[str], told: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.suppress(SystemExit):
        main(wrong)
    out, err = capsys.readouterr()
    assert told in err.replace(f"{home}/", "")
    assert out == ""


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("ls", "show", "stats"))


def test_a_pipe_gets_no_colours(home: Path) -> None:
    done = run_command("show", "4bf")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "├─ ■ execute_tool weather error" in done.stdout


def test_a_terminal_without_unicode(home: Path) -> None:
    done = run_command("show", "4bf", "--messages", PYTHONIOENCODING="ascii", TERM="dumb")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "|- # execute_tool weather error" in done.stdout
    assert "14 \\xb0C" in done.stdout
    for command in (["ls"], ["stats"]):
        assert run_command(*command, PYTHONIOENCODING="ascii").stdout.isascii()


def test_a_reader_that_leaves_early(home: Path) -> None:
    many = [span(f"span {n}", span_id=f"{n + 1:016x}", trace_id="c" * 32) for n in range(5000)]
    write(home / "many.jsonl", *many)
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "agentops_sdk", "show", "many.jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(30) == 0
    process.stderr.close()


def test_only_the_sixteen_colours_and_none_that_vanish(home: Path) -> None:
    done = run_command("show", "0af", FORCE_COLOR="1", TERM="xterm-256color")
    used = {code for run_ in re.findall(r"\x1b\[([\d;]*)m", done.stdout) for code in run_.split(";")}
    # reset, bold, dim, red, green, magenta, cyan: no black, white, yellow or blue, no background.
    assert used <= {"0", "1", "2", "31", "32", "35", "36"}
    assert "31" in used


def test_escapes_in_names_ids_and_paths_are_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(home / ".agentops" / "traces" / "z.jsonl", chat(None, model="\x1b[2Jm", trace_id="e" * 32, at=99_000))
    for args in (["ls"], ["show"], ["stats"], ["stats", "--csv"], ["show", "\x1b[2J"], ["ls", "--dir", "\x1b[2J"]):
        main(args)
        out, err = capsys.readouterr()
        assert "\x1b" not in out + err


def test_version_names_what_a_bug_report_needs() -> None:
    shown = run_command("--version").stdout
    assert re.fullmatch(r"agentops-recorder \d+\.\d+\.\d+, CPython 3\.\d+\.\d+, OpenTelemetry \d+\.\d+\.\d+\n", shown)
