"""Files of other recorders load: fixtures that the real tools made, and samples of those that cannot run here."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from tests.reading.samples import FIXTURES, T0, TRACE, otlp, parts, span, trace_of
from tests.reading.test_vocabularies import OPENINFERENCE

from agentops_sdk import semconv
from agentops_sdk.cli import main
from agentops_sdk.errors import TraceError
from agentops_sdk.traces import Cost, Trace, load
from agentops_sdk.traces.otlp import to_otlp

OTHER_PROGRAMS: dict[str, tuple[list[str], tuple[int, int], list[str], list[str], str]] = {
    # its kinds, tokens in and out, what failed, what models chose, and what it cost
    "braintrust.jsonl": (["llm", "llm", "llm", "task", "tool"], (200, 40), [], ["get_weather", "answer"], "unknown"),
    "claude_code.jsonl": (["agent", "llm", "llm", "tool"], (200, 40), ["execute_tool Read"], ["Read"], "$0.000714"),
    "codex.jsonl": (
        ["agent", "llm", "llm", "tool"], (200, 40), ["execute_tool exec_command"], ["exec_command"], "unknown"),
    "vercel_ai.json": (
        ["agent", "agent", "embedding", "llm", "llm", "llm", "task", "tool"], (207, 40),
        ["ai.generateText", "ai.generateText.doGenerate"], ["get_weather", "answer"], "unknown"),
    "phoenix_otlp.json": (
        ["agent", "embedding", "llm", "llm", "llm", "tool"], (207, 40), ["ChatCompletion"],
        ["get_weather", "answer"], "unknown"),
    "strands.jsonl": (["agent", "llm", "llm", "span", "span", "tool"], (200, 40), [], ["get_weather"], "unknown"),
    "logfire_stream.jsonl": (
        ["embedding", "llm", "llm", "llm", "span", "task"], (207, 40),
        ["Chat Completion with {request_data[model]!r}"], ["get_weather", "answer"], "$0.0000541"),
    "otel_logs.jsonl": (
        ["agent", "embedding", "llm", "llm", "llm", "tool"], (207, 40), ["chat gpt-nope"], ["get_weather"], "unknown"),
    "pipecat.jsonl": (["llm", "llm", "span", "span"], (200, 40), [], ["answer"], "unknown"),
    "livekit.jsonl": (
        ["agent", "agent", *["llm"] * 6, *["span"] * 7, "tool", "workflow"], (200, 40), [],
        ["get_weather", "answer"], "unknown"),
    "openllmetry_old.jsonl": (
        ["embedding", "llm", "llm", "tool", "workflow"], (207, 40), [], ["get_weather", "answer"], "unknown"),
}  # fmt: skip
"""Fixtures of programs of their own."""
_WITH_ARGUMENTS = ("braintrust.jsonl", "claude_code.jsonl", "codex.jsonl", "vercel_ai.json", "strands.jsonl")
FILES = sorted(path.name for path in FIXTURES.iterdir() if path.suffix != ".md" and path.name not in OTHER_PROGRAMS)
CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20}  # fmt: skip
DOCUMENT = otlp(span(1, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}), span(2, CALL, 1),
                span(3, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "x"}, 1))  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_what_the_real_tools_wrote(name: str) -> None:
    (trace,) = load(FIXTURES / name)
    agents_sdk = name == "openai_agents.json"  # it told neither the model nor the messages
    assert (trace.usage.input, trace.usage.output) == (200, 40)
    assert (len(trace.llm_calls), len(trace.errors)) == ((2, 0) if agents_sdk else (3, 1))
    assert (len(trace.roots), trace.orphans) == (1, [])
    assert not trace.cost < 0.01
    if name != "logfire.jsonl":  # where a function of one's own is a plain span
        (tool,) = trace.tool_calls
        assert tool.attributes[semconv.TOOL_NAME] == "get_weather"
    if not agents_sdk:
        first = trace.llm_calls[0]
        assert parts(first, semconv.INPUT_MESSAGES)[:2] == [
            ("system", "Be brief."),
            ("user", "How is the weather in Paris?"),
        ]
        assert '"get_weather"' in first.attributes[semconv.OUTPUT_MESSAGES]
        assert trace.models[0].startswith("gpt-4o-mini")
    if name in ("langfuse.jsonl", "langsmith.jsonl", "mlflow.json", "openai_agents.json", "openinference.jsonl"):
        assert trace.session_id == "session-1"


@pytest.mark.parametrize("name", [*FILES, *OTHER_PROGRAMS])
def test_every_face_shows_what_the_real_tools_wrote(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Tokens once, by model as in all and on both sides of a comparison; what nobody can price is not free."""
    file = str(FIXTURES / name)
    expected = OTHER_PROGRAMS[name][1] if name in OTHER_PROGRAMS else (200, 40)

    def told(*command: str) -> str:
        assert main([*command]) == 0
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return str(out)

    assert "error" in told("show", "--dir", file) or not load(file).latest.errors
    rows = json.loads(told("stats", "--json", "--dir", file))["rows"]
    assert tuple(sum(row["usage"][side] for row in rows) for side in ("input", "output")) == expected
    for row in rows:
        assert row["cost"]["amount"] != 0 or row["usage"]["input"] == 0, row["key"]
    for agent in map(json.loads, told("agents", "--json", "--dir", file).splitlines()):
        assert agent["usage"]["input"] <= expected[0]
        assert agent["cost"]["amount"] != 0 or agent["usage"]["input"] == 0, agent["name"]
    decisions = list(map(json.loads, told("decisions", "--json", "--dir", file).splitlines()))
    assert len(decisions) == len(load(file).latest.decisions)
    figures = {row["name"]: row for row in json.loads(told("compare", file, file, "--json"))["figures"]}
    assert all(row["a"] == row["b"] for row in figures.values())
    assert figures["cost"]["a"] != 0


