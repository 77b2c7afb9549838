"""What each endpoint is: the kind of operation, its name, and who reads its bodies; unknown ones are plain JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from agentops_integrations.openai import chat, media, responses, services
from agentops_integrations.openai.chat import Json

Attributes = dict[str, Any]
Events = list[dict[str, Any]]


_DONE = re.compile(rb"^data:\s*\[DONE\]", re.MULTILINE)


class Endpoint(NamedTuple):
    """One kind of request.

    ``request(body)`` and ``response(body, asked)`` tell attributes; ``assemble(events)`` makes the body
    that a stream stands for; ``usage(body)`` finds the provider's token counts; ``end_mark`` is in the bytes of the
    event that ends the answer of a stream.
    """

    kind: str
    operation: str
    request: Callable[[Json], Attributes]
    response: Callable[[Json, Json], Attributes]
    assemble: Callable[[Events], dict[str, Any]] = services.assemble
    usage: Callable[[Json], Json | None] = chat.usage
    usage_shape: str = "openai.chat"
    end_mark: re.Pattern[bytes] = _DONE
    takes_stream_options: bool = False
    span_name: str | None = None


_CHAT_END = re.compile(rb'"finish_reason"\s*:\s*"[^"]|^data:\s*\[DONE\]', re.MULTILINE)
_RESPONSE_END = re.compile(
    rb"^event:\s*(?:response\.(?:completed|incomplete|failed)|error)\s*$"
    rb'|"type"\s*:\s*"response\.(?:completed|incomplete|failed)"|^data:\s*\{\s*"type"\s*:\s*"error"',
    re.MULTILINE,
)
_MEDIA_END = re.compile(rb'"type"\s*:\s*"(?:image_\w+\.completed|transcript\.text\.done|speech\.audio\.done)"')

_CHAT = Endpoint(
    "llm",
    "chat",
    chat.chat_request,
    chat.response,
    chat.assemble,
    end_mark=_CHAT_END,
    takes_stream_options=True,
)
_COMPLETIONS = _CHAT._replace(operation="text_completion", request=chat.request)
_RESPONSES = Endpoint(
    "llm",
    "chat",
    responses.request,
    responses.response,
    responses.assemble,
    usage_shape="openai.responses",
    end_mark=_RESPONSE_END,
)
_MEDIA = Endpoint(
    "llm",
    "generate_content",
    media.request,
    media.response,
    media.assemble,
    media.usage,
    end_mark=_MEDIA_END,
)

_BATCH = Endpoint(
    "span",
    "batches.retrieve",
    services.generic_request,
    services.batch,
    usage_shape="openai.responses",
    span_name="batches.retrieve",
)
_TRAINING = Endpoint(
    "span",
    "fine_tuning.jobs.retrieve",
    services.generic_request,
    services.training,
    span_name="fine_tuning.jobs.retrieve",
)
_EVALUATION = Endpoint(
    "span",
    "evals.runs.retrieve",
    services.generic_request,
    services.evaluation,
    usage=services.usage,
    span_name="evals.runs.retrieve",
)

_ID = r"[^/]+"
_KNOWN: tuple[tuple[str, re.Pattern[str], Endpoint], ...] = tuple(
    (method, re.compile(rf"(?:^|/){pattern}/?$"), endpoint)
    for method, pattern, endpoint in (
        ("POST", "chat/completions", _CHAT),
        ("POST", "responses", _RESPONSES),
        ("GET", f"responses/{_ID}", _RESPONSES._replace(
            kind="span", operation="fetch_response", request=services.fetch_request, response=services.fetched,
            span_name="fetch_response",
        )),
        ("POST", f"responses/{_ID}/cancel", _RESPONSES._replace(
            kind="span", operation="responses.cancel", request=services.fetch_request, response=services.fetched,
            span_name="responses.cancel",
        )),
        ("POST", "responses/compact", _RESPONSES._replace(operation="responses.compact")),
        ("POST", "batches", _BATCH._replace(operation="batches.create", span_name="batches.create")),
        ("GET", f"batches/{_ID}", _BATCH),
        ("POST", f"batches/{_ID}/cancel", _BATCH._replace(operation="batches.cancel", span_name="batches.cancel")),
        ("POST", "fine_tuning/jobs", _TRAINING._replace(
            operation="fine_tuning.jobs.create", span_name="fine_tuning.jobs.create",
        )),
        ("GET", f"fine_tuning/jobs/{_ID}", _TRAINING),
        ("POST", f"evals/{_ID}/runs", _EVALUATION._replace(
            operation="evals.runs.create", span_name="evals.runs.create",
        )),
        ("GET", f"evals/{_ID}/runs/{_ID}", _EVALUATION),
        ("POST", "completions", _COMPLETIONS),
        ("POST", "embeddings", Endpoint("embedding", "embeddings", services.embeddings_request, services.embeddings)),
        ("POST", "images/(?:generations|edits|variations)", _MEDIA._replace(request=media.image_request)),
        ("POST", f"videos(?:/{_ID}/remix)?", _MEDIA._replace(request=services.video_request)),
        ("POST", "audio/speech", _MEDIA._replace(request=media.speech_request)),
        ("POST", "audio/(?:transcriptions|translations)", _MEDIA._replace(request=media.transcription_request)),
        ("POST", "moderations", Endpoint(
            "guardrail", "apply_guardrail", services.moderation_request, services.moderation,
        )),
        ("POST", "decisions", Endpoint(
            "llm", "generate_content", services.decision_request, services.decision, usage_shape="openai.responses",
        )),
        ("POST", f"vector_stores/{_ID}/search", Endpoint(
            "retriever", "retrieval", services.search_request, services.search,
        )),
    )
)  # fmt: skip
_IDENTIFIER = re.compile(r".*[\dA-Z:]|.{33,}")
_SOURCE = re.compile(r"vector_stores/([^/]+)")
_ACTIONS = {
    "GET": "retrieve",
    "POST": "create",
    "DELETE": "delete",
    "PUT": "replace",
    "PATCH": "update",
}


def find(method: str, path: str) -> Endpoint:
    """The endpoint of a request, a generic one where nobody has heard of it."""
    method = method.upper()
    path = path.partition("?")[0]
    for known, pattern, endpoint in _KNOWN:
        if known == method and pattern.search(path):
            return endpoint
    operation = generic_operation(method, path)
    return Endpoint(
        "span",
        operation,
        services.generic_request,
        services.generic_response,
        span_name=operation,
    )


def generic_operation(method: str, path: str) -> str:
    """A low-cardinality name, such as ``files.create`` or ``vector_stores.files.list``."""
    segments = [segment for segment in path.split("/") if segment and not re.fullmatch(r"v\d+|openai", segment)]
    names = [segment for segment in segments if not _is_identifier(segment)]
    if not names:
        return method.lower()
    last_is_name = bool(segments) and segments[-1] == names[-1]
    if method == "GET":
        action = "list" if last_is_name else "retrieve"
    elif (
        method == "POST" and len(segments) > 1 and last_is_name and _is_identifier(segments[-2]) and names[-1] in _VERBS
    ):
        return ".".join(names)
    else:
        action = "update" if method == "POST" and not last_is_name else _ACTIONS.get(method, method.lower())
    return ".".join((*names, action))


def _is_identifier(segment: str) -> bool:
    return bool(_IDENTIFIER.match(segment))


def data_source(path: str) -> str | None:
    """The vector store that a search goes to."""
    found = _SOURCE.search(path)
    return found.group(1) if found else None


_VERBS = frozenset(
    ("cancel", "complete", "pause", "resume", "search", "compact", "accept", "hangup", "refer", "reject",
     "submit_tool_outputs")
)  # fmt: skip
