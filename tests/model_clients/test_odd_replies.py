"""Replies that are legal and rare, through the real clients: nothing that they tell is lost, and nothing is made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.bedrock import clients as bedrock
from tests.cohere import clients as cohere
from tests.google_genai import clients as google
from tests.mistral import clients as mistral
from tests.openai.spans import Seen
from tests.openai_dialect.clients import chunk
from tests.recorded import Recorded
from tests.wire.http import Reply, Wire, sse

Ask = Callable[[str], Any]
USED = {"input_tokens": 100, "output_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
ASKED = [{"role": "user", "content": "Paris?"}]


def _seen(recorded: Recorded, ask: Ask, reply: Reply) -> Seen:
    with Wire(reply) as wire:
        ask(wire.url)
    return recorded.one()


# --- Anthropic -------------------------------------------------------------------------------------


def _claude(url: str, **how: Any) -> None:
    anthropic = pytest.importorskip("anthropic", reason="needs the anthropic client")
    with anthropic.Anthropic(base_url=url.removesuffix("/v1"), api_key="none", max_retries=0) as client:
        reply = client.beta.messages.create(model="claude-sonnet-4-6", max_tokens=9, messages=ASKED, **how)
        if how:
            list(reply)


def _claude_stream(url: str) -> None:
    _claude(url, stream=True)


def _message(*content: dict[str, Any], **usage: Any) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6", "content": list(content),
        "stop_reason": "end_turn", "stop_sequence": None, "usage": {**USED, **usage},
    }  # fmt: skip


def _events(*blocks: tuple[dict[str, Any], dict[str, Any]]) -> Reply:
    events: list[dict[str, Any]] = [{"type": "message_start", "message": _message()}]
    for index, (start, delta) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}})
    return sse(*events, {"type": "message_stop"}, done=False)


def test_an_advisors_tokens_are_those_of_another_model(recorded: Recorded) -> None:
    asked = {"type": "advisor_message", "model": "claude-opus-4-8", **USED, "input_tokens": 2_000}
    steps = [{"type": "message", **USED}, asked]
    span = _seen(recorded, _claude, Reply(_message({"type": "text", "text": "4"}, iterations=steps)))
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (100, 10)
    assert span.json("agentops.usage.other_models") == [
        {"model": "claude-opus-4-8", "gen_ai.usage.input_tokens": 2_000, "gen_ai.usage.output_tokens": 10}
    ]
    assert span["agentops.cost.amount"] * 1e6 == pytest.approx(100 * 3 + 10 * 15 + 2_000 * 5 + 10 * 25)


def test_an_advisor_without_a_price_leaves_the_cost_unknown(recorded: Recorded) -> None:
    steps = [{"type": "advisor_message", "model": "claude-nobody-knows", **USED}]
    span = _seen(recorded, _claude, Reply(_message({"type": "text", "text": "4"}, iterations=steps)))
    assert span.get("agentops.cost.amount") is None
    assert "claude-nobody-knows" in span["agentops.cost.unknown_reason"]


def test_what_a_fallback_used_counts_once(recorded: Recorded) -> None:
    steps = [{"type": "message", **USED, "output_tokens": 1}, {"type": "fallback_message", "model": "other", **USED}]
    span = _seen(recorded, _claude, Reply(_message({"type": "text", "text": "4"}, iterations=steps)))
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (100, 10)


def test_a_compaction_and_a_failed_tool_of_a_server_in_a_stream(recorded: Recorded) -> None:
    call = {"type": "mcp_tool_use", "id": "m1", "name": "ask", "server_name": "wiki", "input": {}}
    span = _seen(
        recorded,
        _claude_stream,
        _events(
            ({"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "So far."}),
            (call, {"type": "input_json_delta", "partial_json": '{"q": 1}'}),
            ({"type": "text", "text": ""}, {"type": "text_delta", "text": "Sunny."}),
        ),
    )
    assert span.parts == [
        {"type": "compaction", "content": "So far."},
        {
            "type": "server_tool_call", "id": "m1", "name": "ask",
            "server_tool_call": {"type": "ask", "input": {"q": 1}, "server_name": "wiki"},
        },
        {"type": "text", "content": "Sunny."},
    ]  # fmt: skip
    result = {"type": "mcp_tool_result", "tool_use_id": "m1", "is_error": True, "content": []}
    span = _seen(recorded, _claude, Reply(_message(result)))
    assert span.parts[0]["server_tool_call_response"]["is_error"] is True


# --- Bedrock's Converse ----------------------------------------------------------------------------

_GROUNDING = {"toolUseId": "t1", "name": "nova_grounding", "type": "server_tool_use"}
_FOUND = {"toolUseId": "t1", "type": "nova_grounding_result", "status": "success"}
_CALLED = [
    {
        "type": "server_tool_call", "id": "t1", "name": "nova_grounding",
        "server_tool_call": {"type": "nova_grounding", "input": {"q": 1}},
    },
    {
        "type": "server_tool_call_response", "id": "t1",
        "server_tool_call_response": {
            "type": "nova_grounding_result", "content": [{"text": "Dry."}, {"json": {"a": 1}}], "status": "success",
        },
    },
    {"type": "text", "content": "Sunny.", "citations": [{"title": "A"}, {"title": "B"}]},
]  # fmt: skip


def _converse(url: str) -> None:
    bedrock.package()
    with bedrock.client(url) as client:
        if "toolResult" not in client.meta.service_model.shape_for("ContentBlockDelta").members:
            pytest.skip("this boto3 knows no tools that run at the provider's")
        client.converse(**bedrock.ASKED)


def _converse_stream(url: str) -> None:
    with bedrock.client(url) as client:
        list(client.converse_stream(**bedrock.ASKED)["stream"])


def test_tools_of_the_provider_and_citations_of_bedrock(recorded: Recorded) -> None:
    content = [
        {"toolUse": {**_GROUNDING, "input": {"q": 1}}},
        {"toolResult": {**_FOUND, "content": [{"text": "Dry."}, {"json": {"a": 1}}]}},
        {"citationsContent": {"content": [{"text": "Sunny."}], "citations": [{"title": "A"}, {"title": "B"}]}},
    ]
    span = _seen(recorded, _converse, Reply(bedrock.whole(*content)))
    assert span.parts == _CALLED
    assert span.get("agentops.decision.chosen") is None  # nobody offered this tool
    start, delta = "contentBlockStart", bedrock.delta
    reply = bedrock.Case().reply(
        bedrock.event("messageStart", {"role": "assistant"}),
        bedrock.event(start, {"start": {"toolUse": _GROUNDING}, "contentBlockIndex": 0}),
        delta(0, toolUse={"input": '{"q": 1}'}),
        bedrock.event(start, {"start": {"toolResult": _FOUND}, "contentBlockIndex": 1}),
        delta(1, toolResult=[{"text": "Dry."}]),
        delta(1, toolResult=[{"json": {"a": 1}}]),
        delta(2, citation={"title": "A"}),
        delta(2, text="Sun"),
        delta(2, text="ny."),
        delta(2, citation={"title": "B"}),
        bedrock.event("messageStop", {"stopReason": "end_turn"}),
        bedrock.event("metadata", {"usage": bedrock.USAGE}),
    )
    assert _seen(recorded, _converse_stream, reply).parts == _CALLED


# --- Google ----------------------------------------------------------------------------------------


def _gemini_stream(url: str) -> None:
    google.package()
    with google.client(url) as client:
        list(client.models.generate_content_stream(model=google.MODEL, contents="Paris?"))


def _gemini(url: str) -> None:
    google.package()
    with google.client(url) as client:
        client.models.generate_content(model=google.MODEL, contents="Paris?")


def test_arguments_that_come_piece_by_piece(recorded: Recorded) -> None:
    pieces: list[list[dict[str, Any]]] = [
        [{"jsonPath": "$.city", "stringValue": "New ", "willContinue": True}],
        [{"jsonPath": "$.city", "stringValue": "Delhi"}, {"jsonPath": "$.days", "numberValue": 3}],
        [{"jsonPath": "$.people[0].name", "stringValue": "Ann"}, {"jsonPath": "$.people[1].name", "stringValue": "Bo"}],
        [{"jsonPath": "$['no such']", "nullValue": "NULL_VALUE"}, {"jsonPath": "$.days.off", "boolValue": True}],
    ]
    calls: list[dict[str, Any]] = [
        {"name": "book", "willContinue": True},
        *({"partialArgs": each, "willContinue": True} for each in pieces),
        {},
        {"name": "leave", "args": {"at": 1}},
    ]
    bodies = [google.reply({"functionCall": call}, finish=None) for call in calls]
    reply = sse(*bodies, google.reply({"text": "Done."}), done=False)
    span = _seen(recorded, _gemini_stream, reply)
    people = [{"name": "Ann"}, {"name": "Bo"}]
    assert span.calls == [
        ("book", {"city": "New Delhi", "days": 3, "people": people, "no such": None}),
        ("leave", {"at": 1}),
    ]


def test_what_stands_beside_a_candidate(recorded: Recorded) -> None:
    body = google.reply({"text": "Sunny."})
    beside = {
        "logprobsResult": {"chosenCandidates": [{"token": "Sun", "logProbability": -0.5}]},
        "citationMetadata": {"citationSources": [{"uri": "u"}]},
        "urlContextMetadata": {"urlMetadata": [{"retrievedUrl": "u"}]},
    }
    body["candidates"][0].update(beside)
    (message,) = _seen(recorded, _gemini, Reply(body)).output
    assert message["logprobs"] == beside["logprobsResult"]
    (part,) = message["parts"]
    assert (part["citations"], part["url_context"]) == (beside["citationMetadata"], beside["urlContextMetadata"])


# --- Cohere, version 1 -----------------------------------------------------------------------------


def _cohere(url: str) -> None:
    cohere.package()
    with cohere.client(url, version="Client") as client:
        client.chat(model=cohere.MODEL, message="Paris?")


def test_what_a_reply_cites(recorded: Recorded) -> None:
    cited = [{"start": 0, "end": 5, "text": "Sunny", "document_ids": ["d1"]}]
    body = {"response_id": "1", "generation_id": "2", "text": "Sunny.", "finish_reason": "COMPLETE", "citations": cited}
    span = _seen(recorded, _cohere, Reply({**body, "meta": cohere.USAGE}))
    assert span.parts == [{"type": "text", "content": "Sunny.", "citations": cited}]


# --- replies with a good status that say of themselves that the model has failed -------------------


def _cohere_2(url: str) -> None:
    with cohere.client(url) as client:
        client.chat(**cohere.ASKED)


def _cohere_2_stream(url: str) -> None:
    with cohere.client(url) as client:
        list(client.chat_stream(**cohere.ASKED))


def _cohere_1_stream(url: str) -> None:
    with cohere.client(url, version="Client") as client:
        list(client.chat_stream(model=cohere.MODEL, message="Paris?"))


def _mistral(url: str) -> None:
    mistral.client(url).chat.complete(**mistral.ASKED)


def _mistral_stream(url: str) -> None:
    list(mistral.client(url).chat.stream(**mistral.ASKED))


_ARGUMENTS = {"finish_reason": "ERROR", "finishReason": "MALFORMED_RESPONSE"}
_QUOTED = {"function": {"name": "note", "arguments": json.dumps(_ARGUMENTS)}, "id": "c", "type": "function"}


@pytest.mark.parametrize(
    ("ask", "reply", "reason"),
    [
        (_cohere_2, Reply({**cohere.whole(content=[]), "finish_reason": "ERROR"}), "ERROR"),
        (_cohere_2, Reply({**cohere.whole(tool_calls=[_QUOTED])}), None),
        (_cohere_2, Reply({**cohere.whole(content=[]), "finish_reason": "ERROR_TOXIC"}), None),
        (_cohere_2_stream, cohere.Case().reply(*cohere.Case.pieces[:2], cohere.event(
            "message-end", delta={"finish_reason": "ERROR", "usage": cohere.USAGE})), "ERROR"),
        (_cohere_1_stream, Reply(stream=[
            '{"event_type": "text-generation", "is_finished": false, "text": "Sun"}\n',
            '{"event_type": "stream-end", "finish_reason": "ERROR", "response": {"text": "Sun"}}\n',
         ], content_type="application/stream+json"), "ERROR"),
        (_gemini, Reply(google.reply(finish="MALFORMED_FUNCTION_CALL")), "MALFORMED_FUNCTION_CALL"),
        (_gemini, Reply(google.reply({"functionCall": {"name": "note", "args": _ARGUMENTS}})), None),
        (_gemini, Reply({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": google.USAGE}), None),
        (_gemini_stream, sse(google.reply({"text": "Sun"}, finish=None), google.reply(finish="MALFORMED_RESPONSE"),
                             done=False), "MALFORMED_RESPONSE"),
        (_converse, Reply(bedrock.whole(reason="malformed_tool_use")), "malformed_tool_use"),
        (_converse, Reply(bedrock.whole(reason="guardrail_intervened")), None),
        (_converse_stream, bedrock.Case().reply(
            bedrock.event("messageStart", {"role": "assistant"}), bedrock.delta(0, text="Sun"),
            bedrock.event("messageStop", {"stopReason": "malformed_model_output"}),
            bedrock.event("metadata", {"usage": bedrock.USAGE})), "malformed_model_output"),
        (_mistral, Reply({**mistral.whole({}), "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Sun"}, "finish_reason": "error"}]}), "error"),
        (_mistral_stream, sse(chunk({"content": "Sun"}), chunk({}, finish_reason="error")), "error"),
    ],
)  # fmt: skip
def test_a_model_that_has_failed(ask: Ask, reply: Reply, reason: str | None, recorded: Recorded) -> None:
    """What a filter or a guardrail has stopped is no failure, nor is what stands in the arguments of a tool."""
    for module in (cohere, google, bedrock, mistral):
        module.package()
    span = _seen(recorded, ask, reply)
    assert (span.outcome, span.get("error.type")) == ("error" if reason else "ok", reason)
    if reason:
        assert list(span["gen_ai.response.finish_reasons"]) == [reason]


# --- OpenAI, and who speaks its dialect ------------------------------------------------------------


def _openai(url: str, api: str = "chat", **how: Any) -> None:
    import openai

    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        if api == "responses":
            client.responses.create(model="gpt-5", input="Paris?")
        else:
            reply: Any = client.chat.completions.create(model="gpt-5", messages=ASKED, **how)  # type: ignore[call-overload]  # plain data
            if how:
                list(reply)


def test_reasoning_that_is_told_in_its_details_alone(recorded: Recorded) -> None:
    details = [{"type": "reasoning.text", "text": "Look."}, {"type": "reasoning.encrypted", "data": "gAAA"}]
    message = {"role": "assistant", "content": "Sunny.", "reasoning": None, "reasoning_details": details}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
    reply = Reply({**body, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    assert _seen(recorded, _openai, reply).parts == [
        {"type": "reasoning", "content": "Look."},
        {"type": "text", "content": "Sunny."},
    ]


def test_the_event_of_an_error_tells_what_was_used(recorded: Recorded) -> None:
    import openai

    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    begun = {**chunk, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Sun"}}]}
    failed = {
        **chunk, "choices": [], "error": {"code": 400, "message": "Token limit reached"},
        "usage": {"prompt_tokens": 43, "completion_tokens": 10, "total_tokens": 53},
    }  # fmt: skip

    def ask(url: str) -> None:
        with pytest.raises(openai.APIError):
            _openai(url, stream=True)

    span = _seen(recorded, ask, sse(begun, failed))
    assert (span.outcome, span.text) == ("error", "Sun")
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (43, 10)
    assert span["agentops.usage.source"] == "reported"


def _responses(url: str) -> None:
    _openai(url, "responses")


def _with_an_image(tool: dict[str, Any], **more: Any) -> Reply:
    item = {"type": "image_generation_call", "id": "ig", "status": "completed", "result": "iVBORw0KGgo="}
    body = {
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-5",
        "output": [item], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [tool],
        "usage": {"input_tokens": 1_000, "output_tokens": 100, "total_tokens": 1_100},
    }  # fmt: skip
    return Reply(json.dumps({**body, **more}))


def test_images_and_searches_that_a_tool_made_are_billed_beside(recorded: Recorded) -> None:
    images = {
        "input_tokens": 300, "output_tokens": 1_000, "total_tokens": 1_300,
        "input_tokens_details": {"text_tokens": 100, "image_tokens": 200},
    }  # fmt: skip
    beside = {"image_gen": images, "web_search": {"num_requests": 2}}
    reply = _with_an_image({"type": "image_generation", "model": "gpt-image-1"}, tool_usage=beside)
    span = _seen(recorded, _responses, reply)
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (1_000, 100)
    text, image = 1_000 * 1.25 + 100 * 10, 100 * 5 + 200 * 10 + 1_000 * 40
    assert span["agentops.cost.amount"] * 1e6 == pytest.approx(text + image + 2 * 10_000)


@pytest.mark.parametrize("tool", [{"type": "image_generation"}, {"type": "image_generation", "model": "gpt-image-1"}])
def test_images_of_which_nothing_is_told_leave_the_cost_unknown(tool: dict[str, Any], recorded: Recorded) -> None:
    span = _seen(recorded, _responses, _with_an_image(tool))
    assert span.get("agentops.cost.amount") is None
    assert "a tool made images" in span["agentops.cost.unknown_reason"]
