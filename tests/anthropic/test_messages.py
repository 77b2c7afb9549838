"""Every way to call messages: helpers, streams and the ways out of them, errors, retries, the client's own spans."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.own_provider import set_provider
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops

anthropic = pytest.importorskip("anthropic", reason="needs the anthropic client")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ASKED: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 100,
    "system": "Be brief.",
    "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
    "tools": [{"name": "weather", "description": "tells it", "input_schema": {"type": "object"}}],
}
USAGE = {
    "input_tokens": 9,
    "output_tokens": 1,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 30,
    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
}
WHOLE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [
        {"type": "thinking", "thinking": "I should look.", "signature": "s"},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}},
    ],
    "stop_reason": "tool_use",
    "usage": {**USAGE, "output_tokens": 7},
}
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**WHOLE, "content": [], "stop_reason": None, "usage": USAGE}},
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Sun"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ny."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
]


def event(body: dict[str, Any]) -> bytes:
    return f"event: {body['type']}\ndata: {json.dumps(body)}\n\n".encode()


def stream(*events: Any) -> Reply:
    pieces = [event(each) if isinstance(each, dict) else each for each in events]
    return Reply(stream=pieces, content_type="text/event-stream")


def how(wire: Wire, **more: Any) -> dict[str, Any]:
    return {"base_url": wire.url.removesuffix("/v1"), "api_key": "none", "max_retries": 0, **more}


def own_provider(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """A provider of the program's own, and what it exports."""
    theirs = InMemorySpanExporter()
    set_provider(monkeypatch, theirs)
    return theirs


def test_a_whole_reply(recorded: Any) -> None:
    with Wire(Reply(WHOLE)) as wire, anthropic.Anthropic(**how(wire)) as client:
        assert client.messages.create(**ASKED).content[1].name == "weather"
    span = recorded.one()
    assert span.name == "chat claude-sonnet-4-5"
    assert span["gen_ai.provider.name"] == "anthropic"
    assert span["gen_ai.usage.input_tokens"] == 139
    assert span["gen_ai.usage.output_tokens"] == 7
    assert span.json("gen_ai.system_instructions") == [{"type": "text", "content": "Be brief."}]
    assert span.json("gen_ai.tool.definitions")[0]["name"] == "weather"
    assert [part["type"] for part in span.parts] == ["reasoning", "tool_call"]
    assert json.loads(span["agentops.decision.options"])[0]["name"] == "weather"
    assert span["agentops.decision.chosen"] == "weather"
    # 9 fresh, 100 read, 10 and 20 written, 7 out, at the provider's prices per million: 3, 0.30, 3.75, 6, 15
    expected = (9 * 3 + 100 * 0.3 + 10 * 3.75 + 20 * 6 + 7 * 15) / 1e6
    assert float(span["agentops.cost.amount"]) == pytest.approx(expected, rel=1e-9)


def drain(client: Any) -> Any:
    return [each.type for each in client.messages.create(**ASKED, stream=True)]


def helper(client: Any) -> Any:
    with client.messages.stream(**ASKED) as items:
        text = "".join(items.text_stream)
        assert items.get_final_message().stop_reason == "end_turn"
    return text


def raw(client: Any) -> Any:
    with client.messages.with_streaming_response.create(**ASKED, stream=True) as response:
        return b"".join(response.iter_bytes())


@pytest.mark.parametrize("style", [drain, helper, raw])
def test_a_stream_read_to_its_end(recorded: Any, style: Any) -> None:
    with Wire(stream(*EVENTS)) as wire, anthropic.Anthropic(**how(wire)) as client:
        assert style(client)
    span = recorded.one()
    assert (span.outcome, span.text) == ("ok", "Sunny.")
    assert span["gen_ai.usage.output_tokens"] == 4
    assert list(span["gen_ai.response.finish_reasons"]) == ["end_turn"]
    assert span["agentops.decision.chosen"] == "answer"


def test_an_asynchronous_stream(recorded: Any) -> None:
    async def run(wire: Wire) -> str:
        async with anthropic.AsyncAnthropic(**how(wire)) as client, client.messages.stream(**ASKED) as items:
            return "".join([text async for text in items.text_stream])

    with Wire(stream(*EVENTS)) as wire:
        assert asyncio.run(run(wire)) == "Sunny."
    span = recorded.one()
    assert (span.outcome, span.text) == ("ok", "Sunny.")


def test_a_stream_that_is_left_early_decides_nothing(recorded: Any) -> None:
    with Wire(stream(*EVENTS)) as wire, anthropic.Anthropic(**how(wire)) as client:
        items = client.messages.create(**ASKED, stream=True)
        seen = [next(items).type for _ in range(3)]
        items.close()
    span = recorded.one()
    assert seen == ["message_start", "content_block_start", "content_block_delta"]  # a ping is the client's own
    assert (span.outcome, span.text, span["agentops.stream.chunks"]) == ("abandoned", "Sun", 3)
    assert span["gen_ai.usage.input_tokens"] == 139
    assert "agentops.decision.chosen" not in span.attributes


CALLING: list[dict[str, Any]] = [
    {"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0,
     "content_block": {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"ci'}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": 'ty": "Rome"}'}},
    {"type": "content_block_stop", "index": 0},
]  # fmt: skip


@pytest.mark.parametrize(("read", "chosen"), [(2, None), (3, None), (4, "get_weather"), (5, "get_weather")])
def test_a_tool_call_is_chosen_once_it_is_whole(recorded: Any, read: int, chosen: str | None) -> None:
    tools: Any = [{"name": "get_weather", "input_schema": {"type": "object"}}]
    with Wire(stream(*CALLING)) as wire, anthropic.Anthropic(**how(wire)) as client:
        items = client.messages.create(**{**ASKED, "tools": tools}, stream=True)
        for _ in range(read):
            next(items)
        items.close()
    assert recorded.one().attributes.get("agentops.decision.chosen") == chosen


