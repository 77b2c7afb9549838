"""Memories: what is looked for in them and written to them, by functions that a program tracks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.conformance.spans import wrong
from tests.seen import Seen

import agentops_sdk as agentops
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.conformance import check
from agentops_sdk.traces.conformance.source import span_of

QUERY, COUNT, RECORD = "gen_ai.memory.query.text", "gen_ai.memory.record.count", "gen_ai.memory.record.id"


@agentops.memory(name="facts")
def recall(query: str, limit: int = 3) -> list[dict[str, Any]]:
    return [{"id": "m1", "memory": "likes tea", "score": 0.8, "metadata": {"by": "ann"}}, {"id": 7, "content": "x"}]


@agentops.memory(operation="create_memory", name="facts")
def learn(text: str) -> str:
    return "m2"


@agentops.memory(operation="upsert_memory")
def keep(key: str, value: dict[str, Any]) -> None:
    pass


@agentops.memory(operation="delete_memory")
def forget(memory_id: str) -> bool:
    return True


@agentops.memory(operation="create_memory_store", name="facts")
def begin() -> None:
    pass


def test_each_tells_all_that_its_arguments_and_its_result_do(seen: Seen) -> None:
    recall("tea?")
    learn("likes coffee")
    keep("k", {"a": 1})
    forget("m1")
    begin()
    spans = {span.name: dict(span.attributes) for span in seen.all()}
    found = spans["search_memory"]
    assert (found["gen_ai.memory.store.id"], found[QUERY], found[COUNT]) == ("facts", "tea?", 2)
    assert json.loads(found["gen_ai.memory.records"]) == [
        {"content": "likes tea", "id": "m1", "score": 0.8, "metadata": {"by": "ann"}}, {"content": "x", "id": "7"},
    ]  # fmt: skip
    learned = spans["create_memory"]
    assert (learned[RECORD], learned[COUNT], json.loads(learned["gen_ai.memory.records"])) == (
        "m2", 1, [{"content": "likes coffee"}],
    )  # fmt: skip
    kept = spans["upsert_memory"]
    assert (kept[RECORD], json.loads(kept["gen_ai.memory.records"])) == ("k", [{"content": {"a": 1}}])
    assert "gen_ai.memory.store.id" not in kept  # a function is no store
    assert spans["delete_memory"][RECORD] == "m1"
    assert "gen_ai.memory.records" not in spans["delete_memory"]
    assert RECORD not in spans["create_memory_store"]
    assert wrong(seen.all()) == []
    report = check([span_of(span) for span in seen.all()], "pin")
    assert (list(report.kinds), report.violations, report.score) == (["gen_ai.memory.client"], 0, 100)


def test_a_search_that_finds_nothing_has_found_none_and_what_is_hidden_is_in_no_record(seen: Seen) -> None:
    @agentops.memory(capture_input=False)
    def look(query: str) -> list[str]:
        return []

    look("secret")
    attributes = dict(seen.one("search_memory").attributes)
    assert attributes[COUNT] == 0
    assert "secret" not in json.dumps(attributes)
    agentops.init(exporters=[seen.exporter], integrations=[], capture_content=False, restart=True)
    seen.exporter.clear()
    recall("tea?")
    assert {QUERY, "gen_ai.memory.records"}.isdisjoint(seen.one("search_memory").attributes)


def test_what_is_done_is_one_of_the_conventions_words() -> None:
    for options in ({"operation": "remember"}, {"operation": "search_memory", "kind": "task"}):
        with pytest.raises(ConfigError, match="search_memory"):
            agentops.track(**{"kind": "memory", **options})
