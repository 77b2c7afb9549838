"""What other tools write that says the same thing twice, or in a place where nobody looks first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.reading.samples import CALLED, T0, TRACE, only, otlp, parts, span, trace_of

from agentops_sdk import semconv
from agentops_sdk.errors import TraceError
from agentops_sdk.traces import load


def test_a_price_beside_one_of_zero() -> None:
    trace = trace_of(otlp(span(1, {**CALLED, "gen_ai.usage.cost": 0.0, "cost": 0.02})))
    assert (trace.cost == 0.02, trace.llm_calls[0].attributes[semconv.COST_SOURCE]) == (True, "cost")


def test_input_that_lacks_what_a_cache_had() -> None:
    """More was read from a cache than came in: that figure is without it."""
    usage = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read_input_tokens": 90}
    record = only({"gen_ai.operation.name": "chat", **usage})
    assert record.attributes[semconv.USAGE_INPUT_TOKENS] == 100
    usage["gen_ai.usage.input_tokens"] = 90
    assert only({"gen_ai.operation.name": "chat", **usage}).attributes[semconv.USAGE_INPUT_TOKENS] == 90


def test_spans_of_claude_code() -> None:
    request = {"span.type": "llm_request", "gen_ai.system": "anthropic", "gen_ai.request.model": "claude-opus-5"}
    figures = {"input_tokens": 200, "output_tokens": 50, "cache_read_tokens": 80, "cache_creation_tokens": 20}
    trace = trace_of(otlp(
        span(1, {"span.type": "interaction", "interaction.sequence": 1}, name="claude_code.interaction"),
        span(2, {**request, **figures, "success": True}, 1, name="claude_code.llm_request"),
        span(3, {**request, "success": False, "error": "overloaded"}, 1, name="claude_code.llm_request"),
        span(4, {"span.type": "tool", "tool_name": "Bash"}, 1, name="claude_code.tool"),
        span(5, {"span.type": "tool.execution", "tool_name": "Bash"}, 4, name="claude_code.tool.execution"),
    ))  # fmt: skip
    assert (len(trace.llm_calls), trace.usage.input, trace.usage.output, trace.usage.cache_read) == (2, 300, 50, 80)
    assert [one.attributes[semconv.TOOL_NAME] for one in trace.tool_calls] == ["Bash"]
    assert ([one.attributes[semconv.AGENT_NAME] for one in trace.agents], len(trace.errors)) == (["Claude Code"], 1)


MODELS: dict[str, dict[str, Any]] = {
    "Langtrace": {
        "langtrace.service.type": "llm",
        "llm.model": "gpt-4o",
        "llm.prompts": '[{"role": "user", "content": "a"}]',
        "llm.token.counts": '{"input_tokens": 100, "output_tokens": 20}',
    },
    "Genkit": {
        "genkit:metadata:subtype": "model",
        "genkit:path": "/{chat,t:flow}/{gpt-4o,t:action,s:model}",
        "genkit:input": '{"messages": [{"role": "user", "content": [{"text": "a"}]}]}',
        "genkit:output": '{"usage": {"inputTokens": 100, "outputTokens": 20}}',
    },
    "OpenInference, a decision": {
        "openinference.span.kind": "DECISION",
        "decision.model_name": "gpt-4o",
        "decision.token_count.input": 100,
        "decision.token_count.output": 20,
        "input.value": "a",
    },
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_call_in_every_vocabulary(name: str) -> None:
    trace = trace_of(otlp(span(1, MODELS[name])))
    assert (len(trace.llm_calls), trace.models, trace.usage.input, trace.usage.output) == (1, ["gpt-4o"], 100, 20)
    assert (trace.cost < 0.01, parts(trace.llm_calls[0], semconv.INPUT_MESSAGES)) == (False, [("user", "a")])


def _claude(line: str, parent: str | None, second: int, content: Any, **more: Any) -> dict[str, Any]:
    role = "assistant" if isinstance(content, list) and content[0]["type"] in ("text", "tool_use") else "user"
    message = {"role": role, "content": content, **({"id": line, "model": "claude"} if role == "assistant" else {})}
    return {"type": role, "uuid": line, "parentUuid": parent, "sessionId": "s", "isSidechain": False,
            "timestamp": f"2026-08-06T00:00:{second:02d}Z", "message": message, **more}  # fmt: skip


@pytest.mark.parametrize("named", [True, False])
def test_a_subagent_of_claude_code_runs_in_the_tool_that_started_it(named: bool, tmp_path: Path) -> None:
    """Newer versions name it; of older ones it is known by what it was asked."""
    task = {"type": "tool_use", "id": "t1", "name": "Task", "input": {"subagent_type": "tester", "prompt": "try it"}}
    below = {"isSidechain": True, **({"agentId": "a1"} if named else {})}
    told = {"toolUseResult": {"agentId": "a1"}} if named else {}
    lines = [
        _claude("u1", None, 0, "go"), _claude("a1", "u1", 1, [task]),
        _claude("s1", None, 2, "try it", **below), _claude("s2", "s1", 3, [{"type": "text", "text": "ok"}], **below),
        _claude("u2", "a1", 4, [{"type": "tool_result", "tool_use_id": "t1", "content": "ok"}], **told),
    ]  # fmt: skip
    (trace,) = load([json.dumps(line) for line in lines])
    agent = next(one for one in trace.agents if one.attributes[semconv.AGENT_NAME] == "tester")
    above = trace.parent(agent)
    assert above is not None
    assert above.attributes[semconv.TOOL_NAME] == "Task"
    assert [one.kind for one in trace.children(agent)] == ["llm"]
    for name, of_file in (("a", lines[2:4]), ("b", lines[:2] + lines[4:])):  # as newer versions keep them
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in of_file))
    (trace,) = load(tmp_path)
    assert (len(trace.roots), trace.root.start_ns, len(trace.llm_calls)) == (1, trace.start_ns, 2)
    above = trace.parent(trace.agents[-1])
    assert above is not None
    assert above.kind == ("tool" if named else "agent")  # nothing says which, of older ones


GENERATION = {"id": "g", "traceId": "t", "type": "GENERATION", "model": "gpt-4o", "startTime": "2026-08-06T00:00:00Z",
              "endTime": "2026-08-06T00:00:01Z", "usageDetails": {}}  # fmt: skip


def test_figures_of_langfuse_on_the_observation_itself() -> None:
    figures = {"inputUsage": 100, "outputUsage": 20, "totalUsage": 120, "inputCost": 0.25, "outputCost": 0.5}
    (trace,) = load([json.dumps([{**GENERATION, **figures}])])
    assert (trace.usage.input, trace.usage.output, trace.cost == 0.75) == (100, 20, True)
    (trace,) = load([json.dumps([{**GENERATION, **dict.fromkeys(figures, 0)}])])
    assert (trace.usage.unknown, trace.cost < 0.01) == (1, False)


def test_tools_that_langfuse_has_among_the_messages_are_offered_and_not_called() -> None:
    tool = {
        "type": "function",
        "function": {"name": "lookup", "description": "looks", "parameters": {"type": "object"}},
    }
    asked = [{"role": "user", "content": "hi"}, {"role": "tool", "content": tool}]
    call = {"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": "{}"}}
    answered = {"role": "assistant", "content": "", "additional_kwargs": {"tool_calls": [call]}}
    (trace,) = load([json.dumps([{**GENERATION, "input": asked, "output": answered}])])
    assert '"tool_call"' not in trace.root.attributes[semconv.INPUT_MESSAGES]
    assert [(one.options, one.choices) for one in trace.decisions] == [(("lookup", "answer"), ("lookup",))]


@pytest.mark.parametrize("name", ["log", "message"])
def test_a_line_that_a_container_wrote(name: str) -> None:
    text = json.dumps(otlp(span(1, CALLED)))
    (trace,) = load([json.dumps({name: f"{text}\n", "time": "2026-08-06T00:00:00Z"})])
    assert len(trace.llm_calls) == 1


CHAT = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 100}
IDS = {"trace_id": TRACE, "span_id": f"{1:016x}", "start_timestamp": "2026-08-06T00:00:00Z", "span_name": "chat"}
TYPED = [{"key": "gen_ai.operation.name", "vStr": "chat"},
         {"key": "gen_ai.usage.input_tokens", "vType": "INT64", "vInt64": "100"}]  # fmt: skip
FORMS: dict[str, list[Any]] = {
    "Logfire, columns": [
        {"columns": [{"name": key, "values": [value]} for key, value in {**IDS, "attributes": CHAT}.items()]}
    ],
    "Jaeger's own interface": [{"spans": [{"traceId": TRACE, "spanId": IDS["span_id"], "operationName": "chat",
                                           "startTime": "2026-08-06T00:00:00Z", "tags": TYPED}]}],
    "Codex, the last figures alone": [
        {"timestamp": "2026-08-06T00:00:00Z", "type": "session_meta", "payload": {"id": "s"}},
        {"timestamp": "2026-08-06T00:00:01Z", "type": "event_msg", "payload": {
            "type": "token_count", "info": {"last_token_usage": {"input_tokens": 100, "output_tokens": 20}}}},
    ],
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_rarer_forms(form: str) -> None:
    (trace,) = load([json.dumps(document) for document in FORMS[form]])
    assert (len(trace.llm_calls), trace.usage.input) == (1, 100)


OTHERS: dict[str, dict[str, Any]] = {
    "Datadog": {"data": [{"type": "span", "attributes": {"ml_app": "a", "span_id": "1", "start_ns": T0}}]},
    "Opik": {"content": [{"id": "1", "project_id": "p", "trace_id": "2", "type": "llm", "name": "x"}], "total": 1},
    "Weave": {"id": "1", "op_name": "weave:///a/b/op/x:1", "trace_id": "2", "started_at": "2026-08-06T00:00:00Z"},
    "Sentry": {"type": "transaction", "contexts": {"trace": {"trace_id": TRACE}}, "spans": []},
    "Helicone": {"request_id": "1", "request_created_at": "2026-08-06T00:00:00Z", "request_body": {}},
    "older Codex": {"record_type": "state"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_something_else_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(OTHERS[name]))
    with pytest.raises(TraceError, match=name):
        load(tmp_path / "x.json")


def test_an_agent_is_called_by_its_node() -> None:
    """OpenInference's CrewAI and OpenAI Agents name it nowhere else."""
    record = only({"openinference.span.kind": "AGENT", "graph.node.id": "Researcher"}, name="Researcher._execute_core")
    assert record.attributes[semconv.AGENT_NAME] == "Researcher"


