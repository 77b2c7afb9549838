"""The conventions' own tables: which spans there are, which attributes each declares, of which type and schema."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NAMESPACES", "Attribute", "SpanType", "attribute", "attributes", "schema_of", "span_type", "span_types"]

NAMESPACES: Final = ("gen_ai.", "mcp.", "openai.", "jsonrpc.")
"""Where the conventions name everything: another name under these is an invention."""
_MEMORY: Final = (
    "search_memory", "create_memory", "update_memory", "upsert_memory", "delete_memory", "create_memory_store",
    "delete_memory_store",
)  # fmt: skip
_OF_OPERATION: Final = {
    **dict.fromkeys(("chat", "generate_content", "text_completion"), "inference"),
    **dict.fromkeys(_MEMORY, "memory"),
    **{
        name: name
        for name in (
            "embeddings", "execute_tool", "fetch_response", "create_agent", "invoke_agent", "invoke_workflow", "plan",
            "retrieval",
        )
    },
}  # fmt: skip


class Attribute(NamedTuple):
    """What is known of one attribute.

    Attributes:
        type: ``string``, ``int``, ``double``, ``boolean``, ``string[]``, ``enum``, ``any`` or ``template[string]``.
        status: ``current``, ``renamed``, ``removed``, ``deprecated`` or ``proposed``.
        states: those that have it.
        values: the well-known ones.
        replaced_by: what to write in its place.
    """

    type: str
    status: str
    states: tuple[str, ...]
    values: tuple[str, ...]
    replaced_by: str | None


class SpanType(NamedTuple):
    """One type of span in one state.

    Attributes:
        name: as the conventions have it, such as ``gen_ai.invoke_agent.internal``.
        short: the same in both states, such as ``invoke_agent``.
        kind: OpenTelemetry's span kind, in capitals.
        levels: by attribute: ``required``, ``conditionally_required``, ``recommended`` or ``opt_in``, with
            ``_conditional`` behind it where there is a condition.
    """

    name: str
    short: str
    kind: str
    levels: dict[str, str]


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads((Path(__file__).parent / "conventions.json").read_bytes())
    return data


@cache
def attributes() -> dict[str, Attribute]:
    """Every attribute that either state has, or had."""
    return {
        name: Attribute(
            fact["type"], fact["status"], tuple(fact.get("in", ())), tuple(fact.get("enum", ())),
            fact.get("replaced_by"),
        )
        for name, fact in _data()["attributes"].items()
    }  # fmt: skip


def attribute(name: str) -> Attribute | None:
    """What is known of an attribute; of one whose last part the program chooses, by what stands before that."""
    known = attributes().get(name)
    if known is None and name.startswith("gen_ai.prompt.variable."):
        return attributes()["gen_ai.prompt.variable"]
    return known


def schema_of(name: str) -> dict[str, Any] | None:
    """The JSON Schema of what an attribute holds."""
    schema: dict[str, Any] | None = _data()["schemas"].get(name)
    return schema


@cache
def span_types(state: str) -> tuple[SpanType, ...]:
    """Every type of span that a state has."""
    return tuple(
        SpanType(name, _short(name, span["kind"]), span["kind"].upper(), span["attributes"])
        for name, span in sorted(_data()["spans"][state].items())
    )


def span_type(state: str, span_kind: str, values: Mapping[str, Any]) -> SpanType | None:
    """The type of a span, by its operation or its MCP method, and by its kind where that tells two types apart."""
    if "mcp.method.name" in values:
        short = "mcp.server" if span_kind == "SERVER" else "mcp.client"
    else:
        short = _OF_OPERATION.get(str(values.get("gen_ai.operation.name")), "")
    if short == "invoke_agent" and span_kind == "CLIENT":
        short = "invoke_agent.client"
    return next((one for one in span_types(state) if one.short == short), None)


def _short(name: str, kind: str) -> str:
    if name.startswith("mcp."):
        return name
    if name == "gen_ai.invoke_agent.client":
        return "invoke_agent.client"
    return name.removeprefix("gen_ai.").removeprefix("client.").removesuffix(f".{kind}")
