"""Vector stores: a query is a retrieval with its documents, a write a step with its count; vectors are never copied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from inspect import Parameter, signature
from typing import Any, NamedTuple

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._capture.call import Call, NullCall
from agentops_sdk._capture.current import current_call
from agentops_sdk._capture.method_calls import MethodCalls, Started
from agentops_sdk._capture.start import start
from agentops_sdk._genai.framework_content import content
from agentops_sdk._host.guard import guard
from agentops_sdk._host.patches import Patches

__all__ = ["StoreCalls", "StoreQuery", "StoreWrite"]

_NO_SERVER: Mapping[str, Any] = {}
Arguments = Mapping[str, Any]
"""By the names of the method's parameters, with what it has as defaults."""


class StoreQuery(NamedTuple):
    """What a query asks for."""

    collection: Any
    text: Any = None
    """Where the query is one in words, or several: never its vector."""
    top_k: Any = None
    host: str | None = None
    port: int | None = None


class StoreWrite(NamedTuple):
    """What a write stores."""

    operation: str
    collection: Any
    rows: int | None
    """How many documents; ``None``: nobody knows before they are read."""
    host: str | None = None
    port: int | None = None


Documents = Callable[[Any], Iterable[Mapping[str, Any]]]
"""Reads the documents from a result, where content is captured."""
Server = Callable[[Any, str], Mapping[str, Any]]
"""``server.address`` and ``server.port``, given the object and the method's name; empty where there is no server."""


class StoreCalls:
    """Wraps the methods of one store, of which those that are coroutine functions ``awaits`` says.

    The function that is there does not tell: somebody else's wrapper may be a plain one.

    Args:
        name: of the integration.
        patches: where the wrappers are kept.
        system: ``db.system.name`` where it is not the integration's name.
        server: tells who answers, where the object knows that rather than what is asked for.
    """

    def __init__(self, name: str, patches: Patches, system: str | None = None, server: Server | None = None) -> None:
        self._name = name
        self._system = system or name
        self._server = server
        self._calls = MethodCalls(name, patches)

    def query(
        self,
        owner: Any,
        method: str,
        asks: Callable[[Any, Arguments], StoreQuery | None],
        documents: Documents,
        *,
        awaits: bool = False,
    ) -> None:
        """A method that looks for documents."""
        self._wrap(owner, method, asks, partial(_documents, documents), awaits)

    def write(
        self,
        owner: Any,
        method: str,
        collection: Callable[[Any, Arguments], Any],
        rows: str | None,
        *,
        awaits: bool = False,
    ) -> None:
        """A method that stores documents; ``rows`` names the parameter that holds them, ``None``: it is one."""

        def asks(instance: Any, arguments: Arguments) -> StoreWrite:
            count = 1 if rows is None else _count(arguments.get(rows))
            return StoreWrite(method, collection(instance, arguments), count)

        self._wrap(owner, method, asks, _no_end, awaits)

    def statement(
        self,
        owner: Any,
        method: str,
        asks: Callable[[Any, Arguments], StoreQuery | StoreWrite | None],
        documents: Callable[[Any, Any, Arguments], Iterable[Mapping[str, Any]]],
        *,
        awaits: bool = False,
    ) -> None:
        """A method that takes statements in a language, which may search, write, or do what is none of ours.

        ``documents`` is given the result of a search, the object and the arguments.
        """
        self._wrap(owner, method, asks, documents, awaits, statement=True)

    def streamed(
        self,
        owner: Any,
        method: str,
        asks: Callable[[Any, Arguments], StoreQuery | StoreWrite | None],
        *,
        awaits: bool = False,
    ) -> None:
        """A generator of rows, which are its reader's alone: what was found is not told."""
        begun = self._begun(owner, method, asks)[0]
        wrap = self._calls.wrap_generator_async if awaits else self._calls.wrap_generator
        wrap(owner, method, begun, _no_end)

    def begin(self, asked: StoreQuery | StoreWrite, server: Mapping[str, Any] = _NO_SERVER) -> Call | NullCall:
        """Begin a search or a write that no single method is: whoever asks ends it."""
        source = _text(asked.collection)
        attributes: dict[str, Any] = {
            semconv.DB_SYSTEM_NAME: self._system,
            semconv.SERVER_ADDRESS: asked.host,
            semconv.SERVER_PORT: asked.port,
            **server,
        }
        if isinstance(asked, StoreWrite):
            attributes |= {semconv.DATA_SOURCE_ID: source, semconv.DB_OPERATION_BATCH_SIZE: asked.rows}
            name = f"{asked.operation} {source}" if source else asked.operation
            return start("task", name, span_name=name, attributes=attributes, reporter=self._name)
        text = asked.text[0] if isinstance(asked.text, list) and len(asked.text) == 1 else asked.text
        attributes[semconv.RETRIEVAL_TOP_K] = asked.top_k if type(asked.top_k) is int else None
        attributes |= content(semconv.RETRIEVAL_QUERY, text or None)
        return start("retriever", source, attributes=attributes, reporter=self._name)

    def _wrap(
        self, owner: Any, method: str, asks: Callable[[Any, Arguments], Any], end: Any, awaits: bool, *,
        statement: bool = False,
    ) -> None:  # fmt: skip
        begun, given = self._begun(owner, method, asks)

        def found(instance: Any, args: tuple[Any, ...], kwargs: Arguments, call: Call, result: Any) -> None:
            if call.kind == "retriever":
                _documents(lambda result: end(result, instance, given(args, kwargs)), call, result)

        wrap = self._calls.wrap_async if awaits else self._calls.wrap
        wrap(owner, method, begun, found if statement else end, asks=statement)

    def _begun(
        self, owner: Any, method: str, asks: Callable[[Any, Arguments], Any]
    ) -> tuple[Started, Callable[[tuple[Any, ...], Arguments], Arguments]]:
        """What begins the call, and the arguments by the names of the method's parameters."""
        original = getattr(owner, method, None)
        parameters = [] if original is None else list(signature(original).parameters.values())[1:]
        names = [each.name for each in parameters]
        rest = next((at for at, each in enumerate(parameters) if each.kind is Parameter.VAR_POSITIONAL), len(names))
        defaults = {each.name: each.default for each in parameters if each.default is not Parameter.empty}

        def given(args: tuple[Any, ...], kwargs: Arguments) -> Arguments:
            known = {**defaults, **dict(zip(names[:rest], args, strict=False)), **kwargs}
            if rest < len(names):
                known[names[rest]] = args[rest:]
            return known

        def begun(instance: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
            around = current_call()
            if around is not None and around.reporters == (self._name,):
                return None  # the store's own methods call one another
            asked = asks(instance, given(args, kwargs))
            if asked is None:
                return None
            server = _NO_SERVER
            if self._server is not None:
                with guard(self._name):
                    server = self._server(instance, method)
            return self.begin(asked, server)

        return begun, given


def _documents(documents: Documents, call: Call, result: Any) -> None:
    if not _recorder_port.active.settings.records_content:
        return
    rows = [{name: value for name, value in row.items() if value is not None} for row in documents(result)]
    call.update(content(semconv.RETRIEVAL_DOCUMENTS, rows))


def _no_end(call: Call, result: Any) -> None:
    """What a write results in says no more."""


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


def _count(rows: Any) -> int | None:
    """How many; unknown of an iterator, which only its reader may read."""
    rows = getattr(rows, "ids", rows)  # Qdrant has columns as well as rows
    if isinstance(rows, str):
        return 1
    return len(rows) if hasattr(rows, "__len__") else None
