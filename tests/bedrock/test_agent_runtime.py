"""Knowledge bases, agents, flows and guardrails through the real client: what was asked, found, said and told of."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.bedrock.clients import Case, Events, client, event, failure, package
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops

FOUND: dict[str, Any] = {
    "content": {"text": "Sunny in Paris.", "type": "TEXT"},
    "location": {"type": "S3", "s3Location": {"uri": "s3://docs/paris.txt"}},
    "metadata": {"page": 3},
}
ROW = {"id": "s3://docs/paris.txt", "content": "Sunny in Paris.", "metadata": {"page": 3}}
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0"
GENERATES: dict[str, Any] = {
    "input": {"text": "Paris?"},
    "retrieveAndGenerateConfiguration": {
        "type": "KNOWLEDGE_BASE",
        "knowledgeBaseConfiguration": {
            "knowledgeBaseId": "KB12345678",
            "modelArn": MODEL,
            "retrievalConfiguration": {"vectorSearchConfiguration": {"numberOfResults": 2}},
        },
    },
}
AGENT: dict[str, Any] = {
    "agentId": "AGENT12345",
    "agentAliasId": "ALIAS12345",
    "sessionId": "s1",
    "inputText": "Paris?",
}


# Connections are left to the collector where a stream is left.
pytestmark = [pytest.mark.usefixtures("collected"), pytest.mark.filterwarnings("ignore:unclosed <socket")]


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


def asking(wire: Wire) -> Any:
    return client(wire.url, service="bedrock-agent-runtime")


def stream(*pieces: bytes) -> Reply:
    return Reply(stream=pieces, content_type=Case.content_type, headers={"x-amzn-bedrock-agent-session-id": "s1"})


def said(text: str, **more: Any) -> bytes:
    return event("chunk", {"bytes": base64.b64encode(text.encode()).decode(), **more})


def step(**what: Any) -> bytes:
    return event("trace", {"agentId": "AGENT12345", "trace": {"orchestrationTrace": {**what}}})


def test_a_retrieval(recorded: Any) -> None:
    body = {"retrievalResults": [{**FOUND, "score": 0.5}]}
    with Wire(Reply(body, headers={"x-amzn-requestid": "r1"})) as wire, asking(wire) as bedrock:
        reply = bedrock.retrieve(
            knowledgeBaseId="KB12345678",
            retrievalQuery={"text": "Paris?"},
            retrievalConfiguration={"vectorSearchConfiguration": {"numberOfResults": 2}},
        )
        port = wire.port
    assert type(reply) is dict
    assert reply["retrievalResults"] == body["retrievalResults"]
    span = recorded.one()
    assert (span.name, span.outcome) == ("retrieval KB12345678", "ok")
    assert span["gen_ai.provider.name"] == "aws.bedrock"
    assert (span["server.address"], span["server.port"]) == ("127.0.0.1", port)
    assert span["gen_ai.data_source.id"] == "KB12345678"
    assert (span["gen_ai.retrieval.query.text"], span["gen_ai.retrieval.top_k"]) == ("Paris?", 2)
    assert span.json("gen_ai.retrieval.documents") == [{**ROW, "score": 0.5}]
    assert span["agentops.request_id"] == "r1"


def test_a_retrieval_that_answers(recorded: Any) -> None:
    citation = {"retrievedReferences": [FOUND]}
    whole = Reply({"sessionId": "s1", "output": {"text": "Sunny."}, "citations": [citation]})
    pieces = stream(
        event("output", {"text": "Sun"}), event("output", {"text": "ny."}), event("citation", {"citation": citation})
    )
    with Wire(whole, pieces, pieces) as wire, asking(wire) as bedrock:
        bedrock.retrieve_and_generate(**GENERATES)
        assert len(list(bedrock.retrieve_and_generate_stream(**GENERATES)["stream"])) == 3
        left = Events(bedrock.retrieve_and_generate_stream(**GENERATES)["stream"])
        next(left)
        left.close()
    spans = recorded()
    assert [span.outcome for span in spans] == ["ok", "ok", "abandoned"]
    assert [span.text for span in spans] == ["Sunny.", "Sunny.", "Sun"]
    for span in spans:
        assert span.name == "retrieve_and_generate KB12345678"
        assert span["gen_ai.request.model"] == "anthropic.claude-haiku-4-5-20251001-v1:0"
        assert (span["gen_ai.retrieval.query.text"], span["gen_ai.retrieval.top_k"]) == ("Paris?", 2)
        assert "does not tell" in span["agentops.cost.unknown_reason"]
        assert not [name for name in span.attributes if name.startswith("gen_ai.usage.")]
    assert [span.json("gen_ai.retrieval.documents") for span in spans] == [[ROW], [ROW], []]


def test_documents_are_put_in_order(recorded: Any) -> None:
    sources = [
        {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}}
        for text in ("Rain.", "Sunny.")
    ]
    model = {"modelConfiguration": {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0"}}
    with Wire(Reply({"results": [{"index": 1, "relevanceScore": 0.5}]})) as wire, asking(wire) as bedrock:
        bedrock.rerank(
            queries=[{"type": "TEXT", "textQuery": {"text": "Paris?"}}],
            sources=sources,
            rerankingConfiguration={
                "type": "BEDROCK_RERANKING_MODEL", "bedrockRerankingConfiguration": {**model, "numberOfResults": 1},
            },
        )  # fmt: skip
    span = recorded.one()
    assert (span.name, span["gen_ai.request.model"]) == ("rerank", "cohere.rerank-v3-5:0")
    assert (span["gen_ai.retrieval.query.text"], span["gen_ai.retrieval.top_k"]) == ("Paris?", 1)
    assert span.json("gen_ai.retrieval.documents") == [{"id": "1", "score": 0.5, "content": "Sunny."}]


def test_an_agent(recorded: Any) -> None:
    used = {"metadata": {"usage": {"inputTokens": 1000, "outputTokens": 100}}}
    asked = {"modelInvocationInput": {"foundationModel": "anthropic.claude-haiku-4-5-20251001-v1:0", "text": "…"}}
    reply = stream(
        step(**asked), step(modelInvocationOutput=used), step(rationale={"text": "Look it up."}),
        step(**asked), step(modelInvocationOutput=used), said("Sun"), said("ny."),
    )  # fmt: skip
    with Wire(reply) as wire, asking(wire) as bedrock:
        events = list(bedrock.invoke_agent(**AGENT, enableTrace=True)["completion"])
    assert b"".join(item["chunk"]["bytes"] for item in events if "chunk" in item) == b"Sunny."
    span = recorded.one()
    assert (span.name, span.outcome, span.text) == ("invoke_agent AGENT12345", "ok", "Sunny.")
    assert (span["gen_ai.agent.id"], span["gen_ai.conversation.id"]) == ("AGENT12345", "s1")
    assert "Paris?" in span["gen_ai.input.messages"]
    # two calls of 1000 in at 1 and 100 out at 5 dollars a million; a region's own model costs a tenth more
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (2000, 200)
    assert span["agentops.cost.amount"] == pytest.approx((2000 * 1 + 200 * 5) * 1.1 / 1e6)


@pytest.mark.parametrize(("limit", "spent"), [({"cost": 0.001}, 0.0011), ({"tokens": 500}, 1000)])
def test_what_an_agent_uses_at_its_providers_counts_under_a_limit(
    recorded: Any, limit: dict[str, Any], spent: float
) -> None:
    asked = {"modelInvocationInput": {"foundationModel": "anthropic.claude-haiku-4-5-20251001-v1:0", "text": "…"}}
    used = {"metadata": {"usage": {"inputTokens": 1000, "outputTokens": 0}}}
    reply = stream(step(**asked), step(modelInvocationOutput=used), said("Sunny."))
    with Wire(reply) as wire, asking(wire) as bedrock, agentops.limits(**limit):
        list(bedrock.invoke_agent(**AGENT, enableTrace=True)["completion"])
        with pytest.raises(agentops.LimitExceeded) as caught:
            bedrock.invoke_agent(**AGENT, enableTrace=True)
        assert len(wire.requests) == 1
    assert caught.value.spent == pytest.approx(spent)


def test_an_agent_whose_tokens_nobody_tells(recorded: Any) -> None:
    with Wire(stream(said("Sunny."))) as wire, asking(wire) as bedrock:
        list(bedrock.invoke_agent(**AGENT)["completion"])
    span = recorded.one()
    assert not [name for name in span.attributes if name.startswith("gen_ai.usage.")]
    assert "does not tell" in span["agentops.cost.unknown_reason"]


def test_an_agent_that_asks_its_caller_for_a_function(recorded: Any) -> None:
    wanted = {"function": "weather", "parameters": [{"name": "city", "type": "string", "value": "Paris"}]}
    control = {"invocationId": "i1", "invocationInputs": [{"functionInvocationInput": wanted}]}
    with Wire(stream(event("returnControl", control))) as wire, asking(wire) as bedrock:
        list(bedrock.invoke_agent(**AGENT)["completion"])
    assert recorded.one().calls == [("weather", {"city": "Paris"})]


def test_ways_out_of_an_agent(recorded: Any) -> None:
    with Wire(stream(said("Sun"), said("ny."))) as wire, asking(wire) as bedrock:
        left = Events(bedrock.invoke_agent(**AGENT)["completion"])
        next(left)
        left.close()
        span = recorded.one()
        assert (span.outcome, span.text) == ("abandoned", "Sun")
        wire.replies = [stream(said("Sun"), failure("throttlingException"))]
        with pytest.raises(Exception) as caught:
            list(bedrock.invoke_agent(**AGENT)["completion"])
        span = recorded.one()
        assert (span.outcome, span.text) == ("error", "Sun")
        assert span["error.type"].endswith(type(caught.value).__name__)
        wire.replies = [Reply({"message": "no"}, 403, headers={"x-amzn-errortype": "AccessDeniedException"})]
        with pytest.raises(bedrock.exceptions.AccessDeniedException):
            bedrock.invoke_agent(**AGENT)
        assert recorded.one().outcome == "error"


def test_a_flow(recorded: Any) -> None:
    output = {"nodeName": "out", "nodeType": "FlowOutputNode", "content": {"document": "Sunny."}}
    reply = stream(event("flowOutputEvent", output), event("flowCompletionEvent", {"completionReason": "SUCCESS"}))
    given = {"nodeName": "in", "nodeOutputName": "document", "content": {"document": "Paris?"}}
    with Wire(reply) as wire, asking(wire) as bedrock:
        list(bedrock.invoke_flow(flowIdentifier="FLOW1", flowAliasIdentifier="A", inputs=[given])["responseStream"])
    span = recorded.one()
    assert (span.name, span.outcome) == ("invoke_flow FLOW1", "ok")
    assert (span.json("agentops.input"), span.json("agentops.output")) == (["Paris?"], ["Sunny."])


def test_other_operations_of_the_client_are_left_alone(recorded: Any) -> None:
    with Wire(Reply({"memoryContents": []})) as wire, asking(wire) as bedrock:
        bedrock.get_agent_memory(agentId="A1", agentAliasId="B1", memoryId="m1", memoryType="SESSION_SUMMARY")
    assert recorded() == []


@pytest.mark.parametrize("verdict", ["NONE", "GUARDRAIL_INTERVENED"])
def test_a_guardrail_decides(recorded: Any, verdict: str) -> None:
    answer = {
        "action": verdict,
        "actionReason": "a topic",
        "outputs": [{"text": "No."}],
        "assessments": [],
        "usage": {},
    }
    with Wire(Reply(answer)) as wire, client(wire.url) as bedrock:
        reply = bedrock.apply_guardrail(
            guardrailIdentifier="g1", guardrailVersion="2", source="INPUT", content=[{"text": {"text": "Paris?"}}]
        )
    span = recorded.one()
    assert (span.name, span["agentops.kind"]) == ("apply_guardrail g1", "guardrail")
    assert span["gen_ai.guardrail.component.name"] == "g1"
    assert span["agentops.decision.chosen"] == verdict
    assert span.get("agentops.decision.reason") == reply.get("actionReason")  # which older clients do not know
    assert "cost" not in " ".join(span.attributes)
