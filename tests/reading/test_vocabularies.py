"""Spans of other recorders are understood: kinds, calls, tokens once, cost with its source; unknown is never zero."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.reading.samples import only, otlp, parts, span, trace_of

from agentops_sdk import semconv
from agentops_sdk.traces import load

OLD = {
    "llm.request.type": "chat", "gen_ai.system": "OpenAI", "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.prompt_tokens": 100, "gen_ai.usage.completion_tokens": 20, "llm.usage.total_tokens": 120,
    "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi", "gen_ai.completion.0.content": "bye",
}  # fmt: skip
OLDEST = {
    "llm.request.type": "chat", "llm.vendor": "OpenAI", "llm.request.model": "gpt-4o",
    "llm.usage.prompt_tokens": 100, "llm.usage.completion_tokens": 20,
    "llm.prompts.0.role": "user", "llm.prompts.0.content": "hi", "llm.completions.0.content": "bye",
}  # fmt: skip
OPENINFERENCE = {
    "openinference.span.kind": "LLM", "llm.system": "openai", "llm.model_name": "gpt-4o",
    "llm.token_count.prompt": 100, "llm.token_count.completion": 20,
    "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "hi",
    "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "bye",
}  # fmt: skip
NO_OPERATION = {
    "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20, "gen_ai.prompt": "hi", "gen_ai.completion": "bye",
}  # fmt: skip
LOGFIRE = {
    "request_data": json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}),
    "response_data": json.dumps({"message": {"role": "assistant", "content": "bye"},
                                 "usage": {"prompt_tokens": 100, "completion_tokens": 20}}),
    "gen_ai.system": "openai",
}  # fmt: skip
VERCEL = {
    "operation.name": "ai.generateText.doGenerate", "ai.operationId": "ai.generateText.doGenerate",
    "ai.model.id": "gpt-4o", "ai.model.provider": "openai.chat", "ai.usage.promptTokens": 100,
    "ai.usage.completionTokens": 20, "ai.response.text": "bye",
    "ai.prompt.messages": json.dumps([{"role": "user", "content": [{"type": "text", "text": "hi"}]}]),
}  # fmt: skip
LANGFUSE = {
    "langfuse.observation.type": "generation", "langfuse.observation.model.name": "gpt-4o", "gen_ai.system": "openai",
    "langfuse.observation.usage_details": '{"input": 100, "output": 20, "total": 120}',
    "langfuse.observation.input": '[{"role": "user", "content": "hi"}]',
    "langfuse.observation.output": '{"role": "assistant", "content": "bye"}',
}  # fmt: skip
MLFLOW = {
    "mlflow.spanType": '"CHAT_MODEL"', "mlflow.llm.model": '"gpt-4o"', "mlflow.llm.provider": '"openai"',
    "mlflow.chat.tokenUsage": '{"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}',
    "mlflow.spanInputs": '{"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}',
    "mlflow.spanOutputs": '{"choices": [{"message": {"role": "assistant", "content": "bye"}}]}',
}  # fmt: skip
NOBODYS = {"model": "gpt-4o", "acme.llm.promptTokens": 100, "acme.llm.completionTokens": 20, "gen_ai.system": "openai"}
CALLS = {
    "OpenLLMetry, older": OLD, "OpenLLMetry, oldest": OLDEST, "OpenInference": OPENINFERENCE,
    "no operation": NO_OPERATION, "Logfire": LOGFIRE, "Vercel": VERCEL, "Langfuse": LANGFUSE, "MLflow": MLFLOW,
}  # fmt: skip


@pytest.mark.parametrize("attributes", CALLS.values(), ids=CALLS)
def test_a_model_call_is_one_in_every_vocabulary(attributes: dict[str, Any]) -> None:
    trace = trace_of(otlp(span(1, attributes, status={"code": 2})))
    (call,) = trace.llm_calls
    assert (trace.usage.input, trace.usage.output, trace.usage.unknown) == (100, 20, 0)
    assert (trace.models, call.attributes[semconv.PROVIDER_NAME]) == (["gpt-4o"], "openai")
    assert [error.span_id for error in trace.errors] == [call.span_id]
    assert parts(call, semconv.INPUT_MESSAGES) == [("user", "hi")]
    assert parts(call, semconv.OUTPUT_MESSAGES) == [("assistant", "bye")]
    assert not trace.cost < 0.01
    assert trace.cost.unknown_count == 1
    assert attributes.items() <= call.attributes.items()


@pytest.mark.parametrize("attributes", [*CALLS.values(), NOBODYS], ids=[*CALLS, "nobody's"])
def test_text_in_place_of_numbers_is_a_number(attributes: dict[str, Any]) -> None:
    """Zipkin's tags and columnar stores know text alone."""
    words = {name: plain if isinstance(plain, str) else str(plain) for name, plain in attributes.items()}
    trace = trace_of(otlp(span(1, words)))
    assert (len(trace.llm_calls), trace.usage.input, trace.usage.output) == (1, 100, 20)


