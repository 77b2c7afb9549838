"""Interactions and decisions, which have a client of their own inside of the library: steps, streams, ways out."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest
from tests.google_genai.clients import client, package
from tests.wire.http import CUT, Reply, Wire

package()
from google import genai  # noqa: E402 - it may be missing

VERSION = int(genai.__version__.partition(".")[0])
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
NEW = pytest.mark.skipif(
    VERSION < 3, reason=f"google-genai {genai.__version__} has other interactions, and no decisions"
)

MODEL = "gemini-2.5-flash"
TOOL = {"type": "function", "name": "weather", "description": "tells it", "parameters": {"type": "object"}}
ASKED: dict[str, Any] = {
    "model": MODEL, "input": "Weather?", "system_instruction": "Be brief.", "tools": [TOOL],
    "generation_config": {"temperature": 0.5, "max_output_tokens": 100},
}  # fmt: skip
USAGE = {
    "total_input_tokens": 20, "total_output_tokens": 5, "total_thought_tokens": 7, "total_cached_tokens": 8,
    "total_tool_use_tokens": 3, "total_tokens": 35,
    "input_tokens_by_modality": [{"modality": "audio", "tokens": 4}],
}  # fmt: skip
STEPS: list[dict[str, Any]] = [
    {"type": "thought", "summary": [{"type": "text", "text": "Let me"}, {"type": "text", "text": "see."}]},
    {"type": "google_search_call", "id": "s1", "arguments": {"queries": ["rome"]}},
    {"type": "google_search_result", "call_id": "s1", "result": []},
    {"type": "model_output", "content": [{"type": "text", "text": "Sunny."}]},
    {"type": "function_call", "id": "c1", "name": "weather", "arguments": {"city": "Rome"}},
]
WHOLE: dict[str, Any] = {
    "id": "int_1", "object": "interaction", "status": "requires_action", "model": MODEL, "steps": STEPS, "usage": USAGE,
    "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z",
}  # fmt: skip
HEAD = {name: WHOLE[name] for name in ("id", "object", "model", "created", "updated")}
EVENTS: list[dict[str, Any]] = [
    {"event_type": "interaction.created", "interaction": {**HEAD, "status": "in_progress"}},
    {"event_type": "step.start", "index": 0, "step": {"type": "thought"}},
    {"event_type": "step.delta", "index": 0,
     "delta": {"type": "thought_summary", "content": {"type": "text", "text": "Let me"}}},
    {"event_type": "step.stop", "index": 0},
    {"event_type": "step.start", "index": 1, "step": {"type": "model_output"}},
    {"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "Sun"}},
    {"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "ny."}},
    {"event_type": "step.stop", "index": 1},
    {"event_type": "step.start", "index": 2,
     "step": {"type": "function_call", "id": "c1", "name": "weather", "arguments": {}}},
    {"event_type": "step.delta", "index": 2, "delta": {"type": "arguments_delta", "arguments": '{"city": '}},
    {"event_type": "step.delta", "index": 2, "delta": {"type": "arguments_delta", "arguments": '"Rome"}'}},
    {"event_type": "step.stop", "index": 2},
    {"event_type": "interaction.completed", "interaction": {**HEAD, "status": "requires_action", "usage": USAGE}},
]  # fmt: skip


def events(*bodies: Any) -> Reply:
    pieces = [
        f"event: {each['event_type']}\ndata: {json.dumps(each)}\n\n" if isinstance(each, dict) else each
        for each in bodies
    ]
    return Reply(stream=pieces, content_type="text/event-stream")


def check(span: Any) -> None:
    assert span.name == f"generate_content {MODEL}"
    assert (span["gen_ai.provider.name"], span["server.address"]) == ("gcp.gemini", "127.0.0.1")
    assert span.outcome == "ok"
    assert span["gen_ai.request.model"] == span["gen_ai.response.model"] == MODEL
    assert span["gen_ai.request.max_tokens"] == 100
    assert span["gen_ai.response.id"] == "int_1"
    assert tuple(span["gen_ai.response.finish_reasons"]) == ("requires_action",)
    assert span["gen_ai.usage.input_tokens"] == 23
    assert span["gen_ai.usage.output_tokens"] == 12
    assert span["gen_ai.usage.reasoning.output_tokens"] == 7
    assert span["gen_ai.usage.cache_read.input_tokens"] == 8
    assert span["agentops.usage.source"] == "reported"
    assert span.text == "Sunny."
    assert span.calls == [("weather", {"city": "Rome"})]
    assert span["agentops.decision.chosen"] == "weather"
    assert span.json("gen_ai.input.messages") == [
        {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]}
    ]  # fmt: skip
    assert span.json("gen_ai.system_instructions") == [{"type": "text", "content": "Be brief."}]


@NEW
def test_a_whole_reply(recorded: Any) -> None:
    with Wire(Reply(WHOLE)) as wire, client(wire.url) as asking:
        assert asking.interactions.create(**ASKED).id == "int_1"
    span = recorded.one()
    span.attributes["agentops.decision.chosen"] = json.loads(span["agentops.decision.chosen"])[-1]
    check(span)
    kinds = ["reasoning", "reasoning", "server_tool_call", "server_tool_call_response", "text", "tool_call"]
    assert [part["type"] for part in span.parts] == kinds
    assert [part["content"] for part in span.parts[:2]] == ["Let me", "see."]


@NEW
def test_a_stream(recorded: Any) -> None:
    with Wire(events(*EVENTS)) as wire, client(wire.url) as asking:
        assert len(list(asking.interactions.create(**ASKED, stream=True))) == len(EVENTS)
    span = recorded.one()
    check(span)
    assert span["agentops.stream.chunks"] == len(EVENTS)
    assert span.parts[0] == {"type": "reasoning", "content": "Let me"}


@NEW
async def test_asynchronous(recorded: Any) -> None:
    with Wire(events(*EVENTS)) as wire, client(wire.url) as asking:
        stream = await asking.aio.interactions.create(**ASKED, stream=True)
        assert len([event async for event in stream]) == len(EVENTS)
        await asking.aio.aclose()
    check(recorded.one())


@NEW
@pytest.mark.parametrize("end", ["close", "drop", "cut", "error"])
def test_ways_out_of_a_stream(recorded: Any, end: str) -> None:
    error = {"event_type": "error", "error": {"code": "overloaded", "message": "no"}}
    tail = {"cut": [0.05, CUT], "error": [error]}.get(end, EVENTS[6:])
    with Wire(events(*EVENTS[:6], *tail)) as wire, client(wire.url) as asking:
        stream = asking.interactions.create(**ASKED, stream=True)
        if end in ("close", "drop"):
            for _ in range(6):
                next(stream)
            if end == "close":
                stream.close()
            del stream
            gc.collect()
        else:
            try:
                list(stream)
            except Exception:
                assert end == "cut"
        span = recorded.one()
    assert span.outcome == ("error" if end in ("cut", "error") else "abandoned")
    assert span.text == "Sun"
    assert "agentops.decision.chosen" not in span.attributes


@NEW
def test_in_the_background_it_counts_once(recorded: Any) -> None:
    ident = {"id": "int_background"}
    begun = {**WHOLE, **ident, "status": "in_progress", "steps": [], "usage": None}
    done = {**WHOLE, **ident}
    with Wire(Reply(begun), Reply(begun), Reply(done), Reply(done)) as wire, client(wire.url) as asking:
        asking.interactions.create(**ASKED, background=True)
        for _ in range(3):
            asking.interactions.get("int_background")
    create, early, end, again = recorded()
    assert {span["agentops.usage.of"] for span in (create, early, end, again)} == {"int_background"}
    assert end["gen_ai.usage.input_tokens"] == 23
    assert end["agentops.kind"] == "llm"
    for span in (create, early, again):
        assert "gen_ai.usage.input_tokens" not in span.attributes
        assert "agentops.cost.amount" not in span.attributes


@NEW
def test_decisions(recorded: Any) -> None:
    choice = {"type": "choice", "choice": "refund", "confidence": 0.8, "probabilities": {"refund": 0.8, "deny": 0.2}}
    usage = {"total_input_tokens": 9, "total_output_tokens": 1, "total_tokens": 10}
    question = {"type": "choice", "instructions": "?", "criteria": {"refund": "small", "deny": "large"}}
    truth = {"type": "noul", "noul": 0.9, "confidence": 0.9}
    with Wire(
        Reply({"answers": {"what": choice}, "usage": usage}),
        Reply({"answers": {"what": choice, "angry": truth}, "usage": usage}),
    ) as wire, client(wire.url) as asking:  # fmt: skip
        asking.decisions.create(model=MODEL, input="A letter", questions={"what": question})
        asking.decisions.create(
            model=MODEL, input="A letter", questions={"what": question, "angry": {"type": "noul", "instructions": "?"}}
        )
    one, several = recorded()
    assert one.name == f"generate_content {MODEL}"
    assert one["gen_ai.usage.input_tokens"] == 9
    assert (one["agentops.decision.name"], one["agentops.decision.chosen"]) == ("what", "refund")
    assert one["agentops.decision.confidence"] == 0.8
    assert one.json("agentops.decision.options") == ["refund", "deny"]
    assert one.json("agentops.decision.scores") == {"refund": 0.8, "deny": 0.2}
    assert json.loads(several["agentops.decision.chosen"]) == {"what": "refund", "angry": "true"}


@NEW
def test_a_refused_request_and_other_endpoints(recorded: Any) -> None:
    refused = Reply({"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}, 400)
    with Wire(refused, Reply({"agents": []})) as wire, client(wire.url) as asking:
        with pytest.raises(Exception) as caught:
            asking.interactions.create(**ASKED)
        asking.agents.list()
    span, agents = recorded()
    assert span.outcome == "error"
    assert span["error.type"] in ("400", caught.value.__class__.__qualname__) or span["error.type"].endswith(
        type(caught.value).__name__
    )
    assert (agents.name, agents.outcome) == ("agents.list", "ok")


@pytest.mark.skipif(VERSION >= 3, reason="from version 3 on, interactions have another client")
def test_the_interactions_of_version_2(recorded: Any) -> None:
    outputs = [{"type": "text", "text": "Sunny."}, STEPS[-1]]
    reply = {**WHOLE, "steps": None, "outputs": outputs, "role": "model"}
    with Wire(Reply(reply)) as wire, client(wire.url) as asking:
        asking.interactions.create(**ASKED)
    check(recorded.one())
