"""``bedrock-agent-runtime``: knowledge bases, agents and flows that are kept at Amazon's, and its reranking.

What the models behind them used is told in an agent's trace alone, where that is asked for; elsewhere it is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agentops_sdk.integration import semconv, summed_cost, usage_attributes
from agentops_sdk.integration.clients import Asked, Attributes, Endpoint, Events, Exchanged, Json
from agentops_sdk.integration.dialects import mapping, mappings, text_value
from agentops_sdk.integration.dialects import message_parts as parts

_UNTOLD = {semconv.COST_UNKNOWN_REASON: "the service does not tell what its models used"}


def model_of(identifier: Any) -> str | None:
    """Of a resource name, what stands behind the kind of resource."""
    return identifier.rpartition("/")[2] if isinstance(identifier, str) and identifier else None


def _message(role: str, text: Any) -> dict[str, Any]:
    return {"role": role, "parts": [parts.text(text)]}


def _name_in(path: str) -> str | None:
    return path.partition("/")[2] or None


# --- knowledge bases -------------------------------------------------------------------------------


def _document(result: Json) -> dict[str, Any]:
    content, location = mapping(result.get("content")), mapping(result.get("location"))
    places = (value for place in location.values() for value in mapping(place).values())
    row = {str(each.get("columnName")): each.get("columnValue") for each in mappings(content.get("row"))}
    found = {
        "id": result.get("documentId") or next((str(place) for place in places), None),
        "score": result.get("score"),
        "content": content.get("text") or row or mapping(content.get("audio")).get("transcription"),
        "metadata": result.get("metadata"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _search(configuration: Json) -> Json:
    kinds = ("vectorSearchConfiguration", "managedSearchConfiguration")
    return next((mapping(configuration[kind]) for kind in kinds if kind in configuration), {})


def _retrieve_request(body: Json) -> Attributes:
    count = _search(mapping(body.get("retrievalConfiguration"))).get("numberOfResults")
    return {
        semconv.RETRIEVAL_QUERY: mapping(body.get("retrievalQuery")).get("text"),
        semconv.RETRIEVAL_TOP_K: count if isinstance(count, int) else None,
    }


def _retrieve_response(body: Json, asked: Json) -> Attributes:
    return {semconv.RETRIEVAL_DOCUMENTS: [_document(each) for each in mappings(body.get("retrievalResults"))]}


def _generation(body: Json) -> Json:
    configuration = mapping(body.get("retrieveAndGenerateConfiguration"))
    kinds = ("knowledgeBaseConfiguration", "externalSourcesConfiguration")
    return next((mapping(configuration[kind]) for kind in kinds if kind in configuration), {})


def _generate_request(body: Json) -> Attributes:
    question, configuration = mapping(body.get("input")).get("text"), _generation(body)
    count = _search(mapping(configuration.get("retrievalConfiguration"))).get("numberOfResults")
    return {
        semconv.REQUEST_MODEL: model_of(configuration.get("modelArn")),
        semconv.RETRIEVAL_QUERY: question,
        semconv.RETRIEVAL_TOP_K: count if isinstance(count, int) else None,
        semconv.INPUT_MESSAGES: [_message("user", question)] if text_value(question) else None,
    }


def _generate_response(body: Json, asked: Json) -> Attributes:
    citations = mappings(body.get("citations"))
    references = [each for citation in citations for each in mappings(citation.get("retrievedReferences"))]
    answer = mapping(body.get("output")).get("text")
    return {
        semconv.CONVERSATION_ID: text_value(body.get("sessionId")),
        semconv.RETRIEVAL_DOCUMENTS: [_document(each) for each in references],
        semconv.OUTPUT_MESSAGES: [_message("assistant", answer)] if text_value(answer) else None,
        **_UNTOLD,
    }


def _generate_fold(events: Events) -> dict[str, Any]:
    citations = [mapping(event.get("citation")) for event in events if "citation" in event]
    return {
        "output": {"text": "".join(str(mapping(event.get("output")).get("text") or "") for event in events)},
        "citations": [citation.get("citation") or citation for citation in citations],
    }


# --- reranking -------------------------------------------------------------------------------------


def _ranking(body: Json) -> Json:
    return mapping(mapping(body.get("rerankingConfiguration")).get("bedrockRerankingConfiguration"))


def _rerank_request(body: Json) -> Attributes:
    queries = [mapping(each.get("textQuery")).get("text") for each in mappings(body.get("queries"))]
    count = _ranking(body).get("numberOfResults")
    return {
        semconv.REQUEST_MODEL: model_of(mapping(_ranking(body).get("modelConfiguration")).get("modelArn")),
        semconv.RETRIEVAL_QUERY: queries[0] if len(queries) == 1 else queries or None,
        semconv.RETRIEVAL_TOP_K: count if isinstance(count, int) else None,
    }


def _rerank_response(body: Json, asked: Json) -> Attributes:
    sources = [mapping(each.get("inlineDocumentSource")) for each in mappings(asked.get("sources"))]
    documents = []
    for result in mappings(body.get("results")):
        index = result.get("index")
        source = sources[index] if isinstance(index, int) and 0 <= index < len(sources) else {}
        content = mapping(source.get("textDocument")).get("text", source.get("jsonDocument"))
        documents.append({"id": str(index), "score": result.get("relevanceScore"), "content": content})
    return {semconv.RETRIEVAL_DOCUMENTS: documents, **_UNTOLD}


# --- agents ----------------------------------------------------------------------------------------


def _agent_request(body: Json) -> Attributes:
    question, instruction = body.get("inputText"), body.get("instruction")
    return {
        semconv.AGENT_ID: text_value(body.get("agentId")),
        semconv.CONVERSATION_ID: text_value(body.get("sessionId")),
        semconv.REQUEST_MODEL: model_of(body.get("foundationModel")),
        semconv.SYSTEM_INSTRUCTIONS: [parts.text(instruction)] if isinstance(instruction, str) else None,
        semconv.INPUT_MESSAGES: [_message("user", question)] if text_value(question) else None,
    }


def _agent_fold(events: Events) -> dict[str, Any]:
    traces = [mapping(mapping(event.get("trace")).get("trace")) for event in events if "trace" in event]
    texts = [mapping(event["chunk"]).get("text") for event in events if "chunk" in event]
    asked_back = [event["returnControl"] for event in events if "returnControl" in event]
    return {"text": "".join(str(text or "") for text in texts), "traces": traces, "returnControl": asked_back}


def _agent_response(body: Json, asked: Json) -> Attributes:
    text = text_value(body.get("text"))
    content: list[parts.Part] = [parts.text(text)] if text else []
    for control in mappings(body.get("returnControl")):  # functions that the program is to call itself
        for each in mappings(control.get("invocationInputs")):
            function = mapping(each.get("functionInvocationInput"))
            name = function.get("function") or mapping(each.get("apiInvocationInput")).get("apiPath")
            given = {str(one.get("name")): one.get("value") for one in mappings(function.get("parameters"))}
            call_id = control.get("invocationId")
            content.append({"type": "tool_call", "id": call_id, "name": str(name or ""), "arguments": given})
    return {semconv.OUTPUT_MESSAGES: [{"role": "assistant", "parts": content}] if content else None}


def _invocations(trace: Json) -> Iterator[tuple[str | None, Json]]:
    """The model of each of the agent's model calls, as far as it is told, and what the call used."""
    for step in trace.values():
        told = mapping(mapping(mapping(step).get("modelInvocationOutput")).get("metadata")).get("usage")
        model = mapping(mapping(step).get("modelInvocationInput")).get("foundationModel")
        if model or told:
            yield model_of(model), mapping(told)


