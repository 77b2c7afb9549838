"""Each integration as an instrumentor of OpenTelemetry's, with the real ``opentelemetry-instrument``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops
from agentops_sdk.instrumentors import Instrumentor

ROOT = Path(__file__).parents[2]
GROUP = "opentelemetry_instrumentor"
ROWS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][GROUP]

PROGRAM = """
import json, sys
import ollama
from opentelemetry import trace
provider = trace.get_tracer_provider()
with trace.get_tracer("theirs").start_as_current_span("theirs"):
    answer = ollama.Client(host=sys.argv[1]).chat(model="m", messages=[{"role": "user", "content": "hi"}])
assert answer.message.content == "hello"
print(type(provider).__module__.partition(".")[0], file=sys.stderr)
"""
ANSWER = {
    "model": "m", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": "hello"},
    "done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2,
}  # fmt: skip


def instrument(directory: Path, **env: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Run the program; the spans of the console exporter of OpenTelemetry's own distribution, and our records."""
    info = directory / "agentops_recorder-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: agentops-recorder\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n" + "".join(f"{n} = {v}\n" for n, v in ROWS.items()))
    (directory / "program.py").write_text(PROGRAM)
    command = [str(Path(sys.executable).parent / "opentelemetry-instrument"), sys.executable]
    with Wire(Reply(ANSWER)) as wire:
        done = subprocess.run(
            [*command, "program.py", wire.url],
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            env={**os.environ, "PYTHONPATH": str(directory), "OTEL_TRACES_EXPORTER": "console",
                 "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none", **env},
        )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (0, "opentelemetry"), done.stderr
    decoder, spans, text = json.JSONDecoder(), [], done.stdout.strip()
    while text:
        span, end = decoder.raw_decode(text)
        spans.append(span)
        text = text[end:].strip()
    files = (directory / ".agentops" / "traces").glob("*.jsonl")
    return spans, [json.loads(line) for path in files for line in path.read_text().splitlines()]


def test_opentelemetry_instrument_has_calls_recorded_through_its_own_provider(tmp_path: Path) -> None:
    spans, records = instrument(tmp_path)
    assert [span["name"] for span in spans] == ["chat m", "theirs"]
    assert spans[0]["parent_id"] == spans[1]["context"]["span_id"]
    assert spans[0]["attributes"]["gen_ai.usage.input_tokens"] == 3
    (record,) = records
    assert (record["name"], record["attributes"]["gen_ai.usage.output_tokens"]) == ("chat m", 2)
    assert record["trace_id"] == spans[0]["context"]["trace_id"].removeprefix("0x")


def test_an_instrumentation_that_is_disabled_stays_away(tmp_path: Path) -> None:
    spans, records = instrument(tmp_path, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="openai, ollama")
    assert ([span["name"] for span in spans], records) == (["theirs"], [])


def test_an_instrumentor_in_a_program_uses_the_provider_that_it_is_given(tmp_path: Path, monkeypatch: Any) -> None:
    import ollama

    monkeypatch.chdir(tmp_path)
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = Instrumentor("ollama")
    assert instrumentor is Instrumentor("ollama")
    assert next(iter(instrumentor.instrumentation_dependencies())).startswith("ollama >=")
    with Wire(Reply(ANSWER), Reply(ANSWER)) as wire:
        instrumentor.instrument(tracer_provider=provider)
        assert instrumentor.is_instrumented_by_opentelemetry
        assert agentops.status().settings["integrations"].value == ["ollama"]
        client = ollama.Client(host=wire.url)
        for _ in range(2):
            client.chat(model="m", messages=[{"role": "user", "content": "hi"}])
            if instrumentor.is_instrumented_by_opentelemetry:
                instrumentor.uninstrument()
        client._client.close()
    assert [span.name for span in exporter.get_finished_spans()] == ["chat m"]
    assert not agentops.status().enabled
    provider.shutdown()


def test_what_cannot_be_instrumented_is_told(caplog: pytest.LogCaptureFixture) -> None:
    absent = Instrumentor("agno")
    absent.instrument(skip_dep_check=True)
    assert (caplog.text, absent.is_instrumented_by_opentelemetry) == ("", False)
    absent.instrument()
    assert "agno is not instrumented: agno cannot be imported" in caplog.text
    with pytest.raises(ModuleNotFoundError, match="agno"):
        absent.instrument(raise_exception_on_conflict=True)
    with pytest.raises(agentops.ConfigError, match=r"one of .*openai"):
        Instrumentor("openia")
