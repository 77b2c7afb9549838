"""``agentops mcp`` as a program, asked by the real client: every tool, what is withheld, how large an answer gets."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.traces.samples import TRACE, agent, chat, message, run, span, tool, troubled

from agentops_sdk import semconv
from agentops_sdk.cli import main
from agentops_sdk.cli.mcp import add_arguments

OTHER = "c" * 32
SECRET = "the vault's word is heron"
CLEARS = "\x1b[2J\x07"
LONG = "A sentence that is one of many. " * 300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = agent("billing", trace_id=OTHER, at=90_000)
    said = {semconv.OUTPUT_MESSAGES: json.dumps([message("assistant", SECRET + LONG)])}
    round_ = {semconv.TOOL_CALL_ARGUMENTS: json.dumps({"id": SECRET}), semconv.TOOL_CALL_RESULT: SECRET}
    tools = [tool("look up", top, round_, at=90_010 + n, trace_id=OTHER) for n in range(3)]
    lost = chat(top, trace_id=OTHER, at=90_020, status="error", attributes=said | {semconv.ERROR_TYPE: "APIError"})
    chosen = {
        semconv.KIND: "decision", semconv.DECISION_NAME: "route", semconv.DECISION_OPTIONS: '["a", "b"]',
        semconv.DECISION_CHOSEN: "a", semconv.DECISION_REASON: SECRET,
    }  # fmt: skip
    records = [
        *run(),
        *troubled(),
        *tools,
        lost,
        span(f"route{CLEARS}", chosen, parent=top, trace_id=OTHER, at=90_030),
        top,
    ]
    (tmp_path / "a.jsonl").write_text("".join(r.model_dump_json(exclude_unset=True) + "\n" for r in records))
    return tmp_path


@asynccontextmanager
async def asked(folder: Path, *options: str) -> AsyncIterator[Any]:
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    arguments = ["-m", "agentops_sdk", "mcp", "--dir", str(folder), *options]
    program = StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ))
    async with stdio_client(program) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        yield session


async def text(session: Any, name: str, **arguments: Any) -> str:
    answer = await session.call_tool(name, arguments)
    failed = getattr(answer, "isError", None) or getattr(answer, "is_error", None)
    (part,) = answer.content
    return f"FAILED {part.text}" if failed else str(part.text)


CALLS: dict[str, dict[str, Any]] = {
    "list_traces": {}, "search_traces": {"text": "heron"}, "show_trace": {"messages": True}, "list_steps": {},
    "show_step": {}, "explain": {}, "decisions": {}, "compare_traces": {"a": TRACE, "b": OTHER},
    "stats": {"by": "tool"}, "find_errors": {}, "find_waste": {},
}  # fmt: skip


async def test_a_coding_agent_reads_runs_and_no_content(folder: Path) -> None:
    async with asked(folder) as session:
        offered = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert set(offered) == set(CALLS)
        schema = offered["list_traces"].model_dump(by_alias=True)["inputSchema"]["properties"]
        assert {"limit", "offset", "agent", "since", "where", "errors"} <= set(schema)
        rows = json.loads(await text(session, "list_traces"))
        assert rows["count"] == 3
        assert rows["rows"][0]["trace"] == OTHER
        assert rows["rows"][0]["name"] == "invoke_agent billing"
        assert [row["trace"] for row in json.loads(await text(session, "list_traces", agent="travel"))["rows"]] == [
            TRACE
        ]
        page = json.loads(await text(session, "list_traces", limit=1, offset=1))
        assert (len(page["rows"]), page["next_offset"]) == (1, 2)
        steps = json.loads(await text(session, "list_steps", failed=True))["rows"]
        assert [(step["kind"], step["outcome"]) for step in steps] == [("llm", "error")]
        answers = {
            name: await text(session, name, **(arguments | ({"span": steps[0]["step"]} if name == "show_step" else {})))
            for name, arguments in CALLS.items()
        }
        assert not [name for name, answer in answers.items() if answer.startswith("FAILED")]
        assert [row["trace"] for row in json.loads(answers["search_traces"])["rows"]] == [OTHER]
        assert "look up was called 3 times" in answers["explain"]
        assert "chose a" in answers["explain"]
        assert json.loads(answers["find_errors"])["rows"][0]["type"] in ("APIError", "TimeoutError")
        wasted = {row["trace"]: row for row in json.loads(answers["find_waste"])["rows"]}
        assert wasted[OTHER]["wasted"] == "$0.000144"
        assert "vault" not in "".join(answers.values())
        (decision,) = json.loads(await text(session, "list_steps", kind="decision"))["rows"]
        answers["show_step"] = await text(session, "show_step", span=decision["step"])
        assert "name: route\\x1b[2J\\x07" in answers["show_step"]
        assert not {"\x1b", "\x07"} & set("".join(answers.values()))
        for name in (semconv.OUTPUT_MESSAGES, semconv.TOOL_CALL_RESULT):
            assert (await text(session, "stats", by=name)).startswith("FAILED")
        assert "no trace begins with" in await text(session, "show_trace", trace="ffff")
        assert "outcome" in await text(session, "list_traces", outcome="great")
        assert "one of" in await text(session, "list_steps", kind="model")


async def test_content_is_shown_where_it_is_asked_for_in_answers_of_a_bounded_size(folder: Path) -> None:
    async with asked(folder, "--content", "--max-chars", "2000") as session:
        assert SECRET in await text(session, "explain")
        steps = json.loads(await text(session, "list_steps", kind="llm"))["rows"]
        parts, offset = [], 0
        while True:
            answer = await text(session, "show_step", span=steps[0]["step"], offset=offset)
            assert len(answer) <= 2_000
            part, _, rest = answer.partition("\n[")
            parts.append(part)
            if not rest:
                break
            offset = int(rest.partition("offset=")[2].rstrip("]"))
        assert len(parts) > 5
        assert f"assistant: {SECRET}{LONG}".rstrip() in "".join(parts)
        if "sql" in {tool.name for tool in (await session.list_tools()).tools}:  # where DuckDB is installed
            answer = json.loads(await text(session, "sql", query="SELECT trace_id FROM traces ORDER BY 1"))
            assert (answer["columns"], answer["rows"][-1]) == (["trace_id"], [OTHER])
            seen, offset = 0, 0
            while offset is not None:
                page = json.loads(
                    await text(session, "sql", query="SELECT repeat('x', 900) FROM range(3)", offset=offset)
                )
                seen, offset = seen + len(page["rows"]), page.get("next_offset")
            assert seen == 3
            assert len(await text(session, "sql", query=f'SELECT 1 AS "{"c" * 9_000}"')) <= 2_000
            page = json.loads(await text(session, "sql", query="SELECT 1 FROM range(1200)", offset=1_100))
            assert len(page["rows"]) == 100
            assert (await text(session, "sql", query="CREATE TABLE t (a INT)")).startswith("FAILED")
        else:
            assert importlib.util.find_spec("duckdb") is None
        assert len(await text(session, "stats", by="a." + "b" * 9_000)) <= 2_000
        seen, offset = 0, 0
        while offset is not None:
            answer = await text(session, "list_steps", trace=TRACE, offset=offset)
            assert len(answer) <= 2_000
            seen += len(json.loads(answer)["rows"])
            offset = json.loads(answer).get("next_offset")
        assert seen == 8


def test_an_answer_too_small_to_read_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcp", "--dir", str(folder), "--max-chars", "10"]) == 2
    assert "--max-chars" in capsys.readouterr().err


def test_what_the_page_has_editors_start_is_a_command_that_there_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "coding-agents.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(json|toml)\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 4
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    for language, block in blocks:
        settings: Any = json.loads(block) if language == "json" else tomllib.loads(block)
        ((_, servers),) = settings.items()
        assert servers["agentops"]["command"] == "agentops"
        command, *arguments = servers["agentops"]["args"]
        assert (command, parser.parse_args(arguments).dir) == ("mcp", ".agentops")
