"""Sessions of managed agents: the agent runs at Anthropic's, and its events tell what each of its model requests used.

A session itself tells its usage too, all so far, each time that it is read: that is a report, and counts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agentops_sdk.integration import BoundedMap, semconv, summed_cost, usage_attributes
from agentops_sdk.integration.clients import (
    ID,
    Attributes,
    Endpoint,
    Events,
    Exchanged,
    Json,
    generic_request,
)

_SHAPE = "anthropic.messages"
_END = re.compile(rb'"type"\s*:\s*"session\.(?:status_(?:idle|terminated)|deleted)"')

_counted: BoundedMap[str, None] = BoundedMap(100_000)
"""Ids of events that have told their tokens to this process."""

_models: BoundedMap[str, str] = BoundedMap(10_000)
"""The model of each session that this process has seen."""


def _fold(events: Events) -> dict[str, Any]:
    return {"data": events}


def _events(body: Json) -> list[Json]:
    return [event for event in body.get("data") or () if isinstance(event, Mapping)]


def _response(body: Json, asked: Json) -> Attributes:
    return {semconv.OUTPUT: {"events": _events(body)}}


def _settle(attributes: Attributes, exchanged: Exchanged) -> bool:
    """What the requests used whose ends are told here for the first time."""
    segments = exchanged.path.split("/")
    model = _models.get(segments[segments.index("sessions") + 1]) if "sessions" in segments else None
    calls = []
    for event in _events(exchanged.reply):
        ident = str(event.get("id") or "")
        if event.get("type") != "span.model_request_end" or not ident or ident in _counted:
            continue
        _counted[ident] = None
        figures = usage_attributes(_SHAPE, event.get("model_usage") or {})
        known = {semconv.PROVIDER_NAME: attributes.get(semconv.PROVIDER_NAME), semconv.RESPONSE_MODEL: model}
        calls.append({semconv.OUTCOME: "ok", **known, **figures})
    if sums := summed_cost(calls):
        attributes.update({**sums, semconv.USAGE_SOURCE: "reported"})
        if model:
            attributes[semconv.RESPONSE_MODEL] = model
    return False  # what was told is on the span already


def settle_other(attributes: Attributes, exchanged: Exchanged) -> bool:
    """Whether the figures in a reply that has no row count: not those of a session, and not what is only read."""
    agent = exchanged.reply.get("agent")
    model = agent.get("model") if isinstance(agent, Mapping) else None
    name = model.get("id") if isinstance(model, Mapping) else model
    if isinstance(name, str) and isinstance(exchanged.reply.get("id"), str):
        _models[exchanged.reply["id"]] = name
    return exchanged.method != "GET" and "sessions" not in exchanged.path.split("/")


ROWS = tuple(
    Endpoint(
        path=path, method="GET", kind="span", operation=name, span_name=name, request=generic_request,
        response=_response, fold=_fold, settle=_settle, end_mark=_END,
    )
    for path, name in (
        (f"sessions/{ID}/events/stream", "sessions.events.stream"),
        (f"sessions/{ID}/events", "sessions.events.list"),
        (f"sessions/{ID}/threads/{ID}/stream", "sessions.threads.events.stream"),
        (f"sessions/{ID}/threads/{ID}/events", "sessions.threads.events.list"),
    )
)  # fmt: skip
