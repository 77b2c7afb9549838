"""Weaviate's client: searches at the method that all of them pass, writes at the collections' own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from agentops_sdk.integration import Call, NullCall, Patches, guard, semconv
from agentops_sdk.integration.clients import Watched
from agentops_sdk.integration.stores import StoreCalls, StoreQuery, StoreWrite

_SITE = "weaviate.batch"

_DATA = {"sync": "_DataCollection", "async_": "_DataCollectionAsync"}
_IN_WORDS = ("hybrid_search", "hybrid", "bm25_search", "near_text")
_BY_HTTP = ("insert", "replace", "update")
_SEARCHES = (
    *_IN_WORDS, "near_vector", "near_object", "near_image", "near_audio", "near_video", "near_depth", "near_thermal",
    "near_imu",
)  # fmt: skip


class WeaviateIntegration:
    """Wraps both connections, and what writes into collections."""

    name = "weaviate"
    target = "weaviate"
    distribution = "weaviate-client"
    requires = ">=4.16,<5"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch what is imported, now and later."""
        calls = StoreCalls(self.name, patches, server=_server)
        patches.when_imported("weaviate.connect.v4", partial(_searches, calls))
        for part, owner in _DATA.items():
            patches.when_imported(f"weaviate.collections.data.{part}", partial(_writes, calls, owner))
        patches.when_imported("weaviate.collections.batch.batch_wrapper", partial(_batches, calls, patches))


def _searches(calls: StoreCalls, module: ModuleType) -> None:
    calls.query(module.ConnectionSync, "grpc_search", _query, _documents)
    calls.query(module.ConnectionAsync, "grpc_search", _query, _documents, awaits=True)
    calls.query(module.ConnectionSync, "grpc_aggregate", _aggregation, _no_documents)
    calls.query(module.ConnectionAsync, "grpc_aggregate", _aggregation, _no_documents, awaits=True)


def _writes(calls: StoreCalls, name: str, module: ModuleType) -> None:
    owner, awaits = getattr(module, name), name.endswith("Async")
    calls.write(owner, "insert", _name, None, awaits=awaits)
    calls.write(owner, "replace", _name, None, awaits=awaits)
    calls.write(owner, "update", _name, None, awaits=awaits)
    calls.write(owner, "insert_many", _name, "objects", awaits=awaits)
    if hasattr(owner, "ingest"):
        calls.write(owner, "ingest", _name, "objs", awaits=awaits)


