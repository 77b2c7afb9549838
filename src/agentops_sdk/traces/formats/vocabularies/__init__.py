"""Vocabularies in which other recorders tell of agents: one file each, found by looking into this folder.

A file holds one :class:`Vocabulary`, whose rows say which of its names means which of ours. To read another
vocabulary, add a file.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentops_sdk import semconv
from agentops_sdk.traces.formats import chat_messages
from agentops_sdk.traces.formats.json_values import is_figure, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "CACHED_BESIDE", "ERROR", "INPUT_COST", "OUTPUT_COST", "TOTAL_TOKENS", "Row", "Vocabulary", "count", "has",
    "inner", "lower", "offered", "price", "said", "text", "told_by", "vocabularies", "word", "written",
]  # fmt: skip

ERROR: Final = "error"
"""The target of rows that say that the operation failed."""
TOTAL_TOKENS: Final = "tokens"
"""The target of rows that tell input and output together."""
CACHED_BESIDE: Final = "cached tokens beside the input"
"""The target of rows that say that the input is told without what a cache read or wrote."""
INPUT_COST: Final = "cost of the input"
OUTPUT_COST: Final = "cost of the output"

_LONGEST_NUMBER: Final = 32
_SIDES: Final = (("input", "prompt"), ("output", "completion"))
"""Of a price by what was paid for: both ways of naming it."""


def _as_it_is(value: Any) -> Any:
    return value


class Row(NamedTuple):
    """One name of theirs and what it means.

    Attributes:
        target: the attribute of ours, ``agentops.kind`` for the kind, or one of the targets above.
        source: their attribute; with a dot at the end, all that begin so, given as the structure they spell.
        read: gives the value of ours from theirs, ``None`` where it says nothing.
    """

    target: str
    source: str
    read: Callable[[Any], Any] = _as_it_is


class Vocabulary(NamedTuple):
    """The names of one recorder.

    Attributes:
        name: what people call it.
        rows: for each target the first row that gives a value counts.
        rank: where two vocabularies tell the same, the smaller rank counts.
        written_by: who writes it.
    """

    name: str
    rows: tuple[Row, ...]
    rank: int = 50
    written_by: str = ""


@cache
def vocabularies() -> tuple[Vocabulary, ...]:
    """All there are, in the order in which they count."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    return tuple(sorted((module.VOCABULARY for module in modules), key=lambda one: (one.rank, one.name)))


# --- how values are read ------------------------------------------------------------------------


def count(value: Any) -> int | None:
    """A number of tokens, also where it was written as text."""
    if isinstance(value, str) and len(value) < _LONGEST_NUMBER:
        try:
            value = float(value)
        except ValueError:
            return None
    return int(value) if is_figure(value) and value >= 0 else None


def price(value: Any) -> float | int | None:
    """An amount of money, also where it was written as text or is the ``total`` of an object."""
    value = parsed(value)
    if isinstance(value, dict):
        total = next((value[name] for name in ("total", "total_cost", "totalCost", "amount") if name in value), None)
        sides = [price(next((value[name] for name in names if name in value), None)) for names in _SIDES]
        value = total if total is not None or None in sides else sum(filter(None, sides))
    if isinstance(value, str) and len(value) < _LONGEST_NUMBER:
        try:
            value = float(value.removeprefix("$"))
        except ValueError:
            return None
    return value if is_figure(value) and value >= 0 else None


def text(value: Any) -> str | None:
    """Text that is not empty; numbers as text."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def lower(value: Any) -> str | None:
    """Text in small letters, as providers are named."""
    return value.lower() if isinstance(value, str) and value else None


def word(words: Mapping[str, str]) -> Callable[[Any], str | None]:
    """One of the words on the left, in whatever letters, means the one on the right."""
    return lambda value: words.get(value.lower()) if isinstance(value, str) else None


def has(result: str) -> Callable[[Any], str]:
    """That it is there means it."""
    return lambda value: result


def told_by(test: Callable[[Any], bool], result: Any = True) -> Callable[[Any], Any]:
    """Where a value passes a test, it means ``result``."""
    return lambda value: result if test(value) else None


def inner(*path: str, read: Callable[[Any], Any] = _as_it_is) -> Callable[[Any], Any]:
    """What stands at a path in an object, or in the JSON text of one."""

    def at_path(value: Any) -> Any:
        for step in path:
            value = parsed(value)
            value = value.get(step) if isinstance(value, dict) else None
        return None if value is None else read(value)

    return at_path


def said(role: str) -> Callable[[Any], str | None]:
    """Messages of any form as JSON text in the conventions' schema."""

    def as_text(value: Any) -> str | None:
        messages = chat_messages.messages(value, role)
        return chat_messages.json_text(messages) if messages else None

    return as_text


def offered(value: Any) -> str | None:
    """Tools that were offered as JSON text in the conventions' schema."""
    tools = chat_messages.tool_definitions(value)
    return chat_messages.json_text(tools) if tools else None


def found(value: Any) -> str | None:
    """Documents that were found as JSON text in the conventions' schema."""
    documents = chat_messages.documents(value)
    return chat_messages.json_text(documents) if documents else None


def written(value: Any) -> str | None:
    """Any value as text: structures as JSON."""
    return chat_messages.json_text(value) or None


def reasons(value: Any) -> list[str] | None:
    """Why a reply ended."""
    value = parsed(value)
    if isinstance(value, str):
        return [value] if value else None
    return [str(one) for one in value] if isinstance(value, list) and value else None


KINDS: Final = {
    "llm": "llm", "chat": "llm", "completion": "llm", "generation": "llm", "chat_model": "llm", "model": "llm",
    "prompt": "task", "agent": "agent", "tool": "tool", "function": "tool", "mcp_tools": "task",
    "workflow": "workflow", "chain": "task", "task": "task", "step": "task", "span": "span", "event": "span",
    "retriever": "retriever", "retrieval": "retriever", "reranker": "retriever", "rerank": "retriever",
    "embedding": "embedding", "embeddings": "embedding", "guardrail": "guardrail", "evaluator": "task",
    "decision": "decision", "parser": "task", "memory": "task", "planner": "plan", "plan": "plan",
}  # fmt: skip
"""What recorders call the kinds of operations that they know."""
KIND_OF_OPERATION: Final = {
    **semconv.KIND_OF_OPERATION,
    "completion": "llm", "completions": "llm", "chat.completions": "llm", "chat_completion": "llm", "responses": "llm",
    "response": "llm", "message": "llm", "messages": "llm", "generate": "llm", "text_generation": "llm",
    "image_generation": "llm", "inference": "llm", "embedding": "embedding", "embed": "embedding",
    "rerank": "retriever", "execute_task": "task", "handoff": "task", "chain": "task", "agent": "agent",
    "invoke_tool": "tool", "tool": "tool", "tool_call": "tool", "transcription": "llm", "speech": "llm",
}  # fmt: skip
"""The operations of the conventions in all their states, and what is written in their place."""