PRICES = {
    "gen_ai.usage.cost": 0.01, "gen_ai.usage.total_cost": 0.01, "gen_ai.cost.total_cost": 0.01, "llm.cost.total": 0.01,
    "llm.usage.cost": 0.01, "operation.cost": 0.01, "litellm.response_cost": "0.01",
    "mlflow.llm.cost": '{"total_cost": 0.01}',
    "langfuse.observation.cost_details": '{"input": 0.004, "total": 0.01}',
}  # fmt: skip


@pytest.mark.parametrize("name", PRICES)
def test_their_price_is_theirs(name: str) -> None:
    trace = trace_of(otlp(span(1, {**OPENINFERENCE, name: PRICES[name]})))
    assert trace.cost == 0.01
    assert trace.llm_calls[0].attributes[semconv.COST_SOURCE] == name


def test_two_prices_are_one() -> None:
    record = only({**OPENINFERENCE, "llm.cost.total": 0.01, "gen_ai.usage.cost": 0.01, "llm.cost.prompt": 0.004})
    assert record.attributes[semconv.COST_AMOUNT] == 0.01
    assert trace_of(otlp(span(1, {**OPENINFERENCE, "llm.cost.prompt": 0.25, "llm.cost.completion": 0.5}))).cost == 0.75


@pytest.mark.parametrize("name", ["llm.cost.total", "operation.cost", "gen_ai.usage.cost"])
def test_a_price_of_zero_for_tokens_is_unknown(name: str) -> None:
    cost = trace_of(otlp(span(1, {**OPENINFERENCE, name: 0.0}))).cost
    assert not cost < 0.01
    assert cost.unknown_count == 1


