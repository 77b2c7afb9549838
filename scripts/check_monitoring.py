"""Ask every question of the dashboards: a real Prometheus over a real /metrics, and ClickHouse's engine in process.

    python scripts/check_monitoring.py [--clickhouse PYTHON-WITH-CHDB]

Needs `prometheus` on the path (Debian's package). A question that is refused, or has no answer where there must be one,
fails.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import Any

import openai

import agentops_sdk as agentops
from agentops_sdk.traces import load
from agentops_sdk.traces.record import from_ns

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "deploy" / "monitoring"
sys.path[:0] = [str(ROOT / "examples"), str(ROOT / "scripts")]
from local_model import LocalModel, Reply  # noqa: E402 - beside the examples
from monitoring import ALERTS, LEAK  # noqa: E402 - beside this file

WITHOUT_ANSWER = (
    "agentops_breaker_state",
    "agentops_sink_spans_lost",
    "agentops_contained_errors",
    "agentops_sink_spooled_bytes",
    "request_seconds",
)
"""What a program that is well, and that sends to no backend, has no series of."""

TABLE = """CREATE TABLE otel_traces (Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String,
 TraceState String, SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
 ResourceAttributes Map(LowCardinality(String), String), ScopeName String, ScopeVersion String,
 SpanAttributes Map(LowCardinality(String), String), Duration UInt64, StatusCode LowCardinality(String),
 StatusMessage String) ENGINE = Memory"""
IN_CLICKHOUSE = """
import json, sys
from chdb import session
told = json.load(sys.stdin)
database = session.Session()
database.query(told["table"])
rows = "\\n".join(json.dumps(row) for row in told["rows"])
database.query("INSERT INTO otel_traces FORMAT JSONEachRow " + rows)
answers = []
for question in told["questions"]:
    try:
        answers.append(str(database.query(question, "JSONCompact")))
    except Exception as error:
        answers.append("FAILED " + str(error).splitlines()[0])
