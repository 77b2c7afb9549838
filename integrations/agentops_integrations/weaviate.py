"""Weaviate's client: searches at the method that all of them pass, writes at the collections' own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Patches
from agentops_sdk.integration.stores import StoreCalls, StoreQuery

_DATA = {"sync": "_DataCollection", "async_": "_DataCollectionAsync"}
_IN_WORDS = ("hybrid_search", "bm25_search", "near_text")
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
        calls = StoreCalls(self.name, patches)
        patches.when_imported("weaviate.connect.v4", partial(_searches, calls))
        for part, owner in _DATA.items():
            patches.when_imported(f"weaviate.collections.data.{part}", partial(_writes, calls, owner))


def _searches(calls: StoreCalls, module: ModuleType) -> None:
    calls.query(module.ConnectionSync, "grpc_search", _query, _documents)
    calls.query(module.ConnectionAsync, "grpc_search", _query, _documents, awaits=True)


def _writes(calls: StoreCalls, name: str, module: ModuleType) -> None:
    owner, awaits = getattr(module, name), name.endswith("Async")
    calls.write(owner, "insert", _name, None, awaits=awaits)
    calls.write(owner, "replace", _name, None, awaits=awaits)
    calls.write(owner, "update", _name, None, awaits=awaits)
    calls.write(owner, "insert_many", _name, "objects", awaits=awaits)


def _name(collection: Any, arguments: Mapping[str, Any]) -> Any:
    return collection.name


def _query(connection: Any, arguments: Mapping[str, Any]) -> StoreQuery | None:
    request = arguments["request"]
    asked = [name for name in _SEARCHES if request.HasField(name)]
    if not asked:
        return None  # objects by their ids, or all of them: nothing is looked for
    found = [getattr(request, name).query for name in asked if name in _IN_WORDS]
    texts = [text for each in found for text in ([each] if isinstance(each, str) else each) if text]
    return StoreQuery(request.collection, texts, request.limit or None)


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
