"""LangGraph's stores, which are its long memory: what is looked up in them, written and taken away."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from agentops_sdk.integration import Call, Patches
from agentops_sdk.integration.frameworks import MethodCalls, memory_call, memory_records

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


def _begin(operation: str, namespace: Any, attributes: Mapping[str, Any] = MappingProxyType({}), **about: Any) -> Any:
    parts = [part for part in namespace if type(part) is str] if isinstance(namespace, tuple) else []
    return memory_call(operation, "/".join(parts), _REPORTER, attributes, **about)


def _at(args: tuple[Any, ...], kwargs: Arguments, position: int, *names: str) -> Any:
    return args[position] if len(args) > position else next((kwargs[name] for name in names if name in kwargs), None)


def _get(instance: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    return _begin("search_memory", _at(args, kwargs, 0, "namespace"), record=_at(args, kwargs, 1, "key"))


def _search(instance: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    return _begin("search_memory", _at(args, kwargs, 0, "namespace_prefix"), query=kwargs.get("query"))


def _put(instance: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    value = _at(args, kwargs, 2, "value")
    records = memory_records([{"content": value}]) if value is not None else {}
    operation = "delete_memory" if value is None else "upsert_memory"
    return _begin(operation, _at(args, kwargs, 0, "namespace"), records, record=_at(args, kwargs, 1, "key"))


def _delete(instance: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    return _begin("delete_memory", _at(args, kwargs, 0, "namespace"), record=_at(args, kwargs, 1, "key"))


def _items(call: Call, result: Any) -> None:
    items = result if isinstance(result, list) else []
    rows = [
        {
            "content": getattr(item, "value", None), "id": getattr(item, "key", None),
            "score": getattr(item, "score", None),
        }
        for item in items
    ]  # fmt: skip
    call.update(memory_records(rows))


def _item(call: Call, result: Any) -> None:
    _items(call, [] if result is None else [result])


def _done(call: Call, result: Any) -> None:
    """What a write results in says no more."""
