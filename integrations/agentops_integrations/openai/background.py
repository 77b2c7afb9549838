"""Work that goes on at the provider's and is read later: background replies, batches, runs, trainings. Consumer thread.

What is begun by one request and read by others is one piece of work: its tokens are told once, on the first span that
learns its end. Readers of the spans find the others by ``agentops.usage.of``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk.integration import BoundedMap, semconv
from agentops_sdk.integration.clients import Exchanged, Json

_OBJECTS = frozenset(("response", "batch", "thread.run", "fine_tuning.job", "eval.run"))
_FAILED = {"failed": "error", "cancelled": "cancelled", "expired": "error"}
_TOLD_ONCE = (semconv.DECISION_EVENT, semconv.USAGE_TRAINED, semconv.COST_UNKNOWN_REASON)
_MOST = 10_000

_counted: BoundedMap[str, None] = BoundedMap(_MOST)
"""Ids of what has told its tokens to this process."""

_begun: BoundedMap[str, str] = BoundedMap(_MOST)
"""Ids of work that this process has begun, and the model that was asked for."""


def settle(attributes: dict[str, Any], exchanged: Exchanged) -> bool:
    """Find out what a reply is to work in the background, and say so on its span.

    Returns:
        whether the figures in the reply count here: not where they were told before, or are a mere report.
    """
    method, path, asked, body, figures = exchanged
    ident = body.get("id")
    if not isinstance(ident, str) or not ident:
        return method != "GET"
    status = body.get("status")
    pending = status in semconv.PENDING_STATUSES
    if method != "GET" and ident not in path.split("/"):  # it begins here
        lasts = asked.get("background") is True or (body.get("object") in _OBJECTS and body["object"] != "response")
        if lasts or (pending and body.get("background") is True):
            _name(attributes, ident, status)
            _begun[ident] = str(asked.get("model") or "")
        if figures:
            _counted[ident] = None
        else:
            _counted.pop(ident, None)
        if pending and semconv.USAGE_OF in attributes:
            attributes[semconv.COST_UNKNOWN_REASON] = "in the background: its tokens are told to whoever reads its end"
        return True
    if method == "DELETE" or not (figures or (body.get("object") in _OBJECTS and isinstance(status, str))):
        return False
    _name(attributes, ident, status)
    if pending:
        return False
    first = ident not in _counted
    _counted[ident] = None
    if first:
        _end(attributes, ident, body)
    else:  # what was decided and used was told then
        for name in [name for name in attributes if name.startswith(_TOLD_ONCE)]:
            del attributes[name]
    return first


def _name(attributes: dict[str, Any], ident: str, status: Any) -> None:
    attributes[semconv.USAGE_OF] = ident
    if isinstance(status, str):
        known = status in semconv.RESPONSE_STATUSES
        attributes.pop(semconv.RESPONSE_STATUS, None)
        attributes[semconv.RESPONSE_STATUS if known else semconv.WORK_STATUS] = status


def _end(attributes: dict[str, Any], ident: str, body: Json) -> None:
    """The first time that the end of it is read here: of a reply, that is the model call."""
    if body.get("object") == "response":
        attributes[semconv.KIND] = "llm"
    if (model := _begun.get(ident)) is None:
        return
    if model:
        attributes.setdefault(semconv.REQUEST_MODEL, model)
    outcome = _FAILED.get(str(body.get("status")))
    if outcome is not None:
        attributes[semconv.OUTCOME] = outcome
        error = body.get("error")
        if outcome == "error":
            code = error.get("code") if isinstance(error, Mapping) else None
            attributes[semconv.ERROR_TYPE] = str(code or "_OTHER")
