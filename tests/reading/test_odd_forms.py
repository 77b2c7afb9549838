"""Odd and legal ways of writing traces: what is written is read, and what is not read is named."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests.reading.samples import T0, TRACE, otlp, span, trace_of, value
from tests.reading.test_formats import CALL, DOCUMENT, GROUPS, ISO, PEOPLES, right

from agentops_sdk import semconv
from agentops_sdk.errors import TraceError
from agentops_sdk.traces import load
from agentops_sdk.traces.conformance.source import spans_in
from agentops_sdk.traces.formats.documents import MOST_FAILURES

SPANS = GROUPS[0]["scopeSpans"][0]["spans"]
TEXT = json.dumps(DOCUMENT)
FORMS: dict[str, str | bytes] = {
    "UTF-16": json.dumps(DOCUMENT, indent=1).encode("utf-16"),
    "a sequence": "".join(f"\x1e{json.dumps(otlp(one))}\n" for one in SPANS),
    "without a break between": "".join(json.dumps(otlp(one)) for one in SPANS),
    "in a string": json.dumps([TEXT]),
    "behind one another": "\r\n".join(json.dumps(otlp(one)) for one in SPANS),
    "spans": json.dumps({"spans": SPANS}),
    "older and newer groups": json.dumps({"resourceSpans": [
        {"instrumentationLibrarySpans": [{"spans": SPANS[:1]}], "scopeSpans": [{"spans": SPANS[1:]}]}]}),
    "two lists of groups": json.dumps({**otlp(SPANS[0]), "batches": otlp(*SPANS[1:])["resourceSpans"]}),
    "attributes as an object with types": json.dumps(otlp(*(
        {**one, "attributes": {pair["key"]: pair["value"] for pair in one["attributes"]}} for one in SPANS))),
    "values as Go has them": TEXT.replace('"stringValue"', '"StringValue"').replace('"intValue"', '"IntValue"'),
    "values with types beside": json.dumps(otlp(*({**one, "attributes": [
        {"Key": pair["key"], "Value": {"Type": "STRING", "Value": str(next(iter(pair["value"].values())))}}
        for pair in one["attributes"]]} for one in SPANS))),
    "no parent as zeros": TEXT.replace('"spanId"', '"parentSpanId": "0000000000000000", "spanId"', 1),
    "times as dates": json.dumps(otlp(*({**one, "startTimeUnixNano": ISO.format(number), "endTimeUnixNano": [
        T0 // 10**9 + 9, number]} for number, one in enumerate(SPANS, 1)))),
    "in a store": "".join(json.dumps({"_index": "i", "_source": otlp(one)}) + "\n" for one in SPANS),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form(form: str, tmp_path: Path) -> None:
    text = FORMS[form]
    path = tmp_path / "t.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    traces = load(path)
    (trace,) = traces
    right(trace)
    assert (traces.foreign, traces.torn, trace.orphans) == (0, 0, [])
    assert len(list(spans_in(path))) == 3  # for `doctor --conformance`, in their own names


STATUSES = [2, "2", "ERROR", "STATUS_CODE_ERROR", "Error", {"code": "ERROR"}, {"code": "error"},
            {"statusCode": "ERROR"}, {"status_code": "Error"}, {"code": "2"}]  # fmt: skip


@pytest.mark.parametrize("status", STATUSES, ids=json.dumps)
def test_every_word_for_an_error(status: Any) -> None:
    assert len(trace_of(otlp(span(1, CALL, status=status))).errors) == 1


@pytest.mark.parametrize(
    ("escaped", "status", "answered", "failed"),
    [(None, 0, False, True), (None, 0, True, False), (True, 0, True, True), ("False", 0, False, False),
     (None, 1, False, False)],
)  # fmt: skip
def test_an_exception_that_only_an_event_tells(escaped: Any, status: int, answered: bool, failed: bool) -> None:
    told = {"exception.type": "ValueError", **({} if escaped is None else {"exception.escaped": escaped})}
    event = {"name": "exception", "attributes": [{"key": name, "value": value(plain)} for name, plain in told.items()]}
    call = {name: plain for name, plain in CALL.items() if answered or not name.startswith("gen_ai.usage")}
    trace = trace_of(otlp(span(1, call, events=[event], status={"code": status})))
    assert bool(trace.errors) == failed


def test_an_error_without_an_end_is_an_error() -> None:
    assert [one.outcome for one in trace_of(otlp(span(1, CALL, endTimeUnixNano="0", status={"code": 2}))).spans] == [
        "error"
    ]


PRICES: dict[str, Any] = {
    "gen_ai.usage.cost_usd": 0.01, "gen_ai.usage.estimated_cost": "0.01", "openrouter.cost": 0.01, "cost": 0.01,
    "gen_ai.response.cost": 0.01, "claude_code.cost_usd": 0.01, "gen_ai.usage.cost_details": '{"total": 0.01}',
    "langfuse.observation.cost_details": '{"input": 0.0025, "output": 0.0075}', "llm.usage.total_cost": "$0.01",
}  # fmt: skip
NO_PRICES = ["gen_ai.usage.input_cost", "max_cost", "cost.limit_usd", "session.cost", "cost_per_token", "cached_cost"]


@pytest.mark.parametrize("name", PRICES)
def test_every_name_of_a_price(name: str) -> None:
    trace = trace_of(otlp(span(1, {**CALL, name: PRICES[name]})))
    assert (trace.cost == 0.01, trace.llm_calls[0].attributes[semconv.COST_SOURCE]) == (True, name)


@pytest.mark.parametrize("name", NO_PRICES)
def test_half_a_price_and_a_limit_are_none(name: str) -> None:
    assert trace_of(otlp(span(1, {**CALL, name: 0.01}))).cost.text() == "unknown"
    sides = {"gen_ai.usage.input_cost": 0.0025, "gen_ai.usage.output_cost": 0.0075}
    assert trace_of(otlp(span(1, {**CALL, **sides}))).cost == 0.01


@pytest.mark.parametrize(
    ("name", "kind", "attributes"),
    [
        ("chat gpt-4o", 1, {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}),
        ("openai.chat", 1, {"gen_ai.completion.0.content": "bye"}),
        ("ask", 3, {"gen_ai.request.model": "gpt-4o"}),
    ],
)
def test_a_call_that_says_no_operation(name: str, kind: int, attributes: dict[str, Any]) -> None:
    trace = trace_of(otlp(span(1, attributes, name=name, kind=kind)))
    assert (len(trace.llm_calls), trace.cost.text()) == (1, "unknown")


def test_fewer_tokens_than_none_are_unknown() -> None:
    unknown = {**CALL, "gen_ai.usage.input_tokens": -1, "gen_ai.usage.output_tokens": -1}
    usage = trace_of(otlp(span(1, unknown), span(2, CALL))).usage
    assert (usage.input, usage.output, usage.unknown) == (100, 20, 1)


IDS = {"traceId": TRACE, "spanId": f"{1:016x}", "name": "chat"}
TIMES = {"startTime": ISO.format(1), "endTime": ISO.format(2)}
CLICKHOUSE = {"Timestamp": "2026-08-06 00:00:00.123456789", "TraceId": TRACE, "SpanId": f"{1:016x}", "SpanName": "chat",
              "Duration": "500000", "StatusCode": "Error"}  # fmt: skip
WORDS = {name: str(plain) for name, plain in CALL.items()}
JAEGER = {"traceID": TRACE, "spanID": f"{1:016x}", "operationName": "chat", "startTime": T0 // 1_000, "duration": 5}
LANGFUSE = {"id": "o", "traceId": "t", "type": "GENERATION", "model": "gpt-4o", "level": "error", **TIMES}
LANGSMITH = {
    "id": "r",
    "trace_id": TRACE,
    "run_type": "llm",
    "name": "chat",
    "status": "error",
    "start_time": ISO.format(1),
    "end_time": ISO.format(2),
    "extra": {"invocation_params": {"model": "gpt-4o"}},
}
MLFLOW = {
    "trace_id": TRACE,
    "span_id": f"{1:016x}",
    "name": "chat",
    "start_time_unix_nano": T0,
    "end_time_unix_nano": T0 + 5,
    "status": {"code": "ERROR"},
    "attributes": {
        "mlflow.spanType": '"LLM"',
        "mlflow.spanInputs": '{"model": "gpt-4o"}',
        "mlflow.spanOutputs": '{"usage": {"prompt_tokens": 100, "completion_tokens": 20}}',
    },
}
JS_SPAN = {
    "traceId": TRACE,
    "id": f"{1:016x}",
    "name": "chat",
    "kind": 2,
    "timestamp": T0 // 1_000,
    "duration": 5.5,
    "attributes": CALL,
    "status": {"code": 2},
    "events": [],
    "links": [],
    "resource": {"attributes": {}},
}
USED = {"prompt_tokens": 100, "completion_tokens": 20}
SERVICES: dict[str, Any] = {
    "rows with pairs": [{**IDS, **TIMES, "status": "error", "attributes": [
        {"key": key, "value": value(plain)} for key, plain in CALL.items()]}],
    "rows laid out flat": [{**IDS, **TIMES, **CALL, "status": "error"}],
    "rows with columns of attributes": [
        {**IDS, **TIMES, **{f"attributes.{key}": plain for key, plain in CALL.items()}, "status": "error"}],
    "ClickHouse": {**CLICKHOUSE, "SpanAttributes": WORDS},
    "ClickHouse, an event": {**CLICKHOUSE, "StatusCode": "Unset", "SpanAttributes": WORDS, "Events.Name": ["exception"],
                             "Events.Timestamp": ["2026-08-06 00:00:00.1"],
                             "Events.Attributes": [{"exception.escaped": "true"}]},
    "columns and rows": {"columns": [*IDS, *TIMES, "attributes", "status"], "index": [0],
                         "data": [[*IDS.values(), *TIMES.values(), CALL, "ERROR"]]},
    "Jaeger in Elasticsearch": {"hits": {"hits": [{"_source": {
        **JAEGER, "tag": {"otel@status_code": "ERROR", **{key.replace(".", "@"): plain for key, plain in CALL.items()}}
    }}]}},
    "Jaeger with types": {"data": [{"traceID": TRACE, "spans": [{**JAEGER, "tags": [
        {"key": "error", "vType": "BOOL", "vBool": True},
        *({"key": key, "v_type": "INT64", "v_int64": str(plain)} if isinstance(plain, int) else {
            "key": key, "vStr": plain} for key, plain in CALL.items())]}]}]},
    "Zipkin, older": [{"traceId": TRACE, "id": f"{1:016x}", "name": "chat", "timestamp": str(T0 // 1_000),
                       "duration": 5, "annotations": [{"timestamp": T0 // 1_000, "value": "cs", "endpoint": {}}],
                       "binaryAnnotations": [{"key": "error", "value": "no"}, *(
                           {"key": key, "value": plain} for key, plain in WORDS.items())]}],
    "JavaScript": JS_SPAN,
    "JavaScript, the object": {"_spanContext": IDS, "startTime": [T0 // 10**9, 5], "endTime": [T0 // 10**9, 500],
                               "attributes": CALL, "status": {"code": 2}, "kind": 2, "name": "chat"},
    "Langfuse, older": [{**LANGFUSE, "promptTokens": 100, "completionTokens": 20}],
    "LangSmith, sent": [{**LANGSMITH, "outputs": {"llm_output": {"token_usage": USED}}}],
    "LangSmith, wrapped": [{**LANGSMITH, "outputs": {"usage": USED}}],
    "LangSmith, messages": [{**LANGSMITH, "outputs": {"generations": [[{"message": {"kwargs": {
        "usage_metadata": {"input_tokens": 100, "output_tokens": 20}}}}]]}}],
    "MLflow, a reply": {"data": {"spans": [MLFLOW]}},
    "MLflow, a search": [{"trace": json.dumps({"data": {"spans": [MLFLOW]}})}],
}  # fmt: skip


@pytest.mark.parametrize("name", SERVICES)
def test_every_form_of_a_service(name: str, tmp_path: Path) -> None:
    traces = load([json.dumps(SERVICES[name])])
    (tmp_path / "t.json").write_text(json.dumps(SERVICES[name]))
    assert len(list(spans_in(tmp_path))) == 1
    (trace,) = traces
    assert (len(trace.llm_calls), trace.usage.input, trace.usage.output, traces.foreign) == (1, 100, 20, 0)
    assert (len(trace.errors), trace.models, trace.cost.text()) == (1, ["gpt-4o"], "unknown")


def test_what_a_span_of_jaeger_follows_is_above_it() -> None:
    document = json.loads(json.dumps(PEOPLES["Jaeger"]).replace("CHILD_OF", "FOLLOWS_FROM"))
    (trace,) = load([json.dumps(document)])
    assert (len(trace.roots), len(trace.spans)) == (1, 3)


def test_characters_are_no_tokens() -> None:
    usage = {"input": 400, "output": 80, "unit": "CHARACTERS"}
    (trace,) = load(
        [json.dumps([{**LANGFUSE, "level": "DEFAULT", "usage": usage, "usageDetails": {"input": 400, "output": 80}}])]
    )
    assert (trace.usage.total, trace.usage.unknown) == (0, 1)
    costs = {"input": 0.0025, "output": 0.0075}
    (trace,) = load([json.dumps([{**LANGFUSE, "usageDetails": {"input": 1}, "costDetails": costs}])])
    assert trace.cost == 0.01


def test_messages_in_lines_of_logs_are_each_one(tmp_path: Path) -> None:
    """A file that holds no spans is looked at twice, and its messages are added once."""
    lines = [{"resourceLogs": [{"scopeLogs": [{"logRecords": [
        {"eventName": "gen_ai.user.message", "traceId": TRACE, "spanId": f"{2:016x}", "timeUnixNano": str(T0),
         "body": {"stringValue": text}}]}]}]} for text in ("a", "b")]  # fmt: skip
    (tmp_path / "logs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "spans.json").write_text(TEXT)
    (trace,) = load(tmp_path)
    assert len(json.loads(trace.llm_calls[0].attributes[semconv.INPUT_MESSAGES])) == 2


GOOD = span(2, {"gen_ai.operation.name": "execute_tool"})
ODD_PARTS: dict[str, Any] = {
    "a number of more than 64 bits": {"attributes": [{"key": "n", "value": {"intValue": "99999999999999999999"}}]},
    "no number": {"attributes": [{"key": "n", "value": {"intValue": "many"}}, {"key": "d", "value": {
        "doubleValue": "few"}}]},
    "no pair": {"attributes": [None, 5, {"key": "n", "value": {"stringValue": "x", "intValue": "1"}}]},
    "events of other kinds": {"events": [None, {"name": 3}, {"name": "e", "timeUnixNano": "soon"}]},
    "an object of events": {"events": {"a": 1}, "links": {"b": 2}},
    "no name": {"name": None},
    "ids by bytes": {"traceId": list(bytes.fromhex(TRACE)), "spanId": {"type": "Buffer", "data": [0] * 7 + [1]}},
}  # fmt: skip


@pytest.mark.parametrize("part", ODD_PARTS)
@pytest.mark.parametrize("holder", ["resourceSpans", "batches"])
def test_an_odd_part_costs_no_span(part: str, holder: str) -> None:
    odd = {**span(1, CALL), **ODD_PARTS[part]}
    odd["attributes"] = [*odd["attributes"], *span(1, CALL)["attributes"]]
    traces = load([json.dumps({holder: otlp(odd, GOOD)["resourceSpans"]})])
    (trace,) = traces
    assert (len(trace.spans), trace.usage.input, traces.foreign) == (2, 100, 0)


@pytest.mark.parametrize("holder", ["resourceSpans", "batches"])
def test_attributes_that_are_none_cost_the_span_alone(holder: str) -> None:
    damaged = [{**span(1, CALL), "attributes": 5}, {**span(3, CALL), "spanId": "many"}]
    traces = load([json.dumps({holder: otlp(*damaged, GOOD)["resourceSpans"]})])
    assert (len(traces[0].spans), traces.foreign) == (1, 2)


def test_what_came_before_the_end_of_a_torn_file_is_read(tmp_path: Path) -> None:
    other = TEXT.replace(TRACE, "a" * 32)
    pretty = "".join(json.dumps(json.loads(one), indent=1) + "\n" for one in (TEXT, other))
    for name, data in {
        "list.json": f"[{TEXT},{other},{TEXT[:50]}".encode(),
        "pretty.json": json.dumps([json.loads(TEXT), json.loads(other)], indent=1)[:-1].encode(),
        "packed.json.gz": gzip.compress(pretty.encode())[:-4],
    }.items():
        path = tmp_path / name
        path.write_bytes(data)
        traces = load(path)
        assert (len(traces), traces.torn > 0) == (2, True), name


def test_more_damage_than_is_looked_through_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(f"{json.dumps(DOCUMENT, indent=1)}\n" + '{\n "resourceSpans": [\n' * (MOST_FAILURES + 5) + TEXT)
    assert any("damaged documents" in remark for remark in load(path).remarks)


NAMED = {
    "Tempo's search": {"traces": [{"traceID": "1", "rootServiceName": "x"}]},
    "X-Ray": {"Traces": [{"Id": "1", "Segments": []}]},
    "Datadog": [[{"trace_id": 1, "span_id": 2, "meta": {}, "start": 1}]],
    "Grafana": [{"fields": [{"name": "traceID", "values": [TRACE]}]}],
    "Langfuse's list": {"data": [{"id": "t", "timestamp": ISO.format(1), "observations": ["a"]}]},
    "Jaeger's store": {"traces": [{"spans": [{"operation_name": "x"}]}]},
    "Claude Code prints": {"type": "assistant", "session_id": "s", "message": {}},
    "Codex prints": {"type": "turn.completed", "usage": {}},
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_what_is_not_read_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps(NAMED[name]))
    with pytest.raises(TraceError, match=name):
        load(path)