@pytest.mark.parametrize("name", OTHER_PROGRAMS)
def test_what_the_real_tools_wrote_of_other_programs(name: str) -> None:
    kinds, tokens, failed, chosen, cost = OTHER_PROGRAMS[name]
    traces = load(FIXTURES / name)
    spans = [one for trace in traces for one in trace.spans]
    assert sorted(one.kind for one in spans) == kinds
    usage = [trace.usage for trace in traces]
    assert (sum(one.input for one in usage), sum(one.output for one in usage)) == tokens
    assert sorted(one.name for trace in traces for one in trace.errors) == failed
    decisions = [one for trace in traces for one in trace.decisions if one.kind == "tool"]
    assert [choice for one in decisions for choice in one.choices] == chosen
    assert Cost.sum(trace.cost for trace in traces).text() == cost
    assert (traces.foreign, traces.torn, [one.name for trace in traces for one in trace.orphans]) == (0, 0, [])
    for tool in (one for one in spans if one.kind == "tool" and name in _WITH_ARGUMENTS):
        assert all(tool.attributes[told] for told in (semconv.TOOL_CALL_ARGUMENTS, semconv.TOOL_CALL_RESULT))
    followed = [(one.choices, len(one.followed_by)) for one in decisions if one.choices != ("answer",)]
    assert all(count == 1 for _, count in followed) or name == "logfire_stream.jsonl"  # whose tool is a plain function
    asked = [one for one in spans if one.kind == "llm" and semconv.USAGE_INPUT_TOKENS in one.attributes]
    assert all(semconv.INPUT_MESSAGES in one.attributes for one in asked)
    replies = [semconv.OUTPUT_MESSAGES in one.attributes for one in asked]
    assert all(replies) or (name, replies) == ("pipecat.jsonl", [False, True])  # which tells no calls of tools


@pytest.mark.parametrize("name", ["openinference.jsonl", "openllmetry.jsonl", "langsmith.jsonl"])
def test_what_a_model_chose_is_a_decision(name: str) -> None:
    (trace,) = load(FIXTURES / name)
    chosen = [(decision.chosen, decision.by, [one.name for one in decision.followed_by]) for decision in trace.decisions
              if decision.kind == "tool"]  # fmt: skip
    assert [(what, by) for what, by, _ in chosen] == [("get_weather", "model"), ("answer", "model")]
    assert len(chosen[0][2]) == 1


