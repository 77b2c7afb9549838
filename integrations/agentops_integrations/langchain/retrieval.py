"""Retrievers: the query, and the documents found, in the conventions' schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agentops_integrations.langchain.messages import loads
from agentops_sdk.integration import mark_cut, semconv, setting, snapshot, snapshot_source


def asked(query: Any, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that a retriever's run starts with."""
    store = metadata.get("ls_vector_store_provider") or metadata.get("ls_retriever_name")
    made: dict[str, Any] = {semconv.DATA_SOURCE_ID: store if isinstance(store, str) else None}
    if setting("capture_content"):
        made[semconv.RETRIEVAL_QUERY] = query if type(query) is str else snapshot(query).decode()
    return {name: value for name, value in made.items() if value is not None}


def found(documents: Any) -> Callable[[dict[str, Any]], None] | None:
    """Documents with their ids, scores and metadata; only how many, where content is not captured."""
    if not setting("capture_content"):
        return None
    kept = snapshot_source(documents)

    def work(attributes: dict[str, Any]) -> None:
        given = loads(kept.data)
        made = [_document(each) for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []
        attributes[semconv.RETRIEVAL_DOCUMENTS] = made
        mark_cut(attributes, semconv.RETRIEVAL_DOCUMENTS, kept)

    return work


def _document(given: Mapping[str, Any]) -> dict[str, Any]:
    metadata = given.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    score = next((metadata[name] for name in ("score", "relevance_score", "_score", "similarity")
                  if isinstance(metadata.get(name), int | float)), None)  # fmt: skip
    identity = given.get("id") or metadata.get("id") or metadata.get("source")
    made: dict[str, Any] = {"content": given.get("page_content")}
    if identity is not None:
        made["id"] = str(identity)
    if score is not None:
        made["score"] = score
    if metadata:
        made["metadata"] = metadata
    return made
