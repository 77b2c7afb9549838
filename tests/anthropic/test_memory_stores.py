"""Memory and agents that Anthropic keeps: spans of the conventions, and no second one by the client."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest
from tests.conformance.spans import wrong
from tests.seen import Seen
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops

pytestmark = pytest.mark.skipif(
    not hasattr(anthropic.Anthropic(api_key="k").beta, "memory_stores"), reason="this version has no memory stores"
)
STORE, MEMORY = "memstore_1", "mem_1"
KEPT = {"id": MEMORY, "type": "memory", "path": "/tea.md", "content": "likes tea", "memory_store_id": STORE}


def program(client: Any) -> None:
    beta = client.beta
    beta.memory_stores.create(name="facts")
    memories = beta.memory_stores.memories
    memories.create(STORE, content="likes tea", path="/tea.md")
    memories.update(MEMORY, memory_store_id=STORE, content="likes coffee")
    memories.delete(MEMORY, memory_store_id=STORE)
    beta.memory_stores.delete(STORE)
    beta.agents.create(name="helper", model="claude-sonnet-4-5", system="Be brief.", description="Helps.")


def test_all_that_a_request_and_its_reply_tell(seen: Seen) -> None:
    agentops.init(exporters=[seen.exporter], integrations=["anthropic"], restart=True)
    replies = [
        {"id": STORE, "type": "memory_store", "name": "facts"}, KEPT, KEPT, {"id": MEMORY, "type": "memory_deleted"},
        {"id": STORE, "type": "memory_store_deleted"},
        {"id": "agent_1", "type": "agent", "name": "helper", "version": 3, "model": {"id": "claude-sonnet-4-5"}},
    ]  # fmt: skip
    with Wire(*map(Reply, replies)) as wire:
        client = anthropic.Anthropic(base_url=wire.url.removesuffix("/v1"), api_key="k", max_retries=0)
        with client:
            program(client)
    spans = {span.name: dict(span.attributes) for span in seen.all()}
    assert list(spans) == [
        "create_memory_store", "create_memory", "update_memory", "delete_memory", "delete_memory_store",
        "create_agent helper",
    ]  # fmt: skip
    for name in list(spans)[:5]:
        assert spans[name]["gen_ai.memory.store.id"] == STORE
        assert spans[name]["gen_ai.provider.name"] == "anthropic"
        assert spans[name]["server.address"] == "127.0.0.1"
        of_one = name in ("create_memory", "update_memory", "delete_memory")
        assert spans[name].get("gen_ai.memory.record.id") == (MEMORY if of_one else None)
    assert json.loads(spans["create_memory"]["gen_ai.memory.records"]) == [
        {"content": "likes tea", "metadata": {"path": "/tea.md"}}
    ]
    made = spans["create_agent helper"]
    assert {name.removeprefix("gen_ai."): value for name, value in made.items() if name.startswith("gen_ai.")} == {
        "operation.name": "create_agent", "provider.name": "anthropic", "request.model": "claude-sonnet-4-5",
        "agent.name": "helper", "agent.id": "agent_1", "agent.version": "3", "agent.description": "Helps.",
        "system_instructions": '[{"type":"text","content":"Be brief."}]',
    }  # fmt: skip
    assert wrong(seen.all()) == []
