"""Formats of other recorders: one file each, found by looking into this folder.

A file holds one :class:`Reader`. To read another format, add a file: what its ``spans`` gives is translated by the
vocabularies and then a record like every other.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from itertools import islice
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentops_sdk.traces.formats.identifiers import span_id_of, trace_id_of
from agentops_sdk.traces.formats.json_values import INT_MAX, to_json
from agentops_sdk.traces.formats.moments import nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = [
    "DAMAGED",
    "Fields",
    "Reader",
    "each",
    "event",
    "flat",
    "members",
    "reader_of",
    "readers",
    "recognised",
    "scope_of",
    "span",
]

Fields = dict[str, Any]
"""The fields of a record, as :class:`~agentops_sdk.traces.SpanRecord` has them."""
DAMAGED: Final = (
    *(KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError, StopIteration),
)
"""What reading a span raises that is not as it should be."""
_MOST_LEVELS: Final = 40
_MOST_ASKED: Final = 20
"""Members of a list that may be damaged before the one that tells what all of them are."""
_STATUSES: Final = {
    "ok": "ok", "error": "error", "unset": "unset", "status_code_ok": "ok", "status_code_error": "error",
    "status_code_unset": "unset", "success": "ok", "failed": "error", "failure": "error", "1": "ok", "2": "error",
}  # fmt: skip


class Reader(NamedTuple):
    """How one format is read.

    Attributes:
        name: what people call it.
        recognises: whether a JSON document is of this format: a line, a file, or a member of a list. Cheap, and
            sure: it is asked of every line that is no record.
        spans: the spans in documents of this format, ``None`` for one that cannot be read.
        together: whether documents of one file belong together, as the lines of a session do: ``spans`` is then
            given all of them, otherwise one at a time.
        written_by: who writes it.
        general: whether it is asked last, because it also recognises what others know better.
    """

    name: str
    recognises: Callable[[Any], bool]
    spans: Callable[[Iterable[Any]], Iterator[Fields | None]]
    together: bool = False
    written_by: str = ""
    general: bool = False


@cache
def readers() -> tuple[Reader, ...]:
    """All there are, in the order in which they are asked."""
    every = [import_module(f"{__name__}.{module.name}").READER for module in iter_modules(__path__)]
    return tuple(sorted(every, key=lambda reader: (reader.general, reader.name)))


def reader_of(document: Any) -> Reader | None:
    """The reader of a document's format."""
    for reader in readers():
        try:
            if reader.recognises(document):
                return reader
        except DAMAGED:
            continue
    return None


def scope_of(tags: dict[str, Any]) -> dict[str, Any]:
    """The scope that an exporter of OpenTelemetry's has put among the tags, under today's names or their older ones.

    They are taken out of ``tags``; the result is for :func:`span`.
    """
    values: dict[str, Any] = {"scope": None, "scope_version": None}
    for owner in ("scope", "library"):
        for field, tag in (("scope", "name"), ("scope_version", "version")):
            value = tags.pop(f"otel.{owner}.{tag}", None)
            values[field] = values[field] or value
    return values


def members(document: Any, *names: str) -> Iterator[Any]:
    """What is in a document that is a list, or holds lists under some of these names, whatever that is."""
    if isinstance(document, list):
        for item in document:
            yield from members(item, *names)
        return
    lists = (
        [document[name] for name in names if isinstance(document.get(name), list)] if isinstance(document, dict) else []
    )
    for inside in lists:
        yield from members(inside, *names)
    if not lists:
        yield document


def recognised(document: Any, is_one: Callable[[Any], bool], *names: str) -> bool:
    """Whether any of the first :func:`members` is of a format: one that is damaged tells nothing of the others."""
    for item in islice(members(document, *names), _MOST_ASKED):
        try:
            if is_one(item):
                return True
        except DAMAGED:
            continue
    return False


def each(items: Iterable[Any], read: Callable[[Any], Fields | None]) -> Iterator[Fields | None]:
    """Every item read; ``None`` for one that cannot be."""
    for item in items:
        try:
            yield read(item)
        except DAMAGED:
            yield None


