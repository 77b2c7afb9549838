"""Whole programs against a script in the place of the program that the SDK runs, over its real protocol."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.integrations.framework_programs import MODES, check

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

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
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("cli.py")}" "$@"\n')
    path.chmod(0o755)
    _path.append(path)
    yield
    _path.clear()


_path: list[Path] = []


def _options(behavior: str, **options: Any) -> Any:
    from claude_agent_sdk import ClaudeAgentOptions, PermissionResultAllow, PermissionResultDeny

    async def ask(name: str, arguments: Any, context: Any) -> Any:
        return PermissionResultAllow() if behavior == "allow" else PermissionResultDeny(message="not today")

    return ClaudeAgentOptions(cli_path=_path[0], can_use_tool=ask, **options)


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


def pieces(_: Any) -> None:
    """Replies that come in pieces, read by a program that leaves after each message and comes back for the next."""
    from claude_agent_sdk import ClaudeSDKClient, ResultMessage

    async def run() -> None:
        async with ClaudeSDKClient(_options("allow", include_partial_messages=True)) as client:
            await client.query("What is there?")
            while not isinstance(await anext(aiter(client.receive_messages())), ResultMessage):
                pass

    asyncio.run(run())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", [conversation, question, pieces], ids=lambda program: program.__name__)
def test_program(program: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = check(program, TREES, mode, monkeypatch, server=Server)
    calls = [span.attributes for span in spans if span.attributes["agentops.kind"] == "llm"]
    if program is pieces:
        assert [call["gen_ai.usage.output_tokens"] for call in calls] == [5] * CALLS
        assert [call["agentops.stream.chunks"] for call in calls] == [7, 5, 7, 5, 5]
        assert [call["gen_ai.response.finish_reasons"] for call in calls[:2]] == [["tool_calls"]] * 2
    assert {call["gen_ai.response.model"] for call in calls} == {"claude-sonnet-4-5"}
    assert {span.attributes["gen_ai.conversation.id"] for span in spans} == {"s1"}
    sources = {call["agentops.usage.source"] for call in calls}
    assert sources == {"reported" if program is pieces else "estimated"}
    (agent,) = [span.attributes for span in spans if span.name == "invoke_agent claude"]
    assert agent["agentops.metadata.claude.total_cost_usd"] == 0.5
    assert agent["agentops.metadata.claude.output_tokens"] == 5 * CALLS
    assert "agentops.cost.amount" not in agent


@pytest.mark.parametrize("prompt", ["Wait in words.", "Wait in a tool."])
@pytest.mark.parametrize("way", ["interrupt", "cancel", "leave"])
def test_what_is_stopped_ends_with_all_that_runs_in_it(way: str, prompt: str) -> None:
    """By the client's own word, by the task's end, or by leaving: one tree, which ends as it was ended."""
    from claude_agent_sdk import ClaudeSDKClient, StreamEvent

    async def run() -> None:
        async with ClaudeSDKClient(_options("allow", include_partial_messages=True)) as client:
            await client.query(prompt)
            last = "content_block_start" if prompt == "Wait in words." else "message_stop"
            async for message in client.receive_response():
                if not isinstance(message, StreamEvent) or message.event["type"] != last:
                    continue
                if way == "interrupt":
                    await client.interrupt()
                elif way == "cancel":
                    asyncio.current_task().cancel()  # type: ignore[union-attr]  # it runs in one
                else:
                    break

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    with pytest.raises(asyncio.CancelledError) if way == "cancel" else nullcontext():
        asyncio.run(run())
    assert agentops.flush()
    assert agentops.status().spans["open"] == 0
    agentops.shutdown()
    outcome = "abandoned" if way == "leave" else "cancelled"
    spans = {span.name: span.attributes for span in exporter.finished_spans()}
    model = spans["chat claude-sonnet-4-5"]
    inside = model if prompt == "Wait in words." else spans["execute_tool Bash"]
    assert (inside["agentops.outcome"], spans["invoke_agent claude"]["agentops.outcome"]) == (outcome, outcome)
    assert (model["agentops.outcome"] == "ok") is (prompt == "Wait in a tool.")
    assert model.get("gen_ai.usage.output_tokens", 5) == 5


def test_what_a_hook_says_is_the_tools_decision(tmp_path: Path) -> None:
    """It hears what it hears without us, its answer counts, and a tool that it refuses has not failed."""
    from claude_agent_sdk import ClaudeAgentOptions, HookMatcher, query

    heard: list[Any] = []

    async def before(told: Any, ident: Any, context: Any) -> Any:
        heard.append((told["hook_event_name"], told["tool_name"], ident))
        if ident == "t0-1":
            return {}
        about = {"permissionDecision": "deny", "permissionDecisionReason": "not here"}
        return {"hookSpecificOutput": {"hookEventName": "PreToolUse", **about}}

    async def after(told: Any, ident: Any, context: Any) -> Any:
        heard.append((told["hook_event_name"], told["tool_name"], ident))
        return {}

    script = Path(__file__).with_name("rounds.py")
    _path[0].write_text(f'#!/bin/sh\nexec "{sys.executable}" -E "{script}" "{tmp_path / "log"}" 2 "$@"\n')
    matchers = {"PreToolUse": [HookMatcher(hooks=[before])], "PostToolUse": [HookMatcher(hooks=[after])]}
    hooks = [list(each[0].hooks) for each in matchers.values()]

    async def run() -> None:
        async for _ in query(prompt="go", options=ClaudeAgentOptions(cli_path=_path[0], hooks=matchers)):
            pass

    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    asyncio.run(run())
    assert agentops.flush()
    agentops.shutdown()
    assert heard == [("PreToolUse", "Bash", "t0-0"), ("PreToolUse", "Bash", "t0-1"), ("PostToolUse", "Bash", "t0-1")]
    assert [each[0].hooks for each in matchers.values()] == hooks
    denied, ran = (span.attributes for span in exporter.finished_spans() if span.name == "execute_tool Bash")
    assert (denied["agentops.outcome"], ran["agentops.outcome"]) == ("cancelled", "ok")
    told = {name: denied[f"agentops.decision.{name}"] for name in ("name", "chosen", "by", "reason")}
    assert told == {"name": "permission", "chosen": "deny", "by": "code", "reason": "not here"}
    assert "agentops.decision.chosen" not in ran


def test_content_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for span in check(conversation, TREES, "private", monkeypatch, server=Server, capture_content=False):
        told = str([span.name, dict(span.attributes), [dict(event.attributes) for event in span.events]])
        assert not any(words in told for words in ("secret words", "What is there", "a.txt")), span.name
