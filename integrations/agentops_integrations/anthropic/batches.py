"""Batches of messages: begun by one request, looked at by others, their results read once they are done.

Each result tells its own usage. They are told together on the span that reads them, each priced by itself; who reads
them again tells nothing new.
"""

from __future__ import annotations

from collections import Counter
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
    generic_response,
)

_BATCHES = "messages/batches"

_counted: BoundedMap[str, None] = BoundedMap(10_000)
"""Ids of batches whose results have told their tokens to this process."""


def _batch(body: Json, asked: Json) -> Attributes:
    attributes = generic_response(body, asked)
    if isinstance(body.get("id"), str) and body.get("processing_status"):
        attributes[semconv.USAGE_OF] = body["id"]
        attributes[semconv.WORK_STATUS] = str(body["processing_status"])
    return attributes


def _counts_nothing(attributes: Attributes, exchanged: Exchanged) -> bool:
    return False


def _fold(lines: Events) -> dict[str, Any]:
    return {"results": lines}


def _results(body: Json, asked: Json) -> Attributes:
    models = {str(message.get("model")) for message in _messages(body)}
    kinds = Counter(str((line.get("result") or {}).get("type")) for line in body.get("results") or ())
    return {
        semconv.OUTPUT: {"results": body.get("results"), **kinds},
        semconv.RESPONSE_MODEL: models.pop() if len(models) == 1 else None,
    }


def _messages(body: Json) -> list[Json]:
    """The replies of the requests that succeeded; the others are not billed."""
    messages = [(line.get("result") or {}).get("message") for line in body.get("results") or ()]
    return [message for message in messages if isinstance(message, Mapping)]


def _settle(attributes: Attributes, exchanged: Exchanged) -> bool:
    ident = exchanged.path.rstrip("/").split("/")[-2]
    attributes[semconv.USAGE_OF] = ident
    if ident in _counted:
        return False
    if attributes.get(semconv.OUTCOME) != "ok" or semconv.TRUNCATED in attributes:
        attributes[semconv.COST_UNKNOWN_REASON] = "the results were not read to their end"
        return False
    _counted[ident] = None
    provider = attributes.get(semconv.PROVIDER_NAME)
    calls = [
        {
            semconv.PROVIDER_NAME: provider,
            semconv.RESPONSE_MODEL: message.get("model"),
            semconv.USAGE_SERVICE_TIER: "batch",
            semconv.OUTCOME: "ok",
            **usage_attributes("anthropic.messages", message.get("usage") or {}),
        }
        for message in _messages(exchanged.reply)
    ]
    sums = summed_cost(calls)
    if sums:
        attributes.update({**sums, semconv.USAGE_SOURCE: "reported", semconv.USAGE_SERVICE_TIER: "batch"})
    return False  # what was told is on the span already


def _row(method: str, path: str, name: str, **more: Any) -> Endpoint:
    row = {"request": generic_request, "response": _batch, "settle": _counts_nothing, **more}
    return Endpoint(path=path, method=method, kind="span", operation=name, span_name=name, **row)


ROWS = (
    _row("POST", _BATCHES, "messages.batches.create"),
    _row("GET", f"{_BATCHES}/{ID}", "messages.batches.retrieve"),
    _row("POST", f"{_BATCHES}/{ID}/cancel", "messages.batches.cancel"),
    _row("GET", f"{_BATCHES}/{ID}/results", "messages.batches.results", response=_results, fold=_fold, settle=_settle),
)