def _batches(calls: StoreCalls, patches: Patches, module: ModuleType) -> None:
    """A batch sends its objects from threads of its own, while the program adds more: it is one step, as a whole."""
    opened: WeakKeyDictionary[Any, tuple[Call | NullCall, Any]] = WeakKeyDictionary()

    def begun(manager: Any, batch: Any) -> None:
        with guard(_SITE):
            opened[manager] = (_begin_batch(calls, batch), batch)

    def ended(manager: Any, error: BaseException | None) -> None:
        with guard(_SITE):
            call, batch = opened.pop(manager)
            call.set(semconv.DB_OPERATION_BATCH_SIZE, _held(batch, "__objs_count"))
            if error is None:
                call.finish()
            else:
                call.fail(error)

    def enters(wrapped: Any, manager: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        batch = wrapped(*args, **kwargs)
        begun(manager, batch)
        return batch

    async def enters_async(wrapped: Any, manager: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        batch = await wrapped(*args, **kwargs)
        begun(manager, batch)
        return batch

    def leaves(wrapped: Any, manager: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with Watched(partial(ended, manager)):
            result = wrapped(*args, **kwargs)
        ended(manager, None)
        return result

    async def leaves_async(wrapped: Any, manager: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with Watched(partial(ended, manager)):
            result = await wrapped(*args, **kwargs)
        ended(manager, None)
        return result

    # Nothing public is passed by all; older versions have one manager.
    name = "_ContextManagerSync" if hasattr(module, "_ContextManagerSync") else "_ContextManagerWrapper"
    patches.wrap(getattr(module, name), "__enter__", enters)
    patches.wrap(getattr(module, name), "__exit__", leaves)
    if hasattr(module, "_ContextManagerAsync"):
        patches.wrap(module._ContextManagerAsync, "__aenter__", enters_async)  # noqa: SLF001 - the same
        patches.wrap(module._ContextManagerAsync, "__aexit__", leaves_async)  # noqa: SLF001 - the same


def _begin_batch(calls: StoreCalls, batch: Any) -> Call | NullCall:
    server: dict[str, Any] = {}
    with guard(_SITE):
        server = _address(_held(batch, "__connection"), "batch")
    return calls.begin(StoreWrite("batch", _held(batch, "__name"), None), server)


def _server(owner: Any, method: str) -> dict[str, Any]:
    """Searches are a connection's own; what writes has one."""
    return _address(getattr(owner, "_connection", owner), method)


def _address(connection: Any, method: str) -> dict[str, Any]:
    """Single objects are written by HTTP; all else goes by gRPC."""
    params = connection._connection_params  # noqa: SLF001 - nothing public tells
    server = params.http if method in _BY_HTTP else params.grpc
    return {semconv.SERVER_ADDRESS: server.host, semconv.SERVER_PORT: server.port}


def _held(batch: Any, name: str) -> Any:
    """What a batch keeps to itself: the name of its collection, where it has one, and how many were added to it."""
    return next((value for key, value in vars(batch).items() if key.endswith(name)), None)


def _name(collection: Any, arguments: Mapping[str, Any]) -> Any:
    return collection.name


def _query(connection: Any, arguments: Mapping[str, Any]) -> StoreQuery | None:
    request = arguments["request"]
    return _search(request, request.limit)


def _aggregation(connection: Any, arguments: Mapping[str, Any]) -> StoreQuery | None:
    """Figures over what is near: the objects themselves do not come."""
    request = arguments["request"]
    return _search(request, request.object_limit)


def _search(request: Any, limit: int) -> StoreQuery | None:
    asked = [name for name in _SEARCHES if name in request.DESCRIPTOR.fields_by_name and request.HasField(name)]
    if not asked:
        return None  # objects by their ids, or all of them: nothing is looked for
    found = [getattr(request, name).query for name in asked if name in _IN_WORDS]
    texts = [text for each in found for text in ([each] if isinstance(each, str) else each) if text]
    return StoreQuery(request.collection, texts, limit or None)


def _no_documents(reply: Any) -> Iterator[dict[str, Any]]:
    return iter(())


def _documents(reply: Any) -> Iterator[dict[str, Any]]:
    groups = [group.objects for group in reply.group_by_results]
    for result in (each for results in (reply.results, *groups) for each in results):
        told = result.metadata
        fields = result.properties.non_ref_props.fields
        yield {
            "id": told.id,
            **{name: getattr(told, name) for name in ("score", "distance") if getattr(told, f"{name}_present")},
            "metadata": {name: _value(value) for name, value in fields.items()},
        }


def _value(value: Any) -> Any:
    """A property of a message: of its kinds, the one that it has."""
    kind = value.WhichOneof("kind")
    held: Any = getattr(value, kind) if kind else None
    if kind == "list_value":
        return _value_of_list(held)
    if kind == "object_value":
        return {name: _value(each) for name, each in held.fields.items()}
    if kind == "null_value":
        return None
    return held if isinstance(held, str | int | float | bool) else str(held).strip()


def _value_of_list(values: Any) -> list[Any] | None:
    kind = values.WhichOneof("kind")
    if kind == "object_values":
        return [{name: _value(each) for name, each in one.fields.items()} for one in values.object_values.values]
    held = getattr(getattr(values, kind), "values", None) if kind else None
    return list(held) if held is not None and not isinstance(held, bytes) else None  # of numbers, their bytes


integration = WeaviateIntegration()