def _base64(document: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(document)
    for number in (1, 2, 3):
        one = f"{number:016x}"
        text = text.replace(f'"{one}"', f'"{base64.b64encode(bytes.fromhex(one)).decode()}"')
    return dict(json.loads(text.replace(TRACE, base64.b64encode(bytes.fromhex(TRACE)).decode())))


def _snake(document: Any) -> Any:
    names = {"resourceSpans": "resource_spans", "scopeSpans": "scope_spans", "traceId": "trace_id", "spanId": "span_id",
             "parentSpanId": "parent_span_id", "startTimeUnixNano": "start_time_unix_nano",
             "stringValue": "string_value",
             "endTimeUnixNano": "end_time_unix_nano", "intValue": "int_value"}  # fmt: skip
    if isinstance(document, dict):
        return {names.get(key, key): _snake(value) for key, value in document.items()}
    return [_snake(item) for item in document] if isinstance(document, list) else document


def _old(document: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(document).replace('"scopeSpans"', '"instrumentationLibrarySpans"')
    return dict(json.loads(text.replace('"scope"', '"instrumentationLibrary"')))


GROUPS = DOCUMENT["resourceSpans"]
FORMS = {
    "one line": json.dumps(DOCUMENT) + "\n",
    "pretty": json.dumps(DOCUMENT, indent=2),
    "tabs": json.dumps(DOCUMENT, indent="\t"),
    "array": json.dumps([DOCUMENT]),
    "pretty array": json.dumps([DOCUMENT], indent=1),
    "groups": json.dumps(GROUPS),
    "batches": json.dumps({"batches": GROUPS}),
    "Tempo": json.dumps({"batches": _base64(DOCUMENT)["resourceSpans"]}),
    "Tempo, version 2": json.dumps({"trace": _base64(DOCUMENT), "metrics": {}}),
    "Jaeger, version 3": json.dumps({"result": DOCUMENT}),
    "snake case": json.dumps(_snake(DOCUMENT)),
    "older": json.dumps(_old(DOCUMENT)) + "\n",
    "older, in batches": json.dumps({"batches": _base64(_old(DOCUMENT))["resourceSpans"]}, indent=2),
    "base64": json.dumps(_base64(DOCUMENT)),
    "capitals": json.dumps(DOCUMENT).replace(TRACE, TRACE.upper()),
    "behind a log": "starting\n" + json.dumps(DOCUMENT, indent=2) + "\ndone\n",
    "byte order mark": "\ufeff" + json.dumps(DOCUMENT, indent=2),
    "one span each": "".join(json.dumps(otlp(one), indent=1) + "\n" for one in GROUPS[0]["scopeSpans"][0]["spans"]),
    "one span each, a damaged one between": "".join(
        json.dumps(otlp(one), indent=1) + '\n{\n "resourceSpans": [\n' for one in GROUPS[0]["scopeSpans"][0]["spans"]),
}  # fmt: skip


def right(trace: Trace) -> None:
    assert [(one.kind, one.parent_id is None) for one in trace.spans] == [
        ("agent", True),
        ("llm", False),
        ("tool", False),
    ]
    assert (trace.trace_id, trace.usage.input, trace.roots[0].span_id) == (TRACE, 100, f"{1:016x}")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_otlp(form: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text(FORMS[form], encoding="utf-8")
    for source in (path, tmp_path):
        (trace,) = load(source)
        right(trace)


@pytest.mark.parametrize("name", ["t.json.gz", "t.jsonl.gz", "t.json", "t"])
def test_packed_whatever_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(json.dumps(DOCUMENT, indent=2).encode()))
    (trace,) = load(path)
    right(trace)


@pytest.mark.parametrize("framed", [False, True])
def test_protobuf(framed: bool, tmp_path: Path) -> None:
    message = to_otlp(trace_of(DOCUMENT).spans).SerializeToString()
    path = tmp_path / "traces.pb"
    path.write_bytes(len(message).to_bytes(4, "big") + message if framed else message)
    for source in (path, tmp_path):
        (trace,) = load(source)
        right(trace)


def test_a_bad_id_costs_no_neighbour(tmp_path: Path) -> None:
    spans = GROUPS[0]["scopeSpans"][0]["spans"]
    bad = [{**spans[2], "spanId": "tool-1"}, {**spans[2], "traceId": "zz"}, {**spans[2], "spanId": ""}]
    for form in (otlp(*spans, *bad), _old(otlp(*spans, *bad))):
        traces = load([json.dumps(form)])
        right(traces.latest)
        assert traces.foreign > 0
    parent = otlp({**spans[1], "parentSpanId": "agent-1"})
    assert [one.outcome for one in trace_of(parent).orphans] == ["ok"]


ISO = "2026-08-06T00:00:0{}Z"
PEOPLES: dict[str, Any] = {
    "Jaeger": {"data": [{"traceID": TRACE, "processes": {"p1": {"serviceName": "demo", "tags": []}}, "spans": [
        {"traceID": TRACE, "spanID": f"{number:x}", "operationName": name, "startTime": T0 // 1_000 + number,
         "duration": 5, "processID": "p1", "logs": [], "tags": [
             {"key": key, "type": "int64" if isinstance(value, int) else "string", "value": value}
             for key, value in tags.items()],
         "references": [{"refType": "CHILD_OF", "traceID": TRACE, "spanID": "1"}] if number > 1 else []}
        for number, name, tags in ((1, "a", {"openinference.span.kind": "AGENT"}), (2, "chat", CALL),
                                   (3, "x", {"openinference.span.kind": "TOOL", "otel.status_code": "ERROR"}))]}]},
    "Zipkin": [
        {"traceId": TRACE, "id": f"{number:016x}", "name": name, "timestamp": T0 // 1_000 + number, "duration": 5,
         "localEndpoint": {"serviceName": "demo"}, "tags": {key: str(value) for key, value in tags.items()},
         **({"parentId": f"{1:016x}"} if number > 1 else {})}
        for number, name, tags in ((1, "a", {"openinference.span.kind": "AGENT"}), (2, "chat", CALL),
                                   (3, "x", {"openinference.span.kind": "TOOL", "error": "no"}))],
    "Phoenix": {"data": [
        {"name": name, "context": {"trace_id": TRACE, "span_id": f"{number:016x}"}, "span_kind": kind,
         "parent_id": f"{1:016x}" if number > 1 else None, "start_time": ISO.format(number), "end_time": ISO.format(5),
         "status_code": "ERROR" if kind == "TOOL" else "OK", "events": [], "attributes": attributes}
        for number, name, kind, attributes in ((1, "a", "AGENT", {}), (2, "chat", "LLM", OPENINFERENCE),
                                               (3, "x", "TOOL", {}))], "next_cursor": None},
    "Langfuse": {"id": TRACE, "name": "a", "sessionId": "s", "userId": "u", "timestamp": ISO.format(0),
                 "observations": [
        {"id": f"{number:016x}", "traceId": TRACE, "type": kind, "name": name, "startTime": ISO.format(number),
         "endTime": ISO.format(5), "parentObservationId": f"{1:016x}" if number > 1 else None,
         "level": "ERROR" if kind == "TOOL" else "DEFAULT", "model": model, "usageDetails": usage,
         "calculatedTotalCost": 0}
        for number, name, kind, model, usage in (
            (1, "a", "AGENT", None, {}),
            (2, "chat", "GENERATION", "gpt-4o", {"input": 100, "output": 20, "total": 120}),
            (3, "x", "TOOL", None, {}))]},
    "LangSmith": [
        {"id": f"00000000-0000-0000-0000-00000000000{number}", "trace_id": TRACE, "run_type": kind, "name": name,
         "parent_run_id": "00000000-0000-0000-0000-000000000001" if number > 1 else None,
         "start_time": ISO.format(number)[:-1], "end_time": ISO.format(5)[:-1],
         "prompt_tokens": None if kind == "tool" else 100,
         "completion_tokens": None if kind == "tool" else 20, "error": "no" if kind == "tool" else None,
         "extra": {"metadata": {"ls_model_name": "gpt-4o", "thread_id": "s"}}}
        for number, name, kind in ((1, "a", "chain"), (2, "chat", "llm"), (3, "x", "tool"))],
    "rows": [
        {"trace_id": TRACE, "span_id": f"{number:016x}", "parent_span_id": f"{1:016x}" if number > 1 else None,
         "span_name": name, "start_timestamp": ISO.format(number), "end_timestamp": ISO.format(5),
         "otel_status_code": "ERROR" if name == "x" else None, "attributes": attributes}
        for number, name, attributes in ((1, "a", {"openinference.span.kind": "AGENT"}), (2, "chat", CALL),
                                         (3, "x", {"openinference.span.kind": "TOOL"}))],
}  # fmt: skip

_TABLE = [
    {"context.span_id": one["context"]["span_id"], "context.trace_id": TRACE,
     **{name: one[name] for name in ("name", "span_kind", "parent_id", "start_time", "end_time", "status_code")},
     **{f"attributes.{name}": one["attributes"].get(name) for name in OPENINFERENCE}}
    for one in PEOPLES["Phoenix"]["data"]
]  # fmt: skip
"""As ``get_spans_dataframe()`` has it; ``to_json(orient=...)`` writes it in one of these."""
PEOPLES["Phoenix, index"] = {one["context.span_id"]: one for one in _TABLE}
PEOPLES["Phoenix, split"] = {"columns": list(_TABLE[0]), "index": [one["context.span_id"] for one in _TABLE],
                             "data": [list(one.values()) for one in _TABLE]}  # fmt: skip


@pytest.mark.parametrize("name", PEOPLES)
@pytest.mark.parametrize("layout", ["document", "pretty", "lines"])
def test_samples_of_services(name: str, layout: str, tmp_path: Path) -> None:
    document = PEOPLES[name]
    text = json.dumps(document, indent=2 if layout == "pretty" else None)
    if layout == "lines" and isinstance(document, list):
        text = "".join(json.dumps(item) + "\n" for item in document)
    path = tmp_path / "export.json"
    path.write_text(text)
    (trace,) = load(path)
    assert [one.kind for one in trace.spans] == ["task" if name == "LangSmith" else "agent", "llm", "tool"]
    assert (trace.usage.input, trace.usage.output, trace.models) == (100, 20, ["gpt-4o"])
    assert [one.name for one in trace.errors] == ["x"]
    assert (len(trace.roots), trace.orphans) == (1, [])
    assert not trace.cost < 0.01
    if name in ("Langfuse", "LangSmith"):
        assert trace.session_id == "s"


CLAUDE = [
    {"type": "user", "message": {"role": "user", "content": "hi"}},
    {"type": "assistant", "message": {"id": "m1", "role": "assistant", "model": "claude-x", "content": [
        {"type": "text", "text": "I look."}], "usage": {"input_tokens": 10, "cache_read_input_tokens": 90,
                                                         "output_tokens": 20}}},
    {"type": "assistant", "message": {"id": "m1", "role": "assistant", "model": "claude-x", "content": [
        {"type": "tool_use", "id": "t1", "name": "Read", "input": {"path": "a"}}],
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 20}}},
    {"type": "user", "message": {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "t1", "content": "no such file", "is_error": True}]}},
    {"type": "assistant", "message": {"id": "m2", "role": "assistant", "model": "claude-x", "content": [
        {"type": "text", "text": "There is none."}], "usage": {"input_tokens": 5, "output_tokens": 3}}},
]  # fmt: skip


