"""Who and what a piece of work is for: session, user, conversation, tags; and carrying a trace to other services."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from opentelemetry.context import Context, attach, create_key, get_current, set_value

from agentops_sdk import semconv
from agentops_sdk._capture import handoff as handoffs
from agentops_sdk._capture.current import current_call
from agentops_sdk._capture.invalid_values import Check, list_of, pairs_of
from agentops_sdk._host.guard import guard
from agentops_sdk._propagation.context_keys import ATTRIBUTES_KEY, release
from agentops_sdk._propagation.generators import drive, drive_async
from agentops_sdk._snapshot.snapshot import text_of
from agentops_sdk._snapshot.text import encodable
from agentops_sdk._track.callable_kind import decorate, finish, shape_of
from agentops_sdk._track.span_handle import plain

__all__ = ["context", "extract", "handoff", "inject"]

T = TypeVar("T", bound="Callable[..., Any] | property | staticmethod[..., Any] | classmethod[Any, ..., Any]")
H = TypeVar("H", bound=MutableMapping[str, str])


class _Attached:
    """A context that is current inside a block; may be entered many times, also by many tasks and threads at once."""

    def __init__(self) -> None:
        # What was entered is found again through the context itself, which every task and thread has its own of.
        self._key = create_key("agentops-block")

    def _make(self) -> Context:
        raise NotImplementedError

    def _enter(self) -> None:
        with guard("context.enter"):
            held: list[Any] = []
            held.append(attach(set_value(self._key, held, self._make())))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with guard("context.exit"):
            held: Any = get_current().get(self._key)
            if held:
                release(held.pop())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)


class context(_Attached):  # noqa: N801 - a context manager that reads as a statement
    """``with context(session_id=…, user_id=…):`` puts these on every span inside, also in threads it starts.

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
        super().__init__()
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

    def _make(self) -> Context:
        here = get_current()
        around: Any = here.get(ATTRIBUTES_KEY) or {}
        merged = {**around, **self._attributes}
        if self._tags:
            merged[semconv.TAGS] = list(dict.fromkeys([*around.get(semconv.TAGS, ()), *self._tags]))
        return set_value(ATTRIBUTES_KEY, merged, here)

    def __enter__(self) -> Self:
        self._enter()
        return self

    async def __aenter__(self) -> Self:
        return self.__enter__()

    def __call__(self, target: T) -> T:
        """Decorate a function, method or generator function: every call runs inside."""
        decorated: T = decorate(target, self._wrap, "context()")
        return decorated

    def _wrap(self, function: Any) -> Any:
        shape = shape_of(function)
        run: Any
        if shape == "async generator":
            run = drive_async(function, self._steps)
        elif shape == "generator":
            run = drive(function, self._steps)
        elif shape == "coroutine":

            @functools.wraps(function)
            async def run_async(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            run = run_async
        else:

            @functools.wraps(function)
            def run_sync(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return function(*args, **kwargs)

            run = run_sync

        return finish(run, function, type(function).__name__)

    def _steps(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Steps:
        values: Context | None = None
        with guard("context.enter"):
            values = self._make()
        return _Steps(values)


class _Steps:
    """A generator's run that only has a context."""

    __slots__ = ("context",)

    def __init__(self, made: Context | None) -> None:
        self.context = made

    def item(self, value: Any) -> None: ...
    def end(self, result: Any) -> None: ...
    def abandon(self) -> None: ...
    def fail(self, error: BaseException) -> None: ...


class extract(_Attached):  # noqa: N801 - a context manager that reads as a statement
    """``with extract(request.headers):`` continues the trace of whoever sent the request.

    Takes the headers of any framework: a mapping, a list of pairs, an ASGI scope's pairs of bytes, a
    WSGI environment. Headers that carry no trace, or a malformed one, change nothing.
    """

    def __init__(self, headers: Mapping[str, Any] | Iterable[tuple[Any, Any]]) -> None:
        super().__init__()
        self._fields: dict[str, str] = {}
        with guard("extract"):
            self._fields = _fields(headers)

    def _make(self) -> Context:
        from agentops_sdk._propagation import w3c_headers

        return w3c_headers.read(self._fields, get_current())

    def __enter__(self) -> Self:
        self._enter()
        return self

    async def __aenter__(self) -> Self:
        return self.__enter__()


def inject(headers: H) -> H:
    """Add ``traceparent``, ``tracestate`` and ``baggage`` to the headers of a request; returns them.

    Baggage that stands there already stays. Ours holds session, user, conversation, tags, metadata and
    the agent's name: send it to services you trust.
    """
    from agentops_sdk._propagation import w3c_headers

    with guard("inject"):
        names = {str(name).lower(): name for name in headers}
        present = _text(headers[names["baggage"]]) if "baggage" in names else ""
        for name, value in w3c_headers.write(get_current(), present).items():
            headers[names.get(name, name)] = value
    return headers


def handoff(to: str, *, reason: str | None = None) -> None:
    """The agent that runs here hands its task over to the agent called ``to``.

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
    from agentops_sdk._propagation.w3c_headers import FIELDS

    pairs = pairs_of(headers)
    if pairs is None:
        pairs = list_of(headers)
    if pairs is None:
        if headers is not None:
            Check("extract()").note("headers", headers, "a mapping or a list of pairs")
        return {}
    fields: dict[str, str] = {}
    for pair in pairs:
        parts = list_of(pair)
        if parts is None or len(parts) != 2:
            continue
        name, value = _text(parts[0]), parts[1]
        key = name.lower()
        key = key.removeprefix("http_") if key.startswith("http_") else key
        if key in FIELDS:
            # RFC 9110: several headers of one name are one, joined by commas.
            known = fields.get(key)
            fields[key] = f"{known},{_text(value)}" if known is not None and key != "traceparent" else _text(value)
    return fields


def _text(value: Any) -> str:
    return value.decode("latin-1") if type(value) is bytes else text_of(value)
