"""What one span is asked: which of its type's attributes it has, which it should have, and what in it is wrong."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from agentops_sdk.traces.conformance import json_schema
from agentops_sdk.traces.conformance.conventions import (
    NAMESPACES,
    Attribute,
    SpanType,
    attribute,
    attributes,
    schema_of,
    span_types,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["CONTENT", "Span", "Violation", "expected", "violations"]


class Span(NamedTuple):
    """A span, as far as the conventions ask of it.

    Attributes:
        name: its name.
        kind: OpenTelemetry's span kind, in capitals.
        failed: whether it ended in an error.
        answered: whether it ran to its end.
        attributes: its attributes, as they were exported.
    """

    name: str
    kind: str
    failed: bool
    answered: bool
    attributes: Mapping[str, Any]


class Violation(NamedTuple):
    """Something that the conventions do not allow.

    Attributes:
        rule: ``type``, ``value``, ``schema``, ``state`` (a name of the other state), ``deprecated``, ``unknown``,
            ``span kind`` or ``span name``.
        where: the attribute, or the span's name.
        what: in words.
    """

    rule: str
    where: str
    what: str


CONTENT: Final = frozenset((
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result", "gen_ai.retrieval.query.text", "gen_ai.retrieval.documents", "gen_ai.memory.records",
    "gen_ai.memory.query.text",
))  # fmt: skip
"""Opt-in attributes: where one span of a file has any of them, content was wanted."""
_NAMED_BY: Final = {
    "inference": "gen_ai.request.model", "embeddings": "gen_ai.request.model", "execute_tool": "gen_ai.tool.name",
    "invoke_agent": "gen_ai.agent.name", "invoke_agent.client": "gen_ai.agent.name",
    "create_agent": "gen_ai.agent.name", "plan": "gen_ai.agent.name", "invoke_workflow": "gen_ai.workflow.name",
    "retrieval": "gen_ai.data_source.id",
}  # fmt: skip
"""What follows the operation in a span's name; a response's or a store's id never does."""
_IN_PROCESS: Final = ("inference", "embeddings", "memory")
"""Calls that may be ``INTERNAL``, where what they call runs in the same process."""
_CUSTOM: Final = ("gen_ai.provider.name", "gen_ai.operation.name", "openai.request.service_tier")
"""Whose lists are not complete: who is not on them names itself."""
_OBJECTS_AT_BEST: Final = ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result")
"""Objects where the tool gives any; a tool whose result is a text or a list has no other to give."""
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,), "enum": (str,), "template[string]": (str,), "int": (int,), "double": (float, int),
    "boolean": (bool,),
}  # fmt: skip

_MODELS: Final = ("inference", "embeddings", "fetch_response")
_RUNS: Final = ("inference", "invoke_agent", "invoke_agent.client", "invoke_workflow")


def _has(name: str) -> Callable[[Span, bool], bool]:
    return lambda span, _: name in span.attributes


def _method(*prefixes: str) -> Callable[[Span, bool], bool]:
    return lambda span, _: str(span.attributes.get("mcp.method.name", "")).startswith(prefixes)


def _streamed(span: Span, _: bool) -> bool:
    return span.attributes.get("gen_ai.request.stream") is True and span.answered


def _answered(span: Span, _: bool) -> bool:
    return span.answered


def _with_content(span: Span, content: bool) -> bool:
    return content and span.answered


_TOOL_CALL: Final = ("tools/call",)
_EXPECTED: Final[dict[str, tuple[tuple[str, ...], Callable[[Span, bool], bool]]]] = {
    "error.type": ((), lambda span, _: span.failed),
    "server.address": (_MODELS, lambda span, _: span.kind == "CLIENT"),
    "server.port": ((), _has("server.address")),
    "gen_ai.request.model": (("inference", "embeddings"), lambda span, _: True),
    "gen_ai.response.time_to_first_chunk": (("inference",), _streamed),
    "gen_ai.response.model": (("inference",), _answered),
    "gen_ai.response.finish_reasons": (("inference",), _answered),
    "gen_ai.usage.input_tokens": (("inference", "embeddings"), _answered),
    "gen_ai.usage.output_tokens": (("inference",), _answered),
    "gen_ai.prompt.version": ((), _has("gen_ai.prompt.name")),
    "gen_ai.input.messages": (_RUNS, _with_content),
    "gen_ai.output.messages": (_RUNS, _with_content),
    "gen_ai.tool.call.arguments": (("execute_tool",), _with_content),
    "gen_ai.tool.call.result": (("execute_tool",), _with_content),
    "gen_ai.retrieval.query.text": (("retrieval",), _with_content),
    "gen_ai.tool.name": (("mcp.client", "mcp.server"), _method(*_TOOL_CALL)),
    "gen_ai.operation.name": (("mcp.client", "mcp.server"), _method(*_TOOL_CALL)),
    "gen_ai.prompt.name": (("mcp.client", "mcp.server"), _method("prompts/get")),
    "mcp.resource.uri": ((), _method("resources/read", "resources/subscribe", "resources/unsubscribe")),
    "network.transport": (("mcp.client", "mcp.server"), lambda span, _: True),
    "jsonrpc.request.id": (
        (),
        lambda span, _: not str(span.attributes.get("mcp.method.name", "notifications/")).startswith("notifications/"),
    ),
}
"""By attribute: of which types of span it is asked (all that declare it, where none is named), and when.

What depends on something that a span cannot tell, such as whether a request had a seed, is never missing.
"""


