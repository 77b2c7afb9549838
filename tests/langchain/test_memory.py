"""LangGraph's stores as the conventions' memory, in nodes of a graph and outside, plain and asynchronous."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from langgraph.store.memory import InMemoryStore
from tests.conformance.spans import wrong

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

SPACE = ("users", "ann")
ID, COUNT, RECORDS = "gen_ai.memory.record.id", "gen_ai.memory.record.count", "gen_ai.memory.records"


def told(spans: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [
        (
            span.name, span.attributes["gen_ai.memory.store.id"], span.attributes.get(ID), span.attributes.get(COUNT),
            json.loads(span.attributes.get(RECORDS, "null")),
        )
        for span in spans
    ]  # fmt: skip


EXPECTED = [
    ("upsert_memory", "users/ann", "tea", 1, [{"content": {"likes": "tea"}}]),
    ("search_memory", "users/ann", "tea", 1, [{"content": {"likes": "tea"}, "id": "tea"}]),
    ("search_memory", "users", None, 1, [{"content": {"likes": "tea"}, "id": "tea"}]),
    ("delete_memory", "users/ann", "tea", None, None),
    ("search_memory", "users/ann", "tea", 0, []),
]


def test_all_that_a_store_is_asked(memory: MemoryExporter, spans: Callable[[], tuple[Any, ...]]) -> None:
    store = InMemoryStore()
    store.put(SPACE, "tea", {"likes": "tea"})
    assert store.get(SPACE, "tea").value == {"likes": "tea"}
    assert len(store.search(("users",), query="what?", limit=3)) == 1
    store.delete(SPACE, "tea")
    assert store.get(SPACE, "tea") is None
    assert told(spans()) == EXPECTED
    assert spans()[2].attributes["gen_ai.memory.query.text"] == "what?"
    assert wrong(spans()) == []

    async def program() -> None:
        memory.clear()
        await store.aput(SPACE, "tea", {"likes": "tea"})
        await store.aget(SPACE, "tea")
        await store.asearch(("users",), query="what?")
        await store.adelete(SPACE, "tea")
        await store.aget(SPACE, "tea")

    asyncio.run(program())
    assert told(spans()) == EXPECTED


def test_without_content_it_is_told_how_many(memory: MemoryExporter, spans: Callable[[], tuple[Any, ...]]) -> None:
    agentops.init(exporters=[memory], integrations=["langchain"], capture_content=False, restart=True)
    store = InMemoryStore()
    store.put(SPACE, "tea", {"likes": "tea"})
    store.search(SPACE, query="tea?")
    assert [span.attributes.get(COUNT) for span in spans()] == [1, 1]
    assert "tea?" not in json.dumps([dict(span.attributes) for span in spans()])
    assert not [name for span in spans() for name in span.attributes if name in (RECORDS, "gen_ai.memory.query.text")]


PROGRAM = """
import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter
agentops.init(exporters=[memory := MemoryExporter()], integrations=["langchain"])
import langgraph.store.base
import langgraph.store.memory
langgraph.store.memory.InMemoryStore().put(("a",), "k", {"b": 1})
agentops.flush()
print([span.name for span in memory.finished_spans()], agentops.status().guard_errors)
"""


def test_recording_that_begins_before_the_store_s_module_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("['upsert_memory'] {}\n", "")
