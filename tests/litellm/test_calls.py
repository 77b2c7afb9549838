"""Every name and every kind of call is one span with the figures of the reply; what is cached costs nothing."""

from __future__ import annotations

import asyncio
import json
import sys
from types import ModuleType
from typing import Any

import pytest
from tests.litellm.clients import (
    ASKED,
    CLAUDE,
    CLAUDE_EVENTS,
    CLAUDE_MESSAGE,
    MESSAGES,
    MODEL,
    USAGE,
    OpenAICase,
    at,
    package,
    whole,
)
from tests.openai_dialect.clients import TOOLS, chunk, event
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops

CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
IN, OUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
THEIRS = "agentops.metadata.litellm.response_cost"


@pytest.fixture(autouse=True)
def _needed(monkeypatch: pytest.MonkeyPatch) -> None:
    package()
    # LiteLLM imports it with some streams and what comes from its cache, and has it in another extra only.
    monkeypatch.setitem(sys.modules, "soundfile", ModuleType("soundfile"))


def names() -> dict[str, Any]:
    """The objects that programs hold which imported them before us."""
    import litellm
    from litellm import acompletion, completion
    from litellm.main import completion as inner

    return {
        "completion, from before": completion,
        "main's, from before": inner,
        "acompletion, from before": acompletion,
        "completion": lambda **asked: litellm.completion(**asked),
        "main.completion": lambda **asked: litellm.main.completion(**asked),
        "acompletion": lambda **asked: litellm.acompletion(**asked),
        "main.acompletion": lambda **asked: litellm.main.acompletion(**asked),
    }


def test_each_name_is_the_same_call() -> None:
    held = names()
    with Wire(Reply(whole({"content": "", "tool_calls": [CALL]}))) as wire:
        for name, function in held.items():
            with agentops.testing.capture() as traces:
                reply = function(**ASKED, **at(wire.url), tools=TOOLS, temperature=0.5)
                if asyncio.iscoroutine(reply):
                    reply = asyncio.run(_awaited(reply))
            (span,) = traces.spans()
            assert reply.choices[0].message.tool_calls[0].function.name == "weather", name
            assert (span.name, span.attributes[IN], span.attributes[OUT]) == (f"chat {MODEL}", 1000, 200), name
            assert span.attributes["agentops.decision.chosen"] == "weather", name
            assert span.attributes["agentops.usage.source"] == "reported", name


async def _awaited(coroutine: Any) -> Any:
    return await coroutine


def test_a_reply_and_what_it_costs(recorded: Any) -> None:
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 400}}
    with Wire(Reply(whole({"content": "Sunny."}, usage))) as wire:
        package().completion(MODEL, MESSAGES, **at(wire.url), seed=3)
        port = wire.port
    span = recorded.one()
    assert (span.name, span.text, span["gen_ai.provider.name"]) == (f"chat {MODEL}", "Sunny.", "openai")
    assert (span["server.address"], span["server.port"], span["gen_ai.request.seed"]) == ("127.0.0.1", port, 3)
    # by the million: 2.50 in, 1.25 cached, 10.00 out
    dollars = (600 * 2.50 + 400 * 1.25 + 200 * 10.00) / 1e6
    assert float(span["agentops.cost.amount"]) == pytest.approx(dollars, rel=1e-9)
    assert span["agentops.cost.source"] == "genai-prices"
    assert span[THEIRS] == pytest.approx(dollars)  # LiteLLM's own, apart
    assert "none" not in json.dumps([str(value) for value in span.attributes.values()])  # the key


@pytest.mark.parametrize("asks", [{}, {"stream_options": {"include_usage": True}}])
@pytest.mark.parametrize("tells", [True, False])
def test_usage_of_a_stream(tells: bool, asks: Any, recorded: Any) -> None:
    """LiteLLM counts where the provider tells nothing, and its figures look like the provider's."""
    case = OpenAICase()
    last = event({**chunk({}), "choices": [], "usage": USAGE})
    with Wire(case.reply(*case.pieces, *([last] if tells else []), case.finish)) as wire:
        list(package().completion(**ASKED, **at(wire.url), stream=True, **asks))
    span = recorded.one()
    # The server's model is one that no tokenizer is known for.
    assert span["agentops.usage.source"] == ("reported" if tells else "estimated")
    assert (span[IN] == 1000) is tells


