"""Stories of real programs, through real clients over HTTP, without an added line: as they are read aloud."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from tests.wire.http import Reply as Raw
from tests.wire.http import Wire

import agentops_sdk as agentops
from agentops_sdk.traces import load
from agentops_sdk.traces.decisions.narrative import story

ROOT = Path(__file__).parents[2]
_TIME = re.compile(r"(\d+m \d\ds|[\d.]+ m?s)\b")


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Callable[[], list[list[str]]]]:
    """The stories in the file that was written, one a trace, with every duration as ``t``."""
    agentops.init(exporters=[f"jsonl:{tmp_path}"])

    def read() -> list[list[str]]:
        assert agentops.flush()
        traces = sorted(load(tmp_path), key=lambda trace: trace.start_ns)
        return [[_TIME.sub("t", line) for line in story(trace)] for trace in traces]

    yield read
    agentops.shutdown()


def described(*names: str) -> Any:
    return [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in names]


def ask(client: openai.OpenAI, model: str = "gpt-4o-mini", **more: Any) -> Any:
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Go."}], **more)


def scripted(script: Callable[[dict[str, Any]], Reply]) -> LocalModel:
    return LocalModel(script)


def client_of(server: LocalModel, **more: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.base_url, api_key="local", **{"max_retries": 0, **more})


def test_the_demo(tmp_path: Path) -> None:
    hidden = ("AGENTOPS_", "OTEL_", "OPENAI_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    script = [sys.executable, str(ROOT / "examples" / "demo.py")]
    subprocess.run(script, cwd=tmp_path, env=env, check=True, capture_output=True, timeout=60)
    (trace,) = load(tmp_path / ".agentops" / "traces")
    assert [_TIME.sub("t", line) for line in story(trace)] == [
        (
            "The model gpt-4o-mini called get_weather and convert_currency. get_weather worked (t); "
            "convert_currency failed (t): the exchange is just opening, try again."
        ),
        "The model called convert_currency again, not get_weather. It worked (t).",
        "The model answered without calling get_weather or convert_currency.",
    ]


def test_a_router(told: Any) -> None:
    @agentops.tool
    def refund() -> str:
        return "paid back"

    with scripted(lambda _: Reply("refund")) as server, client_of(server) as client:

        @agentops.track(kind="decision", options=["refund", "escalate"])
        def route() -> Any:
            return ask(client).choices[0].message.content

        with agentops.span("desk", kind="workflow"):
            assert route() == "refund"
            refund()
            with agentops.decision("tone", options=["warm", "brief"], by="code", policy="house-style") as tone:
                tone.choose("warm", reason="the customer is upset", confidence=0.8)
    (lines,) = told()
    assert lines == [
        "The program chose refund for 'route', not escalate. It worked (t).",
        "The rule house-style chose warm for 'tone', not brief (80% sure). Why: the customer is upset.",
    ]


def test_a_forced_tool_and_an_ignored_one(told: Any) -> None:
    def script(request: dict[str, Any]) -> Reply:
        forced = isinstance(request.get("tool_choice"), dict)
        return Reply(tool_calls=(ToolCall("search", {}),)) if forced else Reply("I know that already.")

    with scripted(script) as server, client_of(server) as client, agentops.span("run", kind="workflow"):
        choice: Any = {"type": "function", "function": {"name": "search"}}
        ask(client, tools=described("search", "buy"), tool_choice=choice)
        ask(client, tools=described("search", "buy"))
    assert told() == [
        ["The model gpt-4o-mini had to call search.", "The model answered without calling search or buy."]
    ]


def test_many_tools_several_calls(told: Any) -> None:
    def script(request: dict[str, Any]) -> Reply:
        calls = (ToolCall("tool_3", {"n": 1}), ToolCall("tool_3", {"n": 2}), ToolCall("tool_7", {}))
        return Reply("Done.") if len(request["messages"]) > 1 else Reply(tool_calls=calls)

    @agentops.tool
    def tool_3(n: int) -> int:
        return n

    names = [f"tool_{number}" for number in range(20)]
    with scripted(script) as server, client_of(server) as client, agentops.span("run", kind="workflow"):
        ask(client, tools=described(*names))
        tool_3(1)
        tool_3(2)
        messages: Any = [{"role": "user", "content": "Go."}, {"role": "assistant", "content": "Gone."}]
        client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=described(*names))
    assert told() == [
        [
            "The model gpt-4o-mini called tool_3 2 times and tool_7, of 20 tools. tool_3 worked 2 times (t in all).",
            "The model answered without calling any of 20 tools.",
        ]
    ]


def test_a_fallback_and_a_retry(told: Any) -> None:
    failures = iter([True])

    def script(request: dict[str, Any]) -> Reply:
        if request["model"] == "gpt-4o":
            return Reply("Out of order.", status=500)
        if next(failures, False):
            return Reply("Slow down.", status=429, headers={"retry-after-ms": "1"})
        return Reply("Here.")

    with scripted(script) as server, client_of(server) as client, agentops.span("run", kind="workflow"):
        with pytest.raises(openai.InternalServerError):
            ask(client, "gpt-4o")
        ask(client.with_options(max_retries=2))
    (lines,) = told()
    assert len(lines) == 2
    assert lines[0].startswith("The program fell back from gpt-4o to gpt-4o-mini. Why: InternalServerError: ")
    assert lines[0].endswith(" It worked (t).")
    assert lines[1] == "The client tried again. Why: HTTP 429. It worked (t)."


def test_a_refusal(told: Any) -> None:
    message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}  # fmt: skip
    with Wire(Raw(body)) as wire, openai.OpenAI(base_url=wire.url, api_key="none") as client:
        ask(client)
    assert told() == [["The model gpt-4o-mini refused to answer. Why: I cannot help with that."]]


def test_guardrails_and_a_handoff(told: Any) -> None:
    @agentops.guardrail
    def no_secrets(text: str) -> None:
        if "password" in text:
            raise PermissionError("a password")

    @agentops.guardrail(name="on_topic")
    def on_topic(text: str) -> dict[str, Any]:
        return {"allowed": False, "reason": f"{text} is not for us"}

    @agentops.agent(name="boss")
    def boss() -> None:
        agentops.handoff("writer", reason="needs words")

    @agentops.agent(name="writer")
    def writer() -> None: ...

    with agentops.span("team", kind="workflow"):
        with pytest.raises(PermissionError):
            no_secrets("my password")
        on_topic("poetry")
        boss()
        writer()
    (lines,) = told()
    assert lines[0].endswith("no_secrets raised PermissionError. Why: a password.")
    assert lines[1:] == [
        "The guardrail on_topic said not allowed. Why: poetry is not for us.",
        "The agent boss handed over to writer. Why: needs words. It worked (t).",
    ]


def test_a_person_who_was_asked_by_the_program(told: Any) -> None:
    with agentops.decision("pay 40 euros", options=["approve", "reject"], by="human", by_name="Anna") as asked:
        asked.choose("approve", reason="it is her money")
    assert told() == [["Anna chose approve for 'pay 40 euros', not reject, after t. Why: it is her money."]]


def test_again_is_said_of_what_the_same_model_called_before(told: Any) -> None:
    """Neither of the very call, which a stated decision of its name leads to as well, nor of what a program tried."""

    def script(request: dict[str, Any]) -> Reply:
        return Reply(tool_calls=(ToolCall("search", {}),))

    @agentops.tool
    def search() -> None:
        raise TimeoutError("slow")

    def searches() -> None:
        with pytest.raises(TimeoutError):
            search()

    with scripted(script) as server, client_of(server) as client, agentops.span("run", kind="workflow"):
        agentops.decide("plan", "search", options=["search", "buy"])
        searches()
        agentops.decide("plan", "search", options=["search", "buy"])
        for _ in range(2):
            ask(client, tools=described("search", "buy"))
            searches()
    (lines,) = told()
    called = [line.partition(".")[0] for line in lines if "The model" in line]
    assert called == ["The model gpt-4o-mini called search, not buy", "The model called search again, not buy"]
