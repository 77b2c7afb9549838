"""Agents and workflows tell what they were asked and answered, and what their model calls tell of them."""

from __future__ import annotations

import contextvars
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.spans import wrong
from tests.seen import Seen

import agentops_sdk as agentops
from agentops_sdk._pipeline import process_runtime
from agentops_sdk._recorder import ended_spans
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration import start
from agentops_sdk.store.address import open_store
from agentops_sdk.traces import load

TOOLS = [{"type": "function", "name": "search"}]


def model_call(*tokens: int, **more: Any) -> None:
    """A call as an integration reports it."""
    call = start("llm", "gpt-4o", attributes={"gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"})
    call.update({name.replace("__", "."): value for name, value in more.items()})
    call.update({"gen_ai.usage.input_tokens": tokens[0], "gen_ai.usage.output_tokens": tokens[1]})
    call.finish()


def test_arguments_and_result_are_messages_as_well(seen: Seen) -> None:
    @agentops.agent
    def answer(client: object, question: str) -> str:
        return question.upper()

    @agentops.workflow(name="several")
    def several(topic: str, depth: int) -> dict[str, int]:
        return {"pages": depth}

    @agentops.agent(name="chatter")
    def chatter(messages: list[dict[str, str]]) -> dict[str, Any]:
        return {"messages": [*messages, {"role": "assistant", "content": "hello"}]}

    answer(object(), "why?")
    several("rain", 2)
    chatter([{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}])

    def told(name: str, attribute: str) -> list[tuple[str, str]]:
        return [
            (message["role"], message["parts"][0]["content"])
            for message in seen.value(name, f"gen_ai.{attribute}.messages")
        ]

    name = seen.names()[0]
    assert told(name, "input") == [("user", "why?")]
    assert told(name, "output") == [("assistant", "WHY?")]
    assert json.loads(seen.one(name).attributes["agentops.input"])["question"] == "why?"
    ((role, text),) = told("invoke_workflow several", "input")
    assert (role, json.loads(text)) == ("user", {"topic": "rain", "depth": 2})
    assert told("invoke_workflow several", "output") == [("assistant", '{"pages":2}')]
    assert told("invoke_agent chatter", "input") == [("system", "be kind"), ("user", "hi")]
    assert told("invoke_agent chatter", "output") == [("assistant", "hello")]
    assert wrong(seen.all()) == []


def test_what_is_not_captured_is_in_no_message(seen: Seen) -> None:
    @agentops.agent(name="shy", capture_input=False, process_output=lambda result: "hidden")
    def shy(secret: str) -> str:
        return secret

    shy("secret")
    attributes = seen.one("invoke_agent shy").attributes
    assert "gen_ai.input.messages" not in attributes
    assert "secret" not in json.dumps(dict(attributes))
    assert seen.value("invoke_agent shy", "gen_ai.output.messages")[0]["parts"][0]["content"] == "hidden"

    agentops.init(exporters=[seen.exporter], integrations=[], capture_content=False, restart=True)
    seen.exporter.clear()
    with agentops.span("run", kind="agent"):
        model_call(1, 1, gen_ai__system_instructions=[{"type": "text", "content": "secret"}])
    shy("secret")
    assert not [name for span in seen.all() for name in span.attributes if "messages" in name or "instruc" in name]


def test_who_did_not_get_to_an_answer_has_not_given_its_models_last_reply(seen: Seen) -> None:
    reply = [{"role": "assistant", "parts": [{"type": "text", "content": "let me look"}]}]
    asked = [{"role": "user", "parts": [{"type": "text", "content": "where?"}]}]
    for name, broken in (("found", False), ("lost", True)):
        with suppress(LookupError), agentops.span(name, kind="agent"):
            model_call(1, 1, gen_ai__output__messages=reply, gen_ai__input__messages=asked)
            if broken:
                raise LookupError("no such order")
    for name in ("found", "lost"):
        assert seen.value(f"invoke_agent {name}", "gen_ai.input.messages") == asked
    assert seen.value("invoke_agent found", "gen_ai.output.messages") == reply
    lost = seen.one("invoke_agent lost")
    assert "gen_ai.output.messages" not in lost.attributes
    assert lost.attributes["error.type"] == "LookupError"


