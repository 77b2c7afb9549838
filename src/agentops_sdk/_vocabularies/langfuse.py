"""Langfuse: the attributes that its OpenTelemetry endpoint documents, which win over what it infers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentops_sdk import semconv
from agentops_sdk._vocabularies._content import given, json_of, parameters, plain, result

__all__ = ["names"]

_TYPES: Final = {
    "agent": "agent", "workflow": "chain", "task": "span", "tool": "tool", "llm": "generation",
    "embedding": "embedding", "retriever": "retriever", "plan": "span", "guardrail": "guardrail", "decision": "span",
}  # fmt: skip
_PLAIN: Final = {
    semconv.USER_ID: "langfuse.user.id",
    semconv.SESSION_ID: "langfuse.session.id",
    semconv.TAGS: "langfuse.trace.tags",
    semconv.PROMPT_NAME: "langfuse.observation.prompt.name",
}
_MODELS: Final = ("llm", "embedding")


def names(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The same span in Langfuse's names."""
    kind = str(attributes.get(semconv.KIND, "span"))
    more: dict[str, Any] = {"langfuse.observation.type": _TYPES.get(kind, "span")}
    for side, value in (("input", given(attributes)), ("output", result(attributes))):
        if value is not None:
            more[f"langfuse.observation.{side}"] = plain(value)[0]
    more.update((short, attributes[name]) for name, short in _PLAIN.items() if attributes.get(name) is not None)
    if "langfuse.session.id" not in more and attributes.get(semconv.CONVERSATION_ID) is not None:
        more["langfuse.session.id"] = attributes[semconv.CONVERSATION_ID]
    for name, value in attributes.items():
        if name.startswith(semconv.METADATA_PREFIX):
            more[f"langfuse.observation.metadata.{name.removeprefix(semconv.METADATA_PREFIX)}"] = value
    if attributes.get(semconv.OUTCOME) == "error":
        more["langfuse.observation.level"] = "ERROR"
    if kind in _MODELS:
        more["langfuse.observation.model.name"] = attributes.get(semconv.RESPONSE_MODEL) or attributes.get(
            semconv.REQUEST_MODEL
        )
        more["langfuse.observation.model.parameters"] = parameters(attributes)
        more["langfuse.observation.usage_details"] = _usage(attributes)
        if attributes.get(semconv.COST_CURRENCY) == "USD" and semconv.COST_AMOUNT in attributes:
            more["langfuse.observation.cost_details"] = json_of({"total": attributes[semconv.COST_AMOUNT]})
    return more


def _usage(attributes: Mapping[str, Any]) -> str | None:
    """Tokens, each counted under one name: Langfuse adds them up."""
    read = attributes.get(semconv.USAGE_CACHE_READ) or 0
    written = attributes.get(semconv.USAGE_CACHE_CREATION) or attributes.get(semconv.USAGE_CACHE_WRITE) or 0
    asked, answered = attributes.get(semconv.USAGE_INPUT_TOKENS), attributes.get(semconv.USAGE_OUTPUT_TOKENS)
    if not isinstance(asked, int) and not isinstance(answered, int):
        return None
    asked, answered = asked or 0, answered or 0
    counts = {
        "input": max(0, asked - read - written),
        "input_cached_tokens": read,
        "input_cache_creation": written,
        "output": answered,
        "total": asked + answered,
    }
    return json_of({name: count for name, count in counts.items() if count or name in ("input", "output", "total")})
