"""An index by HTTP: what of its queries and writes is recorded, also where the library asks in threads of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.wire.http import Reply, Request, Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pinecone = pytest.importorskip("pinecone", reason="pinecone is not installed")


def _answer(request: Request) -> Reply:
    if request.path == "/query":
        return Reply({"matches": [{"id": "a", "score": 0.5, "metadata": {"page": 1}}], "namespace": "n"})
    if request.path.endswith("/upsert"):
        return Reply({"upsertedCount": 2})
    if "documents" in request.path:
        document = {"_id": "a", "_score": 0.5, "title": "Rain"}
        return Reply({"matches": [document], "namespace": "n", "usage": {"read_units": 1}})
    hits = [{"_id": "a", "_score": 0.5, "fields": {"text": "Sunny."}}]
    return Reply({"result": {"hits": hits}, "usage": {"read_units": 1}})


def _host(wire: Wire) -> str:
    return wire.url.removesuffix("/v1")


async def _ask_async(url: str) -> None:
    async with pinecone.AsyncPinecone(api_key="k") as client, await client.index(host=url) as index:
        await index.query_namespaces(vector=[1.0], namespaces=["x", "y"], metric="cosine", top_k=1)


@pytest.mark.parametrize("capture", [True, False])
def test_queries_are_retrievals_and_writes_are_counted(capture: bool) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], capture_content=capture)
    with Wire(_answer) as wire, pinecone.Pinecone(api_key="k").index(host=_host(wire)) as index, agentops.span("all"):
        index.upsert(vectors=[("a", [1.0]), ("b", [0.5])], namespace="n")
        index.query(vector=[1.0], top_k=3, include_metadata=True)
        index.query_namespaces(vector=[1.0], namespaces=["x", "y"], metric="cosine", top_k=1)
        index.search(namespace="n", top_k=2, inputs={"text": "weather"})
        has_documents = hasattr(index, "documents")  # which came with version 10
        if has_documents:
            rain = {"type": "text", "query": "rain", "fields": ["t"]}
            index.documents.search(namespace="n", top_k=2, score_by=[rain])
        asyncio.run(_ask_async(_host(wire)))
        server = ("127.0.0.1", wire.port)
    agentops.shutdown()
    *spans, whole = exporter.finished_spans()
    assert {span.parent.span_id for span in spans} == {whole.context.span_id}
    attributes: list[Any] = [span.attributes for span in spans]
    assert [span.name.partition(" ")[0] for span in spans] == ["upsert", *["retrieval"] * (4 + has_documents)]
    assert {(each["server.address"], each["server.port"]) for each in attributes} == {server}
    assert attributes[0]["db.operation.batch.size"] == 2
    row = '{"id":"a","score":0.5,"metadata":{"page":1}}'
    expected = [
        (3, None, f"[{row}]"),
        (1, None, f"[{row}]"),
        (2, "weather", '[{"id":"a","score":0.5,"metadata":{"text":"Sunny."}}]'),
        *([(2, "rain", '[{"id":"a","score":0.5,"metadata":{"title":"Rain"}}]')] if has_documents else []),
        (1, None, f"[{row}]"),
    ]
    for each, (top_k, text, documents) in zip(attributes[1:], expected, strict=True):
        assert each["gen_ai.retrieval.top_k"] == top_k
        assert each.get("gen_ai.retrieval.query.text") == (text if capture else None)
        assert each.get("gen_ai.retrieval.documents") == (documents if capture else None)
