"""A real store in a folder: what of its queries and writes is recorded, in each form that they are asked for."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest
from tests.lancedb.contract import driver
from tests.wire.http import Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

lancedb = pytest.importorskip("lancedb", reason="lancedb is not installed")

_ROWS = [
    {"id": "a", "text": "apple pie", "page": 1, "vector": [1.0, 0.0]},
    {"id": "b", "text": "banana", "page": 2, "vector": [0.0, 1.0]},
]


async def _ask_async(path: str) -> None:
    table = await (await lancedb.connect_async(path)).open_table("docs")
    await table.add([{"id": "c", "text": "cherry", "page": 3, "vector": [1.0, 1.0]}])
    await table.vector_search([1.0, 0.0]).limit(1).to_list()
    await table.query().nearest_to([1.0, 0.0]).nearest_to_text("apple").limit(1).to_list()
    await table.query().limit(1).to_list()


@pytest.mark.parametrize("capture", [True, False])
def test_queries_are_retrievals_and_writes_are_counted(capture: bool, tmp_path: Path) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], capture_content=capture)
    with agentops.span("all"):
        table = lancedb.connect(str(tmp_path)).create_table("docs", data=_ROWS[:1])
        table.add(_ROWS[1:])
        if "config" in inspect.signature(table.create_index).parameters:
            table.create_index("text", config=lancedb.index.FTS())
        else:
            table.create_fts_index("text")
        table.search([1.0, 0.0]).limit(1).to_list()
        assert table.search("apple", query_type="fts").limit(2).to_arrow().num_rows == 1
        table.search(query_type="hybrid").vector([1.0, 0.0]).text("apple").limit(1).to_list()
        table.search().limit(1).to_list()
        asyncio.run(_ask_async(str(tmp_path)))
    agentops.shutdown()
    *spans, whole = exporter.finished_spans()
    assert {span.parent.span_id for span in spans} == {whole.context.span_id}
    kinds = [span.name.removesuffix(" docs") for span in spans]
    assert kinds == ["add", *["retrieval"] * 3, "add", *["retrieval"] * 2]
    attributes: list[Any] = [span.attributes for span in spans]
    assert not [name for each in attributes for name in each if name.startswith("server.")], "in a folder"
    assert [each.get("db.operation.batch.size") for each in (attributes[0], attributes[4])] == [1, 1]
    assert [each.get("gen_ai.retrieval.top_k") for each in attributes] == [None, 1, 2, 1, None, 1, 1]
    nearest = '[{"distance":0.0,"id":"a","content":"apple pie","metadata":{"page":1}}]'
    assert attributes[1].get("gen_ai.retrieval.documents") == (nearest if capture else None)
    assert attributes[5].get("gen_ai.retrieval.documents") == (nearest if capture else None)
    texts = [each.get("gen_ai.retrieval.query.text") for each in attributes]
    assert texts == [None, None, "apple" if capture else None, "apple" if capture else None, None, None, None]


def test_a_service_has_an_address() -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    with Wire(driver.answer) as wire, driver.client(wire.url) as table:
        if not hasattr(table, "_connection_state"):
            pytest.skip("tables of this version do not know whose they are")
        driver.call(table, driver.arguments())
        server = ("127.0.0.1", wire.port)
    agentops.shutdown()
    (span,) = exporter.finished_spans()
    assert (span.attributes["server.address"], span.attributes["server.port"]) == server


def test_what_fails_is_an_error(tmp_path: Path) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    table = lancedb.connect(str(tmp_path)).create_table("docs", data=_ROWS)
    with pytest.raises(Exception, match="no_column"):
        table.search([1.0, 0.0]).where("no_column = 1").limit(1).to_list()
    agentops.shutdown()
    (span,) = exporter.finished_spans()
    assert span.attributes["agentops.outcome"] == "error"