def test_a_session_of_claude_code(tmp_path: Path) -> None:
    path = tmp_path / "s1.jsonl"
    lines = [{**line, "uuid": f"u{number}", "sessionId": "s1", "timestamp": ISO.format(number)}
             for number, line in enumerate(CLAUDE)]  # fmt: skip
    path.write_text(
        "".join(json.dumps(line) + "\n" for line in [{"type": "summary", "summary": "x", "leafUuid": "u"}, *lines])
    )
    (trace,) = load(path)
    assert sorted(one.kind for one in trace.spans) == ["agent", "llm", "llm", "tool"]
    assert (trace.usage.input, trace.usage.output, trace.usage.cache_read) == (105, 23, 90)
    assert (trace.session_id, [one.name for one in trace.errors]) == ("s1", ["execute_tool Read"])
    assert parts(trace.llm_calls[1], semconv.INPUT_MESSAGES)[-1] == ("tool", "no such file")


_STOPPED = {"type": "user", "message": {"role": "user", "content": [
    {"type": "text", "text": "[Request interrupted by user for tool use]"}]}}  # fmt: skip
_REFUSED = {"type": "user", "toolUseResult": "User rejected tool use", "message": {"role": "user", "content": [
    {"type": "tool_result", "tool_use_id": "t1", "content": "No.", "is_error": True}]}}  # fmt: skip
