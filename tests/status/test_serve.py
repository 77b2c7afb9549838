"""The pages over real HTTP, the ASGI app, and health."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.errors import ConfigError


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def server() -> Iterator[Any]:
    with agentops.serve_status(0) as running:
        yield running


def get(server: Any, path: str) -> tuple[int, str]:
    try:
        url = f"http://127.0.0.1:{server.port}{path}"
        asked = urllib.request.Request(url, headers={"authorization": f"Bearer {server.token}"})
        with urllib.request.urlopen(asked, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_live_ready_and_healthy(server: Any) -> None:
    assert server.host == "127.0.0.1"
    assert get(server, "/livez") == (200, "ok")
    assert get(server, "/readyz")[0] == 503
    agentops.init(exporters=["memory"], integrations=[])
    assert get(server, "/readyz")[0] == 200
    code, body = get(server, "/healthz")
    assert (code, json.loads(body)["status"]) == (200, "ok")
    assert get(server, "/nothing")[0] == 404


def test_failing_when_no_sink_can_deliver(server: Any, tmp_path: Path) -> None:
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Failing(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.FAILURE

    agentops.init(exporters=[Failing()], integrations=[])
    with agentops.span("lost"):
        pass
    agentops.flush(5.0)
    code, body = get(server, "/healthz")
    assert code == 503
    assert "no sink can deliver" in json.loads(body)["reasons"][-1]


def test_status_is_json_without_secrets(server: Any) -> None:
    agentops.init(exporters=["memory"], integrations=[], resource_attributes={"api_key": "sk-hidden-1234567890abcdef"})
    code, body = get(server, "/status")
    assert code == 200
    assert json.loads(body)["settings"]["exporters"]["value"] == ["memory"]
    assert "sk-hidden" not in body


def test_metrics_have_spans_sinks_and_gen_ai(server: Any) -> None:
    parser = pytest.importorskip("prometheus_client.parser", reason="the extra prometheus is not installed")
    agentops.init(exporters=["memory"], integrations=[])
    from agentops_sdk import semconv
    from agentops_sdk.integration import start

    for number in range(300):
        call = start("llm", f"chat m{number}")
        call.set(semconv.OPERATION_NAME, "chat")
        call.set(semconv.PROVIDER_NAME, "openai")
        call.set(semconv.REQUEST_MODEL, f"m{number}")
        call.set(semconv.USAGE_INPUT_TOKENS, 10)
        call.set(semconv.USAGE_OUTPUT_TOKENS, 5)
        call.finish()
    agentops.flush(5.0)
    code, body = get(server, "/metrics")
    assert code == 200
    families = {family.name: family for family in parser.text_string_to_metric_families(body)}
    assert families["agentops_spans_started"].samples[0].value == 300
    assert families["agentops_sink_spans_exported"].samples[0].value == 300
    tokens = families["gen_ai_client_token_usage"]
    assert sum(sample.value for sample in tokens.samples if sample.name.endswith("_sum")) == 300 * 15
    models = {sample.labels["gen_ai_response_model"] for sample in tokens.samples}
    assert "other" in models
    assert len(models) <= 201


def test_the_asgi_app_serves_the_same_when_mounted() -> None:
    agentops.init(exporters=["memory"], integrations=[])
    sent: list[dict[str, Any]] = []

    async def call() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/agentops/healthz", "root_path": "/agentops",
                 "headers": [(b"authorization", b"Bearer t0ken")]}  # fmt: skip
        await agentops.status_app(scope, receive, send, token="t0ken")

    asyncio.run(call())
    assert sent[0]["status"] == 200
    assert json.loads(sent[1]["body"])["status"] == "ok"


@pytest.mark.parametrize("port", [-1, 65536, True, "80"])
def test_a_port_that_cannot_work(port: Any) -> None:
    with pytest.raises(ConfigError, match="port"):
        agentops.serve_status(port)


def test_a_port_that_is_taken(server: Any) -> None:
    with pytest.raises(ConfigError, match="free"):
        agentops.serve_status(server.port)