def span(
    *,
    trace_id: Any,
    span_id: Any,
    name: Any,
    start: Any,
    end: Any = None,
    parent_id: Any = None,
    attributes: Mapping[str, Any] | None = None,
    kind: str | None = None,
    status: Any = "unset",
    message: Any = None,
    span_kind: Any = "INTERNAL",
    events: Iterable[Fields] = (),
    links: Iterable[Fields] = (),
    resource: Mapping[str, Any] | None = None,
    scope: Any = "",
    scope_version: Any = None,
    unfinished: bool = False,
) -> Fields:
    """The fields of one span, from values in whatever form.

    Args:
        trace_id, span_id, parent_id: hex, a UUID, or any text, from which an id is made that is always the same.
        start, end: see :func:`~agentops_sdk.traces.formats.moments.nanoseconds`. Without an end the span never
            got one.
        attributes: those without a value are left out.
        status: ``error``, ``OK``, ``STATUS_CODE_UNSET`` and the like.
        unfinished: whether it never ended, whatever ``end`` says.

    Raises:
        ValueError: there is no id, or no start.
    """
    start_ns, end_ns = nanoseconds(start), nanoseconds(end)
    if start_ns is None or start_ns > INT_MAX:
        raise ValueError("no start")
    fields: Fields = {
        "v": 1,
        "trace_id": trace_id_of(trace_id),
        "span_id": span_id_of(span_id),
        "parent_id": None if _is_no_id(parent_id) else span_id_of(parent_id),
        "name": str(name) if name else "unnamed",
        "kind": kind or "span",
        "span_kind": _span_kind(span_kind),
        "start_ns": start_ns,
        "end_ns": end_ns if end_ns is not None and end_ns <= INT_MAX else start_ns,
        "status": _STATUSES.get(str(status).lower().rpartition(".")[2], "unset"),
        "attributes": {
            str(key): to_json(value) for key, value in (attributes or {}).items() if value is not None and value != ""
        },
        "resource": {str(key): to_json(value) for key, value in (resource or {}).items() if value is not None},
        "scope": {"name": str(scope or ""), "version": None if scope_version is None else str(scope_version)},
    }
    fields["outcome"] = "error" if fields["status"] == "error" else "ok"
    if unfinished or (end_ns is None and fields["outcome"] == "ok"):
        fields["outcome"] = "unfinished"
    if message:
        fields["status_message"] = str(message)
    if listed := list(events):
        fields["events"] = listed
    if listed := list(links):
        fields["links"] = listed
    return fields


def _is_no_id(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, str) and not value.removeprefix("0x").strip("0"))


def _span_kind(value: Any) -> str:
    words = ("INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
    if type(value) is int:
        return words[value - 1] if 0 < value <= len(words) else "INTERNAL"
    word = str(value).upper().rpartition(".")[2].removeprefix("SPAN_KIND_")
    return word if word in words else "INTERNAL"


def event(name: Any, time: Any, attributes: Mapping[str, Any] | None = None) -> Fields:
    """The fields of one event."""
    values = {str(key): to_json(value) for key, value in (attributes or {}).items() if value is not None}
    return {"name": str(name or "event"), "time_ns": nanoseconds(time) or 0, "attributes": values}


def link(trace_id: Any, span_id: Any, attributes: Mapping[str, Any] | None = None) -> Fields:
    """The fields of one link.

    Raises:
        ValueError: it names no span.
    """
    values = {str(key): to_json(value) for key, value in (attributes or {}).items() if value is not None}
    return {"trace_id": trace_id_of(trace_id), "span_id": span_id_of(span_id), "attributes": values}


def flat(value: Mapping[str, Any], before: str = "", levels: int = _MOST_LEVELS) -> dict[str, Any]:
    """Objects within one another as one object whose names have dots; lists stay as they are."""
    result: dict[str, Any] = {}
    for name, inner in value.items():
        path = f"{before}{name}"
        if isinstance(inner, dict) and inner and levels:
            result.update(flat(inner, f"{path}.", levels - 1))
        else:
            result[path] = inner
    return result
