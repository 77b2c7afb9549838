"""One known agent run in each real backend, read back through its own API: what did it understand?"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.backends import sample
from tests.export.parts import free_port, part, running

pytestmark = pytest.mark.backends


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def eventually(read: Any) -> Any:
    """What ``read`` finds, once it finds something."""
    deadline = time.monotonic() + 90
    while True:
        try:
            if found := read():
                return found
        except (OSError, KeyError, urllib.error.HTTPError):
            pass
        assert time.monotonic() < deadline, "the backend shows nothing"
        time.sleep(0.5)


@contextmanager
def phoenix(tmp_path: Path) -> Iterator[str]:
    program, port = part("phoenix", "bin/phoenix"), free_port()
    settings = {
        "PHOENIX_WORKING_DIR": str(tmp_path / "phoenix"), "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()), "PHOENIX_TELEMETRY_ENABLED": "false",
    }  # fmt: skip
    with running([str(program), "serve"], f"127.0.0.1:{port}", 240, **settings):
        yield f"http://127.0.0.1:{port}"


def test_phoenix(tmp_path: Path) -> None:
    with phoenix(tmp_path) as url:
        told = sample.run(tmp_path, url, OTEL_EXPORTER_OTLP_HEADERS="x-project-name=shop")
        assert told["flushed"]
        spans = eventually(lambda: len(found := ask(f"{url}/v1/projects/shop/spans?limit=100")["data"]) == 4 and found)
    by_name = {span["name"]: span for span in spans}
    agent, llm, tool = (by_name[name] for name in ("invoke_agent planner", "chat gpt-4o-mini", "execute_tool weather"))
    assert (agent["span_kind"], llm["span_kind"], tool["span_kind"]) == ("AGENT", "LLM", "TOOL")
    assert {llm["parent_id"], tool["parent_id"]} == {agent["context"]["span_id"]}
    seen = llm["attributes"]
    assert (seen["llm.token_count.prompt"], seen["llm.token_count.completion"]) == (120, 30)
    assert seen["llm.input_messages.0.message.content"] == "Weather in Oslo?"
    assert by_name["broken step"]["status_code"] == "ERROR"


SPANS = """query($name: String!) {getProjectByName(name: $name) {
    sessions(first: 5) {edges {node {sessionId}}} tokenCountTotal costSummary {total {cost}}
    spans(first: 50) {edges {node {name spanKind input {value} output {value} tokenCountTotal}}}}}"""
ASKED, ANSWER = "Weather in Oslo?", "rain in Oslo"
DOCUMENT = {"id": "d1", "content": "Oslo is wet", "score": 0.9}


def test_phoenix_shows_every_kind_with_what_it_was_given_and_gave(tmp_path: Path) -> None:
    with phoenix(tmp_path) as url:
        told = sample.run(tmp_path, url, sample.TRIP, OTEL_EXPORTER_OTLP_HEADERS="x-project-name=trip")
        assert told["flushed"]
        read = eventually(lambda: len(found := ask(f"{url}/v1/projects/trip/spans?limit=100")["data"]) == 6 and found)
        body = {"query": SPANS, "variables": {"name": "trip"}}
        project = eventually(lambda: ask(f"{url}/graphql", body)["data"]["getProjectByName"])
    spans = {edge["node"]["name"]: edge["node"] for edge in project["spans"]["edges"]}
    shown = {
        name: (span["spanKind"], (span["input"] or {}).get("value"), (span["output"] or {}).get("value"))
        for name, span in spans.items()
    }
    assert shown["invoke_workflow trip"] == ("chain", ASKED, ANSWER)
    assert shown["invoke_agent planner"] == ("agent", ASKED, ANSWER)
    assert shown["execute_tool weather"] == ("tool", '{"city":"Oslo"}', ANSWER)
    assert shown["chat gpt-4o-mini"] == ("llm", ASKED, "Let me look.")
    assert shown["decision route"] == ("decision", '[{"name":"weather"},{"name":"news"}]', "weather")
    kind, asked, documents = shown["retrieval guide"]
    assert (kind, asked, json.loads(documents)) == ("retriever", ASKED, [DOCUMENT])
    assert (project["tokenCountTotal"], spans["chat gpt-4o-mini"]["tokenCountTotal"]) == (150, 150)
    assert project["costSummary"]["total"]["cost"] > 0
    assert [edge["node"]["sessionId"] for edge in project["sessions"]["edges"]] == ["s-1"]
    assert {(span["attributes"]["session.id"], span["attributes"]["user.id"]) for span in read} == {("s-1", "ann")}


def in_sideseat(tmp_path: Path, program: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The trace and its spans, as sideseat has them."""
    binary, port = part("sideseat", "node_modules/.bin/sideseat"), free_port()
    command = [
        str(binary), "start", "-H", "127.0.0.1", "-p", str(port), "--no-auth", "--otel-grpc", "false",
        "--pricing-sync-hours", "0", "--no-update-check",
    ]  # fmt: skip
    with running(command, f"127.0.0.1:{port}", 60, HOME=str(tmp_path)):
        told = sample.run(tmp_path, f"http://127.0.0.1:{port}/otel/default", program)
        assert told["flushed"]
        api = f"http://127.0.0.1:{port}/api/v1/project/default/otel/traces"
        (trace,) = eventually(lambda: ask(api)["data"])
        return trace, ask(f"{api}/{trace['trace_id']}")["spans"]