json.dump(answers, sys.stdout)
"""


def answer(request: Any) -> Reply:
    if "fail" in request["messages"][-1]["content"]:
        return Reply(status=400, error_code="bad")
    return Reply(text="Here you are.")


@agentops.tool
def look_up(item: str) -> str:
    """Find an item, or not."""
    if item == "nothing":
        raise LookupError(item)
    return "3.20"


@agentops.agent(name="waiter")
def waiter(client: openai.OpenAI, question: str) -> None:
    """One run: a decision, tools, a model call and a stream."""
    with agentops.decision("route", options=["tea", "coffee"]) as route:
        route.choose("tea", reason="asked for")
    for item in ("tea", "nothing"):
        try:
            look_up(item)
        except LookupError:
            continue
    messages: Any = [{"role": "user", "content": question}]
    try:
        client.chat.completions.create(model="gpt-4o-mini", messages=messages)
        list(client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True))
        client.chat.completions.create(model="of-our-own", messages=messages)
    except openai.OpenAIError:
        return


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked(address: str, **parameters: str) -> Any:
    url = f"{address}?{urllib.parse.urlencode(parameters)}" if parameters else address
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


def in_prometheus(work: Path, port: int, client: openai.OpenAI) -> list[str]:
    """What is wrong with the questions to Prometheus."""
    own = free_port()
    settings = work / "prometheus.yml"
    settings.write_text(
        f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{FOLDER / 'rules.yaml'}]\n"
        f"scrape_configs: [{{job_name: agent, authorization: {{credentials_file: {work / 'agentops' / 'status-token'}}}, "
        f"static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n"
    )
    binary = shutil.which("prometheus") or "prometheus"
    server = subprocess.Popen(
        [
            binary,
            f"--config.file={settings}",
            f"--storage.tsdb.path={work / 'data'}",
            f"--web.listen-address=127.0.0.1:{own}",
        ],
        stderr=(work / "log").open("w"),
    )
    try:
        address = f"http://127.0.0.1:{own}/api/v1"
        for _ in range(120):
            time.sleep(0.5)
            waiter(client, "tea")
            waiter(client, "fail")
            agentops.flush()
            try:
                samples = asked(f"{address}/query", query="count_over_time(agentops_up[10m])")
            except OSError:
                continue
            if samples["data"]["result"] and int(samples["data"]["result"][0]["value"][1]) >= 5:
                break
        wrong = []
        for panel in json.loads((FOLDER / "grafana-prometheus.json").read_text())["panels"]:
            for target in panel.get("targets", []):
                question = target["expr"].replace("$job", ".*").replace("$__rate_interval", "10s")
                reply = asked(f"{address}/query", query=question)
                if reply["status"] != "success":
                    wrong.append(f"{panel['title']}: {reply['error']}: {question}")
                elif not reply["data"]["result"] and not any(name in question for name in WITHOUT_ANSWER):
                    wrong.append(f"{panel['title']}: no answer: {question}")
        states = asked(f"{address}/rules")["data"]["groups"][0]["rules"]
        wrong += [f"{rule['name']}: {rule['lastError']}" for rule in states if rule["health"] == "err"]
        if len(states) != len(ALERTS):
            wrong.append(f"{len(states)} of {len(ALERTS)} rules were read")
        return wrong
    finally:
        server.terminate()
        server.wait(30)


def in_clickhouse(python: str, folder: Path) -> list[str]:
    """What is wrong with the questions to ClickHouse."""
    rows = [
        {
            "Timestamp": from_ns(span.start_ns).replace(tzinfo=None).isoformat(), "TraceId": span.trace_id, "SpanId": span.span_id,
            "ParentSpanId": span.parent_id or "", "TraceState": "", "SpanName": span.name, "SpanKind": span.span_kind,
            "ServiceName": "checked", "ResourceAttributes": {"deployment.environment.name": "production"},
            "ScopeName": "agentops_sdk", "ScopeVersion": "",
            "SpanAttributes": {name: value if isinstance(value, str) else json.dumps(value) for name, value in span.attributes.items()},
            "Duration": span.end_ns - span.start_ns, "StatusCode": {"error": "Error", "ok": "Ok"}.get(span.status, "Unset"),
            "StatusMessage": span.status_message or "",
        }
        for trace in load(folder) for span in trace
    ]  # fmt: skip
    panels = [
        panel
        for panel in json.loads((FOLDER / "grafana-clickhouse.json").read_text())["panels"]
        if panel.get("targets")
    ]
    questions = [
        panel["targets"][0]["rawSql"]
        .replace("$__timeFilter(Timestamp)", "Timestamp > now() - INTERVAL 1 DAY")
        .replace("$__timeInterval(Timestamp)", "toStartOfInterval(Timestamp, INTERVAL 1 minute)")
        .replace("$service", "'checked'")
        for panel in panels
    ]
    runbook = (ROOT / "docs" / "runbooks" / "content-leak.md").read_text(encoding="utf-8")
    who_sends = runbook.partition("```sql\n")[2].partition("```")[0]
    told = json.dumps({"table": TABLE, "rows": rows, "questions": [*questions, LEAK, who_sends]})
    reply = subprocess.run([python, "-c", IN_CLICKHOUSE], input=told, capture_output=True, text=True, check=True)
    wrong = []
    for title, text in zip(
        [*(panel["title"] for panel in panels), "content alert", "runbook on content"],
        json.loads(reply.stdout),
        strict=True,
    ):
        if text.startswith("FAILED"):
            wrong.append(f"{title}: {text}")
        elif not json.loads(text)["rows"]:
            wrong.append(f"{title}: no answer")
    return wrong


def main(arguments: list[str]) -> int:
    """Run everything; 1 if anything is wrong."""
    logging.disable(logging.WARNING)
    with TemporaryDirectory() as folder, LocalModel(answer) as model:
        work = Path(folder)
        agentops.init(exporters=["jsonl"], directory=str(work / "agentops"), service_name="checked")
        server = agentops.serve_status(0)
        client = openai.OpenAI(base_url=model.base_url, api_key="local", max_retries=0)
        wrong = in_prometheus(work, server.port, client)
        agentops.flush()
        if "--clickhouse" in arguments:
            wrong += in_clickhouse(arguments[arguments.index("--clickhouse") + 1], work / "agentops")
        server.close()
        agentops.shutdown()
    print("\n".join(wrong) or "every question of the dashboards has an answer")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