def expected(span: Span, kind: SpanType, content: bool) -> list[str]:
    """The attributes that the span should have: those required, and those whose condition it shows to hold.

    Args:
        span: it.
        kind: its type.
        content: whether content was captured.
    """
    names = []
    for name, level in kind.levels.items():
        kinds, holds = _EXPECTED.get(name, (("",), lambda *_: False))
        asked = (not kinds or kind.short in kinds) and holds(span, content)
        if level == "required" or asked:
            names.append(name)
    return names


def violations(span: Span, kind: SpanType | None, state: str) -> Iterator[Violation]:
    """What is wrong with a span. Of a span of no type of the conventions, its attributes alone are asked."""
    for name, value in span.attributes.items():
        about = attribute(name)
        if about is None:
            if name.startswith(NAMESPACES):
                yield Violation("unknown", name, f"the conventions have no such attribute{_perhaps(name, state)}")
            continue
        if about.status == "deprecated":
            yield Violation("deprecated", name, f"write {about.replaced_by}")
            continue
        if about.status == "proposed":
            continue
        if state not in about.states:
            other = f"write {about.replaced_by}" if about.replaced_by and state == "main" else "not there"
            yield Violation("state", name, f"a name of {' and '.join(about.states) or 'neither state'}; {other}")
        yield from _value(name, value, about)
    if kind is not None:
        yield from _identity(span, kind)


@cache
def _perhaps(name: str, state: str) -> str:
    """The attribute whose name is nearly this one."""
    import difflib  # where there is a mistake

    known = [one for one, about in attributes().items() if state in about.states and one.startswith(NAMESPACES)]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.95)
    return f"; perhaps {near[0]}" if near else ""


def _identity(span: Span, kind: SpanType) -> Iterator[Violation]:
    if span.kind != kind.kind and not (span.kind == "INTERNAL" and kind.short in _IN_PROCESS):
        yield Violation("span kind", kind.name, f"{span.kind} in place of {kind.kind}")
    names = _names(span, kind)
    if span.name not in names:
        yield Violation("span name", kind.name, f"{span.name!r} in place of {names[0]!r}")


def _names(span: Span, kind: SpanType) -> list[str]:
    """The names that the span may have, the best one first."""
    values = span.attributes
    if kind.short.startswith("mcp."):
        method = str(values.get("mcp.method.name"))
        targets = [values.get(name) for name in ("gen_ai.tool.name", "gen_ai.prompt.name")]
        return [*(f"{method} {target}" for target in targets if target), method]
    operation = str(values.get("gen_ai.operation.name"))
    target = values.get(_NAMED_BY.get(kind.short, ""))
    return [f"{operation} {target}"] if target else [operation]


def _value(name: str, value: Any, about: Attribute) -> Iterator[Violation]:
    if about.type == "any":
        yield from _structure(name, value)
        return
    if about.type == "string[]":
        fits = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    else:
        fits = isinstance(value, _TYPES[about.type]) and (about.type == "boolean") == isinstance(value, bool)
    if not fits:
        yield Violation("type", name, f"{type(value).__name__} in place of {about.type.replace('enum', 'string')}")
    elif about.type == "enum" and name not in _CUSTOM and value not in about.values:
        yield Violation("value", name, f"{value!r} is none of {', '.join(about.values[:8])}")


def _structure(name: str, value: Any) -> Iterator[Violation]:
    schema = schema_of(name)
    if schema is None:
        return
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            if name not in _OBJECTS_AT_BEST:
                yield Violation("schema", name, "no JSON")
            return
    if name in _OBJECTS_AT_BEST:
        return
    if (why := json_schema.first_error(value, schema)) is not None:
        yield Violation("schema", name, why)


def state_only_names(state: str) -> frozenset[str]:
    """The attributes of spans that one state alone has."""
    other = "main" if state == "pin" else "pin"
    names = [{name for one in span_types(each) for name in one.levels} for each in (state, other)]
    return frozenset(names[0] - names[1])
