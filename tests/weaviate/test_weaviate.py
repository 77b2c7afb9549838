"""Collections by gRPC and HTTP: what of their searches and writes is recorded."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.weaviate.clients import answer, async_client, client, package
from tests.wire.http import Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

package()

ROW = {
    "id": "a",
    "score": 0.5,
    "metadata": {"text": "Sunny.", "page": 3, "tags": ["x", "y"], "of": {"year": 2026.0}, "gone": None},
}


async def _ask_async(url: str) -> None:
    async with async_client(url) as docs:
        await docs.query.hybrid("weather", limit=4)
        await docs.data.insert_many([{"text": "Sunny."}, {"text": "Rain."}])


@pytest.mark.parametrize("capture", [True, False])
def test_searches_are_retrievals_and_writes_are_counted(capture: bool) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], capture_content=capture)
    with Wire(answer) as wire, client(wire.url) as docs, agentops.span("all"):
        docs.query.near_text(["sun", "rain"], limit=2)
        docs.query.near_vector([1.0, 0.0])
        docs.query.fetch_objects(limit=1)
        docs.data.insert({"text": "Sunny.", "page": 3})
        docs.data.insert_many([{"text": "Sunny."}, {"text": "Rain."}, {"text": "Snow."}])
        asyncio.run(_ask_async(wire.url))
    agentops.shutdown()
    *spans, whole = exporter.finished_spans()
    assert {span.parent.span_id for span in spans} == {whole.context.span_id}
    facts: list[Any] = [span.attributes for span in spans]
    assert [span.name for span in spans] == [
        "retrieval Docs", "retrieval Docs", "insert Docs", "insert_many Docs", "retrieval Docs", "insert_many Docs",
    ]  # fmt: skip
    assert {each["db.system.name"] for each in facts} == {"weaviate"}
    assert {each["server.address"] for each in facts} == {"127.0.0.1"}
    ports = [each["server.port"] for each in facts]
    assert ports[0] == ports[1] == ports[3] != ports[2], "a single object goes by HTTP"
    assert [each.get("gen_ai.retrieval.top_k") for each in facts] == [2, None, None, None, 4, None]
    assert [each.get("db.operation.batch.size") for each in facts] == [None, None, 1, 3, None, 2]
    if not capture:
        assert not [name for each in facts for name in each if "query.text" in name or "documents" in name]
        return
    assert [each.get("gen_ai.retrieval.query.text") for each in facts[:2]] == ['["sun","rain"]', None]
    assert facts[4]["gen_ai.retrieval.query.text"] == "weather"
    assert [json.loads(each["gen_ai.retrieval.documents"]) for each in (facts[0], facts[1], facts[4])] == [[ROW]] * 3


def test_batches_are_one_step_each_and_aggregations_of_what_is_near_retrievals() -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    with Wire(answer) as wire, client(wire.url) as docs:
        with agentops.span("all"), docs.batch.fixed_size(batch_size=2) as batch:
            for text in ("Sunny.", "Rain.", "Snow."):
                batch.add_object({"text": text})
        with pytest.raises(ZeroDivisionError), docs.batch.fixed_size() as batch:
            batch.add_object({"text": "Sunny."})
            raise ZeroDivisionError
        docs.aggregate.near_text("weather", object_limit=5, total_count=True)
        docs.aggregate.over_all(total_count=True)
        sent = [request for request in wire.requests if request.path.endswith("/batch")]
    agentops.shutdown()
    assert sum(len(request.body["objects"]) for request in sent) == 4
    batched, whole, left, near = exporter.finished_spans()
    assert batched.parent.span_id == whole.context.span_id
    assert [(span.name, span.attributes["db.operation.batch.size"]) for span in (batched, left)] == [
        ("batch Docs", 3), ("batch Docs", 1),
    ]  # fmt: skip
    assert batched.attributes["server.port"] == near.attributes["server.port"]
    assert near.name == "retrieval Docs"
    assert near.attributes["gen_ai.retrieval.query.text"] == "weather"
    assert near.attributes["gen_ai.retrieval.top_k"] == 5
