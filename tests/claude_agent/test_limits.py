"""Limits stop the program that the SDK runs: before its next tool or model call, by the SDK's own means.

Long because each is a way to be stopped of the same program.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk._host import admission
from agentops_sdk._limits import call_gate
from agentops_sdk.exporters.memory import MemoryExporter

sdk = pytest.importorskip("claude_agent_sdk", reason="claude-agent-sdk is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Program:
    """What runs in the other process: how, and what it has done."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self.path = folder / "claude"
        self.exporter = MemoryExporter()
        self.rounds(4)

    def rounds(self, number: int) -> None:
        script = Path(__file__).with_name("rounds.py")
        self.path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -E "{script}" "{self.log}" {number} "$@"\n')
        self.path.chmod(0o755)

    def options(self, **more: Any) -> Any:
        return sdk.ClaudeAgentOptions(cli_path=self.path, **more)

    def did(self) -> list[str]:
        done = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return done

    def spans(self, action: str | None = None) -> list[str]:
        assert agentops.flush()
        assert agentops.status().spans["open"] == 0
        spans = self.exporter.finished_spans()
        return [each.name for each in spans if action in (None, (each.attributes or {}).get("agentops.limit.action"))]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    monkeypatch.setenv("CLAUDE_AGENT_SDK_SKIP_VERSION_CHECK", "1")
    made = Program(tmp_path)
    admission.remove(call_gate.ask)  # no limit was set yet in this process
    agentops.init(exporters=[made.exporter], integrations=["claude_agent"])
    yield made
    gc.collect()  # the SDK leaves streams to the collector


async def question(program: Program, text: str = "go", **options: Any) -> Any:
    async for message in sdk.query(prompt=text, options=program.options(**options)):
        last = message
    return last


async def answered(client: Any, text: str = "go") -> Any:
    await client.query(text)
    async for message in client.receive_response():
        last = message
    return last


CASES: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "tool_calls": ({"tool_calls": 2}, ["model", "Bash"] * 2 + ["model"], ["execute_tool Bash"]),
    "per_tool": ({"per_tool": {"Bash": 1}}, ["model", "Bash", "model"], ["execute_tool Bash"]),
    "model_calls": ({"model_calls": 2}, ["model", "Bash"] * 2, ["chat claude-sonnet-4-5"]),
    "tokens": ({"tokens": 20}, ["model", "Bash", "model"], ["execute_tool Bash"]),
    "cost": ({"cost": 0.0001}, ["model"], ["execute_tool Bash"]),
    "repeats": ({"repeats": 2, "tool_calls": 9}, ["model", "Bash"] * 4 + ["model"], []),
    "seconds": ({"seconds": 1e-9}, [], []),
}


@pytest.mark.parametrize("case", CASES)
def test_a_question_is_stopped_before_the_next_call(program: Program, case: str) -> None:
    limits, did, refused = CASES[case]
    if not refused and did:
        with agentops.limits(**limits):  # each result is another one
            asyncio.run(question(program))
    else:
        with agentops.limits(**limits), pytest.raises(agentops.LimitExceeded) as caught:
            asyncio.run(question(program, include_partial_messages=case in ("tokens", "model_calls")))
        assert caught.value.limit == case
    assert program.did() == did
    assert program.spans("refused") == (refused or (["invoke_agent claude"] if not did else []))
    agent = next(span for span in program.exporter.finished_spans() if span.name == "invoke_agent claude")
    assert dict(agent.attributes or {})["agentops.outcome"] == ("error" if did != CASES["repeats"][1] else "ok")


def test_a_client_is_interrupted_and_goes_on(program: Program) -> None:
    async def run() -> None:
        async with sdk.ClaudeSDKClient(program.options()) as client:
            with agentops.limits(model_calls=2, tool_calls=3):
                for did in (["model", "Bash", "model", "Bash", "interrupted"], []):
                    with pytest.raises(agentops.LimitExceeded, match="2 model calls"):
                        await answered(client)
                    assert program.did() == did
            assert (await answered(client)).result == "Done."

    # Where there are limits as it connects, it is asked by hooks; the program is to stop, and has.
    with agentops.limits(model_calls=100):
        asyncio.run(run())
    assert program.did() == ["model", "Bash"] * 4 + ["model"]


