"""What one endpoint of an API is: a row of data and pure functions; and the table that finds the row of a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from agentops_sdk import semconv

__all__ = [
    "ID",
    "Attributes",
    "ByteFilter",
    "Endpoint",
    "Endpoints",
    "Events",
    "Exchanged",
    "Json",
    "Outgoing",
    "Prepared",
    "Retold",
]

Json = Mapping[str, Any]
Attributes = dict[str, Any]
Events = list[dict[str, Any]]

ID = r"[^/]+"
"""In the path of a row: an identifier."""


class ByteFilter(Protocol):
    """Takes out of a stream what its caller did not ask for. Bytes in, bytes out; only whole events pass."""

    def feed(self, data: bytes) -> bytes:
        """What may pass now; possibly nothing."""
        ...

    def flush(self) -> bytes:
        """What was held back, at the end of the stream."""
        ...


class Outgoing(NamedTuple):
    """A request that is about to be sent, as far as an endpoint may look at it. Caller's thread."""

    client: Any
    options: Any
    body: Json
    host: str
    port: int | None


class Prepared(NamedTuple):
    """A changed body, and what hides from the caller the change that it makes to the reply."""

    body: Json
    hide: ByteFilter


class Retold(NamedTuple):
    """Events that bring in pieces what the stream's last one tells as a whole."""

    begins: tuple[bytes, ...]
    """How they begin, as they come."""
    by: Callable[[Json], bool]
    """Whether an event tells so much that ``fold`` does not look at them."""


class Exchanged(NamedTuple):
    """One request and its reply, for :attr:`Endpoint.settle`. Consumer thread."""

    method: str
    path: str
    request: Json
    reply: Json
    figures: Attributes
    """What the reply tells of tokens, as attributes."""


def merged(events: Events) -> dict[str, Any]:
    """A stream of an unknown endpoint: the newest value of every field."""
    body: dict[str, Any] = {}
    for event in events:
        body.update((name, value) for name, value in event.items() if value is not None)
    return body


def usage_field(body: Json) -> Json | None:
    usage = body.get("usage")
    return usage if isinstance(usage, Mapping) else None


def error_field(body: Json) -> bool:
    """Whether a body with a good status is nothing but an error."""
    return bool(body.get("error")) and not {"choices", "output", "id"} & body.keys()


def generic_request(body: Json) -> Attributes:
    return {semconv.INPUT: _public(body), semconv.REQUEST_MODEL: _text(body.get("model"))}


def generic_response(body: Json, _request: Json) -> Attributes:
    return {
        semconv.OUTPUT: _public(body),
        semconv.RESPONSE_MODEL: _text(body.get("model")),
        semconv.RESPONSE_ID: _text(body.get("id")),
    }


def counts_always(attributes: Attributes, exchanged: Exchanged) -> bool:
    return True


def _public(body: Json) -> Json:
    return {name: value for name, value in body.items() if name not in ("api_key", "authorization")}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """One row of an integration's table.

    Every function is pure and runs on the consumer thread, except ``prepare`` and ``name_in``. What they return are
    attributes by their names in ``semconv``; lists and mappings become JSON text where the name calls for it.
    """

    path: str = ""
    """A regular expression for the end of the path, with :data:`ID` for an identifier."""

    method: str = "POST"
    kind: str = "llm"
    """The kind of the span, or ``"none"``: the client asks for something of its own, which is not recorded."""

    operation: str = "chat"
    span_name: str | None = None
    """The whole name of the span; by default the operation and the model."""

    request: Callable[[Json], Attributes] = generic_request
    response: Callable[[Json, Json], Attributes] = generic_response
    """Of the reply's body, and the request's."""

    fold: Callable[[Events], dict[str, Any]] = merged
    """The events of a stream, all of them or as far as they came, to the body that they stand for."""

    text_of: Callable[[Json], str | None] | None = None
    """The text of an event that brings nothing else, where ``fold`` does no more with it than to append that text.

    Such events that differ in nothing else come to ``fold`` as one with all their texts.
    """

    retold: Retold | None = None
    """Events that need not be read where the stream's last one tells everything again."""

    usage: Callable[[Json], Json | None] = usage_field
    """The provider's own usage object in a body."""

    usage_shape: str = "openai.chat"
    """How that object is read: a name in ``agentops_sdk._usage.provider_usage``."""

    settle: Callable[[Attributes, Exchanged], bool] = counts_always
    """Says on the span what a reply is to work that goes on elsewhere; returns whether its tokens count here."""

    failed: Callable[[Json], bool] = error_field
    """Whether a whole body, or one of the last events, says that the operation failed although its status is good."""

    failure_mark: re.Pattern[bytes] | None = None
    """Found in the bytes of a reply that may end so, beside what says so everywhere: those are looked at."""

    end_mark: re.Pattern[bytes] = re.compile(rb"^data:\s*\[DONE\]", re.MULTILINE)
    """Found in the bytes of the event that ends the answer: who closes the stream after it has abandoned nothing."""

    silent_events: frozenset[str] = frozenset()
    """Types of events that the client keeps to itself, so that they do not count as delivered."""

    prepare: Callable[[Outgoing], Prepared | None] | None = None
    """Adds to a request for a stream what its caller did not write. Caller's thread."""

    named_by: str = "model"
    """The field of the request's body that names the operation. Caller's thread."""

    name_in: Callable[[str], str | None] | None = None
    """The name that stands in the path, where it is not the model's. Caller's thread."""

    ends_with: str | None = None
    """The attribute that the path's last part is: known where no reply tells it."""