_TYPED = {"type": "user", "message": {"role": "user", "content": "<command-name>/exit</command-name>"}}


@pytest.mark.parametrize(
    ("lines", "run", "tool"),
    [
        ([*CLAUDE, _TYPED], "ok", "error"), (CLAUDE[:4], "unfinished", "error"),
        (CLAUDE[:3], "unfinished", "unfinished"),
        ([*CLAUDE[:3], _REFUSED, _STOPPED, _TYPED], "cancelled", "cancelled"),
        ([*CLAUDE[:3], _REFUSED, _STOPPED, _TYPED, CLAUDE[4]], "ok", "cancelled"),
        ([*CLAUDE[:3], {**_REFUSED, "toolUseResult": {"interrupted": True}}, CLAUDE[4]], "ok", "cancelled"),
    ],
)  # fmt: skip
def test_how_a_session_of_claude_code_ended(lines: list[Any], run: str, tool: str) -> None:
    (trace,) = load(
        json.dumps({**line, "uuid": f"u{number}", "sessionId": "s1", "timestamp": ISO.format(number)})
        for number, line in enumerate(lines)
    )
    assert (trace.outcome, [one.outcome for one in trace.tool_calls]) == (run, [tool])


_BEGUN, _CALLED = (
    {"type": "task_started"},
    {"type": "function_call", "call_id": "c1", "name": "shell", "arguments": "{}"},
)
_ABORTED = {"type": "turn_aborted", "reason": "interrupted"}