def test_limits_that_come_after_the_connection_stop_it_between_messages(program: Program) -> None:
    """Without hooks, a tool may run by then: it is no refused one, but one that is cut."""

    async def run() -> None:
        async with sdk.ClaudeSDKClient(program.options()) as client:
            with agentops.limits(tool_calls=1), pytest.raises(agentops.LimitExceeded):
                await answered(client)
            assert program.did() == ["model", "Bash", "model", "interrupted"]
            assert (await answered(client)).result == "Done."
            await client.query("again")
            with pytest.raises(agentops.Paused, match="enough"):
                async for message in client.receive_response():
                    if type(message).__name__ == "UserMessage":
                        agentops.pause("claude", reason="enough")
            assert program.did()[-1] == "interrupted"
            with pytest.raises(agentops.Paused):
                await client.query("once more")
            agentops.resume("claude")

    asyncio.run(run())
    assert program.spans("refused") == []
    assert program.spans("cut") == ["execute_tool Bash"]
    agents = [dict(each.attributes or {}) for each in program.exporter.finished_spans() if "invoke" in each.name]
    assert [(each["agentops.outcome"], each.get("error.type")) for each in agents] == [
        ("error", "agentops_sdk.errors.LimitExceeded"), ("ok", None), *[("error", "agentops_sdk.errors.Paused")] * 2,
    ]  # fmt: skip


@pytest.mark.parametrize("way", ["words", "stream"])
def test_a_question_that_comes_with_the_connection(program: Program, way: str) -> None:
    """It is one like others: a run, asked about before the first call, and by hooks."""

    async def come() -> Any:
        yield {"type": "user", "message": {"role": "user", "content": "go"}}
        await asyncio.Event().wait()  # where it ends, the SDK closes the program's input

    async def run() -> None:
        client = sdk.ClaudeSDKClient(program.options())
        try:
            await client.connect("go" if way == "words" else come())
            async for _ in client.receive_response():
                pass
        finally:
            await client.disconnect()

    program.rounds(2)
    asyncio.run(run())
    assert program.did() == [*["model", "Bash"] * 2, "model"]
    assert program.spans().count("invoke_agent claude") == 1
    with agentops.limits(tool_calls=1), pytest.raises(agentops.LimitExceeded):
        asyncio.run(run())
    assert program.did()[:3] == ["model", "Bash", "model"]
    with agentops.limits(seconds=1e-9), pytest.raises(agentops.LimitExceeded):
        asyncio.run(run())
    assert "Bash" not in program.did()
    assert agentops.flush()
    agents = [dict(each.attributes or {}) for each in program.exporter.finished_spans() if "invoke" in each.name]
    assert [each["agentops.outcome"] for each in agents] == ["ok", "error", "error"]


def test_a_question_that_waits_is_asked_about_as_well(program: Program) -> None:
    async def run() -> None:
        async with sdk.ClaudeSDKClient(program.options()) as client:
            await client.query("go")
            await client.query("go on")
            for _ in range(2):
                async for message in client.receive_response():
                    last = message
                assert last.result == "Done."

    program.rounds(2)
    with agentops.limits(model_calls=4), pytest.raises(agentops.LimitExceeded):
        asyncio.run(run())
    assert program.did().count("model") == 4
    assert program.spans().count("invoke_agent claude") == 2


def test_who_is_asked_and_what_only_warns(program: Program) -> None:
    asked: list[float] = []

    def boss(error: agentops.LimitExceeded) -> float:
        asked.append(error.most)
        return 2 if error.most < 4 else 0

    with agentops.limits(tool_calls=2, on_limit=boss):
        assert asyncio.run(question(program)).result == "Done."
    assert (asked, len(program.did())) == ([2], 9)
    for action, told in (("mark", "marked"), ("warn", "warned")):
        with agentops.limits(tool_calls=3, on_limit=action):
            assert asyncio.run(question(program)).result == "Done."
        assert program.spans(told) == ["execute_tool Bash"]


def test_an_agent_below_it_is_stopped(program: Program) -> None:
    with agentops.limits(model_calls=4), pytest.raises(agentops.LimitExceeded):
        asyncio.run(question(program, "delegate"))
    assert program.did() == ["model"] + ["model", "Read"] * 3
    assert agentops.flush()
    spans = {span.context.span_id: span for span in program.exporter.finished_spans() if span.context}
    (refused,) = [each for each in spans.values() if "agentops.limit.action" in (each.attributes or {})]
    assert refused.parent is not None
    assert (refused.name, spans[refused.parent.span_id].name) == ("chat claude-sonnet-4-5", "invoke_agent reader")
    with agentops.limits(depth=1), pytest.raises(agentops.LimitExceeded):
        asyncio.run(question(program, "delegate"))
    assert program.did() == ["model"]
    assert "invoke_agent reader" in program.spans("refused")


