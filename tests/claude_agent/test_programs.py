"""Whole programs against a script in the place of the program that the SDK runs, over its real protocol."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.integrations.framework_programs import MODES, check

pytest.importorskip("claude_agent_sdk", reason="claude-agent-sdk is not installed")

TREES = Path(__file__).parent / "trees"
CALLS = 5

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Server:
    """Has as many requests as the script has replies of a model."""

    def __enter__(self) -> Any:
        return SimpleNamespace(requests=[None] * CALLS)

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture(autouse=True)
def _cli(tmp_path: Path) -> Iterator[None]:
    path = tmp_path / "claude"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("cli.py")}"\n')
    path.chmod(0o755)
    _path.append(path)
    yield
    _path.clear()


_path: list[Path] = []


def _options(behavior: str) -> Any:
    from claude_agent_sdk import ClaudeAgentOptions, PermissionResultAllow, PermissionResultDeny

    async def ask(name: str, arguments: Any, context: Any) -> Any:
        return PermissionResultAllow() if behavior == "allow" else PermissionResultDeny(message="not today")

    return ClaudeAgentOptions(cli_path=_path[0], can_use_tool=ask)


def conversation(_: Any) -> None:
    """A client that is asked once; a permission is given; another agent reads."""
    from claude_agent_sdk import ClaudeSDKClient

    async def run() -> None:
        async with ClaudeSDKClient(_options("allow")) as client:
            await client.query("What is there?")
            messages = [message async for message in client.receive_response()]
        assert messages[-1].result == "Done."

    asyncio.run(run())


def question(_: Any) -> None:
    """One question without a client; the permission is refused."""
    from claude_agent_sdk import query

    async def prompt() -> Any:
        yield {"type": "user", "message": {"role": "user", "content": "What is there?"}}

    async def run() -> None:
        messages = [message async for message in query(prompt=prompt(), options=_options("deny"))]
        assert messages[-1].result == "Done."

    asyncio.run(run())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", [conversation, question], ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(program, TREES, mode, monkeypatch, server=Server)
    calls = [span.attributes for span in spans if span.attributes["agentops.kind"] == "llm"]
    assert [call["gen_ai.usage.output_tokens"] for call in calls] == [5] * CALLS
    (agent,) = [span.attributes for span in spans if span.name == "invoke_agent claude"]
    assert agent["agentops.metadata.claude.total_cost_usd"] == 0.5
    assert "agentops.cost.amount" not in agent


def test_content_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for span in check(conversation, TREES, "private", monkeypatch, server=Server, capture_content=False):
        told = str([span.name, dict(span.attributes), [dict(event.attributes) for event in span.events]])
        assert not any(words in told for words in ("secret words", "What is there", "a.txt")), span.name
