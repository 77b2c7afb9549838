"""What a model called, in traces of others: once, however many saw it and wherever it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.reading.samples import CALLED, otlp, parts, span, trace_of

from agentops_sdk import semconv
from agentops_sdk.traces import load

TOOL = {"traceloop.span.kind": "tool", "traceloop.entity.name": "lookup"}
WITHOUT_FIGURES = {name: value for name, value in CALLED.items() if "usage" not in name}


@pytest.mark.parametrize(("outer", "inner"), [(CALLED, CALLED), (CALLED, WITHOUT_FIGURES), (WITHOUT_FIGURES, CALLED)])
def test_a_choice_that_two_recorders_saw_was_made_once(outer: dict[str, Any], inner: dict[str, Any]) -> None:
    trace = trace_of(otlp(span(1, outer, name="ChatOpenAI.chat"), span(2, inner, 1, name="openai.chat"), span(3, TOOL)))
    assert len(trace.llm_calls) == 1
    (decision,) = trace.decisions
    assert (decision.choices, [one.name for one in decision.followed_by]) == (("lookup",), ["step"])
    assert len(trace.choices) == 1


def test_two_calls_that_choose_alike_are_two_choices() -> None:
    trace = trace_of(otlp(span(1, {"traceloop.span.kind": "agent"}), span(2, CALLED, 1), span(3, CALLED, 1)))
    assert [decision.choices for decision in trace.decisions] == [("lookup",), ("lookup",)]


RESPONSE: list[dict[str, Any]] = [
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
    {"type": "function_call", "call_id": "c1", "name": "lookup", "arguments": '{"q": 1}'},
    {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** Begin"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "so far"}]},
]


def test_calls_beside_a_message_of_the_responses_api() -> None:
    asked = [
        {"role": "user", "content": "hi"},
        RESPONSE[1],
        {"type": "function_call_output", "call_id": "c1", "output": "found"},
    ]
    attributes = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-5", "input.value": json.dumps(asked),
                  "output.value": json.dumps({"output": RESPONSE})}  # fmt: skip
    trace = trace_of(otlp(span(1, attributes)))
    (record,) = trace.spans
    assert [role for role, _ in parts(record, semconv.INPUT_MESSAGES)] == ["user", "assistant", "tool"]
    said = [part for message in json.loads(record.attributes[semconv.OUTPUT_MESSAGES]) for part in message["parts"]]
    assert [part["type"] for part in said] == ["reasoning", "tool_call", "tool_call", "text"]
    assert [decision.choices for decision in trace.decisions] == [("lookup", "patch")]


def test_events_that_hold_a_message_in_one_attribute() -> None:
    """So Azure's clients write them."""
    function = {"name": "lookup", "arguments": '{"q": 1}'}
    told = {"gen_ai.user.message": {"role": "user", "content": "hi"},
            "gen_ai.assistant.message": {"content": {"text": {"value": "so"}}, "role": "assistant"},
            "gen_ai.choice": {"message": {"tool_calls": [{"id": "c1", "type": "function", "function": function}]},
                              "finish_reason": "tool_calls"}}  # fmt: skip
    events = [
        {"name": name, "attributes": [{"key": "gen_ai.event.content", "value": {"stringValue": json.dumps(content)}}]}
        for name, content in told.items()
    ]
    trace = trace_of(otlp(span(1, {"gen_ai.operation.name": "chat"}, events=events)))
    assert parts(trace.root, semconv.INPUT_MESSAGES) == [("user", "hi"), ("assistant", "so")]
    assert [decision.choices for decision in trace.decisions] == [("lookup",)]


def _codex(*payloads: dict[str, Any]) -> list[str]:
    lines = [
        ("session_meta", {"id": "s"}),
        ("turn_context", {"model": "gpt-5"}),
        *(("response_item", one) for one in payloads),
    ]
    return [json.dumps({"timestamp": f"2026-08-06T00:00:{second:02d}Z", "type": kind, "payload": payload})
            for second, (kind, payload) in enumerate(lines)]  # fmt: skip


def test_a_patch_of_codex_is_a_choice_of_the_model() -> None:
    (trace,) = load(
        _codex(RESPONSE[2], {"type": "custom_tool_call_output", "call_id": "c2", "output": "Done"}, RESPONSE[3])
    )
    assert [(one.choices, len(one.followed_by)) for one in trace.decisions] == [(("patch",), 1)]
