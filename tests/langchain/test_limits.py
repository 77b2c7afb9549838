"""``max_value_bytes`` binds what LangChain's runs capture, upwards and downwards, and what was cut is listed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

LONG = "word " * 20_000


def recorded(**settings: Any) -> dict[str, dict[str, Any]]:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=["langchain"], **settings)
    model = FakeListChatModel(responses=[LONG])
    (RunnableLambda(lambda given: given).with_config(run_name="same") | model).invoke(LONG)
    assert agentops.flush()
    return {span.attributes["agentops.kind"]: dict(span.attributes) for span in exporter.finished_spans()}


def test_a_larger_limit_keeps_all_of_it() -> None:
    spans = recorded(max_value_bytes=1_000_000)
    for attributes in spans.values():
        assert "agentops.truncated" not in attributes
    assert json.loads(spans["llm"]["gen_ai.output.messages"])[0]["parts"][0]["content"] == LONG
    assert json.loads(spans["llm"]["gen_ai.input.messages"])[0]["parts"][0]["content"] == LONG


@pytest.mark.parametrize("settings", [{}, {"max_value_bytes": 2_000}], ids=["usual", "small"])
def test_what_was_cut_is_listed(settings: dict[str, Any]) -> None:
    for attributes in recorded(**settings).values():
        for name in attributes["agentops.truncated"]:
            assert "…[+" in attributes[name]
            assert len(attributes[name].encode()) <= settings.get("max_value_bytes", 65_536)
    assert {"gen_ai.input.messages", "gen_ai.output.messages"} <= set(recorded(**settings)["llm"]["agentops.truncated"])
