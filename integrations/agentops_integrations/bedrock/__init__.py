"""Amazon Bedrock through botocore, which boto3 and LangChain use: models, knowledge bases, agents, guardrails.

Of all clients of AWS, the calls of ``bedrock-runtime`` and ``bedrock-agent-runtime`` that are in the tables, and
those that make agents, are recorded; all others pass. The client retries inside of one method, so that its attempts
are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_integrations.bedrock import agent_creation, agent_runtime, invoke
from agentops_integrations.bedrock.converse import CONVERSE, VERDICTS
from agentops_sdk.integration import decision_attributes, semconv
from agentops_sdk.integration.clients import Asked, Attributes, Endpoint, Endpoints, Json, Method, MethodClient
from agentops_sdk.integration.dialects import mapping

# --- guardrails by themselves ----------------------------------------------------------------------


def _guardrail_request(body: Json) -> Attributes:
    return {semconv.INPUT: body.get("content"), semconv.GUARDRAIL_POLICY: body.get("guardrailVersion")}


def _guardrail_response(body: Json, asked: Json) -> Attributes:
    verdict = body.get("action")
    decided = {}
    if isinstance(verdict, str):
        decided = decision_attributes(verdict, options=VERDICTS, reason=body.get("actionReason") or None, by="code")
    return {semconv.OUTPUT: body.get("outputs") or None, **decided}


def _checks_request(body: Json) -> Attributes:
    return {semconv.INPUT: {"messages": body.get("messages"), "checks": body.get("checks")}}


def _checks_response(body: Json, asked: Json) -> Attributes:
    """How severe it is, by check: what is let through is for the program to decide."""
    return {semconv.OUTPUT: body.get("results") or None}


# --- work that goes on: films, and vectors of them, which are put into a bucket ---------------------


def _later_request(body: Json) -> Attributes:
    return invoke.picture_request(mapping(body.get("modelInput"))) | {semconv.OUTPUT_TYPE: None}


def _later_response(body: Json, asked: Json) -> Attributes:
    return {
        semconv.RESPONSE_ID: body.get("invocationArn"),
        semconv.COST_UNKNOWN_REASON: "in the background: what it used is told nowhere",
    }


ENDPOINTS = Endpoints(
    [
        CONVERSE,
        *invoke.ROWS,
        Endpoint(path="CountTokens", kind="span", operation="count_tokens", span_name="count_tokens"),
        Endpoint(
            path="ApplyGuardrail(?:/[^/]+)?", kind="guardrail", operation="apply_guardrail",
            name_in=lambda path: path.partition("/")[2] or None, request=_guardrail_request,
            response=_guardrail_response, usage=lambda body: None,
        ),
        Endpoint(
            path="InvokeGuardrailChecks", kind="guardrail", operation="apply_guardrail",
            span_name="apply_guardrail", request=_checks_request, response=_checks_response, usage=lambda body: None,
        ),
        Endpoint(
            path="StartAsyncInvoke", operation="generate_content", request=_later_request, response=_later_response,
            usage=lambda body: None,
        ),
        *agent_runtime.ROWS,
        *agent_creation.ROWS,
    ]
)  # fmt: skip

_OPERATIONS = (
    "Converse", "ConverseStream", "CountTokens", "ApplyGuardrail", "InvokeGuardrailChecks", "StartAsyncInvoke",
)  # fmt: skip
_INVOKE = ("InvokeModel", "InvokeModelWithResponseStream")


def _asked(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    """Every call of every client of AWS comes by: what is none of Bedrock's leaves at once."""
    if client.meta.service_model.service_name != "bedrock-runtime":
        return None
    operation = args[0] if args else kwargs.get("operation_name")
    params = args[1] if len(args) > 1 else kwargs.get("api_params")
    if not isinstance(params, Mapping):
        return None
    identifier = str(params.get("modelId") or "")
    body: Any = params
    if operation in _INVOKE:
        operation, body = invoke.path_of(identifier), params.get("body")
    elif operation not in _OPERATIONS:
        return None
    elif operation == "ApplyGuardrail":
        operation = f"{operation}/{agent_runtime.model_of(params.get('guardrailIdentifier')) or ''}"
    return Asked(str(operation), body, url=str(client.meta.endpoint_url), model=agent_runtime.model_of(identifier))


# --- replies ---------------------------------------------------------------------------------------

_STREAMS = ("EventStream", "AioEventStream")
_KEYS = ("stream", "body", "completion", "responseStream")


def _stream_key(reply: Any) -> str | None:
    return next((key for key in _KEYS if type(reply.get(key)).__name__ in _STREAMS), None)


def _file(reply: Any) -> tuple[Any, str] | None:
    body: Any = reply.get("body") if isinstance(reply, dict) else None
    if type(body).__module__ == "aiobotocore.response":
        return body.__wrapped__, "content"
    return (body, "_raw_stream") if type(body).__name__ == "StreamingBody" and hasattr(body, "_raw_stream") else None


def _body(reply: Any) -> Any:
    """A reply, or an event of a stream: of ``InvokeModel``, the JSON text inside of it."""
    chunk = reply.get("chunk")
    return chunk["bytes"] if isinstance(chunk, dict) and "bytes" in chunk else reply


_COUNTS = "x-amzn-bedrock-{}-token-count"


def _beside(reply: Any) -> Attributes:
    """What the headers tell: the request's id, and tokens, which the bodies of some models do not."""
    told = mapping(reply.get("ResponseMetadata")) if isinstance(reply, dict) else {}
    headers = mapping(told.get("HTTPHeaders"))
    given, made, read, written = (
        int(count) if isinstance(count := headers.get(_COUNTS.format(name)), str) and count.isdecimal() else None
        for name in ("input", "output", "cache-read-input", "cache-write-input")
    )
    return {
        semconv.REQUEST_ID: told.get("RequestId"),
        semconv.USAGE_INPUT_TOKENS: None if given is None else given + (read or 0) + (written or 0),
        semconv.USAGE_OUTPUT_TOKENS: made,
        semconv.USAGE_CACHE_READ: read,
        semconv.USAGE_CACHE_CREATION: written,
        semconv.USAGE_SOURCE: None if given is None else "reported",
    }


def _of_agents(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    return agent_runtime.asked(client, args, kwargs) or agent_creation.asked(client, args, kwargs)


integration = MethodClient(
    "bedrock",
    "botocore",
    ">=1.35,<2",
    provider="aws.bedrock",
    endpoints=ENDPOINTS,
    methods=[
        Method(module, owner, "_make_api_call", asked, body=body, stream=_stream_key, file=_file, beside=_beside)
        for module, owner in (("botocore.client", "BaseClient"), ("aiobotocore.client", "AioBaseClient"))
        for asked, body in ((_asked, _body), (_of_agents, agent_runtime.event))
    ],
)