class Endpoints:
    """The table of one API. A request that no row fits is recorded by its path, under few different names.

    Args:
        rows: the rows, the first that fits wins.
        other: what a request that no row fits is like; its operation is made from the path.
        verbs: last segments of paths that are actions by themselves, such as ``cancel``.
        prefixes: segments that say nothing, such as ``openai``.
        collections: segments behind which there is always an identifier, whatever it looks like, such as
            ``cachedContents``; of their members an action is written ``member:action``.
    """

    def __init__(
        self,
        rows: Iterable[Endpoint],
        *,
        other: Endpoint | None = None,
        verbs: Iterable[str] = (),
        prefixes: Iterable[str] = (),
        collections: Iterable[str] = (),
    ) -> None:
        self._rows = tuple((row.method, re.compile(rf"(?:^|/){row.path}/?$"), row) for row in rows)
        self._other = other or Endpoint(kind="span")
        self._verbs = frozenset(verbs)
        self._prefixes = frozenset(prefixes)
        self._collections = frozenset(collections)

    def find(self, method: str, path: str) -> Endpoint:
        """The row of a request, a generic one where there is none."""
        method = method.upper()
        path = path.partition("?")[0]
        for known, pattern, row in self._rows:
            if known == method and pattern.search(path):
                return row
        operation = self.generic_operation(method, path)
        return replace(self._other, operation=operation, span_name=operation)

    def generic_operation(self, method: str, path: str) -> str:
        """A name such as ``files.create`` or ``vector_stores.files.list``, without identifiers."""
        segments = [part for part in path.split("/") if part and not _VERSION.fullmatch(part)]
        segments = [part for part in segments if part not in self._prefixes]
        names = [part for at, part in enumerate(segments) if not self._is_identifier(segments, at)]
        if not names:
            return method.lower()
        last_is_name = segments[-1] == names[-1] and not self._is_identifier(segments, len(segments) - 1)
        if method == "GET":
            action = "list" if last_is_name else "retrieve"
        elif self._is_verb(method, segments):
            return ".".join(names)
        elif self._collections and method == "POST" and (of_member := _ACTION_OF_MEMBER.search(segments[-1])):
            action = of_member[1]
        else:
            action = "update" if method == "POST" and not last_is_name else _ACTIONS.get(method, method.lower())
        return ".".join((*names, action))

    def _is_verb(self, method: str, segments: list[str]) -> bool:
        return (
            method == "POST"
            and len(segments) > 1
            and segments[-1] in self._verbs
            and self._is_identifier(segments, len(segments) - 2)
        )

    def _is_identifier(self, segments: list[str], at: int) -> bool:
        if at > 0 and segments[at - 1] in self._collections and not self._is_identifier(segments, at - 1):
            return segments[at] not in self._verbs
        return segments[at] not in self._collections and bool(_IDENTIFIER.match(segments[at]))


_VERSION = re.compile(r"v\d+")
_ACTION_OF_MEMBER = re.compile(r":([A-Za-z]+)$")
_IDENTIFIER = re.compile(r".*[\dA-Z:]|.{33,}")
_ACTIONS = {"GET": "retrieve", "POST": "create", "DELETE": "delete", "PUT": "replace", "PATCH": "update"}