def test_a_run_has_what_its_calls_agree_on_and_the_sum_of_their_tokens(seen: Seen) -> None:
    system = {"role": "system", "parts": [{"type": "text", "content": "be brief"}]}
    with agentops.span("all", kind="workflow"):
        with agentops.span("outer", kind="agent"):
            model_call(
                100, 10, gen_ai__request__temperature=0.5, gen_ai__tool__definitions=TOOLS,
                gen_ai__input__messages=[system], gen_ai__request__seed=7,
            )  # fmt: skip
            with agentops.span("inner", kind="agent"), agentops.span("step"):
                model_call(30, 3, gen_ai__request__seed=7, gen_ai__usage__cache_read__input_tokens=5)
            model_call(
                200, 20, gen_ai__request__temperature=0.9, gen_ai__request__seed=7,
                gen_ai__response__finish_reasons=["stop"],
            )  # fmt: skip
        with agentops.span("idle", kind="agent"):
            pass
    outer, inner = seen.one("invoke_agent outer").attributes, seen.one("invoke_agent inner").attributes
    everything = seen.one("invoke_workflow all").attributes
    tokens = "agentops.run.input_tokens", "agentops.run.output_tokens", "agentops.run.cache_read.input_tokens"
    assert [outer.get(name) for name in tokens] == [330, 33, 5]
    assert [inner.get(name) for name in tokens] == [30, 3, 5]
    assert [everything.get(name) for name in tokens] == [330, 33, 5]
    assert outer["gen_ai.request.model"] == "gpt-4o"
    assert (outer["gen_ai.request.seed"], outer.get("gen_ai.request.temperature")) == (7, None)
    assert json.loads(outer["gen_ai.tool.definitions"]) == TOOLS
    assert json.loads(outer["gen_ai.system_instructions"]) == system["parts"]
    assert outer["gen_ai.response.finish_reasons"] == ["stop"]
    assert "gen_ai.input.messages" not in outer  # its first call was asked nothing but to be brief
    assert "gen_ai.system_instructions" not in inner
    assert not [name for name in seen.one("invoke_agent idle").attributes if "run." in name]
    # Nobody adds them up a second time.
    summed = sum(span.attributes.get("gen_ai.usage.input_tokens", 0) for span in seen.all())
    assert summed == 330
    assert wrong(seen.all()) == []


@pytest.mark.parametrize(
    ("state", "own"),
    [
        (
            "pin",
            {"input_tokens": 9, "output_tokens": 3, "cache_read.input_tokens": 2, "cache_creation.input_tokens": 1},
        ),
        ("main", {"input_tokens": 9, "output_tokens": 3}),
    ],
)
@pytest.mark.parametrize("vocabulary", ["", "openinference", "langfuse"])
def test_in_a_chosen_state_an_agent_has_its_tokens_under_the_conventions_names_and_nobody_counts_them_twice(
    state: str, own: dict[str, int], vocabulary: str, tmp_path: Path
) -> None:
    memory = MemoryExporter()
    agentops.init(
        exporters=[memory, "jsonl"], integrations=[], semconv=state, vocabularies=vocabulary, directory=tmp_path,
        restart=True,
    )  # fmt: skip
    with agentops.span("all", kind="workflow"), agentops.span("outer", kind="agent"):
        model_call(4, 2, gen_ai__usage__cache_read__input_tokens=2)
        with agentops.span("inner", kind="agent"):
            model_call(5, 1, gen_ai__usage__cache_creation__input_tokens=1)
    assert agentops.flush()
    spans = {span.name: dict(span.attributes) for span in memory.finished_spans()}
    prefix = "gen_ai.usage."
    for name, usage in (("invoke_agent outer", own), ("invoke_workflow all", {})):
        told = {key.removeprefix(prefix): value for key, value in spans[name].items() if key.startswith(prefix)}
        assert told == ({} if vocabulary else usage)  # who reads those names adds up all that it finds
    assert wrong(memory.finished_spans(), state) == []
    agentops.shutdown()
    (trace,) = load(tmp_path)
    assert (trace.usage.input, trace.usage.output, trace.usage.cache_read) == (9, 3, 2)
    ((asked, answered),) = open_store(tmp_path).query(
        "SELECT sum(input_tokens), sum(output_tokens) FROM figures"
    ).rows  # fmt: skip
    assert (int(asked), int(answered)) == (9, 3)


def test_an_agent_that_says_nothing_of_itself_has_its_models_words(seen: Seen) -> None:
    def said(role: str, text: str) -> dict[str, Any]:
        return {"role": role, "parts": [{"type": "text", "content": text}]}

    first = [said("system", "be brief"), said("user", "why?")]
    with agentops.span("run", kind="agent"):
        model_call(1, 1, gen_ai__input__messages=first, gen_ai__output__messages=[said("assistant", "hm")])
        model_call(
            1, 1, gen_ai__input__messages=[said("user", "so?")], gen_ai__output__messages=[said("assistant", "so")]
        )

    @agentops.agent(name="shy", capture_input=False, capture_output=False)
    def shy() -> None:
        model_call(1, 1, gen_ai__input__messages=first, gen_ai__output__messages=[said("assistant", "hm")])

    shy()
    assert seen.value("invoke_agent run", "gen_ai.input.messages") == [said("user", "why?")]
    assert seen.value("invoke_agent run", "gen_ai.output.messages") == [said("assistant", "so")]
    attributes = seen.one("invoke_agent shy").attributes
    assert not {"gen_ai.input.messages", "gen_ai.output.messages"} & attributes.keys()
    assert "gen_ai.input.messages" in attributes["agentops.withheld"]