def test_a_reply_without_usage_is_counted(recorded: Any) -> None:
    with Wire(Reply(whole({"content": "Sunny."}, None))) as wire:
        package().completion(**ASKED, **at(wire.url))
    assert recorded.one()["agentops.usage.source"] == "counted"


def test_a_provider_that_litellm_asks_by_itself(recorded: Any) -> None:
    asked = {"model": f"anthropic/{CLAUDE}", "messages": MESSAGES}
    with Wire(Reply(CLAUDE_MESSAGE)) as wire:
        server = at(wire.url.removesuffix("/v1"))
        package().completion(**asked, **server)
        span = recorded.one()
        asyncio.run(package().anthropic_messages(**asked, max_tokens=50, **server))
        messages = recorded.one()
    for each in (span, messages):
        assert each.name == f"chat {CLAUDE}"
        assert each["gen_ai.provider.name"] == "anthropic"
        assert (each[IN], each[OUT]) == (1320, 200)
        assert each["gen_ai.usage.cache_read.input_tokens"] == 300
        assert each["agentops.usage.cache_creation_1h.input_tokens"] == 20
        assert each.text == "Sunny."
        # by the million: 3 in, 0.30 read, 6 written for an hour, 15 out
        dollars = (1000 * 3 + 300 * 0.30 + 20 * 6 + 200 * 15) / 1e6
        assert float(each["agentops.cost.amount"]) == pytest.approx(dollars, rel=1e-9)
        # LiteLLM counts the words of the thoughts, and nobody has told their number.
        assert each.get("gen_ai.usage.reasoning.output_tokens") is None


def test_a_stream_of_a_provider_that_litellm_asks_by_itself(recorded: Any) -> None:
    with Wire(Reply(stream=CLAUDE_EVENTS, content_type="text/event-stream")) as wire:
        server = at(wire.url.removesuffix("/v1"))
        list(package().completion(model=f"anthropic/{CLAUDE}", messages=MESSAGES, **server, stream=True))
    span = recorded.one()
    assert (span.text, span.outcome, span["agentops.usage.source"]) == ("Sunny.", "ok", "reported")
    assert (span[IN], span[OUT]) == (1320, 200)


_WHOLE = b"".join(CLAUDE_EVENTS)


@pytest.mark.parametrize("pieces", [[_WHOLE], [_WHOLE[:100], _WHOLE[100:-90], _WHOLE[-90:]], CLAUDE_EVENTS], ids=len)
def test_events_of_messages_in_whichever_pieces_they_come(pieces: Any, recorded: Any) -> None:
    pytest.importorskip("soundfile", reason="streams of messages need much of the proxy's")

    async def ask(url: str) -> bytes:
        asked: dict[str, Any] = {"model": f"anthropic/{CLAUDE}", "messages": MESSAGES, "max_tokens": 50}
        events = await package().anthropic_messages(**asked, stream=True, **at(url.removesuffix("/v1")))
        return b"".join([event async for event in events])

    with Wire(Reply(stream=pieces, content_type="text/event-stream")) as wire:
        assert asyncio.run(ask(wire.url)) == _WHOLE
    span = recorded.one()
    assert (span.text, span.outcome, span["agentops.usage.source"]) == ("Sunny.", "ok", "reported")
    assert (span[IN], span[OUT]) == (1320, 200)


def test_embeddings(recorded: Any) -> None:
    body = {
        "object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 3, "total_tokens": 3},
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5] * 8}],
    }  # fmt: skip
    with Wire(Reply(body)) as wire:
        package().embedding(model="text-embedding-3-small", input=["a text"], **at(wire.url))
        span = recorded.one()
        asyncio.run(package().aembedding(model="text-embedding-3-small", input=["a text"], **at(wire.url)))
        again = recorded.one()
    for each in (span, again):
        assert (each.name, each[IN]) == ("embeddings text-embedding-3-small", 3)
        assert each["gen_ai.embeddings.dimension.count"] == 8


