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
from agentops_sdk._host.patches import Patches

__all__ = ["StoreCalls", "StoreQuery"]

Arguments = Mapping[str, Any]
"""By the names of the method's parameters, with what it has as defaults."""


class StoreQuery(NamedTuple):
    """What a query asks for."""

    collection: Any
    text: Any = None
    """Where the query is one in words, or several: never its vector."""
    top_k: Any = None


class StoreCalls:
    """Wraps the methods of one store, of which those that are coroutine functions ``awaits`` says.

    The function that is there does not tell: somebody else's wrapper may be a plain one.

    Args:
        name: of the integration.
        patches: where the wrappers are kept.
    """

    def __init__(self, name: str, patches: Patches) -> None:
        self._name = name
        self._calls = MethodCalls(name, patches)

    def query(
        self,
        owner: Any,
        method: str,
        asks: Callable[[Any, Arguments], StoreQuery | None],
        documents: Callable[[Any], Iterable[Mapping[str, Any]]],
        *,
        awaits: bool = False,
    ) -> None:
        """A method that looks for documents; ``documents`` reads them from its result, where content is captured."""

        def begin(instance: Any, arguments: Arguments) -> Call | NullCall | None:
            query = asks(instance, arguments)
            if query is None:
                return None
            text = query.text[0] if isinstance(query.text, list) and len(query.text) == 1 else query.text
            attributes = {
                semconv.DB_SYSTEM_NAME: self._name,
                semconv.RETRIEVAL_TOP_K: query.top_k if type(query.top_k) is int else None,
                **content(semconv.RETRIEVAL_QUERY, text or None),
            }
            return start("retriever", _text(query.collection), attributes=attributes, reporter=self._name)

        self._wrap(owner, method, begin, partial(_documents, documents), awaits)

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

        def begin(instance: Any, arguments: Arguments) -> Call | NullCall:
            source = _text(collection(instance, arguments))
            attributes = {
                semconv.DB_SYSTEM_NAME: self._name,
                semconv.DATA_SOURCE_ID: source,
                semconv.DB_OPERATION_BATCH_SIZE: 1 if rows is None else _count(arguments.get(rows)),
            }
            name = f"{method} {source}" if source else method
            return start("task", name, span_name=name, attributes=attributes, reporter=self._name)

        self._wrap(owner, method, begin, _no_end, awaits)

    def _wrap(self, owner: Any, method: str, begin: Callable[[Any, Arguments], Any], end: Any, awaits: bool) -> None:
        original = getattr(owner, method, None)
        parameters = [] if original is None else list(signature(original).parameters.values())[1:]
        names = [each.name for each in parameters]
        defaults = {each.name: each.default for each in parameters if each.default is not Parameter.empty}

        def begun(instance: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
            around = current_call()
            if around is not None and around.reporters == (self._name,):
                return None  # the store's own methods call one another
            return begin(instance, {**defaults, **dict(zip(names, args, strict=False)), **kwargs})

        started: Started = begun
        wrap = self._calls.wrap_async if awaits else self._calls.wrap
        wrap(owner, method, started, end)


def _documents(documents: Callable[[Any], Iterable[Mapping[str, Any]]], call: Call, result: Any) -> None:
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