UNTOLD = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "input.value": "hi"}
NOTHING: list[dict[str, Any]] = [
    {
        "openinference.span.kind": "AGENT",
        "llm.cost.total": 0.0,
        "llm.token_count.prompt": 0,
        "llm.token_count.completion": 0,
    },
    {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.cost": 0, "gen_ai.usage.input_tokens": 0},
    {"traceloop.span.kind": "tool", "llm.usage.total_cost": 0, "gen_ai.usage.completion_tokens": 0},
]


@pytest.mark.parametrize("around", NOTHING)
def test_a_sum_of_nothing_does_not_stand_for_what_is_unknown(around: dict[str, Any]) -> None:
    trace = trace_of(otlp(span(1, around), span(2, UNTOLD, 1)))
    assert (trace.usage.unknown, trace.cost < 0.01, trace.cost.text()) == (1, False, "unknown")


def test_what_langfuse_and_langsmith_sum_up_to_nothing() -> None:
    nothing: dict[str, Any] = {"parentObservationId": None, "type": "AGENT", "model": None, "totalCost": 0}
    inner = {**GENERATION, "parentObservationId": "a", "usageDetails": {"input": 1}, "totalCost": 0}
    (trace,) = load([json.dumps([{**GENERATION, **nothing, "id": "a"}, inner])])
    assert (trace.usage.input, trace.cost < 0.01) == (1, False)
    run = {"id": "r", "run_type": "llm", "name": "chat", "start_time": "2026-08-06T00:00:00Z", "parent_run_id": "c",
           "end_time": "2026-08-06T00:00:01Z", "trace_id": "c", "prompt_tokens": 1, "total_cost": None}  # fmt: skip
    (trace,) = load(
        [json.dumps(run), json.dumps({**run, "id": "c", "parent_run_id": None, "run_type": "chain", "total_cost": 0})]
    )
    assert (len(trace.llm_calls), trace.usage.input, trace.cost < 0.01) == (1, 1, False)
