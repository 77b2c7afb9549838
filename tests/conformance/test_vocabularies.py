"""Further names for the same spans: by setting and by sink, in words that their readers know."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest
from openinference.semconv import trace as openinference

import agentops_sdk as agentops
from agentops_sdk.errors import ConfigError
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration import start
from agentops_sdk.traces.formats.other_formats import translated

PICTURE = {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGk="}
ASKED = [
    {"role": "user", "parts": [{"type": "text", "content": "Weather in Oslo?"}, PICTURE]},
    {"role": "assistant", "parts": [
        {"type": "text", "content": "Let me look."},
        {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Oslo"}},
    ]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "rain"}]},
]  # fmt: skip
ANSWER = [{"role": "assistant", "parts": [{"type": "text", "content": "It rains."}], "finish_reason": "stop"}]
DECLARED = {
    value
    for cls in vars(openinference).values()
    if inspect.isclass(cls)
    for name, value in vars(cls).items()
    if name.isupper() and isinstance(value, str)
}


def program() -> None:
    @agentops.tool
    def weather(city: str) -> str:
        return "rain in " + city

    @agentops.retriever(name="guide")
    def guide(query: str) -> list[dict[str, Any]]:
        return [{"id": "d1", "content": "Oslo is wet", "score": 0.9}]

    @agentops.agent(name="planner")
    def planner(question: str) -> str:
        guide(question)
        agentops.decide("route", "weather", options=["weather", "news"])
        call = start("llm", "gpt-4o", attributes={
            "gen_ai.provider.name": "azure.ai.openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.request.temperature": 0.2, "gen_ai.input.messages": ASKED, "gen_ai.output.messages": ANSWER,
            "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
            "gen_ai.tool.definitions": [{"type": "function", "name": "weather", "parameters": {"type": "object"}}],
            "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 30,
            "gen_ai.usage.cache_read.input_tokens": 20, "gen_ai.response.finish_reasons": ["stop"],
            "agentops.cost.amount": 0.5, "agentops.cost.currency": "USD",
        })  # fmt: skip
        call.finish()
        return weather("Oslo")

    with agentops.context(session_id="s-1", user_id="ann", tags=["t"], metadata={"plan": "pro"}):
        planner("Weather in Oslo?")


def spans(**settings: Any) -> dict[str, dict[str, Any]]:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], **settings)
    program()
    assert agentops.flush()
    return {span.name: dict(span.attributes or {}) for span in exporter.finished_spans()}


def test_openinference_by_setting() -> None:
    by_name = spans(vocabularies="openinference")
    kinds = {name: attributes["openinference.span.kind"] for name, attributes in by_name.items()}
    assert kinds == {
        "retrieval guide": "RETRIEVER", "decision route": "DECISION", "chat gpt-4o": "LLM",
        "execute_tool weather": "TOOL", "invoke_agent planner": "AGENT",
    }  # fmt: skip
    values = {
        name: (attributes.get("input.value"), attributes.get("output.value")) for name, attributes in by_name.items()
    }
    assert values["invoke_agent planner"] == ("Weather in Oslo?", "rain in Oslo")
    assert values["execute_tool weather"] == ('{"city":"Oslo"}', "rain in Oslo")
    assert values["decision route"] == ('[{"name":"weather"},{"name":"news"}]', "weather")
    assert values["retrieval guide"][0] == "Weather in Oslo?"
    assert by_name["retrieval guide"]["retrieval.documents.0.document.content"] == "Oslo is wet"
    assert by_name["retrieval guide"]["retrieval.documents.0.document.score"] == 0.9
    model = by_name["chat gpt-4o"]
    assert (model["llm.provider"], model["llm.system"], model["llm.model_name"]) == ("azure", "openai", "gpt-4o")
    assert [model[f"llm.token_count.{name}"] for name in ("prompt", "completion", "total")] == [120, 30, 150]
    assert (model["llm.token_count.prompt_details.cache_read"], model["llm.cost.total"]) == (20, 0.5)
    roles = [model[f"llm.input_messages.{index}.message.role"] for index in range(4)]
    assert roles == ["system", "user", "assistant", "tool"]
    picture = "llm.input_messages.1.message.contents.1.message_content"
    assert (model[f"{picture}.type"], model[f"{picture}.image.image.url"]) == ("image", "data:image/png;base64,aGk=")
    assert model["llm.input_messages.3.message.tool_call_id"] == "c1"
    assert json.loads(model["llm.tools.0.tool.json_schema"])["function"]["name"] == "weather"
    for attributes in by_name.values():
        assert (attributes["session.id"], attributes["user.id"], attributes["tag.tags"]) == ("s-1", "ann", ["t"])
        assert json.loads(attributes["metadata"]) == {"plan": "pro"}


def test_every_name_is_one_that_openinference_has() -> None:
    for attributes in spans(vocabularies=["openinference"]).values():
        for name in attributes:
            if name.startswith(("gen_ai.", "agentops.", "server.", "operation.", "error.")):
                continue
            parts = re.split(r"\.\d+\.", name)
            first, *inner = parts
            # An element's name stands behind its list's; a picture's address behind the picture.
            assert first in DECLARED, name
            assert all(part in DECLARED or _ends_in_declared(part) for part in inner), name


def _ends_in_declared(name: str) -> bool:
    return any(name.startswith(f"{one}.") and name.removeprefix(f"{one}.") in DECLARED for one in DECLARED)


def test_what_is_written_reads_back_the_same() -> None:
    attributes = spans(vocabularies="openinference")["chat gpt-4o"]
    theirs = {
        name: value for name, value in attributes.items() if name.startswith(("llm.", "openinference.", "session."))
    }
    fields = translated({
        "trace_id": "a" * 32, "span_id": "b" * 16, "name": "ChatCompletion", "start_ns": 0, "end_ns": 1,
        "attributes": theirs, "scope": {"name": "openinference.instrumentation.openai"},
    })  # fmt: skip
    again = fields["attributes"]
    assert fields["kind"] == "llm"
    assert (again["gen_ai.usage.input_tokens"], again["gen_ai.usage.output_tokens"]) == (120, 30)
    assert json.loads(again["gen_ai.output.messages"])[0]["parts"] == ANSWER[0]["parts"]
    asked = json.loads(again["gen_ai.input.messages"])
    assert [message["role"] for message in asked] == ["system", "user", "assistant", "tool"]
    call = asked[2]["parts"][1]
    assert (call["name"], call["arguments"]) == ("weather", {"city": "Oslo"})


def test_langfuse() -> None:
    by_name = spans(vocabularies="langfuse")
    model = by_name["chat gpt-4o"]
    assert model["langfuse.observation.type"] == "generation"
    assert json.loads(model["langfuse.observation.usage_details"]) == {
        "input": 100, "input_cached_tokens": 20, "output": 30, "total": 150,
    }  # fmt: skip
    assert json.loads(model["langfuse.observation.cost_details"]) == {"total": 0.5}
    agent = by_name["invoke_agent planner"]
    assert (agent["langfuse.observation.type"], agent["langfuse.observation.input"]) == ("agent", "Weather in Oslo?")
    assert (agent["langfuse.session.id"], agent["langfuse.user.id"]) == ("s-1", "ann")
    assert agent["langfuse.observation.metadata.plan"] == "pro"


def test_by_sink_the_others_get_none(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = MemoryExporter()
    agentops.init(exporters=["memory+openinference+langfuse", plain], integrations=[])
    program()
    assert agentops.flush()
    from agentops_sdk._pipeline import process_runtime

    assert process_runtime.current is not None
    special: Any = next(sink.exporter for sink in process_runtime.current.sinks if sink.exporter is not plain)
    with_names = {name for span in special.finished_spans() for name in span.attributes}
    without = {name for span in plain.finished_spans() for name in span.attributes}
    assert {"openinference.span.kind", "langfuse.observation.type"} <= with_names
    assert not [name for name in without if name.startswith(("openinference", "langfuse", "input.", "llm."))]
    assert agentops.status().sinks["memory"].exported == 5
    with pytest.raises(ConfigError, match="langfuse or openinference"):
        agentops.init(exporters=["memory+nobody"], restart=True)
    with pytest.raises(ConfigError, match="vocabularies"):
        agentops.init(vocabularies="nobody", restart=True)


def test_nothing_that_was_not_captured() -> None:
    by_name = spans(vocabularies=["openinference", "langfuse"], capture_content=False)
    text = json.dumps(by_name)
    for secret in ("Oslo is wet", "Be brief", "It rains", "Weather in Oslo"):
        assert secret not in text
    assert by_name["chat gpt-4o"]["llm.token_count.total"] == 150
