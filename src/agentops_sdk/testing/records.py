"""What queries return: span records that know what a tool call or a model call is, in lists that filter."""

from __future__ import annotations

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeVar

from agentops_sdk import semconv
from agentops_sdk.traces import Cost, Usage
from agentops_sdk.traces.record import SpanRecord
from agentops_sdk.traces.trace import model_of

if TYPE_CHECKING:
    from agentops_sdk.traces.decisions.model import Decision

R = TypeVar("R", bound=SpanRecord)


class ToolCall(SpanRecord):
    """One execution of a tool."""

    @property
    def tool(self) -> str:
        """The tool's name."""
        return label(self)

    @property
    def arguments(self) -> dict[str, Any]:
        """What it was called with, by parameter name; empty if that was not captured."""
        parsed = _parsed(self.attributes.get(semconv.TOOL_CALL_ARGUMENTS, self.attributes.get(semconv.INPUT)))
        return parsed if isinstance(parsed, dict) else {} if parsed is None else {"": parsed}

    @property
    def result(self) -> Any:
        """What it returned, as JSON holds it; None if nothing was."""
        return _parsed(self.attributes.get(semconv.TOOL_CALL_RESULT, self.attributes.get(semconv.OUTPUT)))


class LlmCall(SpanRecord):
    """One call of a model."""

    @property
    def model(self) -> str:
        """The model that answered, or else the one that was asked for."""
        return model_of(self) or ""

    @property
    def prompt(self) -> str:
        """The text of everything that was sent."""
        return "\n".join(_texts(self.attributes.get(semconv.INPUT_MESSAGES)))

    @property
    def text(self) -> str:
        """The text that it answered."""
        return "\n".join(_texts(self.attributes.get(semconv.OUTPUT_MESSAGES)))

    @property
    def requested_tools(self) -> list[str]:
        """The names of the tools that it asked for, in order."""
        parts = _parts(self.attributes.get(semconv.OUTPUT_MESSAGES))
        return [str(part.get("name")) for part in parts if part.get("type") == "tool_call"]

    @property
    def usage(self) -> Usage:
        """Its tokens; none where it was answered from a cache."""
        return Usage.of(self.attributes) or Usage(unknown=0 if self.attributes.get(semconv.CACHED) is True else 1)

    @property
    def cost(self) -> Cost:
        """Its price."""
        return Cost.of(self.attributes) or Cost.unknown("no price recorded")


class Spans(list[R]):
    """A list of span records; called, it filters: ``traces.tool_calls("search", outcome="error")``."""

    def __call__(self, name: str | None = None, *, kind: str | None = None, **attributes: Any) -> Spans[R]:
        """Those that match everything given.

        Args:
            name: the span's name, or the name of the tool, agent, model …; ``*`` and ``?`` stand for anything.
            kind: ``tool``, ``llm``, ``agent`` …
            attributes: fields of the record (``outcome="error"``) or attributes, by their name with ``_``
                in place of ``.`` (``gen_ai_request_model="gpt-4o-mini"``).
        """
        wanted = {key.replace(".", "_"): value for key, value in attributes.items()}
        return Spans(
            span
            for span in self
            if (name is None or is_named(span, name))
            and (kind is None or span.kind == kind)
            and all(_has(span, key, value) for key, value in wanted.items())
        )

    @property
    def names(self) -> list[str]:
        """The short name of each: that of its tool, agent or model."""
        return [label(span) for span in self]

    def one(self) -> R:
        """The only one.

        Raises:
            AssertionError: there is none, or there are several.
        """
        if len(self) != 1:
            raise AssertionError(f"expected exactly one span, there are {len(self)}: {', '.join(self.names) or 'none'}")
        return self[0]

    def __repr__(self) -> str:
        return f"<{len(self)} spans: {', '.join(self.names)}>" if self else "<no spans>"


class Decisions(list["Decision"]):
    """A list of decisions; called, it filters by name: ``traces.decisions("route")``."""

    def __call__(self, name: str) -> Decisions:
        """Those with this name; ``*`` and ``?`` stand for anything."""
        return Decisions(decision for decision in self if fnmatchcase(decision.name, name))


def as_element(raw: dict[str, Any]) -> SpanRecord:
    """The record of the kind that fits what it is."""
    form = {"tool": ToolCall, "llm": LlmCall, "embedding": LlmCall}.get(raw["kind"], SpanRecord)
    return form.model_validate(raw)


def as_elements(records: Iterable[SpanRecord]) -> list[SpanRecord]:
    """The same for records that came from elsewhere."""
    return [as_element(dict(record)) if type(record) is SpanRecord else record for record in records]


def label(span: SpanRecord) -> str:
    """What a span is called for short: the name of the tool, agent, model … it is about."""
    if span.kind in ("llm", "embedding"):  # by the name that the program knows, not the dated one that answered
        return str(span.attributes.get(semconv.REQUEST_MODEL) or model_of(span) or span.name)
    row = semconv.SPAN_KINDS[span.kind]
    if row.named_by is None:
        return span.name.removeprefix(f"{row.prefix} ") if row.prefix else span.name
    return str(span.attributes.get(row.named_by) or span.name)


def is_named(span: SpanRecord, pattern: str) -> bool:
    """Whether the pattern fits the span's name, or what it is called for short."""
    if fnmatchcase(span.name, pattern) or fnmatchcase(label(span), pattern):
        return True
    answered = model_of(span) if span.kind in ("llm", "embedding") else None
    return answered is not None and fnmatchcase(answered, pattern)


def _has(span: SpanRecord, key: str, value: Any) -> bool:
    if key in type(span).model_fields:
        return bool(value == getattr(span, key))
    return any(name.replace(".", "_") == key and value == actual for name, actual in span.attributes.items())


def _parts(messages: Any) -> list[dict[str, Any]]:
    values = _parsed(messages)
    if not isinstance(values, list):
        return []
    return [
        part for one in values if isinstance(one, dict) for part in one.get("parts") or () if isinstance(part, dict)
    ]


def _texts(messages: Any) -> list[str]:
    return [str(part["content"]) for part in _parts(messages) if part.get("type") == "text" and "content" in part]


def _parsed(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