def test_a_completion_of_a_prompt(recorded: Any) -> None:
    choice = {"index": 0, "text": "Sunny.", "finish_reason": "stop", "logprobs": None}
    body = {"id": "1", "object": "text_completion", "created": 1, "model": "gpt-3.5-turbo-instruct",
            "choices": [choice], "usage": USAGE}  # fmt: skip
    with Wire(Reply(body)) as wire:
        asked = {"model": "text-completion-openai/gpt-3.5-turbo-instruct", "prompt": "Paris?", **at(wire.url)}
        package().text_completion(**asked)
    span = recorded.one()
    assert (span.name, span.text) == ("text_completion gpt-3.5-turbo-instruct", "Sunny.")
    assert (span["gen_ai.provider.name"], span[IN]) == ("openai", 1000)


def test_responses(recorded: Any) -> None:
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed",
               "content": [{"type": "output_text", "text": "Sunny.", "annotations": []}]}  # fmt: skip
    body = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": MODEL,
            "output": [message], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
            "usage": {"input_tokens": 1000, "output_tokens": 200, "total_tokens": 1200}}  # fmt: skip
    with Wire(Reply(body)) as wire:
        package().responses(model=MODEL, input="Paris?", **at(wire.url))
        span = recorded.one()
        asyncio.run(package().aresponses(model=MODEL, input="Paris?", **at(wire.url)))
        again = recorded.one()
    for each in (span, again):
        assert (each.name, each.text, each[IN], each[OUT]) == (f"chat {MODEL}", "Sunny.", 1000, 200)


def test_rerank(recorded: Any) -> None:
    body = {"id": "1", "results": [{"index": 0, "relevance_score": 0.9}], "meta": {"billed_units": {"search_units": 1}}}
    with Wire(Reply(body)) as wire:
        package().rerank(model="cohere/rerank-v3.5", query="Paris?", documents=["a", "b"], **at(wire.url))
    span = recorded.one()
    assert (span.name, span["gen_ai.provider.name"], span.outcome) == ("rerank", "cohere", "ok")
    assert (span["agentops.usage.search_units"], span["agentops.cost.amount"]) == (1, 0.002)


COHERE = {"id": "1", "finish_reason": "COMPLETE",
          "message": {"role": "assistant", "content": [{"type": "text", "text": "Sunny."}]}}  # fmt: skip
TOKENS = {"input_tokens": 91, "output_tokens": 11}


@pytest.mark.parametrize("ask", ["completion", "acompletion"])
def test_cohere_s_cost_is_of_what_is_billed_or_an_estimate(recorded: Any, ask: str) -> None:
    replies = iter([{"tokens": TOKENS, "billed_units": {"input_tokens": 25, "output_tokens": 9}}, {"tokens": TOKENS}])
    asked = {"model": "cohere_chat/command-r-plus", "messages": MESSAGES}
    with Wire(lambda request: Reply({**COHERE, "usage": next(replies)})) as wire:
        for _ in range(2):
            reply = getattr(package(), ask)(**asked, **at(f"{wire.url}/v2/chat"))
            reply = asyncio.run(reply) if ask == "acompletion" else reply
            assert reply.usage.prompt_tokens == 91  # what LiteLLM tells of both
    billed, told = recorded()
    assert (billed[IN], billed[OUT], billed.text) == (25, 9, "Sunny.")
    assert (billed["agentops.cost.amount"], billed.get("agentops.cost.estimated")) == (0.0001525, None)
    assert (told[IN], told["agentops.usage.source"], told["agentops.cost.estimated"]) == (91, "reported", True)


