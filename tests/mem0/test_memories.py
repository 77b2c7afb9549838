"""Memories of mem0 over real HTTP: in the process, with a store on disk, and behind the client of its service."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.spans import wrong
from tests.mem0.contract import driver
from tests.wire.http import Reply, Request, Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("mem0", reason="mem0ai is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # the library's own


def _answer(request: Request) -> Reply:
    """What OpenAI's service says of messages and of texts."""
    if request.path.endswith("/embeddings"):
        texts = request.body["input"]
        vectors = [[1.0, float(len(text)), 0.5, 0.25] for text in ([texts] if isinstance(texts, str) else texts)]
        rows = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(vectors)]
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        return Reply({"object": "list", "data": rows, "model": "text-embedding-3-small", "usage": usage})
    message = {"role": "assistant", "content": json.dumps({"memory": [{"text": "likes tea"}]})}
    return Reply({
        "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    })  # fmt: skip


def _config(server: Wire, folder: Path) -> dict[str, Any]:
    asks = {"api_key": "none", "openai_base_url": f"http://127.0.0.1:{server.port}/v1"}
    return {
        "llm": {"provider": "openai", "config": {"model": "gpt-4o-mini", **asks}},
        "embedder": {"provider": "openai", "config": {"model": "embed", "embedding_dims": 4, **asks}},
        "vector_store": {
            "provider": "qdrant",
            "config": {"path": str(folder / "kept"), "collection_name": "tastes", "embedding_model_dims": 4},
        },
        "history_db_path": str(folder / "history.db"),
    }  # fmt: skip


def _memories(spans: MemoryExporter) -> list[dict[str, Any]]:
    assert agentops.flush()
    return [dict(span.attributes) for span in spans.finished_spans() if span.attributes["agentops.kind"] == "memory"]


@pytest.mark.parametrize("state", ["pin", "main"])
def test_a_memory_in_the_process(state: str, tmp_path: Path) -> None:
    from mem0 import Memory

    spans = MemoryExporter()
    agentops.init(exporters=[spans], integrations=["mem0", "openai"], semconv=state)
    with Wire(_answer) as server:
        kept = Memory.from_config(_config(server, tmp_path))
        made = kept.add("I like tea.", user_id="ann")["results"]
        told = kept.add("Calls at noon.", user_id="ann", infer=False)["results"]
        (ident,) = [each["id"] for each in told]
        found = kept.search("when?", filters={"user_id": "ann"}, threshold=0.0)["results"]
        assert kept.get(ident)["memory"] == "Calls at noon."
        kept.update(ident, text="Calls at one.")
        kept.delete(memory_id=ident)
        assert kept.get(ident) is None
        with pytest.raises(ValueError, match="not found"):
            kept.delete(ident)
        kept.close()
    written, new, asked, got, changed, gone, missed, failed = _memories(spans)
    shared = {each["gen_ai.memory.store.id"] for each in (written, new, asked, got, changed, gone, missed, failed)}
    assert shared == {"tastes"}
    assert (written["gen_ai.operation.name"], written["gen_ai.memory.record.count"]) == ("upsert_memory", len(made))
    assert new["gen_ai.operation.name"] == "create_memory"
    assert json.loads(new["gen_ai.memory.records"]) == [{"content": "Calls at noon.", "id": ident}]
    assert new["gen_ai.memory.record.id"] == got["gen_ai.memory.record.id"] == ident
    assert (asked["gen_ai.memory.query.text"], asked["gen_ai.memory.record.count"]) == ("when?", len(found))
    assert {record["id"] for record in json.loads(asked["gen_ai.memory.records"])} == {each["id"] for each in found}
    assert changed["gen_ai.operation.name"] == "update_memory"
    assert json.loads(changed["gen_ai.memory.records"]) == [{"content": "Calls at one.", "id": ident}]
    assert (gone["gen_ai.operation.name"], gone["gen_ai.memory.record.id"]) == ("delete_memory", ident)
    assert missed["gen_ai.memory.record.count"] == 0
    assert failed["error.type"] == "ValueError"
    assert {each.get("user.id") for each in (written, new, asked)} == {"ann"}
    ended = spans.finished_spans()
    by_id = {span.context.span_id: span for span in ended}
    inner = [span for span in ended if span.attributes["agentops.kind"] in ("llm", "embedding")]
    assert inner
    assert {by_id[span.parent.span_id].attributes["agentops.kind"] for span in inner} == {"memory"}
    assert wrong(ended, state) == []
    agentops.shutdown()


def test_the_service_behind_its_clients() -> None:
    spans = MemoryExporter()
    agentops.init(exporters=[spans], integrations=["mem0"])

    async def ask(url: str) -> None:
        async with driver.async_client(url) as client:
            await client.search("tea?", filters={"user_id": "ann"})
            await client.delete_all(filters={"user_id": "ann"})

    with Wire(driver.answer) as wire:
        url = f"http://127.0.0.1:{wire.port}"
        with driver.client(url) as client:
            client.search("tea?", filters={"user_id": "ann"})
            client.add("I like tea.", filters={"user_id": "ann"})
        asyncio.run(ask(url))
    told = _memories(spans)
    assert [each["gen_ai.operation.name"] for each in told] == [
        "search_memory", "upsert_memory", "search_memory", "delete_memory",
    ]  # fmt: skip
    assert told[0] | {"agentops.duration": 0} == told[2] | {"agentops.duration": 0}
    assert {(each["server.address"], each["server.port"], each["gen_ai.provider.name"]) for each in told} == {
        ("127.0.0.1", wire.port, "mem0")
    }
    assert json.loads(told[0]["gen_ai.memory.records"]) == [{"content": "likes tea", "id": "a", "score": 0.5}]
    assert wrong(spans.finished_spans()) == []
    agentops.shutdown()


def test_no_content_where_none_is_wanted() -> None:
    spans = MemoryExporter()
    agentops.init(exporters=[spans], integrations=["mem0"], capture_content=False)
    answer = Reply({"results": [{"id": "a", "memory": "likes tea"}]})
    with Wire(answer) as wire, driver.client(f"http://127.0.0.1:{wire.port}") as client:
        client.search("tea?", filters={"user_id": "ann"})
    (told,) = _memories(spans)
    assert "tea" not in str(told)
    assert told["gen_ai.memory.record.count"] == 1
    agentops.shutdown()
