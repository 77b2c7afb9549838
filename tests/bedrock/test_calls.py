"""Converse and InvokeModel through the real client: what was asked, what came, what it cost; once."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.bedrock.clients import ASKED, MODEL, TOOL, Case, client, delta, event, package, whole
from tests.wire.http import CUT, Reply, Wire


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


@pytest.fixture
def reasoning() -> None:
    version = package().__version__
    if tuple(map(int, version.split(".")[:2])) < (1, 37):
        pytest.skip(f"boto3 {version} knows no reasoning and no points of caches")


def chunk(body: Any) -> bytes:
    return event("chunk", {"bytes": base64.b64encode(json.dumps(body).encode()).decode()})


@pytest.mark.usefixtures("reasoning")
def test_a_call(recorded: Any) -> None:
    call = {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Paris"}}}
    thought = {"reasoningContent": {"reasoningText": {"text": "Look it up.", "signature": "s"}}}
    usage = {**USAGE_WITH_CACHE, "totalTokens": 1158}
    asked = {
        **ASKED,
        "system": [{"text": "Be short."}, {"cachePoint": {"type": "default"}}],
        "inferenceConfig": {"maxTokens": 100, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
        "toolConfig": {"tools": [TOOL], "toolChoice": {"any": {}}},
    }
    with Wire(Reply(whole(thought, call, reason="tool_use", usage=usage))) as wire, client(wire.url) as bedrock:
        reply = bedrock.converse(**asked)
        port = wire.port
    assert type(reply) is dict
    assert reply["stopReason"] == "tool_use"
    span = recorded.one()
    assert span.name == f"chat {MODEL}"
    assert span["gen_ai.provider.name"] == "aws.bedrock"
    assert (span["server.address"], span["server.port"]) == ("127.0.0.1", port)
    assert span["gen_ai.request.max_tokens"] == 100
    assert span["gen_ai.request.temperature"] == 0.5
    assert span["gen_ai.request.top_p"] == 0.9
    assert list(span["gen_ai.request.stop_sequences"]) == ["END"]
    assert list(span["gen_ai.response.finish_reasons"]) == ["tool_use"]
    assert json.loads(span["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be short."}]
    (message,) = json.loads(span["gen_ai.output.messages"])
    assert message["finish_reason"] == "tool_call"
    assert message["parts"] == [
        {"type": "reasoning", "content": "Look it up."},
        {"type": "tool_call", "id": "t1", "name": "weather", "arguments": {"city": "Paris"}},
    ]
    # what is read from the cache and written to it is input as well
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (1150, 8)
    assert span["gen_ai.usage.cache_read.input_tokens"] == 1000
    assert span["gen_ai.usage.cache_creation.input_tokens"] == 100
    # 50 at 1, 100 written at 1.25, 1000 read at 0.10, 8 out at 5 dollars a million; a region costs a tenth more
    assert span["agentops.cost.amount"] == pytest.approx((50 * 1 + 100 * 1.25 + 1000 * 0.1 + 8 * 5) * 1.1 / 1e6)


USAGE_WITH_CACHE = {
    "inputTokens": 50,
    "outputTokens": 8,
    "cacheReadInputTokens": 1000,
    "cacheWriteInputTokens": 100,
}


@pytest.mark.usefixtures("reasoning")
def test_a_stream_with_a_call_of_a_tool(recorded: Any) -> None:
    reply = Case().reply(
        event("messageStart", {"role": "assistant"}),
        delta(0, reasoningContent={"text": "Look "}),
        delta(0, reasoningContent={"text": "it up."}),
        delta(0, reasoningContent={"signature": "s"}),
        event("contentBlockStart", {"start": {"toolUse": {"toolUseId": "t1", "name": "w"}}, "contentBlockIndex": 1}),
        delta(1, toolUse={"input": '{"city": '}),
        delta(1, toolUse={"input": '"Paris"}'}),
        event("contentBlockStop", {"contentBlockIndex": 1}),
        event("messageStop", {"stopReason": "tool_use"}),
        event("metadata", {"usage": {"inputTokens": 21, "outputTokens": 8, "totalTokens": 29}}),
    )
    with Wire(reply) as wire, client(wire.url) as bedrock:
        assert len(list(bedrock.converse_stream(**ASKED)["stream"])) == 10
    span = recorded.one()
    (message,) = json.loads(span["gen_ai.output.messages"])
    assert message["parts"] == [
        {"type": "reasoning", "content": "Look it up."},
        {"type": "tool_call", "id": "t1", "name": "w", "arguments": {"city": "Paris"}},
    ]
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (21, 8)


ANTHROPIC = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-3-haiku-20240307",
    "content": [{"type": "text", "text": "Sunny."}], "stop_reason": "end_turn",
    "usage": {"input_tokens": 21, "output_tokens": 8},
}  # fmt: skip
NOVA = whole({"text": "Sunny."})
LLAMA = {"generation": "Sunny.", "prompt_token_count": 21, "generation_token_count": 8, "stop_reason": "stop"}
TITAN = {
    "inputTextTokenCount": 21,
    "results": [{"tokenCount": 8, "outputText": "Sunny.", "completionReason": "FINISH"}],
}
OPENAI = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "gpt",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Sunny."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 21, "completion_tokens": 8, "total_tokens": 29},
}  # fmt: skip
PARIS = [{"role": "user", "content": "Paris?"}]


@pytest.mark.parametrize(
    ("model", "asked", "answer"),
    [
        (MODEL, {"messages": PARIS, "max_tokens": 9, "anthropic_version": "bedrock-2023-05-31"}, ANTHROPIC),
        ("us.amazon.nova-lite-v1:0", {"messages": [{"role": "user", "content": [{"text": "Paris?"}]}]}, NOVA),
        ("meta.llama3-8b-instruct-v1:0", {"prompt": "Paris?"}, LLAMA),
        ("amazon.titan-text-lite-v1", {"inputText": "Paris?"}, TITAN),
        ("openai.gpt-oss-20b-1:0", {"messages": PARIS}, OPENAI),
    ],
)
def test_invoke_model(recorded: Any, model: str, asked: Any, answer: Any) -> None:
    with Wire(Reply(answer)) as wire, client(wire.url) as bedrock:
        body = bedrock.invoke_model(modelId=model, body=json.dumps(asked))["body"]
        assert recorded() == []  # its reader is not done
        assert json.loads(body.read()) == answer
    span = recorded.one()
    assert (span.name, span.outcome, span.text) == (f"chat {model}", "ok", "Sunny.")
    assert "Paris?" in span["gen_ai.input.messages"]
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (21, 8)


def test_a_body_that_is_read_bit_by_bit_or_left(recorded: Any) -> None:
    asked: dict[str, Any] = {"modelId": MODEL, "body": json.dumps({"messages": PARIS, "max_tokens": 9})}
    with Wire(Reply(ANTHROPIC)) as wire, client(wire.url) as bedrock:
        assert json.loads(b"".join(bedrock.invoke_model(**asked)["body"].iter_chunks(16))) == ANTHROPIC
        assert recorded.one().text == "Sunny."
        bedrock.invoke_model(**asked)["body"].close()
        assert recorded.one().outcome == "abandoned"


def test_a_stream_of_invoke_model(recorded: Any) -> None:
    started = {**ANTHROPIC, "content": [], "stop_reason": None, "usage": {"input_tokens": 21, "output_tokens": 1}}
    reply = Case().reply(
        chunk({"type": "message_start", "message": started}),
        chunk({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        chunk({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Sunny."}}),
        chunk({"type": "content_block_stop", "index": 0}),
        chunk({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 8}}),
        chunk({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 21}}),
    )
    asked = json.dumps({"messages": PARIS, "max_tokens": 9})
    with Wire(reply) as wire, client(wire.url) as bedrock:
        assert len(list(bedrock.invoke_model_with_response_stream(modelId=MODEL, body=asked)["body"])) == 6
    span = recorded.one()
    assert (span.outcome, span.text) == ("ok", "Sunny.")
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (21, 8)


def test_a_stream_of_llama(recorded: Any) -> None:
    reply = Case().reply(
        chunk({"generation": "Sun", "prompt_token_count": 21, "generation_token_count": 1, "stop_reason": None}),
        chunk({"generation": "ny.", "prompt_token_count": None, "generation_token_count": 8, "stop_reason": "stop"}),
    )
    with Wire(reply) as wire, client(wire.url) as bedrock:
        model = "meta.llama3-8b-instruct-v1:0"
        list(bedrock.invoke_model_with_response_stream(modelId=model, body='{"prompt": "Paris?"}')["body"])
    span = recorded.one()
    assert (span.outcome, span.text) == ("ok", "Sunny.")
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (21, 8)


def test_embeddings(recorded: Any) -> None:
    with Wire(Reply({"embedding": [0.1, 0.2], "inputTextTokenCount": 3})) as wire, client(wire.url) as bedrock:
        bedrock.invoke_model(modelId="amazon.titan-embed-text-v2:0", body='{"inputText": "Paris"}')["body"].read()
    span = recorded.one()
    assert span.name == "embeddings amazon.titan-embed-text-v2:0"
    assert span["gen_ai.usage.input_tokens"] == 3
    assert span["gen_ai.embeddings.dimension.count"] == 2


def test_tokens_that_only_the_headers_tell(recorded: Any) -> None:
    headers = {f"x-amzn-bedrock-{name}-token-count": count for name, count in (("input", "21"), ("output", "8"))}
    answer = {"id": "1", "generations": [{"id": "2", "text": "Sunny.", "finish_reason": "COMPLETE"}]}
    with Wire(Reply(answer, headers={**headers, "x-amzn-requestid": "r1"})) as wire, client(wire.url) as bedrock:
        bedrock.invoke_model(modelId="cohere.command-text-v14", body='{"prompt": "Paris?", "p": 0.5}')["body"].read()
        span = recorded.one()
        bedrock.invoke_model(modelId="cohere.command-text-v14", body='{"prompt": "Paris?"}')["body"].close()
        left = recorded.one()
    assert (span.text, span["gen_ai.response.id"], span["agentops.request_id"]) == ("Sunny.", "1", "r1")
    assert (span["gen_ai.request.top_p"], left.outcome) == (0.5, "abandoned")
    for each in (span, left):
        assert (each["gen_ai.usage.input_tokens"], each["gen_ai.usage.output_tokens"]) == (21, 8)
        assert each["agentops.usage.source"] == "reported"


def test_a_chat_of_cohere(recorded: Any) -> None:
    reply = Case().reply(
        chunk({"event_type": "text-generation", "text": "Sun", "is_finished": False}),
        chunk({"event_type": "text-generation", "text": "ny.", "is_finished": False}),
        chunk({
            "event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE",
            "response": {"text": "Sunny.", "generation_id": "g"},
            "amazon-bedrock-invocationMetrics": {"inputTokenCount": 21, "outputTokenCount": 8},
        }),
    )  # fmt: skip
    with Wire(reply) as wire, client(wire.url) as bedrock:
        asked = {"modelId": "cohere.command-r-v1:0", "body": '{"message": "Paris?", "chat_history": []}'}
        list(bedrock.invoke_model_with_response_stream(**asked)["body"])
    span = recorded.one()
    assert (span.outcome, span.text) == ("ok", "Sunny.")
    assert "Paris?" in span["gen_ai.input.messages"]
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (21, 8)


def test_documents_are_put_in_order(recorded: Any) -> None:
    asked = {"query": "Paris?", "documents": ["Rain.", "Sunny."], "top_n": 1, "api_version": 2}
    answer = {"results": [{"index": 1, "relevance_score": 0.5}]}
    with Wire(Reply(answer)) as wire, client(wire.url) as bedrock:
        bedrock.invoke_model(modelId="cohere.rerank-v3-5:0", body=json.dumps(asked))["body"].read()
    span = recorded.one()
    assert (span.name, span["gen_ai.request.model"]) == ("rerank", "cohere.rerank-v3-5:0")
    assert span.json("gen_ai.retrieval.documents") == [{"id": "1", "score": 0.5, "content": "Sunny."}]


def test_a_call_that_is_tried_again_is_one(recorded: Any) -> None:
    refused = Reply({"message": "slow down"}, status=429, headers={"x-amzn-errortype": "ThrottlingException"})
    with Wire(refused, Reply(whole({"text": "Sunny."}))) as wire, client(wire.url, retries=2) as bedrock:
        bedrock.converse(**ASKED)
        assert len(wire.requests) == 2
    assert recorded.one().text == "Sunny."


def test_a_call_that_fails(recorded: Any) -> None:
    refused = Reply({"message": "no"}, status=403, headers={"x-amzn-errortype": "AccessDeniedException"})
    with Wire(refused) as wire, client(wire.url) as bedrock:
        denied = bedrock.exceptions.AccessDeniedException
        with pytest.raises(denied):
            bedrock.converse(**ASKED)
    span = recorded.one()
    assert span.outcome == "error"
    assert span["error.type"].endswith("AccessDeniedException")


def test_a_body_that_is_cut(recorded: Any) -> None:
    with Wire(Reply(stream=[b'{"content":', 0.05, CUT])) as wire, client(wire.url) as bedrock:
        body = bedrock.invoke_model(modelId=MODEL, body='{"messages": []}')["body"]
        with pytest.raises(Exception):  # noqa: B017 - whichever it is, it is the client's
            body.read()
    assert recorded.one().outcome == "error"


def test_the_model_behind_a_resource_name(recorded: Any) -> None:
    name = f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}"
    with Wire(Reply(whole({"text": "Sunny."}))) as wire, client(wire.url) as bedrock:
        bedrock.converse(**{**ASKED, "modelId": name})
    assert recorded.one().name == f"chat {MODEL}"


def test_other_services_are_left_alone(recorded: Any) -> None:
    reply = Reply(b"<ListAllMyBucketsResult/>", content_type="text/xml")
    with Wire(reply) as wire, client(wire.url, service="s3") as s3:
        s3.list_buckets()
    assert recorded() == []