def test_each_connection_is_asked_about_under_its_own_model(program: Program) -> None:
    """What another one told last is expected of one that has not told yet, and refuses nothing by itself."""

    def ask(model: str) -> Any:
        return asyncio.run(question(program, env={"TOLD_MODEL": model}))

    ask("claude-that-nobody-knows")
    with agentops.limits(cost=5):
        assert ask("claude-sonnet-4-5").result == "Done."
        assert program.spans("refused") == []
        with pytest.raises(agentops.LimitExceeded):
            ask("claude-that-nobody-knows")
    assert program.spans("refused") == ["chat claude-that-nobody-knows"]


def test_a_sibling_that_runs_is_interrupted(program: Program) -> None:
    with agentops.limits(tool_calls=1), pytest.raises(agentops.LimitExceeded):
        asyncio.run(question(program, "siblings"))
    assert agentops.flush()
    tools = [dict(each.attributes or {}) for each in program.exporter.finished_spans() if "Bash" in each.name]
    assert {(each["gen_ai.tool.call.id"], each["agentops.outcome"]) for each in tools} == {
        ("a", "interrupted"), ("b", "error")
    }  # fmt: skip


def test_what_a_stopped_turn_says_too_late_is_nobodys(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentops_integrations.claude_agent.message_stream._PATIENCE", 0.1)
    program.rounds(2)

    async def run() -> None:
        async with sdk.ClaudeSDKClient(program.options()) as client:
            with agentops.limits(tool_calls=1), pytest.raises(agentops.LimitExceeded):
                await answered(client, "deaf")
            late = asyncio.ensure_future(anext(client.receive_response()))
            await asyncio.sleep(0)
            await client.query("again")
            assert type(await late).__name__ == "AssistantMessage"
            # What the SDK hands on: the result of the first one, then the answer.
            results = [[each async for each in client.receive_response()][-1].result for _ in range(2)]
            assert results == [None, "Done."]

    asyncio.run(run())
    assert agentops.flush()
    agents = [dict(each.attributes or {}) for each in program.exporter.finished_spans() if "invoke" in each.name]
    assert [each["agentops.outcome"] for each in agents] == ["error", "ok"]
    assert program.did() == ["model", "Bash", "model", "interrupted", "model", *["model", "Bash"] * 2, "model"]
    assert program.spans().count("chat claude-sonnet-4-5") == 2 + 3


def test_the_programs_own_hooks_and_options_are_its_own(program: Program) -> None:
    seen: list[str] = []

    async def hook(told: Any, ident: Any, context: Any) -> dict[str, Any]:
        seen.append(told["tool_use_id"])
        return {}

    hooks = {"PreToolUse": [sdk.HookMatcher(matcher="Bash", hooks=[hook])]}
    options = program.options(hooks=hooks)

    async def run() -> None:
        async for _ in sdk.query(prompt="go", options=options):
            pass

    with agentops.limits(tool_calls=2), pytest.raises(agentops.LimitExceeded):
        asyncio.run(run())
    assert len(seen) == 3
    assert options.hooks is hooks
    assert [[each.hooks for each in matchers] for matchers in hooks.values()] == [[[hook]]]


@pytest.mark.parametrize("limits", [{"model_calls": 9}, {"tokens": 9 * 19}], ids=str)
def test_nothing_stays_reserved(program: Program, limits: dict[str, Any]) -> None:
    """What was planned and is not made is given back; where a question is left, nobody knows, and it counts."""

    pieces = {"include_partial_messages": "tokens" in limits}  # else the program does not tell them

    async def left(how: str) -> None:
        messages = sdk.query(prompt="go", options=program.options(**pieces))
        async for message in messages:
            if type(message).__name__ == "UserMessage" and how == "cancelled":
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await anext(messages)
            if type(message).__name__ == "UserMessage":
                break
        await messages.aclose()

    with agentops.limits(**limits):
        for how in ("left", "cancelled"):
            asyncio.run(left(how))
        asyncio.run(question(program, **pieces))
        made = program.did().count("model")
        with pytest.raises(agentops.LimitExceeded) as caught:
            asyncio.run(question(program, **pieces))
    assert 7 <= made <= 9
    (most,) = limits.values()
    assert (caught.value.spent, caught.value.reserved) == (most, 0)
    assert program.did() == []
