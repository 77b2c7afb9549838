"""The trace and what is known around it as W3C header fields, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import orjson
from opentelemetry import trace
from opentelemetry.context import Context, set_value

from agentops_sdk import semconv
from agentops_sdk._propagation.context_keys import AGENT_KEY, ATTRIBUTES_KEY, CALL_KEY, whole
from agentops_sdk._propagation.privacy import made_private

__all__ = ["FIELDS", "read", "write"]

FIELDS = ("traceparent", "tracestate", "baggage")

_CARRIED = (semconv.SESSION_ID, semconv.USER_ID, semconv.CONVERSATION_ID, semconv.TAGS, semconv.PRIVATE)
_MOST_MEMBERS, _MOST_BYTES, _LONGEST_MEMBER = 180, 8192, 4096
_AGENT = (semconv.AGENT_NAME, semconv.AGENT_ID)
_OURS = frozenset((*_CARRIED, *_AGENT))

scrub: Callable[[dict[str, Any]], dict[str, Any]] | None = None
"""Replaces personal data in what is sent, where the settings ask for it. Set by ``init()``."""


def write(context: Context, present: str = "") -> dict[str, str]:
    """Header fields that carry ``context``: its span, its session, user, conversation, tags, metadata and agent.

    Args:
        context: what to carry.
        present: baggage that stands in the header already. It stays as it is; ours is added.
    """
    from opentelemetry import baggage  # not with init(): few programs call others
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    fields: dict[str, str] = {}
    context = whole(context)
    TraceContextTextMapPropagator().inject(fields, context)
    _note(context.get(CALL_KEY))
    known: dict[str, Any] = {}
    for key in (ATTRIBUTES_KEY, AGENT_KEY):
        known.update(context.get(key) or {})  # type: ignore[call-overload]  # a context's values are objects
    ours = {name: value for name, value in known.items() if name in _OURS or name.startswith(semconv.METADATA_PREFIX)}
    if semconv.PRIVATE in ours:
        ours = {name: value for name, value in ours.items() if name in (semconv.PRIVATE, *_AGENT)}
    others = dict(baggage.get_all(context))
    if scrub is not None:
        ours, others = scrub(ours), scrub(others)
    members = _members(present, ours, others)
    if members:
        fields["baggage"] = ",".join(members)
    return fields


def _note(call: Any) -> None:
    """Others may go on with the run of ``call``: where sampling has left it out, they decide by themselves."""
    held = getattr(getattr(call, "span", None), "held", None)
    if held is not None:
        held.elsewhere = True


def _members(present: str, ours: Mapping[str, Any], others: Mapping[str, Any]) -> list[str]:
    """Members of a baggage header: those that are there, what else the context holds, and ours, within the limits.

    Under a name of ours stands what is current, else what was there first.
    """
    kept = {_name(member): member.strip() for member in present.split(",") if member.strip()}
    further = {name: value for name, value in others.items() if name not in kept}
    added = {name: member for name, value in {**further, **ours}.items() if (member := _member(name, value))}
    kept = {name: member for name, member in kept.items() if name not in added}
    room = _MOST_BYTES - sum(len(member.encode(errors="replace")) + 1 for member in kept.values())
    for name, member in added.items():
        if len(kept) < _MOST_MEMBERS and len(member) <= min(room, _LONGEST_MEMBER):
            kept[name] = member
            room -= len(member) + 1
    return list(kept.values())


def _member(name: str, value: Any) -> str:
    """One ``name=value``; nothing for what has no UTF-8 or no JSON, which costs only itself.

    Such text was escaped where it was copied. On a span that shows what there was; another service
    would take the escape for the value.
    """
    try:
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        return "" if re.search(r"\\ud[89a-f][0-9a-f]{2}", name + text) else f"{quote_plus(name)}={quote_plus(text)}"
    except (UnicodeError, TypeError):
        return ""


def _name(member: str) -> str:
    return unquote_plus(member.partition("=")[0].partition(";")[0].strip())


def read(fields: Mapping[str, str], context: Context | None = None) -> Context:
    """``context`` with what ``fields`` carry; fields that are malformed carry nothing."""
    from opentelemetry import baggage
    from opentelemetry.baggage.propagation import W3CBaggagePropagator
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = Context() if context is None else context
    here = trace.get_current_span(context).get_span_context()
    read_context = TraceContextTextMapPropagator().extract(fields, context)
    if trace.get_current_span(read_context).get_span_context().trace_id != here.trace_id:
        context = read_context  # else a server span of somebody else's has continued this trace already
    context = W3CBaggagePropagator().extract(fields, context)
    attributes: dict[str, Any] = dict(context.get(ATTRIBUTES_KEY) or {})  # type: ignore[call-overload]  # a context's values are objects
    agent: dict[str, Any] = {}
    for name, value in baggage.get_all(context).items():
        if name in _AGENT:
            agent[name] = value
        elif name == semconv.TAGS:
            attributes[name] = _tags(str(value))
        elif name in _CARRIED or name.startswith(semconv.METADATA_PREFIX):
            attributes[name] = value
    if attributes:
        context = set_value(ATTRIBUTES_KEY, attributes, context)
    if semconv.PRIVATE in attributes:
        context = made_private(context)
    return set_value(AGENT_KEY, agent, context) if agent else context


def _tags(text: str) -> list[str]:
    try:
        tags = orjson.loads(text)
    except orjson.JSONDecodeError:
        return [text]
    return [str(tag) for tag in tags] if isinstance(tags, list) else [text]