def _agent_settle(attributes: Attributes, exchanged: Exchanged) -> bool:
    calls, model = [], attributes.get(semconv.REQUEST_MODEL)
    for trace in mappings(exchanged.reply.get("traces")):
        for named, usage in _invocations(trace):
            model = named or model
            if usage:
                known = {semconv.PROVIDER_NAME: attributes.get(semconv.PROVIDER_NAME), semconv.RESPONSE_MODEL: model}
                calls.append({semconv.OUTCOME: "ok", **known, **usage_attributes("bedrock.converse", usage)})
    if sums := summed_cost(calls):
        attributes.update({**sums, semconv.USAGE_SOURCE: "reported"})
    else:
        attributes.update(_UNTOLD)
    return False  # what was told is on the span already


# --- flows -----------------------------------------------------------------------------------------


def _flow_request(body: Json) -> Attributes:
    return {semconv.INPUT: [mapping(each.get("content")).get("document") for each in mappings(body.get("inputs"))]}


def _flow_fold(events: Events) -> dict[str, Any]:
    outputs = [mapping(event.get("flowOutputEvent")) for event in events if "flowOutputEvent" in event]
    return {"outputs": [mapping(output.get("content")).get("document") for output in outputs]}


def _flow_response(body: Json, asked: Json) -> Attributes:
    return {semconv.OUTPUT: body.get("outputs") or None, **_UNTOLD}


