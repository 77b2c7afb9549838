"""A real store in memory: what of its queries and writes is recorded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

qdrant = pytest.importorskip("qdrant_client", reason="qdrant-client is not installed")


def _points() -> list[Any]:
    return [
        qdrant.models.PointStruct(id=1, vector=[1.0, 0.0], payload={"text": "sent"}),
        qdrant.models.PointStruct(id=2, vector=[0.0, 1.0], payload={"text": "lost"}),
    ]


_VECTORS = {"size": 2, "distance": "Cosine"}


def test_queries_are_retrievals_and_writes_are_counted() -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    client = qdrant.QdrantClient(":memory:")
    client.create_collection("docs", vectors_config=qdrant.models.VectorParams(**_VECTORS))
    client.upsert("docs", _points())
    client.upload_points("docs", iter(_points()))
    client.query_points("docs", [1.0, 0.0], with_vectors=True, limit=1)
    client.query_points_groups("docs", "text", [0.0, 1.0], limit=1)
    client.query_batch_points("docs", [qdrant.models.QueryRequest(query=[1.0, 0.0], limit=1)])
    with pytest.raises(ValueError, match="not found"):
        client.query_points("none", [1.0, 0.0])
    agentops.shutdown()
    written, uploaded, one, group, batch, refused = exporter.finished_spans()
    assert (written.name, written.attributes["db.operation.batch.size"]) == ("upsert docs", 2)
    assert uploaded.name == "upload_points docs"
    assert "db.operation.batch.size" not in uploaded.attributes, "an iterator is its reader's"
    assert one.name == "retrieval docs"
    assert one.attributes["db.system.name"] == "qdrant"
    assert one.attributes["gen_ai.retrieval.top_k"] == 1
    assert not {"server.address", "server.port"} & {*written.attributes, *one.attributes}, "in memory"
    document = '[{"id":"1","score":1.0,"metadata":{"text":"sent"}}]'
    assert one.attributes["gen_ai.retrieval.documents"] == document, "no vectors"
    assert '"id":"2"' in group.attributes["gen_ai.retrieval.documents"]
    assert '"id":"1"' in batch.attributes["gen_ai.retrieval.documents"]
    assert refused.attributes["agentops.outcome"] == "error"
    assert refused.attributes["error.type"] == "ValueError"


@pytest.mark.parametrize("capture", [True, False])
def test_what_is_asked_in_words_is_content(capture: bool) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], capture_content=capture)

    async def ask() -> None:
        client = qdrant.AsyncQdrantClient(":memory:")
        await client.create_collection("docs", vectors_config=qdrant.models.VectorParams(**_VECTORS))
        await client.upsert("docs", points=qdrant.models.Batch(ids=[1, 2], vectors=[[1.0, 0.0], [0.0, 1.0]]))
        await client.query_points("docs", [1.0, 0.0])
        with pytest.raises(Exception):  # noqa: B017 - there is no model here, whatever it raises
            await client.query_points("docs", qdrant.models.Document(text="where is it", model="none"))

    asyncio.run(ask())
    agentops.shutdown()
    written, vector, words = exporter.finished_spans()
    assert written.attributes["db.operation.batch.size"] == 2
    assert ("gen_ai.retrieval.documents" in vector.attributes) == capture
    assert "gen_ai.retrieval.query.text" not in vector.attributes
    assert words.attributes.get("gen_ai.retrieval.query.text") == ("where is it" if capture else None)
