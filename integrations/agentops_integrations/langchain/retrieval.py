"""Retrievers: the query, and the documents found, in the conventions' schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agentops_integrations.langchain.messages import loads
from agentops_sdk.integration import mark_cut, semconv, setting, snapshot, snapshot_source


def source(name: str, metadata: Mapping[str, Any]) -> str:
    """Where a retriever looks: the store behind it, else the retriever itself."""
    store = metadata.get("ls_vector_store_provider")
    return store if isinstance(store, str) and store else name


def asked(query: Any, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that a retriever's run starts with."""
    store = metadata.get("ls_vector_store_provider")
    attributes: dict[str, Any] = {semconv.PROVIDER_NAME: store} if isinstance(store, str) and store else {}
    if not setting("capture_content"):
        return attributes
    return {**attributes, semconv.RETRIEVAL_QUERY: query if type(query) is str else snapshot(query).decode()}


def limit(instance: Any, options: Mapping[str, Any]) -> int | None:
    """How many documents are asked for: in this call, or by a vector store's retriever in general."""
    general = getattr(instance, "__dict__", {}).get("search_kwargs")
    asked_for = options.get("k", general.get("k") if type(general) is dict else None)
    return asked_for if type(asked_for) is int else None


def found(documents: Any) -> Callable[[dict[str, Any]], None] | None:
    """Documents with their ids, scores and metadata; only how many, where content is not captured."""
    if not setting("capture_content"):
        return None
    kept = snapshot_source(documents)

    def work(attributes: dict[str, Any]) -> None:
        loaded = loads(kept.data)
        result = [_document(each) for each in loaded if isinstance(each, Mapping)] if isinstance(loaded, list) else []
        attributes[semconv.RETRIEVAL_DOCUMENTS] = result
        mark_cut(attributes, semconv.RETRIEVAL_DOCUMENTS, kept)

    return work


def _document(source: Mapping[str, Any]) -> dict[str, Any]:
    metadata = source.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    score = next((metadata[name] for name in ("score", "relevance_score", "_score", "similarity")
                  if isinstance(metadata.get(name), int | float)), None)  # fmt: skip
    identity = source.get("id") or metadata.get("id") or metadata.get("source")
    result: dict[str, Any] = {"content": source.get("page_content")}
    if identity is not None:
        result["id"] = str(identity)
    if score is not None:
        result["score"] = score
    if metadata:
        result["metadata"] = metadata
    return result