def test_an_answered_call_of_no_tokens_has_unknown_ones() -> None:
    usage = trace_of(
        otlp(span(1, {**NO_OPERATION, "gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0}))
    ).usage
    assert (usage.total, usage.unknown) == (0, 1)


@pytest.mark.parametrize("total", [130, 120])
def test_what_a_cache_held_is_part_of_the_input_once(total: int) -> None:
    """Beside it or inside: of 130 all parts are the sum, of 120 input and output are."""
    parts = {"input": 5, "input_cached_tokens": 95, "output": 20, "output_reasoning_tokens": 10}
    usage = {**parts, "total": 130} if total == 130 else {**parts, "input": 100, "total": 120}
    ours = trace_of(otlp(span(1, {"langfuse.observation.type": "generation",
                                          "langfuse.observation.usage_details": json.dumps(usage)})))  # fmt: skip
    export = {"id": "o", "traceId": "t", "type": "GENERATION", "startTime": "2026-08-06T00:00:00Z",
              "endTime": "2026-08-06T00:00:01Z", "usageDetails": usage}  # fmt: skip
    for trace in (ours, load([json.dumps({"data": [export]})])[0]):
        assert (trace.usage.input, trace.usage.output, trace.usage.cache_read) == (100, total - 100, 95)


def test_containers_repeat_tokens_and_cost() -> None:
    total = {"llm.token_count.prompt": 200, "llm.token_count.completion": 40, "llm.cost.total": 0.02}
    call = {**OPENINFERENCE, "llm.cost.total": 0.01}
    for kind in ("CHAIN", "AGENT", "TOOL", "UNKNOWN"):
        trace = trace_of(
            otlp(
                span(1, {"openinference.span.kind": kind, **total}),
                span(2, {"openinference.span.kind": "CHAIN", **total}, 1),
                span(3, call, 2),
                span(4, call, 2),
            )
        )
        assert (len(trace.llm_calls), trace.usage.input, trace.usage.output) == (2, 200, 40), kind
        assert trace.cost == 0.02, kind
    alone = trace_of(otlp(span(1, {"openinference.span.kind": "TOOL", **total})))
    assert (alone.usage.input, alone.cost.text()) == (200, "$0.0200")


def test_a_step_of_tokens_and_a_call_of_them_are_one_call() -> None:
    outer = {"operation.name": "ai.generateText", "ai.usage.promptTokens": 100, "ai.usage.completionTokens": 20}
    trace = trace_of(otlp(span(1, outer), span(2, VERCEL, 1)))
    assert [one.kind for one in trace.spans] == ["agent", "llm"]
    assert (trace.usage.input, len(trace.llm_calls)) == (100, 1)


KINDS = [
    ({"openinference.span.kind": kind.upper()}, ours)
    for kind, ours in {"agent": "agent", "tool": "tool", "chain": "task", "retriever": "retriever",
                       "embedding": "embedding", "guardrail": "guardrail", "reranker": "retriever"}.items()
] + [
    ({"traceloop.span.kind": kind}, kind) for kind in ("workflow", "task", "agent", "tool")
] + [
    ({"llm.request.type": "embedding"}, "embedding"), ({"llm.request.type": "completion"}, "llm"),
    ({"operation.name": "ai.toolCall"}, "tool"), ({"operation.name": "ai.embed.doEmbed"}, "embedding"),
    ({"mlflow.spanType": '"RETRIEVER"'}, "retriever"), ({"langsmith.span.kind": "chain"}, "task"),
    ({"gen_ai.tool.name": "x", "tool_arguments": "{}"}, "tool"),
    ({"agent_name": "a", "all_messages_events": "[]"}, "agent"),
    ({"gen_ai.operation.name": "Chat"}, "llm"), ({"gen_ai.span.kind": "LLM"}, "llm"), ({"http.method": "GET"}, "span"),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "kind"), KINDS, ids=str)
def test_kinds(attributes: dict[str, Any], kind: str) -> None:
    assert only(attributes).kind == kind


def test_tools_say_what_they_got_and_gave() -> None:
    record = only({"openinference.span.kind": "TOOL", "input.value": '{"q":1}', "output.value": "ok"}, name="lookup")
    told = [
        record.attributes[name] for name in (semconv.TOOL_NAME, semconv.TOOL_CALL_ARGUMENTS, semconv.TOOL_CALL_RESULT)
    ]
    assert told == ["lookup", '{"q":1}', "ok"]


def test_tool_calls_in_every_dialect() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": '{"q": 1}'}}
    dialects: list[dict[str, Any]] = [
        {**OPENINFERENCE, "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
         "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "lookup",
         "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"q": 1}'},
        {**OLD, "gen_ai.completion.0.tool_calls.0.id": "c1", "gen_ai.completion.0.tool_calls.0.name": "lookup",
         "gen_ai.completion.0.tool_calls.0.arguments": '{"q": 1}'},
        {**VERCEL, "ai.response.toolCalls": '[{"toolCallId": "c1", "toolName": "lookup", "args": "{\\"q\\": 1}"}]'},
        {**NO_OPERATION, "gen_ai.completion": json.dumps([{"role": "assistant", "tool_calls": [call]}])},
        {**NO_OPERATION, "gen_ai.completion": json.dumps(
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "lookup", "input": {"q": 1}}]})},
        {**NO_OPERATION, "gen_ai.completion": json.dumps(
            {"output": [{"type": "function_call", "call_id": "c1", "name": "lookup", "arguments": '{"q": 1}'}]})},
        {**NO_OPERATION, "gen_ai.completion": json.dumps({"candidates": [{"content": {"role": "model", "parts": [
            {"functionCall": {"id": "c1", "name": "lookup", "args": {"q": 1}}}]}}]})},
        {**NO_OPERATION, "gen_ai.completion": json.dumps({"generations": [[{"text": "", "message": {
            "lc": 1, "type": "constructor", "id": ["langchain", "schema", "AIMessage"], "kwargs": {
                "content": "", "tool_calls": [{"name": "lookup", "args": {"q": 1}, "id": "c1"}]}}}]]})},
    ]  # fmt: skip
    for attributes in dialects:
        (message,) = json.loads(only(attributes).attributes[semconv.OUTPUT_MESSAGES])
        expected = {"type": "tool_call", "id": "c1", "name": "lookup", "arguments": {"q": 1}}
        assert [part for part in message["parts"] if part["type"] == "tool_call"] == [expected], attributes