@pytest.mark.parametrize(
    ("events", "run", "tool"),
    [
        ([_BEGUN, _CALLED], "unfinished", "unfinished"), ([_BEGUN, _CALLED, _ABORTED], "cancelled", "cancelled"),
        ([_CALLED, _ABORTED], "cancelled", "cancelled"), ([_CALLED], "ok", "unfinished"),
        ([_BEGUN, _CALLED, _ABORTED, _BEGUN, {"type": "task_complete"}], "ok", "cancelled"),
    ],
)  # fmt: skip
def test_how_a_session_of_codex_ended(events: list[Any], run: str, tool: str) -> None:
    lines = [("session_meta", {"id": "s2"}), *(
        ("response_item" if event is _CALLED else "event_msg", event) for event in events)]  # fmt: skip
    (trace,) = load(
        json.dumps({"timestamp": ISO.format(number), "type": kind, "payload": payload})
        for number, (kind, payload) in enumerate(lines)
    )
    assert (trace.outcome, [one.outcome for one in trace.tool_calls]) == (run, [tool])


def test_a_session_of_codex(tmp_path: Path) -> None:
    usage = {"input_tokens": 100, "cached_input_tokens": 40, "output_tokens": 20, "reasoning_output_tokens": 5}
    told = {"type": "token_count", "info": {"last_token_usage": usage, "total_token_usage": usage}}
    lines = [
        ("session_meta", {"id": "s2", "cli_version": "1"}), ("turn_context", {"model": "gpt-x"}),
        ("response_item", {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}),
        ("response_item", {"type": "function_call", "call_id": "c1", "name": "shell", "arguments": "{}"}),
        ("event_msg", told), ("event_msg", told),
        ("response_item", {"type": "function_call_output", "call_id": "c1",
                           "output": '{"output": "no", "metadata": {"exit_code": 1}}'}),
        ("response_item", {"type": "message", "role": "assistant",
                           "content": [{"type": "output_text", "text": "bye"}]}),
    ]  # fmt: skip
    path = tmp_path / "rollout.jsonl"
    path.write_text("".join(
        json.dumps({"timestamp": ISO.format(number), "type": kind, "payload": payload}) + "\n"
        for number, (kind, payload) in enumerate(lines)))  # fmt: skip
    (trace,) = load(path)
    assert sorted(one.kind for one in trace.spans) == ["agent", "llm", "llm", "tool"]
    assert (trace.usage.input, trace.usage.output, trace.usage.unknown) == (100, 20, 1)
    assert (trace.models, [one.name for one in trace.errors]) == (["gpt-x"], ["execute_tool shell"])
    assert parts(trace.llm_calls[1], semconv.OUTPUT_MESSAGES) == [("assistant", "bye")]


_GEMINI = {"sessionId": "s3", "projectHash": "02", "startTime": ISO.format(0), "lastUpdated": ISO.format(0)}
_ASKS = {"id": "u1", "timestamp": ISO.format(0), "type": "user", "content": [{"text": "hi"}]}
_LOOKS = {"id": "g1", "timestamp": ISO.format(2), "type": "gemini", "content": "", "model": "gemini-2.5-pro",
          "thoughts": [{"subject": "A file", "description": "Which?", "timestamp": ISO.format(1)}],
          "tokens": {"input": 100, "output": 15, "cached": 40, "thoughts": 5, "tool": 0, "total": 120}}  # fmt: skip
_READS = {"id": "t1", "name": "read_file", "args": {"path": "a"}, "status": "error", "timestamp": ISO.format(3),
          "result": [{"functionResponse": {"id": "t1", "response": {"error": "no such file"}}}]}  # fmt: skip
_SAYS = {**_LOOKS, "id": "g2", "timestamp": ISO.format(5), "content": "There is none.", "thoughts": [], "tokens": None}
_FAILS = {"id": "e1", "timestamp": ISO.format(6), "type": "error", "content": "quota"}


