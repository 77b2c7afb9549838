"""What a library said of a span of its own, as attributes of ours: on the consumer thread, once the call has ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from agentops_sdk import semconv
from agentops_sdk._capture.model_choice import ended_by_model, model_choice
from agentops_sdk._capture.native_scopes import NativeScope

__all__ = ["COUNTED", "Adoption", "name_workflow", "plain"]

COUNTED = ("llm", "embedding")
"""Kinds whose usage counts."""

_CONVENTIONS = ("gen_ai.", "mcp.", "server.", "openai.")
_DROPPED = ("gen_ai.usage.details.", "gen_ai.aggregated_usage.")
_PARSED = semconv.STRUCTURED
_OLDER = {
    "gen_ai.system": semconv.PROVIDER_NAME,
    "gen_ai.usage.prompt_tokens": semconv.USAGE_INPUT_TOKENS,
    "gen_ai.usage.completion_tokens": semconv.USAGE_OUTPUT_TOKENS,
}
"""What the conventions called so once; the newer name, where it stands beside it, wins."""


def plain(value: Any) -> Any:
    """A member of an enumeration of texts as its text, which is how OpenTelemetry's own spans would be sent."""
    return str.__str__(value) if isinstance(value, str) and type(value) is not str else value


def name_workflow(row: NativeScope, attributes: dict[str, Any]) -> None:
    """Its name, unless the library made that up: by it the span is called from its start."""
    told = attributes.get(semconv.WORKFLOW_NAME)
    if isinstance(told, str) and told.startswith(row.made_up):
        del attributes[semconv.WORKFLOW_NAME]


class Adoption:
    """Work to be deferred.

    Args:
        attributes: the library's, by our names where its row has them.
        row: the library's.
        kind: the call's.
        content: whether what people and models wrote is taken over.
    """

    def __init__(self, attributes: dict[str, Any], row: NativeScope, kind: str, *, content: bool) -> None:
        self._attributes = attributes
        self._left_out = row.left_out
        self._kind = kind
        self._content = content

    def __call__(self, attributes: dict[str, Any]) -> None:
        client_reported = semconv.USAGE_INPUT_TOKENS in attributes or semconv.OUTPUT_MESSAGES in attributes
        if not self._content:
            for name in semconv.CONTENT:
                attributes.pop(name, None)
        told = dict(self._translated(client_reported))
        if self._kind in COUNTED and not any(told[name] for name in _used(told)):
            for name in _used(told):  # what a model reads has tokens: 0 throughout is that nobody has counted
                del told[name]
        for name, value in told.items():
            attributes.setdefault(name, value)
        if semconv.USAGE_INPUT_TOKENS in attributes:
            attributes.setdefault(semconv.USAGE_SOURCE, "reported")
        if self._kind == "llm" and not client_reported:
            for name, value in _choice(attributes).items():
                attributes.setdefault(name, value)

    def _translated(self, client_reported: bool) -> Iterator[tuple[str, Any]]:
        for name, value in self._attributes.items():
            if not name.startswith((*_CONVENTIONS, "agentops.", "error.")) or name.startswith(_DROPPED):
                continue
            if name in self._left_out:
                continue
            if name.startswith("gen_ai.usage.") and (self._kind not in COUNTED or client_reported):
                continue
            if name in semconv.CONTENT and not self._content:
                continue
            if name in _PARSED and isinstance(value, str):
                value = _parsed(value)
            if name == semconv.TOOL_DEFINITIONS and isinstance(value, list):
                value = [_definition(each) for each in value]
            yield _name(name), list(value) if isinstance(value, tuple) else value


def _used(told: Mapping[str, Any]) -> list[str]:
    return [name for name in told if name.startswith("gen_ai.usage.")]


def _name(name: str) -> str:
    """A name as it is, or where the conventions have none of that name, or no more, one of ours."""
    if not name.startswith("gen_ai.") or name in semconv.GENAI_NAMES or name.startswith(semconv.PROMPT_VARIABLE_PREFIX):
        return name
    return _OLDER.get(name, semconv.NATIVE_PREFIX + name)


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _definition(tool: Any) -> Any:
    """A tool's definition as the conventions have it; Bedrock's form and OpenAI's are in use elsewhere as well."""
    tool = tool["function"] if isinstance(tool, dict) and isinstance(tool.get("function"), dict) else tool
    if not isinstance(tool, dict) or "type" in tool:
        return tool
    schema = tool.get("parameters") or tool.get("inputSchema")
    parameters = schema.get("json", schema) if isinstance(schema, dict) else None
    known = {name: tool[name] for name in ("name", "description") if name in tool}
    return {"type": "function", **known, **({} if parameters is None else {"parameters": parameters})}


def _choice(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What the model decided, where nobody else has read its reply."""
    messages, offered = attributes.get(semconv.OUTPUT_MESSAGES), attributes.get(semconv.TOOL_DEFINITIONS)
    if not isinstance(messages, list):
        return {}
    parts = [part for message in messages if isinstance(message, dict) for part in message.get("parts") or ()]
    reasons = attributes.get(semconv.RESPONSE_FINISH_REASONS) or ()
    finished = bool(reasons) and all(map(ended_by_model, reasons))
    return model_choice(offered if isinstance(offered, list) else [], parts, finished=finished)
