"""What people see more of: sessions, columns, depth, equal steps once, a pager where the screen is too small."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tests.traces.samples import agent, chat, message, run, span, tool

from agentops_sdk import semconv
from agentops_sdk.cli import main
from agentops_sdk.setting_parsers import WrongValueError, trace_url
from agentops_sdk.traces import SpanRecord, Trace, load, sessions
from agentops_sdk.traces.display.render import text

DAY = 86_400_000.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / ".agentops" / "traces"
    folder.mkdir(parents=True)
    records = [*run(), *run("a" * 32, at=-DAY), *again(), agent("alone", trace_id="d" * 32, at=DAY)]
    (folder / "a.jsonl").write_text("".join(record.model_dump_json(exclude_unset=True) + "\n" for record in records))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AGENTOPS_DIR", raising=False)
    return tmp_path


def again() -> list[SpanRecord]:
    """Another session: one run that failed, with an answer that would paint the terminal."""
    top = agent("billing", trace_id="b" * 32, at=DAY, attributes={
        semconv.CONVERSATION_ID: "s-2", semconv.USER_ID: "ada", semconv.OUTCOME: "error",
    })  # fmt: skip
    said = {semconv.OUTPUT_MESSAGES: json.dumps([message("assistant", "\x1b[31mpaid")])}
    return [top, chat(top, trace_id="b" * 32, at=DAY, attributes=said)]


def test_sessions_are_runs_that_name_the_same(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    latest, older = sessions(load(home / ".agentops"))
    assert (latest.session_id, len(latest), latest.users, latest.failed, latest.outcome) == (
        "s-2", 1, ["ada"], 1, "error",
    )  # fmt: skip
    assert [trace.trace_id[0] for trace in older.traces] == ["a", "4"]  # oldest first
    assert older.cost == older.traces[0].cost + older.traces[1].cost
    assert main(["sessions"]) == 0
    assert [row.split()[0] for row in capsys.readouterr().out.splitlines()] == ["session", "s-2", "s-1"]
    assert main(["sessions", "s-1"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("user: What is the weather in Paris?") == 2
    assert "billing" not in shown
    assert main(["sessions", "latest"]) == 0
    assert "agent: \\x1b[31mpaid" in capsys.readouterr().out
    assert main(["sessions", "s-2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["answered"] == "\x1b[31mpaid"
    assert main(["sessions", "--user", "ada", "--columns", "users,runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"users": ["ada"], "runs": 1}


def test_columns(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls", "--columns", "session,name,spans", "--session", "s-1"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["session", "name", "spans"]
    assert [row.split() for row in rows] == [["s-1", "travel", "8"]] * 2
    assert main(["ls", "--columns", "when,user", "--json", "--user", "ada"]) == 0
    assert json.loads(capsys.readouterr().out) == {"when": "08-07 07:06", "user": "ada"}
    assert main(["stats", "--columns", "calls", "--csv", "--user", "ada"]) == 0
    assert capsys.readouterr().out.splitlines() == ["key,calls", "gpt-4o-mini-2024-07-18,1"]
    assert main(["stats", "--columns", "calls,model", "--user", "ada"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["calls", "model"]
    assert main(["ls", "--columns", "name,colour"]) == 2
    assert "some of trace_id, trace," in capsys.readouterr().err


def test_depth_counts_what_is_deeper(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "4bf", "--depth", "0"]) == 0
    shown = capsys.readouterr().out
    assert "… 7 more (1 failed)" in shown
    assert "7 of 8 spans are left out" in shown
    assert main(["show", "4bf", "--depth", "1"]) == 0
    assert "left out" not in capsys.readouterr().out
    assert main(["show", "--depth", "-1"]) == 2


def test_steps_that_look_alike_are_shown_once() -> None:
    top = agent("busy", took=10_000)
    calls = [chat(top, at=10 * number) for number in range(7)]
    failed = tool("search", top, at=100, status="error")
    searches = [tool("search", top, at=110 + number) for number in range(5)]
    trace = Trace([top, *calls, failed, *searches])
    shown = text(trace, whole=False)
    assert shown.count("chat gpt-4o-mini") == 1
    assert "… 6 more like it: 600 ms, 4.8k→240, $0.000864" in shown
    assert shown.count("execute_tool search") == 6  # five are not many, and what failed is like nothing
    assert "6 of 14 spans are left out" in shown
    assert text(trace, whole=True).count("chat gpt-4o-mini") == 7
    decided = [
        span("route", {semconv.KIND: "decision", semconv.DECISION_CHOSEN: "left"}, parent=top, at=n) for n in range(9)
    ]
    assert text(Trace([top, *decided]), whole=False).count("◇ route") == 9


def test_a_small_terminal_gets_a_pager(home: Path) -> None:
    """Under a real terminal of seven lines; what fits goes straight to the screen."""
    program = (
        "import os; from agentops_sdk.cli import main; main(['show', '4bf']); main(['show', '4bf', '--depth', '0']); "
        "os.environ['LINES'] = '2'; main(['ls', '--session', 's-1']); main(['stats'])"
    )
    main_end, terminal = pty.openpty()
    pager = f"{sys.executable} -c \"import sys; print('PAGED', len(sys.stdin.read().splitlines()))\""
    variables = {**os.environ, "PAGER": pager, "LINES": "7", "COLUMNS": "80", "TERM": "xterm"}
    with subprocess.Popen([sys.executable, "-c", program], stdin=terminal, stdout=terminal, env=variables):
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(main_end, 65_536)
            except OSError:  # as Linux says that nobody has the terminal open any more
                break
            if not part:
                break
            shown += part
    os.close(main_end)
    assert b"PAGED 12" in shown, shown
    assert b"PAGED 3" in shown, shown  # two runs
    assert shown.count(b"PAGED") == 3
    assert b"clock" not in shown
    assert b"7 more (1 failed)" in shown


def test_a_link_to_where_a_backend_shows_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trace_id = run()[0].trace_id
    for setting, url in (
        ("https://x.example/t?id={trace_id}", f"https://x.example/t?id={trace_id}"),
        ("jaeger:http://localhost:16686/", f"http://localhost:16686/trace/{trace_id}"),
        ("phoenix:http://localhost:6006", f"http://localhost:6006/redirects/traces/{trace_id}"),
        ("langfuse:https://h/project/p", f"https://h/project/p/traces/{trace_id}"),
    ):
        monkeypatch.setenv("AGENTOPS_TRACE_URL", setting)
        assert main(["show", "4bf", "--depth", "0"]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == url
    assert main(["ls", "--json", "--columns", "url", "--since", "2026-08-06", "--session", "s-1"]) == 0
    assert json.loads(capsys.readouterr().out) == {"url": url}
    for wrong in ("javascript:alert({trace_id})", "http://x.example/", "jaeger:ftp://x", "http://x/\x1b{trace_id}", 7):
        with pytest.raises(WrongValueError):
            trace_url(wrong)