def test_claude_s_searches_in_a_stream_are_paid_for(recorded: Any) -> None:
    events = b"".join(CLAUDE_EVENTS).replace(
        b'"usage": {"output_tokens": 200}',
        b'"usage": {"output_tokens": 200, "server_tool_use": {"web_search_requests": 2}}',
    )
    with Wire(Reply(stream=[events], content_type="text/event-stream")) as wire:
        list(package().completion(f"anthropic/{CLAUDE}", MESSAGES, stream=True, **at(wire.url.removesuffix("/v1"))))
    span = recorded.one()
    assert span["agentops.usage.web_searches"] == 2
    # 1,000 read at 3 dollars a million, 200 written at 15, 300 from the cache at 0.3, 20 kept at 6; a search is 0.01
    assert span["agentops.cost.amount"] == round(0.003 + 0.003 + 0.00009 + 0.00012 + 0.02, 12)


def test_a_refused_call(recorded: Any) -> None:
    with Wire(Reply({"error": {"message": "no", "type": "invalid_request_error"}}, 400)) as wire:
        with pytest.raises(package().BadRequestError):
            package().completion(**ASKED, **at(wire.url))
        span = recorded.one()
        with pytest.raises(package().BadRequestError):
            asyncio.run(package().acompletion(**ASKED, **at(wire.url)))
    for each in (span, recorded.one()):
        assert (each.outcome, each["gen_ai.provider.name"]) == ("error", "openai")
        assert each["error.type"].endswith("BadRequestError")


def test_a_call_that_litellm_tries_again_is_one(recorded: Any) -> None:
    answers = iter([Reply({"error": {"message": "busy"}}, 500), Reply(whole({"content": "Sunny."}))])
    with Wire(lambda request: next(answers)) as wire:
        package().completion(**ASKED, **at(wire.url), num_retries=1, max_retries=0)
    span = recorded.one()
    assert (span.outcome, span.text, span[IN], span.get("error.type")) == ("ok", "Sunny.", 1000, None)


def test_a_router_asks_the_next_deployment(recorded: Any) -> None:
    with Wire(Reply({"error": {"message": "busy"}}, 500)) as busy, Wire(Reply(whole({"content": "Sunny."}))) as idle:
        deployments = [
            {"model_name": name, "litellm_params": {"model": "gpt-4o", "max_retries": 0, **at(url)}}
            for name, url in (("first", busy.url), ("second", idle.url))
        ]
        router = package().Router(model_list=deployments, fallbacks=[{"first": ["second"]}], num_retries=0)
        reply = asyncio.run(router.acompletion(model="first", messages=MESSAGES))
        ports = [busy.port, idle.port]
    assert reply.choices[0].message.content == "Sunny."
    spans = recorded()
    assert [span.outcome for span in spans] == ["error", "ok"]  # two deployments were asked, and one has answered
    assert [span["server.port"] for span in spans] == ports
    assert [span.get(IN) for span in spans] == [None, 1000]


def test_a_cached_answer_costs_nothing(recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from litellm.caching.caching import Cache

    monkeypatch.setattr(package(), "cache", Cache())
    with Wire(Reply(whole({"content": "Sunny."}))) as wire:
        first, again = (package().completion(**ASKED, **at(wire.url), caching=True) for _ in range(2))
    assert first.id == again.id
    asked, cached = recorded()
    assert "agentops.cached" not in asked.attributes
    assert float(asked["agentops.cost.amount"]) > 0
    assert cached["agentops.cached"] is True
    assert (cached["agentops.cost.amount"], cached.text, cached.get(IN)) == (0, "Sunny.", None)


def test_nothing_is_left_patched() -> None:
    litellm = package()
    from litellm.rust_bridge import dispatch

    def inner(function: Any) -> Any:
        return dict(zip(function.__code__.co_freevars, function.__closure__, strict=True))["original_function"]

    places = [
        (litellm, "completion"),
        (litellm.main, "acompletion"),
        (litellm, "rerank"),
        (dispatch.PublicDispatch, "run"),
    ]
    before = [vars(owner)[name] for owner, name in places]
    cell = inner(litellm.main.completion)
    original = cell.cell_contents
    agentops.init(exporters=["memory"], integrations=["litellm"])
    assert cell.cell_contents is not original
    agentops.shutdown()
    assert [vars(owner)[name] for owner, name in places] == before
    assert cell.cell_contents is original