@pytest.mark.parametrize("whole", [True, False])
def test_a_session_of_gemini_cli(whole: bool, tmp_path: Path) -> None:
    called = {**_LOOKS, "toolCalls": [_READS]}
    update = {"$set": {"lastUpdated": ISO.format(5)}}
    lines = [_GEMINI, _ASKS, _LOOKS, update, called, _SAYS, {"$rewindTo": "g2"}]
    path = tmp_path / ("session.json" if whole else "session.jsonl")
    path.write_text(
        json.dumps({**_GEMINI, "messages": [_ASKS, called, _SAYS]}, indent=2) if whole
        else "".join(json.dumps(line) + "\n" for line in lines)
    )  # fmt: skip
    traces = load(path)
    (trace,) = traces
    assert (traces.foreign, sorted(one.kind for one in trace.spans)) == (0, ["agent", "llm", "llm", "tool"])
    usage = trace.usage
    assert (usage.input, usage.output, usage.cache_read, usage.unknown) == (100, 20, 40, 1)
    assert (trace.outcome, [one.name for one in trace.errors]) == ("ok", ["execute_tool read_file"])
    assert (trace.models, trace.session_id, trace.duration) == (["gemini-2.5-pro"], "s3", 5.0)
    assert parts(trace.llm_calls[1], semconv.INPUT_MESSAGES)[-1] == ("tool", "no such file")


@pytest.mark.parametrize(
    ("status", "after", "outcome"),
    [("executing", [], "unfinished"), ("cancelled", [], "cancelled"), ("cancelled", [_SAYS], "ok"),
     ("success", [_FAILS], "error"), ("success", [_FAILS, _SAYS], "ok")],
)  # fmt: skip
def test_how_a_session_of_gemini_cli_ended(status: str, after: list[Any], outcome: str) -> None:
    messages = [_ASKS, {**_LOOKS, "toolCalls": [{**_READS, "status": status}]}, *after]
    (trace,) = load([json.dumps({**_GEMINI, "messages": messages})])
    assert trace.outcome == outcome
    assert trace.tool_calls[0].outcome == {"executing": "unfinished", "success": "ok"}.get(status, status)


NAMED = {
    '{"resourceLogs": []}': "log records", '{"resourceMetrics": [{}]}': "metrics", "PAR1xxxx": "Parquet",
    "SQLite format 3\0": "SQLite", "PK\x03\x04": "zip", '{"traceEvents": []}': "Chrome trace",
    '{"traces": [{"traceID": "1", "rootTraceName": "x"}]}': "Tempo's search", "id,name,input\n1,2,3\n": "table",
    '{"level": "info", "msg": "x"}': "log",
}  # fmt: skip


@pytest.mark.parametrize("text", NAMED)
def test_another_file_is_named(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(TraceError, match=NAMED[text]):
        load(path)
    (tmp_path / "good.jsonl").write_text(json.dumps(DOCUMENT))
    assert main(["ls", "--dir", str(tmp_path)]) == int(text.startswith("PAR1"))  # that one is damaged
    assert NAMED[text] in capsys.readouterr().err


def test_bytes_of_metrics_are_named(tmp_path: Path) -> None:
    metric = {"name": "n", "sum": {"dataPoints": [{"asInt": "1"}]}}
    document = {"resourceMetrics": [{"resource": {}, "scopeMetrics": [{"metrics": [metric]}]}]}
    (tmp_path / "m.pb").write_bytes(ParseDict(document, MetricsData()).SerializeToString())
    with pytest.raises(TraceError, match="metrics"):
        load(tmp_path / "m.pb")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("as_bytes", [True, False])
def test_messages_in_logs(before: bool, as_bytes: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def log(name: str, body: Any) -> dict[str, Any]:
        return {"eventName": name, "traceId": TRACE, "spanId": f"{2:016x}", "observedTimeUnixNano": str(T0),
                "body": body}  # fmt: skip

    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [
        log("gen_ai.user.message", {"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": "hi"}}]}}),
        log("gen_ai.choice", {"kvlistValue": {"values": [{"key": "message", "value": {"kvlistValue": {"values": [
            {"key": "content", "value": {"stringValue": "bye"}}]}}}]}}),
    ]}]}]}  # fmt: skip
    file = tmp_path / ("a.json" if before else "c.json")
    file.write_bytes(
        ParseDict(_base64(logs), LogsData()).SerializeToString() if as_bytes else json.dumps(logs).encode()
    )
    with pytest.raises(TraceError, match="put the spans into the same folder"):
        load(file)
    (tmp_path / "b.json").write_text(json.dumps(DOCUMENT))
    assert main(["ls", "--dir", str(tmp_path)]) == 0
    assert not capsys.readouterr().err
    (trace,) = load(tmp_path)
    (call,) = trace.llm_calls
    assert parts(call, semconv.INPUT_MESSAGES) == [("user", "hi")]
    assert parts(call, semconv.OUTPUT_MESSAGES) == [("assistant", "bye")]


