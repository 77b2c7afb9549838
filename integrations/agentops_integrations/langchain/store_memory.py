"""LangGraph's stores, which are its long memory: what is looked up in them, written and taken away."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from agentops_sdk.integration import Call, Patches, current_call, semconv, setting, start
from agentops_sdk.integration.frameworks import MethodCalls, content

Arguments = Mapping[str, Any]
_REPORTER = "langgraph"


_AFTER = ("base", "base.batch", "memory", "sqlite", "postgres")
"""Modules of stores: where recording begins in the middle of the first one's import, the others come later."""


def install(patches: Patches) -> None:
    """Patch the stores' base class, and the one that overrides its methods."""
    calls, seen = MethodCalls(_REPORTER, patches), set[type]()
    for name in _AFTER:
        patches.when_imported(f"langgraph.store.{name}", lambda _: _look(calls, seen))


def _look(calls: MethodCalls, seen: set[type]) -> None:
    for name, base in (("base", "BaseStore"), ("base.batch", "AsyncBatchedBaseStore")):
        store = getattr(sys.modules.get(f"langgraph.store.{name}"), base, None)
        if store is not None and store not in seen:
            seen.add(store)
            _store(calls, store)


def _store(calls: MethodCalls, store: type) -> None:
    for name, begin, end in (
        ("get", _get, _item), ("search", _search, _items), ("put", _put, _done), ("delete", _delete, _done),
    ):  # fmt: skip
        if name in vars(store):
            calls.wrap(store, name, begin, end)
        if f"a{name}" in vars(store):
            calls.wrap_async(store, f"a{name}", begin, end)


def _begin(operation: str, namespace: Any, attributes: dict[str, Any]) -> Any:
    around = current_call()
    if around is not None and around.kind == "memory" and around.reporters == (_REPORTER,):
        return None  # a store's own methods call one another
    parts = [part for part in namespace if type(part) is str] if isinstance(namespace, tuple) else []
    return start("memory", "/".join(parts) or None, operation=operation, attributes=attributes, reporter=_REPORTER)


def _at(args: tuple[Any, ...], kwargs: Arguments, position: int, *names: str) -> Any:
    return args[position] if len(args) > position else next((kwargs[name] for name in names if name in kwargs), None)


def _key(args: tuple[Any, ...], kwargs: Arguments) -> dict[str, Any]:
    key = _at(args, kwargs, 1, "key")
    return {semconv.MEMORY_RECORD_ID: str(key) if type(key) in (str, int) else None}


def _get(instance: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    return _begin("search_memory", _at(args, kwargs, 0, "namespace"), _key(args, kwargs))


def _search(instance: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    query = kwargs.get("query")
    about = content(semconv.MEMORY_QUERY, query) if type(query) is str else {}
    return _begin("search_memory", _at(args, kwargs, 0, "namespace_prefix"), about)


def _put(instance: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    value = _at(args, kwargs, 2, "value")
    about = {semconv.MEMORY_RECORD_COUNT: 1, **_records([{"content": value}])} if value is not None else {}
    operation = "delete_memory" if value is None else "upsert_memory"
    return _begin(operation, _at(args, kwargs, 0, "namespace"), {**_key(args, kwargs), **about})


def _delete(instance: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    return _begin("delete_memory", _at(args, kwargs, 0, "namespace"), _key(args, kwargs))


def _records(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return content(semconv.MEMORY_RECORDS, rows) if setting("capture_content") else {}


def _items(call: Call, result: Any) -> None:
    items = result if isinstance(result, list) else []
    rows = [
        {
            "content": getattr(item, "value", None), "id": getattr(item, "key", None),
            "score": getattr(item, "score", None),
        }
        for item in items
    ]  # fmt: skip
    found = [{name: value for name, value in row.items() if name == "content" or value is not None} for row in rows]
    call.update({semconv.MEMORY_RECORD_COUNT: len(items), **_records(found)})


def _item(call: Call, result: Any) -> None:
    _items(call, [] if result is None else [result])


def _done(call: Call, result: Any) -> None:
    """What a write results in says no more."""
