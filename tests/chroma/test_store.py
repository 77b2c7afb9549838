"""A real store in memory: what of its queries and writes is recorded."""

from __future__ import annotations

from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

chromadb = pytest.importorskip("chromadb", reason="chromadb is not installed")


class _Letters(chromadb.EmbeddingFunction):  # type: ignore[misc]  # not installed where types are checked
    """Embeds by first letters."""

    def __init__(self) -> None: ...

    @staticmethod
    def name() -> str:
        return "letters"

    def get_config(self) -> Any:
        return {}

    @staticmethod
    def build_from_config(config: Any) -> Any:
        return _Letters()

    def __call__(self, input: Any) -> Any:  # the library's own name
        return [[float(ord(text[0])), 1.0] for text in input]


@pytest.mark.parametrize("capture", [True, False])
def test_queries_are_retrievals_and_writes_are_counted(capture: bool) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], capture_content=capture)
    settings = chromadb.Settings(anonymized_telemetry=False)
    client = chromadb.EphemeralClient(settings)
    docs = client.create_collection(f"docs-{capture}", embedding_function=_Letters())
    docs.add(["a", "b"], documents=["apple", "banana"], metadatas=[{"page": 1}, {"page": 2}])
    docs.upsert(ids="c", documents="cherry")
    docs.query(query_texts="avocado", n_results=1, include=["embeddings", "documents", "metadatas", "distances"])
    with pytest.raises(chromadb.errors.InvalidArgumentError):
        docs.query(query_embeddings=[[1.0]])
    agentops.shutdown()
    added, upserted, found, refused = exporter.finished_spans()
    assert (added.name, added.attributes["db.operation.batch.size"]) == (f"add docs-{capture}", 2)
    assert upserted.attributes["db.operation.batch.size"] == 1
    assert (found.name, found.attributes["db.system.name"]) == (f"retrieval docs-{capture}", "chroma")
    assert found.attributes["gen_ai.retrieval.top_k"] == 1
    assert not {"server.address", "server.port"} & {*added.attributes, *found.attributes}, "in memory"
    document = '[{"id":"a","distance":0.0,"content":"apple","metadata":{"page":1}}]'
    assert found.attributes.get("gen_ai.retrieval.documents") == (document if capture else None)
    assert found.attributes.get("gen_ai.retrieval.query.text") == ("avocado" if capture else None)
    assert refused.attributes["error.type"] == "chromadb.errors.InvalidArgumentError"