EVENTS = [
    {"name": "gen_ai.system.message", "attributes": [{"key": "content", "value": {"stringValue": "be brief"}}]},
    {"name": "gen_ai.user.message", "attributes": [{"key": "content", "value": {"stringValue": "hi"}}]},
    {"name": "gen_ai.choice", "attributes": [{"key": "message", "value": {"stringValue": '{"content": "bye"}'}}]},
]


def test_messages_as_events() -> None:
    record = only({"gen_ai.operation.name": "chat"}, events=EVENTS)
    assert parts(record, semconv.INPUT_MESSAGES) == [("system", "be brief"), ("user", "hi")]
    assert parts(record, semconv.OUTPUT_MESSAGES) == [("assistant", "bye")]


@pytest.mark.parametrize(
    ("names", "session", "user"),
    [
        ({"session.id": "s", "user.id": "u"}, "s", "u"),
        (
            {"traceloop.association.properties.session_id": "s", "traceloop.association.properties.user_id": "u"},
            "s",
            "u",
        ),
        ({"langfuse.session.id": "s", "langfuse.user.id": "u"}, "s", "u"),
        ({"ai.telemetry.metadata.sessionId": "s", "ai.telemetry.metadata.userId": "u"}, "s", "u"),
        ({"langsmith.metadata.thread_id": "s", "enduser.id": "u"}, "s", "u"),
        ({"mlflow.trace.session": '"s"', "mlflow.trace.user": "u"}, "s", "u"),
        ({"gen_ai.conversation.id": "s"}, "s", None),
    ],
    ids=str,
)
def test_session_and_user(names: dict[str, Any], session: str, user: str | None) -> None:
    trace = trace_of(otlp(span(1, names)))
    assert (trace.session_id, trace.root.attributes.get(semconv.USER_ID)) == (session, user)


def test_lines_of_ours_with_spans_of_others() -> None:
    """An exporter of ours in a program whose spans another library makes."""
    (theirs,) = trace_of(otlp(span(1, {"http.method": "GET"}))).spans
    line = theirs.model_dump(mode="json") | {"attributes": OPENINFERENCE}
    for item in (line, json.dumps(line)):
        (trace,) = load([item])
        assert (len(trace.llm_calls), trace.usage.input, trace.cost.unknown_count) == (1, 100, 1)


def test_a_span_without_an_end_never_got_one() -> None:
    assert only(OLD, endTimeUnixNano="0").outcome == "unfinished"


@pytest.mark.parametrize("hostile", [
    {"llm.input_messages." + "0." * 5_000 + "x": "deep"}, {"llm.input_messages.x": "a", "llm.input_messages.x.y": "b"},
    {"llm.input_messages.99999999999.message.role": "user"}, {"gen_ai.prompt": "[" * 3_000},
    {"request_data": "[1, null]"},
    {"gen_ai.completion": '{"choices": 3}'}, {"langfuse.observation.usage_details": "[]"}, {"mlflow.spanType": "{"},
    {"gen_ai.output.messages": '[[["a", null]], {"role": 3, "parts": 7}]'}, {"llm.tools.0": "{"},
], ids=lambda attributes: next(iter(attributes))[:40])  # fmt: skip
def test_odd_values_cost_no_call(hostile: dict[str, Any]) -> None:
    trace = trace_of(otlp(span(1, {**OPENINFERENCE, **hostile}), span(2, OLD)))
    assert (len(trace.llm_calls), trace.usage.input) == (2, 200)