def test_what_a_call_does_not_show_its_agent_does_not_show(seen: Seen) -> None:
    secret = [{"type": "text", "content": "secret"}]
    agentops.init(exporters=[seen.exporter], integrations=[], content_rules=["off model=gpt-4o"], restart=True)
    with agentops.span("run", kind="agent"):
        model_call(
            1, 2, gen_ai__system_instructions=secret, gen_ai__input__messages=[{"role": "system", "parts": secret}]
        )
    with agentops.span("other", kind="agent"), agentops.private():
        model_call(
            3, 4, gen_ai__system_instructions=secret, gen_ai__tool__definitions=TOOLS,
            gen_ai__output__messages=[{"role": "assistant", "parts": secret}],
        )  # fmt: skip
    assert "secret" not in str([dict(span.attributes) for span in seen.all()])
    other = seen.one("invoke_agent other").attributes
    assert (other["agentops.run.input_tokens"], other["gen_ai.request.model"]) == (3, "gpt-4o")
    assert "gen_ai.tool.definitions" not in other


def test_nothing_is_kept_of_what_has_ended(seen: Seen) -> None:
    with agentops.span("no run"), agentops.span("step"):
        model_call(1, 1)
    with agentops.span("run", kind="agent"):
        model_call(1, 1)
    assert agentops.flush()
    assert process_runtime.current is not None
    assert not process_runtime.current.completer.totals.open


def test_calls_that_go_on_after_their_runs_are_not_kept(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each held its messages in memory, up to ten thousand of them: half a gigabyte where prompts are long."""
    monkeypatch.setattr(ended_spans, "_ON_ITS_WAY", 0)
    with agentops.span("all", kind="workflow"):
        model_call(3, 1)
        for number in range(600):
            with agentops.span("request", kind="agent"):
                background = contextvars.copy_context()
            background.run(model_call, 9, 2)
            if number % 50 == 0:
                assert agentops.flush()
        assert agentops.flush()
        assert process_runtime.current is not None
        assert 0 < len(process_runtime.current.completer.totals.open) < 200
        assert 0 < len(process_runtime.current.signals.metrics.below) < 200
    assert seen.one("invoke_workflow all").attributes["agentops.run.input_tokens"] == 3


def test_what_runs_below_an_agent_is_of_its_conversation(seen: Seen) -> None:
    with agentops.span("clerk", kind="agent", **{"gen_ai.conversation.id": "c1"}):
        with agentops.span("look_up", kind="tool"):
            model_call(1, 1)
        with agentops.span("other", kind="tool", **{"gen_ai.conversation.id": "c2"}):
            pass
    conversations = {span.name: span.attributes.get("gen_ai.conversation.id") for span in seen.all()}
    (call,) = {*conversations} - {"invoke_agent clerk", "execute_tool look_up", "execute_tool other"}
    assert conversations == {
        "invoke_agent clerk": "c1", "execute_tool look_up": "c1", call: "c1", "execute_tool other": "c2",
    }  # fmt: skip


def test_what_runs_below_a_workflow_is_of_its_conversation(seen: Seen) -> None:
    with agentops.span("outer", kind="agent"):
        with agentops.span("order", kind="workflow", **{"gen_ai.conversation.id": "c1"}):
            with agentops.span("clerk", kind="agent"), agentops.span("look_up", kind="tool"):
                pass
            with agentops.span("other", kind="agent", **{"gen_ai.conversation.id": "c2"}), agentops.span("step"):
                pass
            with agentops.span("send", kind="tool"):
                pass
        with agentops.span("after", kind="tool"), agentops.span("plain", kind="workflow"):
            pass
    shown = {
        span.name.rpartition(" ")[2]: tuple(map(span.attributes.get, ("gen_ai.conversation.id", "gen_ai.agent.name")))
        for span in seen.all()
    }
    assert shown == {
        "outer": (None, "outer"), "order": ("c1", "outer"), "clerk": ("c1", "clerk"), "look_up": ("c1", "clerk"),
        "other": ("c2", "other"), "step": ("c2", "other"), "send": ("c1", "outer"), "after": (None, "outer"),
        "plain": (None, "outer"),
    }  # fmt: skip


@pytest.mark.parametrize("state", ["pin", "main"])
def test_no_name_of_one_state_stands_under_the_other(state: str) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], semconv=state)
    with agentops.span("run", kind="agent"):
        model_call(
            9, 2, gen_ai__usage__cache_creation__input_tokens=4, agentops__usage__audio__input_tokens=1,
            gen_ai__response__model="gpt-4o",
        )  # fmt: skip
    assert agentops.flush()
    spans = exporter.finished_spans()
    assert wrong(spans, state) == []
    named = "cache_creation" if state == "pin" else "cache_write"
    assert spans[0].attributes[f"gen_ai.usage.{named}.input_tokens"] == 4
    assert spans[1].attributes["agentops.run.cache_creation.input_tokens"] == 4
