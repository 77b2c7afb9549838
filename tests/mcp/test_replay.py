"""A run that called tools of a server, again: its tools answer as they did, and are not run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.cli import main

PROGRAM = """
import asyncio, json, sys
from tests.mcp.conftest import in_process
import agentops_sdk as agentops

try:
    from mcp.server.mcpserver import MCPServer
except ImportError:
    from mcp.server.fastmcp import FastMCP as MCPServer

server = MCPServer("shop")

def note(name):
    with open("ran.txt", "a") as file:
        file.write(name + " ")

@server.tool()
def price(a: int) -> int:
    note("price")
    return 2 * a

@server.tool()
def names() -> list[str]:
    note("names")
    return ["one", "two"]

@server.tool()
def label() -> str:
    note("label")
    return "5"

@server.tool()
def broken() -> str:
    note("broken")
    raise ValueError("out of stock")

async def talk(amount):
    said = []
    async with in_process(server) as client:
        for name, arguments in (("price", {"a": amount}), ("names", {}), ("label", {}), ("broken", {})):
            result = await client.call_tool(name, arguments)
            told = getattr(result, "structuredContent", None) or getattr(result, "structured_content", None)
            said.append([[block.text for block in result.content], told])
    return json.dumps(said)

@agentops.agent
def shopper(amount):
    return asyncio.run(talk(amount))

if __name__ == "__main__":
    agentops.init(exporters=["jsonl"])
    print(shopper(int(sys.argv[1])))
"""


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:.*deprecated.*")
def test_tools_of_a_server_answer_as_they_did_and_are_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("program.py").write_text(PROGRAM)
    namespace: dict[str, Any] = {"__name__": "program"}
    exec(PROGRAM, namespace)
    agentops.init(exporters=["jsonl"])
    said = namespace["shopper"](3)
    agentops.shutdown()
    ran = Path("ran.txt").read_text()
    assert ran == "price names label broken "
    capsys.readouterr()
    assert main(["replay", "--json", "--run", "program.py", "3"]) == 0, capsys.readouterr().err
    out, _ = capsys.readouterr()
    assert out.splitlines()[0] == said
    steps = {row["b"]["name"] for row in json.loads(out.splitlines()[1])["rows"] if row["same"] and row["b"]}
    assert steps >= {"tools/call price", "tools/call names", "tools/call label", "tools/call broken", "tools/list"}
    assert main(["replay", "--run", "program.py", "4"]) == 1
    assert "call of tool price differs from every one that is left in the run" in capsys.readouterr().err
    assert Path("ran.txt").read_text() == ran
