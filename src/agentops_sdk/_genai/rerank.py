"""Reranking as Cohere's API has it, which others speak too: documents in, their places and scores out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk import semconv

Json = Mapping[str, Any]


def request(body: Json) -> dict[str, Any]:
    """Attributes that a request tells. Its documents are told with the reply, each with its score."""
    query, count = body.get("query"), body.get("top_n")
    return {
        semconv.REQUEST_MODEL: body.get("model"),
        semconv.RETRIEVAL_QUERY: query if isinstance(query, str) else None,
        semconv.RETRIEVAL_TOP_K: count if isinstance(count, int) else None,
    }


def response(body: Json, asked: Json) -> dict[str, Any]:
    """The documents in their new order; the id of each is its place in the request."""
    results = [each for each in body.get("results") or () if isinstance(each, Mapping)]
    documents = asked.get("documents")
    return {
        semconv.RESPONSE_ID: body.get("id") or None,
        semconv.RESPONSE_MODEL: body.get("model") or None,
        semconv.RETRIEVAL_DOCUMENTS: [
            _document(each, documents if isinstance(documents, list) else []) for each in results
        ],
    }


def _document(result: Json, documents: list[Any]) -> dict[str, Any]:
    index = result.get("index")
    known = documents[index] if isinstance(index, int) and 0 <= index < len(documents) else result.get("document")
    content = known.get("text", known) if isinstance(known, Mapping) else known
    text = {} if content is None else {"content": content}
    return {"id": None if index is None else str(index), "score": result.get("relevance_score"), **text}