def test_a_stream_that_is_closed_after_the_answer_has_abandoned_nothing(recorded: Any) -> None:
    with Wire(stream(*EVENTS)) as wire, anthropic.Anthropic(**how(wire)) as client:
        items = client.messages.create(**ASKED, stream=True)
        for item in items:
            if item.type == "message_delta":
                break
        items.close()
    assert recorded.one().outcome == "ok"


def test_a_retry_is_one_span(recorded: Any) -> None:
    replies = iter((Reply({"type": "error", "error": {"type": "overloaded_error"}}, 529), Reply(WHOLE)))
    with Wire(lambda _: next(replies)) as wire, anthropic.Anthropic(**how(wire, max_retries=2)) as client:
        client.messages.create(**ASKED)
    attempts = recorded.one().json("agentops.attempts")
    assert [each["status"] for each in attempts] == [529, 200]


def test_a_turn_that_pauses_and_goes_on(recorded: Any) -> None:
    """The server runs its tools, pauses, and is asked to go on: two calls, with a decision each."""
    search = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "Paris"}}
    asked = {**ASKED, "tools": [{"type": "web_search_20250305", "name": "web_search"}]}
    used = {**USAGE, "server_tool_use": {"web_search_requests": 1}}
    paused = {**WHOLE, "content": [search], "stop_reason": "pause_turn", "usage": used}
    over = {**WHOLE, "content": [{"type": "text", "text": "Sunny."}], "stop_reason": "end_turn"}
    with Wire(Reply(paused), Reply(over)) as wire, anthropic.Anthropic(**how(wire)) as client:
        turn = client.messages.create(**asked)
        assert turn.stop_reason == "pause_turn"
        said = [block.model_dump(exclude_none=True) for block in turn.content]
        client.messages.create(**{**asked, "messages": [*ASKED["messages"], {"role": "assistant", "content": said}]})
    first, second = recorded()
    assert [list(span["gen_ai.response.finish_reasons"]) for span in (first, second)] == [["pause_turn"], ["end_turn"]]
    assert [span.outcome for span in (first, second)] == ["ok", "ok"]
    assert [span["agentops.decision.chosen"] for span in (first, second)] == ["web_search", "answer"]
    assert first["agentops.usage.web_searches"] == 1
    assert second.json("gen_ai.input.messages")[-1]["parts"][0]["type"] == "server_tool_call"


def test_counting_tokens_uses_none(recorded: Any) -> None:
    if not hasattr(anthropic.resources.Messages, "count_tokens"):
        pytest.skip(f"anthropic {anthropic.__version__} counts no tokens")
    asked = {name: value for name, value in ASKED.items() if name != "max_tokens"}
    with Wire(Reply({"input_tokens": 14})) as wire, anthropic.Anthropic(**how(wire)) as client:
        assert client.messages.count_tokens(**asked).input_tokens == 14
    span = recorded.one()
    assert span.name == "count_tokens"
    assert not [name for name in span.attributes if name.startswith(("gen_ai.usage", "agentops.cost"))]


@pytest.mark.parametrize("later", [False, True])
def test_the_clients_own_spans_are_silent_where_the_call_is_recorded(
    later: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Joined to the program's provider: one span, its tokens once, in its exporter too; nothing reaches the vendor."""
    theirs = InMemorySpanExporter()
    if not later:
        set_provider(monkeypatch, theirs)
    agentops.init(exporters=["memory"], integrations=["anthropic"])
    if later:
        set_provider(monkeypatch, theirs)
    headers: list[set[str]] = []

    def answer(request: Any) -> Reply:
        headers.append({name.lower() for name in request.headers})
        return Reply(WHOLE)

    with Wire(answer) as wire:
        with anthropic.Anthropic(**how(wire)) as client, agentops.span("run"):
            client.messages.create(**ASKED)
        agentops.flush()
        assert sorted(span.name for span in theirs.get_finished_spans()) == ["chat claude-sonnet-4-5", "run"]
        assert not {"traceparent", "baggage"} & headers[0]
        agentops.shutdown()
        theirs.clear()
        with anthropic.Anthropic(**how(wire)) as client:
            client.messages.create(**ASKED)
    names = [span.name for span in theirs.get_finished_spans()]
    if hasattr(anthropic._base_client, "start_api_call_span"):
        assert names == ["anthropic.messages.create"], "without us, the client's own span is back"
    else:
        assert names == []  # an older client, which makes none


def test_every_method_is_the_original_again() -> None:
    base = anthropic._base_client
    places = [
        (owner, name)
        for owner in (
            base,
            base.BaseClient,
            base.SyncAPIClient,
            base.AsyncAPIClient,
            anthropic.Stream,
            anthropic.AsyncStream,
        )
        for name in (
            "request",
            "_process_response",
            "_build_request",
            "_should_retry",
            "__stream__",
            "start_api_call_span",
        )
        if name in vars(owner)
    ]
    before = [vars(owner)[name] for owner, name in places]
    dormant = list(agentops.status().dormant_patches)
    agentops.init(exporters=["memory"], integrations=["anthropic"])
    assert all(vars(owner)[name] is not then for (owner, name), then in zip(places, before, strict=True))
    agentops.shutdown()
    assert all(vars(owner)[name] is then for (owner, name), then in zip(places, before, strict=True))
    assert agentops.status().dormant_patches == dormant