@pytest.mark.parametrize(
    "name",
    [
        "Braintrust",
        *(name for name in PEOPLES if name != "Phoenix, index"),
        "OpenAI Agents SDK",
        "Langfuse, ingested",
        "LangSmith, ingested",
        "runs",
    ],
)
def test_what_is_no_span_costs_no_neighbour(name: str) -> None:
    agents = [{"object": "trace.span", "id": f"span_{number:024x}", "trace_id": f"trace_{TRACE}", "error": None,
               "parent_id": None, "started_at": ISO.format(1), "ended_at": ISO.format(2),
               "span_data": {"type": "generation", "model": "gpt-4o"}} for number in (1, 2)]  # fmt: skip
    batch = [{"id": one["id"], "type": f"{one['type'].lower()}-create", "timestamp": ISO.format(1), "body": one}
             for one in PEOPLES["Langfuse"]["observations"]]  # fmt: skip
    runs = PEOPLES["LangSmith"]
    others = {"OpenAI Agents SDK": {"data": agents}, "Langfuse, ingested": {"batch": batch},
              "LangSmith, ingested": {"post": runs, "patch": []},
              "Braintrust": json.loads((FIXTURES / "braintrust.jsonl").read_text().splitlines()[1]),
              "runs": {**runs[0], "child_runs": runs[1:]}}  # fmt: skip
    document = json.loads(json.dumps(others.get(name) or PEOPLES[name]))
    lists = ("observations", "data", "batch", "post", "child_runs", "rows")
    items = document if isinstance(document, list) else next(document[one] for one in lists if one in document)
    items = items[0]["spans"] if name == "Jaeger" else items
    spans = sum(len(trace.spans) for trace in load([json.dumps(document)]))
    items[:] = [None, {}, items[0], 5, *items[1:], "x"]
    traces = load([json.dumps(document)])
    assert sum(len(trace.spans) for trace in traces) == spans > 1
    assert traces.foreign > 0


def test_a_damaged_tag_costs_no_span() -> None:
    document = json.loads(json.dumps(PEOPLES["Jaeger"]))
    document["data"][0]["spans"][0]["tags"] += [{"key": "n", "type": "int64", "value": "x"}, {"value": 1}]
    assert len(load([json.dumps(document)])[0].spans) == 3


def test_what_never_ended_in_zipkin_took_no_time_that_is_known() -> None:
    without = [{name: value for name, value in one.items() if name != "duration"} for one in PEOPLES["Zipkin"]]
    assert [one.outcome for one in load([json.dumps(without)])[0].spans] == ["unfinished", "unfinished", "error"]


@pytest.mark.parametrize("name", ["Langfuse", "LangSmith", "Claude Code", "Phoenix", "Jaeger"])
@pytest.mark.parametrize("odd", [None, [], {}, "", 3, {"a": None}], ids=str)
def test_an_odd_id_costs_no_neighbour(name: str, odd: Any) -> None:
    ids = {"Langfuse": "id", "LangSmith": "id", "Claude Code": "sessionId", "Phoenix": "context", "Jaeger": "spanID"}
    claude = [{**line, "uuid": f"u{number}", "sessionId": "s1", "timestamp": ISO.format(number)}
              for number, line in enumerate(CLAUDE)]  # fmt: skip
    document = json.loads(json.dumps(claude if name == "Claude Code" else PEOPLES[name]))
    items = document if isinstance(document, list) else document.get("observations", document.get("data"))
    items = items[0]["spans"] if name == "Jaeger" else items
    items[2 if name != "Claude Code" else 0][ids[name]] = odd
    traces = load([json.dumps(document)] if name != "Claude Code" else [json.dumps(line) for line in document])
    assert max(len(trace.llm_calls) for trace in traces) >= 1


def test_embeddings_alone_have_no_output_that_nobody_knows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    call = {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e", "gen_ai.usage.input_tokens": 7}
    (tmp_path / "t.json").write_text(json.dumps(otlp(span(1, call))))
    assert main(["show", "--dir", str(tmp_path)]) == 0
    assert "7→0 tokens" in capsys.readouterr().out
