"""The integration: which methods of the client are looked at, and what its bodies mean in the conventions' words."""

from __future__ import annotations

import re
from typing import Any

from agentops_sdk.integration import semconv
from agentops_sdk.integration.clients import Asked, Attributes, Endpoint, Endpoints, Events, Json, Method, MethodClient
from agentops_sdk.integration.dialects import message_parts

__all__ = ["integration"]

_ROLES = {"me": "user", "voice": "assistant"}
_FINISH_REASONS = {"done": "stop", "too_long": "length"}


def _asked(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked:
    """What one call of ``_send(path, body)`` asks for; the caller's thread, so it is only looked at."""
    path, body = args
    return Asked(path, body, url=client.base_url, model=body.get("voice"))


def _request(body: Json) -> Attributes:
    return {
        semconv.INPUT_MESSAGES: [
            {"role": _ROLES.get(turn["who"], turn["who"]), "parts": message_parts.of_content(turn["says"])}
            for turn in body["turns"]
        ],
        semconv.REQUEST_MAX_TOKENS: body.get("longest"),
    }


def _response(body: Json, asked: Json) -> Attributes:
    reason = _FINISH_REASONS.get(body.get("why", ""))
    message = {"role": "assistant", "parts": message_parts.of_content(body.get("text")), "finish_reason": reason}
    return {
        semconv.RESPONSE_MODEL: body.get("voice"),
        semconv.RESPONSE_FINISH_REASONS: [reason] if reason else None,
        semconv.OUTPUT_MESSAGES: [message],
    }


def _fold(lines: Events) -> dict[str, Any]:
    """The lines of a live answer, or as many as came, to the whole answer that they stand for."""
    whole: dict[str, Any] = {}
    for line in lines:
        whole.update(line)
    return {**whole, "text": "".join(line.get("piece", "") for line in lines)}


def _usage(body: Json) -> Json | None:
    counted = body.get("counted")
    return {"prompt_tokens": counted["in"], "completion_tokens": counted["out"]} if counted else None


_TALK = Endpoint(
    path="talk",
    request=_request,
    response=_response,
    fold=_fold,
    usage=_usage,
    usage_shape="openai.chat",  # by its names; any provider's will do
    end_mark=re.compile(rb'"why":\s*"'),
)

integration = MethodClient(
    "acme_talk",
    "acme_talk",
    ">=0.1,<1",
    distribution="agentops-acme-talk",
    provider="acme",
    endpoints=Endpoints([_TALK]),
    methods=[
        Method("acme_talk", owner, name, _asked)
        for owner in ("AcmeTalk", "AsyncAcmeTalk")
        for name in ("_send", "_send_live")
    ],
)