# --- the table -------------------------------------------------------------------------------------


def _no_usage(body: Json) -> Json | None:
    return {}


_NEVER = re.compile(rb"(?!)")
"""Nothing in these streams says that there is no more."""

ROWS = (
    Endpoint(
        path="Retrieve(?:/[^/]+)?", kind="retriever", operation="retrieval", name_in=_name_in,
        request=_retrieve_request, response=_retrieve_response,
    ),
    Endpoint(
        path="RetrieveAndGenerate(?:Stream)?(?:/[^/]+)?", kind="retriever", operation="retrieve_and_generate",
        name_in=_name_in, request=_generate_request, response=_generate_response, fold=_generate_fold, end_mark=_NEVER,
    ),
    Endpoint(
        path="Rerank", kind="retriever", operation="rerank", span_name="rerank", name_in=lambda path: None,
        request=_rerank_request, response=_rerank_response,
    ),
    Endpoint(
        path="Invoke(?:Inline)?Agent(?:/[^/]+)?", kind="agent", operation="invoke_agent", name_in=_name_in,
        request=_agent_request, response=_agent_response, fold=_agent_fold, settle=_agent_settle, end_mark=_NEVER,
        usage=_no_usage,
    ),
    Endpoint(
        path="InvokeFlow(?:/[^/]+)?", kind="span", operation="invoke_flow", name_in=_name_in,
        request=_flow_request, response=_flow_response, fold=_flow_fold,
        end_mark=re.compile(rb'"flowCompletionEvent"'),
    ),
)  # fmt: skip

_NAMED_BY = {
    "Retrieve": "knowledgeBaseId",
    "RetrieveAndGenerate": "",
    "RetrieveAndGenerateStream": "",
    "Rerank": None,
    "InvokeAgent": "agentId",
    "InvokeInlineAgent": "agentName",
    "InvokeFlow": "flowIdentifier",
}
"""The operations, and the parameter that names what they are about: none, or one that lies deeper."""


def asked(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    """A call of this client; every call of every client of AWS comes by."""
    if client.meta.service_model.service_name != "bedrock-agent-runtime":
        return None
    operation = args[0] if args else kwargs.get("operation_name")
    params = args[1] if len(args) > 1 else kwargs.get("api_params")
    if not isinstance(params, Mapping):
        return None
    if operation not in _NAMED_BY:
        return None
    key = _NAMED_BY[operation]
    name = _generation(params).get("knowledgeBaseId") if key == "" else params.get(key) if key else None
    path = f"{operation}/{model_of(name)}" if text_value(name) else operation
    return Asked(path, params, url=str(client.meta.endpoint_url))


def event(item: Any) -> Any:
    """A reply, or an event of a stream: an agent's pieces of text come as bytes."""
    chunk = item.get("chunk")
    data = chunk.get("bytes") if isinstance(chunk, dict) else None
    return {**item, "chunk": {"text": data.decode("utf-8", "replace")}} if isinstance(data, bytes) else item
