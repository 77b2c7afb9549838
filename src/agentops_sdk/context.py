"""Who and what a piece of work is for: session, user, conversation, tags; and carrying a trace to other services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, TypeVar

from opentelemetry.context import Context, get_current, set_value

from agentops_sdk import semconv
from agentops_sdk._capture import handoff as handoffs
from agentops_sdk._capture.current import current_call
from agentops_sdk._capture.invalid_values import Check, list_of, pairs_of, tell_once
from agentops_sdk._host.guard import guard
from agentops_sdk._propagation import privacy
from agentops_sdk._propagation.context_keys import ATTRIBUTES_KEY
from agentops_sdk._snapshot.snapshot import text_of
from agentops_sdk._snapshot.text import encodable
from agentops_sdk._track.block import Block, DecoratingBlock
from agentops_sdk._track.span_handle import plain

__all__ = ["context", "extract", "handoff", "inject", "private"]

H = TypeVar("H", bound=MutableMapping[str, str])


class context(DecoratingBlock):  # noqa: N801 - a context manager that reads as a statement
    """``with context(session_id=…, user_id=…):`` sets these on every span inside, also in threads started there.

    Also ``async with``, and a decorator for functions of every kind. Blocks nest: tags add up, other
    values of the inner block win.

    Args:
        session_id: of the user's session.
        user_id: whom the work is for.
        conversation_id: of the conversation that messages belong to.
        tags: short texts to find the spans by.
        metadata: anything else that describes the work, recorded below ``agentops.metadata.``.
        attributes: further attributes by their own names.

    What is not as documented is kept, named in ``agentops.invalid`` of the spans inside and told once in the log.
    """

    def __init__(
        self,
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        conversation_id: str | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        **attributes: Any,
    ) -> None:
        super().__init__("context()")
        self._attributes: dict[str, Any] = {}
        self._tags: list[str] = []
        ids = {semconv.SESSION_ID: session_id, semconv.USER_ID: user_id, semconv.CONVERSATION_ID: conversation_id}
        with guard("context.attributes"):
            check = Check("context()")
            for name, value in ids.items():
                if value is not None:
                    self._attributes[name] = text_of(value)
            for name, value in check.pairs("metadata", metadata):
                if value is not None:
                    self._attributes[f"{semconv.METADATA_PREFIX}{name}"] = plain(value)
            for name, value in attributes.items():
                if value is not None:
                    self._attributes[encodable(str.__str__(name))] = plain(value)
            self._tags = check.texts("tags", tags)
            self._attributes.update(check.attributes)

    def make(self) -> Context:
        here = get_current()
        around: Any = here.get(ATTRIBUTES_KEY) or {}
        merged = {**around, **self._attributes}
        if self._tags:
            merged[semconv.TAGS] = list(dict.fromkeys([*around.get(semconv.TAGS, ()), *self._tags]))
        return set_value(ATTRIBUTES_KEY, merged, here)


class private(DecoratingBlock):  # noqa: N801 - a context manager that reads as a statement
    """``with private():`` records that something happened, and nothing of it.

    Of every operation inside, also in threads started there and in services called from there that use this package:
    its kind, its times, its outcome, the agent, the model and what it used. No messages, arguments or results, no
    names of tools, no tags, metadata, user or session, no message of an error. Also ``async with``, and a decorator.

    What the block returns to a recorded function around it is that function's result: make that private as well.
    """

    def __init__(self) -> None:
        super().__init__("private()")

    def make(self) -> Context:
        return privacy.made_private(get_current())

    def left_by(self, error: BaseException) -> None:
        privacy.mark(error)


class extract(Block):  # noqa: N801 - a context manager that reads as a statement
    """``with extract(request.headers):`` continues the trace of whoever sent the request.

    Takes the headers of any framework: a mapping, a list of pairs, an ASGI scope's pairs of bytes, a
    WSGI environment. Headers that carry no trace, or a malformed one, change nothing.
    """

    def __init__(self, headers: Mapping[str, Any] | Iterable[tuple[Any, Any]]) -> None:
        super().__init__("extract()")
        self._fields: dict[str, str] = {}
        with guard("extract"):
            self._fields = _fields(headers)

    def make(self) -> Context:
        from agentops_sdk._propagation import propagators

        return propagators.read(self._fields, get_current())


def inject(headers: H) -> H:
    """Add ``traceparent``, ``tracestate`` and ``baggage`` to the headers of a request; returns them.

    Baggage that stands there already stays. Ours holds session, user, conversation, tags, metadata and
    the agent's name: send it to services you trust.
    """
    from agentops_sdk._propagation import propagators

    with guard("inject"):
        pairs = pairs_of(headers)
        if pairs is None:
            tell_once("inject()", "headers", headers, "a mapping", "Nothing was added")
            return headers
        names = {text_of(name).lower(): name for name, _ in pairs}
        present = _text(headers[names["baggage"]]) if "baggage" in names else ""
        for name, value in propagators.write(get_current(), present).items():
            headers[names.get(name, name)] = value
    return headers


def handoff(to: str, *, reason: str | None = None) -> None:
    """Record that the current agent hands its task over to the agent named ``to``.

    Recorded as an event here, and as a link between this span and the next one of that agent in the
    same trace, in both of them.
    """
    call = current_call()
    if call is not None and not call.ended:
        with guard("handoff"):
            check = Check("handoff()")
            handoffs.offer(call, check.name("to", to), check.text("reason", reason))
            check.mark(call)


def _fields(headers: Any) -> dict[str, str]:
    from agentops_sdk._propagation import propagators

    pairs = pairs_of(headers)
    if pairs is None:
        pairs = list_of(headers)
    if pairs is None:
        if headers is not None:
            Check("extract()").note("headers", headers, "a mapping or a list of pairs")
        return {}
    known_fields = propagators.fields()
    fields: dict[str, str] = {}
    for pair in pairs:
        parts = list_of(pair)
        if parts is None or len(parts) != 2:
            continue
        name, value = _text(parts[0]), parts[1]
        key = name.lower()
        key = key.removeprefix("http_").replace("_", "-") if key.startswith("http_") else key
        if key := known_fields.get(key, ""):
            # RFC 9110: several headers of one name are one, joined by commas.
            known = fields.get(key)
            fields[key] = f"{known},{_text(value)}" if known is not None and key != "traceparent" else _text(value)
    return fields


def _text(value: Any) -> str:
    return value.decode("latin-1") if type(value) is bytes else text_of(value)