def test_sideseat_shows_every_kind_with_what_it_was_given_and_gave(tmp_path: Path) -> None:
    trace, spans = in_sideseat(tmp_path, sample.TRIP)
    assert (trace["session_id"], trace["user_id"], trace["total_tokens"]) == ("s-1", "ann", 150)
    assert trace["total_cost"] == pytest.approx(0.000036)
    shown = {
        span["span_name"]: (span["observation_type"], span["input_preview"], span["output_preview"]) for span in spans
    }
    assert shown["invoke_workflow trip"] == ("chain", ASKED, ANSWER)
    assert shown["invoke_agent planner"] == ("agent", ASKED, ANSWER)
    assert shown["chat gpt-4o-mini"] == ("generation", ASKED, "Let me look.")
    assert (shown["execute_tool weather"][0], shown["retrieval guide"][0]) == ("tool", "retriever")


def test_sideseat(tmp_path: Path) -> None:
    trace, spans = in_sideseat(tmp_path, sample.PROGRAM)
    assert (trace["input_tokens"], trace["output_tokens"], trace["has_error"]) == (120, 30, True)
    assert trace["total_cost"] == pytest.approx(0.000036)
    by_name = {span["span_name"]: span for span in spans}
    agent, llm, tool = (by_name[name] for name in ("invoke_agent planner", "chat gpt-4o-mini", "execute_tool weather"))
    assert (agent["span_category"], llm["span_category"], tool["span_category"]) == ("agent", "llm", "tool")
    assert {llm["parent_span_id"], tool["parent_span_id"]} == {agent["span_id"]}


def test_mlflow(tmp_path: Path) -> None:
    program, port = part("mlflow", "bin/mlflow"), free_port()
    command = [
        str(program), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{tmp_path}/m.db",
    ]  # fmt: skip
    with running(command, f"127.0.0.1:{port}", 240):
        url = f"http://127.0.0.1:{port}"
        told = sample.run(
            tmp_path, url, OTEL_EXPORTER_OTLP_HEADERS="x-mlflow-experiment-id=0", OTEL_EXPORTER_OTLP_TIMEOUT="30"
        )
        assert told["flushed"]
        place = {"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}]}
        (trace,) = eventually(lambda: ask(f"{url}/api/3.0/mlflow/traces/search", place)["traces"])
    usage = json.loads(trace["trace_metadata"]["mlflow.trace.tokenUsage"])
    assert json.loads(trace["trace_metadata"]["mlflow.trace.cost"])["total_cost"] == pytest.approx(0.000036)
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (120, 30, 150)
    assert trace["state"] in ("OK", "STATE_UNSPECIFIED", "IN_PROGRESS", "ERROR")


def test_mlflow_shows_every_kind_with_what_it_was_given_and_gave(tmp_path: Path) -> None:
    program, port = part("mlflow", "bin/mlflow"), free_port()
    command = [
        str(program), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{tmp_path}/m.db",
    ]  # fmt: skip
    with running(command, f"127.0.0.1:{port}", 240):
        url = f"http://127.0.0.1:{port}"
        headers = {
            "OTEL_EXPORTER_OTLP_HEADERS": "x-mlflow-experiment-id=0", "OTEL_EXPORTER_OTLP_TIMEOUT": "30"
        }  # fmt: skip
        assert sample.run(tmp_path, url, sample.TRIP, **headers)["flushed"]
        place = {"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}]}
        (trace,) = eventually(lambda: ask(f"{url}/api/3.0/mlflow/traces/search", place)["traces"])
        about = f"{url}/ajax-api/3.0/mlflow/get-trace-artifact?request_id={trace['trace_id']}"
        spans = eventually(lambda: len(found := ask(about)["spans"]) == 6 and found)

    def shown(name: str) -> tuple[Any, ...]:
        attributes = next(span["attributes"] for span in spans if span["name"] == name)
        found = [attributes.get(f"mlflow.{key}") for key in ("spanType", "spanInputs", "spanOutputs")]
        return tuple(None if value is None else json.loads(value) for value in found)

    assert shown("invoke_workflow trip") == ("CHAIN", ASKED, ANSWER)
    assert shown("invoke_agent planner") == ("AGENT", ASKED, ANSWER)
    assert shown("execute_tool weather")[0::2] == ("TOOL", ANSWER)
    assert shown("chat gpt-4o-mini") == ("LLM", ASKED, "Let me look.")
    assert shown("retrieval guide") == ("RETRIEVER", ASKED, [DOCUMENT])
    told = trace["trace_metadata"]
    assert (told["mlflow.trace.session"], told["mlflow.trace.user"]) == ("s-1", "ann")
    assert json.loads(told["mlflow.trace.tokenUsage"])["total_tokens"] == 150
    assert json.loads(told["mlflow.trace.cost"])["total_cost"] == pytest.approx(0.000036)
    assert (json.loads(trace["request_preview"]), json.loads(trace["response_preview"])) == (ASKED, ANSWER)
