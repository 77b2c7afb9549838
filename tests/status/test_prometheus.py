"""A real Prometheus scrapes the page, and its own linter finds nothing wrong with it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.export.parts import free_port, running

import agentops_sdk as agentops

pytestmark = pytest.mark.slow


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian's package prometheus)")
    return found


def work() -> None:
    from agentops_sdk import semconv
    from agentops_sdk.integration import start

    for _ in range(7):
        start(
            "llm",
            "gpt-4o-mini",
            attributes={
                semconv.PROVIDER_NAME: "openai",
                semconv.REQUEST_MODEL: "gpt-4o-mini",
                semconv.USAGE_INPUT_TOKENS: 100,
                semconv.USAGE_OUTPUT_TOKENS: 10,
            },
        ).finish()
    assert agentops.flush(10.0)


def test_promtool_has_nothing_to_say() -> None:
    tool = program("promtool")
    agentops.init(exporters=["memory"], integrations=[])
    work()
    with agentops.serve_status(0) as server:
        url, token = f"http://127.0.0.1:{server.port}/metrics", {"authorization": f"Bearer {server.token}"}
        page = urllib.request.urlopen(urllib.request.Request(url, headers=token), timeout=10).read()
    done = subprocess.run([tool, "check", "metrics"], input=page, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_prometheus_scrapes_it(tmp_path: Path) -> None:
    binary, port = program("prometheus"), free_port()
    agentops.init(exporters=["memory"], directory=tmp_path / "ops", integrations=[])
    work()
    with agentops.serve_status(0) as server:
        config = tmp_path / "p.yml"
        config.write_text(
            "scrape_configs:\n- job_name: agentops\n  scrape_interval: 1s\n"
            f"  authorization: {{credentials_file: {tmp_path / 'ops' / 'status-token'}}}\n"
            f"  static_configs: [{{targets: ['127.0.0.1:{server.port}']}}]\n"
        )
        command = [
            binary, f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage",
        ]  # fmt: skip

        def ask(query: str) -> Any:
            url = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(query)}"
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:
                    found = json.loads(answer.read())["data"]["result"]
            except urllib.error.HTTPError as error:  # not ready yet
                error.close()
                return None
            return found[0]["value"][1] if found else None

        with running(command, f"127.0.0.1:{port}"):
            deadline = time.monotonic() + 60
            while (seen := ask("agentops_spans_started_total")) is None:
                assert time.monotonic() < deadline
                time.sleep(0.5)
            assert seen == "7"
            assert ask('gen_ai_client_token_usage_sum{gen_ai_token_type="input"}') == "700"
            assert ask('agentops_sink_spans_exported_total{sink="memory"}') == "7"
            assert ask("agentops_health") == "2"
            marked = f"http://127.0.0.1:{port}/api/v1/query_exemplars?query=gen_ai_client_token_usage_bucket&start=0&end=1e10"
            with urllib.request.urlopen(marked, timeout=10) as answer:
                ((first, *_), *_) = [found["exemplars"] for found in json.loads(answer.read())["data"]]
            assert len(first["labels"]["trace_id"]) == 32  # of OpenMetrics, which Prometheus asks for
