"""mem0, at the methods of its memories: those that run in the process, and the clients of its service."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from inspect import Signature, iscoroutinefunction, signature
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Call, Patches, semconv
from agentops_sdk.integration.clients import address
from agentops_sdk.integration.frameworks import MethodCalls, memory_call, memory_records

Arguments = Mapping[str, Any]
_REPORTER = "mem0"
_CLASSES = {"memory.main": ("Memory", "AsyncMemory"), "client.main": ("MemoryClient", "AsyncMemoryClient")}
_METHODS = {
    "add": "upsert_memory", "search": "search_memory", "get": "search_memory", "get_all": "search_memory",
    "update": "update_memory", "delete": "delete_memory", "delete_all": "delete_memory", "reset": "delete_memory",
}  # fmt: skip
"""What a model makes of messages may add to memories or change them; without one (``infer=False``) they are new."""


class Mem0Integration:
    """Wraps what a program calls; the model, the embeddings and the store that it asks are spans below."""

    name = "mem0"
    target = "mem0"
    distribution = "mem0ai"
    requires = ">=2.0,<3"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch what is imported, now and later."""
        calls = MethodCalls(_REPORTER, patches)
        for name, classes in _CLASSES.items():
            patches.when_imported(f"mem0.{name}", partial(_memories, calls, classes))


def _memories(calls: MethodCalls, classes: tuple[str, ...], module: ModuleType) -> None:
    for memory in (vars(module)[name] for name in classes if name in vars(module)):
        for name, operation in _METHODS.items():
            method = vars(memory).get(name)
            if method is not None:
                wrap = calls.wrap_async if iscoroutinefunction(method) else calls.wrap
                wrap(memory, name, partial(_begin, operation, signature(method)), _end(operation))


def _begin(operation: str, form: Signature, memory: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    bound = form.bind_partial(memory, *args, **kwargs).arguments
    options = bound.get("options")
    given = {**(vars(options) if options is not None else {}), **bound, **bound.get("kwargs", {})}
    scope = {**_mapping(given.get("filters")), **given}
    host, record, text = getattr(memory, "host", None), given.get("memory_id"), given.get("text", given.get("data"))
    attributes: dict[str, Any] = {
        semconv.PROVIDER_NAME: _REPORTER,
        semconv.USER_ID: _text(scope.get("user_id")),
        **(address(host) if type(host) is str else {}),
        **(memory_records([{"content": text, "id": record}]) if operation == "update_memory" and text else {}),
    }
    if operation == "upsert_memory" and given.get("infer") is False:
        operation = "create_memory"
    store = getattr(memory, "collection_name", None)
    return memory_call(operation, store, _REPORTER, attributes, record=record, query=given.get("query"))


def _end(operation: str) -> Any:
    return _told if operation in ("search_memory", "upsert_memory") else _nothing


def _told(call: Call, reply: Any) -> None:
    """Records that were found, or made of messages; the service makes some later, and tells of none."""
    results = reply.get("results", [reply] if "memory" in reply else None) if isinstance(reply, dict) else reply
    if not isinstance(results, list):
        if reply is None:
            call.update(memory_records([]))
        return
    rows = [_mapping(each) for each in results]
    call.update(memory_records(_record(row) for row in rows))
    if len(rows) == 1:
        call.set(semconv.MEMORY_RECORD_ID, _text(rows[0].get("id")))


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    score = row.get("score")
    return {
        "content": row.get("memory"), "id": _text(row.get("id")),
        "score": score if type(score) in (int, float) else None,
        "metadata": _mapping(row.get("metadata")) or None,
    }  # fmt: skip


def _nothing(call: Call, reply: Any) -> None:
    """What is changed or taken away is known before."""


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


integration = Mem0Integration()
