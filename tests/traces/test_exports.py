"""What other programs and people read: each form holds the runs, and nothing captured breaks out of it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.traces.samples import agent, chat, message, run, tool, troubled

from agentops_sdk import semconv
from agentops_sdk.cli import main
from agentops_sdk.errors import AgentOpsError
from agentops_sdk.traces import Trace, load
from agentops_sdk.traces.exports import form, names

HOSTILE = "`````\n</script># [x](javascript:1) \x1b[31m \ud800"


def hostile() -> Trace:
    top = agent(HOSTILE, trace_id="e" * 32)
    said = {semconv.INPUT_MESSAGES: json.dumps([message("user", HOSTILE)])}
    return Trace(
        [top, chat(top, trace_id="e" * 32, attributes=said), tool("x", top, trace_id="e" * 32, status="error")]
    )


def written(name: str, *traces: Trace) -> bytes:
    file = io.BytesIO()
    form(name).write(traces, file)
    return file.getvalue()


def test_json_is_one_document() -> None:
    first, last = json.loads(written("json", Trace(run()), hostile()))
    assert (first["cost"]["amount"], first["session"], len(first["spans"])) == (0.002561, "s-1", 8)
    assert [decision["chosen"] for decision in first["decisions"]] == [["retry"]]
    assert last["spans"][1]["attributes"]["gen_ai.operation.name"] == "chat"
    assert json.loads(written("json")) == []


def test_otlp_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(written("otlp", Trace(run()), Trace(troubled())))
    (again, _) = load(tmp_path)
    assert [span.name for span in again] == [span.name for span in Trace(run())]
    assert again.cost == Trace(run()).cost


def test_markdown_stays_text() -> None:
    page = written("markdown", Trace(run()), hostile()).decode()
    assert "## Decisions\n\n1. " in page
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", page, flags=re.DOTALL | re.MULTILINE)
    assert "What is the weather" not in outside  # what was said stands in blocks, whose fences it cannot close
    assert "<" not in outside.replace("\\<", "")
    assert "[x]" not in outside
    assert "\x1b" not in page


def test_chrome_lanes_never_overlap() -> None:
    top = agent("busy", took=1000)
    beside = [tool(f"t{n}", top, at=10 * n, took=500) for n in range(4)]
    inner = [chat(one, at=10 * n + 5, took=100) for n, one in enumerate(beside)]
    late = tool("late", top, at=990, took=500)  # outlives its parent
    events = json.loads(written("chrome", Trace([top, *beside, *inner, late]), hostile()))["traceEvents"]
    lanes: dict[Any, list[tuple[float, float]]] = {}
    for event in events:
        if event["ph"] == "X":
            open_now = lanes.setdefault((event["pid"], event["tid"]), [])
            start, end = event["ts"], event["ts"] + event["dur"]
            open_now[:] = [other for other in open_now if other[1] > start]
            assert all(end <= other[1] for other in open_now), event
            open_now.append((start, end))
    assert len(lanes) == 6
    assert {event["args"]["name"].split()[1] for event in events if event["ph"] == "M"} >= {"busy"}


def test_parquet_adds_up_or_says_what_is_missing() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `parquet` is not installed here")
    table = parquet.read_table(io.BytesIO(written("parquet", Trace(run()), Trace(troubled()), hostile())))
    assert table.num_rows == 15
    rows = table.to_pylist()
    of_run = [row for row in rows if row["trace_id"] == run()[0].trace_id]
    assert sum(row["cost"] or 0 for row in of_run) == pytest.approx(0.002561)
    assert sum(row["input_tokens"] or 0 for row in of_run) == Trace(run()).usage.input
    assert [row["cost_unknown_reason"] for row in rows if row["cost_unknown_reason"]] == ["no price for my-own-model"]
    assert table.schema.field("start").type.unit == "ns"


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jsonl").write_text(
        "".join(r.model_dump_json(exclude_unset=True) + "\n" for r in [*run(), *troubled()])
    )
    monkeypatch.chdir(tmp_path)
    assert main(["export", "--as", "chrome", "4bf", "--dir", "."]) == 0
    assert capsys.readouterr().out == "4bf92f35.trace.json\n"
    assert Path("4bf92f35.trace.json").stat().st_mode & 0o077 == 0
    assert main(["export", "--as", "json", "-o", "all.json", "--service", "demo", "--dir", "."]) == 0
    assert len(json.loads(Path("all.json").read_text())) == 2
    assert main(["export", "--as", "pdf"]) == 2
    for name, start in (("run.md", b"# "), ("run.json", b"["), ("run.trace.json", b"{"), ("run.otlp.jsonl", b"{")):
        assert main(["export", "4bf", "-o", name, "--dir", "."]) == 0  # the ending says the form
        assert Path(name).read_bytes().startswith(start)
    assert b'"traceEvents"' in Path("run.trace.json").read_bytes()
    assert main(["export", "4bf", "-o", "run.txt", "--dir", "."]) == 2
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(AgentOpsError, match=r"agentops-recorder\[parquet\]"):
        written("parquet", Trace(run()))
    assert names() == ["chrome", "json", "markdown", "otlp", "parquet"]
