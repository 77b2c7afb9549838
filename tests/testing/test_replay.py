"""Record and replay through the real client, over real HTTP on loopback: plain, streamed, async, with tools."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import openai
import pytest
from examples.local_model import LocalModel, Reply, ToolCall

import agentops_sdk as agentops
from agentops_sdk.testing import ReplayError, capture, replay

KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
TOOLS: list[Any] = [{"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}]


def answer(request: dict[str, Any]) -> Reply:
    last = str(request["messages"][-1]["content"])
    if "fail" in last:
        return Reply(status=429, text="slow down", error_code="rate_limit", headers={"retry-after-ms": "1"})
    if request.get("tools"):
        return Reply(tool_calls=(ToolCall("search", {"q": last}),))
    return Reply(text=f"You said: {last}")


def ask(base_url: str, text: str, **more: Any) -> Any:
    client = openai.OpenAI(base_url=base_url, max_retries=0)
    with client:
        return client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": text}], **more)


def stream(base_url: str, text: str) -> str:
    with openai.OpenAI(base_url=base_url) as client:
        chunks = client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": text}], stream=True
        )
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def stream_async(base_url: str, text: str) -> str:
    async def run() -> str:
        async with openai.AsyncOpenAI(base_url=base_url) as client:
            chunks = await client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": text}], stream=True
            )
            return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])

    return asyncio.run(run())


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """A file with three exchanges, and the address at which nobody answers any more."""
    path = tmp_path / "replays" / "three.json"
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with LocalModel(answer) as server, replay(path, record=True):
        base_url = server.base_url
        assert ask(base_url, "hello").choices[0].message.content == "You said: hello"
        assert stream(base_url, f"héllo, my key is {KEY}") == f"You said: héllo, my key is {KEY}"
        assert stream_async(base_url, "bonjour") == "You said: bonjour"
    monkeypatch.delenv("OPENAI_API_KEY")
    return path, base_url


def test_what_was_recorded_is_replayed_without_network_or_key(recorded: tuple[Path, str]) -> None:
    path, base_url = recorded
    with capture() as traces, replay(path) as recording:
        assert ask(base_url, "hello").choices[0].message.content == "You said: hello"
        assert stream(base_url, f"héllo, my key is {KEY}") == "You said: héllo, my key is [redacted:openai-key]"
        assert stream_async("http://127.0.0.1:1/v1", "bonjour") == "You said: bonjour"  # the port does not matter
    assert recording.problems == []
    assert "OPENAI_API_KEY" not in os.environ
    assert [call.text for call in traces.llm_calls][::2] == ["You said: hello", "You said: bonjour"]
    assert traces.llm_calls[0].usage.total > 0
    assert not traces.cost.lower_bound


def test_the_file_is_readable_and_holds_no_secret(recorded: tuple[Path, str]) -> None:
    text = recorded[0].read_text(encoding="utf-8")
    assert KEY not in text
    assert "authorization" not in text.lower()
    assert "user-agent" not in text.lower()
    document = json.loads(text)
    plain, streamed, _ = document["exchanges"]
    assert plain["request"]["body"]["messages"] == [{"role": "user", "content": "hello"}]
    assert plain["response"]["body"]["choices"][0]["message"]["content"] == "You said: hello"
    assert plain["response"]["headers"].keys() == {"content-type", "x-request-id"}
    assert streamed["response"]["events"][-1] == {"data": {"$text": "[DONE]"}}
    assert "héllo" in text


def test_a_stream_comes_in_the_pieces_it_came_in(recorded: tuple[Path, str]) -> None:
    path, base_url = recorded
    with replay(path, mode="lenient"), openai.OpenAI(base_url=base_url) as client:
        list(client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hello"}]))
        with client.chat.completions.create(model="m", messages=[], stream=True) as chunks:
            first = next(iter(chunks))
            assert first.choices[0].delta.role == "assistant"


def test_a_request_that_differs_says_how(recorded: tuple[Path, str]) -> None:
    path, base_url = recorded
    with pytest.raises(ReplayError) as caught, replay(path):
        ask(base_url, "hallo", temperature=0.5)
    assert str(caught.value) == (
        "model request 1 differs from exchange 1 in three.json:\n"
        '  body.messages[0].content: recorded "hello", now "hallo"\n'
        "  body.temperature: recorded nothing, now 0.5\n"
        "If this is intended, record it again (pytest --agentops-record)."
    )


def test_a_program_cannot_hide_that_a_request_differs(recorded: tuple[Path, str]) -> None:
    path, base_url = recorded
    with pytest.raises(ReplayError, match='now "hallo"'), replay(path):
        try:
            ask(base_url, "hallo")
        except BaseException:
            pass


def test_lenient_answers_all_the_same_and_tells(recorded: tuple[Path, str]) -> None:
    path, base_url = recorded
    with replay(path, mode="lenient") as recording:
        assert ask(base_url, "hallo").choices[0].message.content == "You said: hello"
    (told,) = recording.deviations
    assert told.splitlines() == [
        "model request 1 differs from exchange 1 in three.json:",
        '  body.messages[0].content: recorded "hello", now "hallo"',
    ]


def test_strict_wants_everything_asked_for_and_nothing_more(recorded: tuple[Path, str]) -> None:
    path, base_url = recorded
    with (
        pytest.raises(
            ReplayError, match=r"2 of 3 recorded exchanges in three.json were not asked for, the first is exc"
        ),
        replay(path),
    ):
        ask(base_url, "hello")
    with pytest.raises(ReplayError, match="differs from exchange 2"), replay(path):
        ask(base_url, "hello")
        ask(base_url, "hello")


def test_any_order_fits(recorded: tuple[Path, str]) -> None:
    path, base_url = recorded
    with replay(path):
        stream_async(base_url, "bonjour")
        stream(base_url, f"héllo, my key is {KEY}")
        ask(base_url, "hello")


def test_errors_and_tool_calls_and_retries_are_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.json"

    def run(base_url: str) -> tuple[str, str]:
        client = openai.OpenAI(base_url=base_url, api_key="k", max_retries=1)
        with client, pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "fail"}])
        call = ask(base_url, "shoes", tools=TOOLS).choices[0].message.tool_calls[0]
        return caught.value.code, call.function.arguments

    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with LocalModel(answer) as server, replay(path, record=True) as recording:
        base_url = server.base_url
        first = run(base_url)
    assert [each.response["status"] for each in recording.exchanges] == [429, 429, 200]
    with replay(path):
        assert run(base_url) == first == ("rate_limit", '{"q": "shoes"}')


def test_no_file_and_no_recording(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match=r"no recording at .*: create it with pytest --agentops-record"):  # noqa: SIM117 - the context manager itself may raise
        with replay(tmp_path / "none.json"):
            pass
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ReplayError, match="is not a recording"), replay(tmp_path / "broken.json"):
        pass


def test_what_failed_is_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    with pytest.raises(ZeroDivisionError), replay(path, record=True):
        _ = 1 / 0
    assert not path.exists()


def test_older_clients_that_use_httpx_are_seen_too(tmp_path: Path) -> None:
    import httpx

    path = tmp_path / "r.json"
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    with LocalModel(answer) as server:
        url = f"{server.base_url}/chat/completions"
        with replay(path, record=True), httpx.Client(headers={"authorization": "Bearer k"}) as client:
            first = client.post(url, json=body).json()
            assert client.get(f"{server.base_url}/models").status_code == 200  # no model's answer: not recorded
    with replay(path), httpx.Client() as client:
        assert client.post(url, json=body).json() == first
    assert len(json.loads(path.read_text())["exchanges"]) == 1


def test_the_transports_are_put_back(tmp_path: Path) -> None:
    import httpx
    import httpx2

    before = [vars(module.HTTPTransport)["handle_request"] for module in (httpx, httpx2)]
    with replay(tmp_path / "r.json", record=True):
        assert vars(httpx2.HTTPTransport)["handle_request"] is not before[1]
    assert [vars(module.HTTPTransport)["handle_request"] for module in (httpx, httpx2)] == before


def test_langchain_over_openai(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    langchain_openai = pytest.importorskip("langchain_openai", reason="langchain-openai is not installed here")
    path = tmp_path / "langchain.json"

    def run(base_url: str) -> tuple[str, str, str, str]:
        model = langchain_openai.ChatOpenAI(model="gpt-4o-mini", base_url=base_url)
        streamed = "".join(str(chunk.content) for chunk in model.stream("streamed"))
        called = model.bind_tools([{"type": "function", "function": TOOLS[0]["function"]}]).invoke("shoes")
        return model.invoke("plain").content, streamed, called.tool_calls[0]["name"], asyncio.run(later(base_url))

    async def later(base_url: str) -> str:
        async with openai.DefaultAsyncHttpxClient() as client:  # LangChain's own would stay open
            model = langchain_openai.ChatOpenAI(model="gpt-4o-mini", base_url=base_url, http_async_client=client)
            return str((await model.ainvoke("later")).content)

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with LocalModel(answer) as server, capture() as recorded, replay(path, record=True):
        first = run(server.base_url)
    monkeypatch.delenv("OPENAI_API_KEY")
    with capture() as traces, replay(path) as recording:
        assert run("https://api.openai.com/v1") == first
    assert first == ("You said: plain", "You said: streamed", "search", "You said: later")
    assert len(recording.exchanges) == len(traces.llm_calls) == len(recorded.llm_calls) == 4
    assert [call.text for call in traces.llm_calls] == [call.text for call in recorded.llm_calls]
    assert traces.usage.total == recorded.usage.total > 0


class Inexact:
    """A result that JSON cannot hold."""


def test_tool_results_are_replayed_if_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "tools.json"
    ran: list[str] = []

    @agentops.tool
    def look_up(order: str, *, deep: bool = False) -> dict[str, Any]:
        ran.append(order)
        if order == "Z9":
            raise KeyError(order)
        return {"order": order, "key": KEY}

    @agentops.tool
    async def fetch(url: str) -> list[int]:
        ran.append(url)
        return [1, 2]

    @agentops.tool
    def make() -> Inexact:
        ran.append("make")
        return Inexact()

    @agentops.agent
    def run(order: str) -> Any:
        found = look_up(order, deep=True)["order"], asyncio.run(fetch("u")), type(make())
        with pytest.raises(KeyError, match="Z9"):
            look_up("Z9")
        return found

    with capture(), replay(path, record=True, tools=True):
        first = run("A1")
    assert ran == ["A1", "u", "make", "Z9"]
    assert KEY not in path.read_text()
    ran.clear()
    with capture() as traces, replay(path, tools=True):
        assert run("A1") == first == ("A1", [1, 2], Inexact)
    assert ran == ["make"]  # what JSON cannot hold exactly runs itself
    assert traces.tool_calls.names == ["look_up", "fetch", "make", "look_up"]
    assert traces.tool_calls("look_up")[0].arguments == {"order": "A1", "deep": True}
    assert [call.outcome for call in traces.tool_calls] == ["ok", "ok", "ok", "error"]

    with pytest.raises(ReplayError) as caught, capture(), replay(path, tools=True):
        run("B2")
    assert str(caught.value).splitlines()[:2] == [
        "call of tool look_up differs from every one that is left in tools.json, the nearest is:",
        '  order: recorded "A1", now "B2"',
    ]
    with capture(), replay(path, tools=True, mode="lenient") as recording:
        assert run("B2")[0] == "A1"
    assert recording.deviations
    with pytest.raises(ReplayError, match=r"2 of 3 recorded tool results in tools.json were not asked for"):  # noqa: SIM117 - the context manager itself may raise
        with capture(), replay(path, tools=True):
            look_up("A1", deep=True)
