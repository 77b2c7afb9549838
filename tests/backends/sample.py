"""One agent run with known figures, for every backend alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys
import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.integration import start
agentops.init(exporters=["otlp"], integrations=[], service_name="backend-test", pricing=False)
@agentops.tool
def weather(city):
    return "rain in " + city
@agentops.agent
def planner():
    call = start("llm", "gpt-4o-mini", attributes={
        semconv.PROVIDER_NAME: "openai",
        semconv.REQUEST_MODEL: "gpt-4o-mini",
        semconv.RESPONSE_MODEL: "gpt-4o-mini-2024-07-18",
        semconv.INPUT_MESSAGES: json.dumps(
            [{"role": "user", "parts": [{"type": "text", "content": "Weather in Oslo?"}]}]),
        semconv.OUTPUT_MESSAGES: json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": "Let me look."}], "finish_reason": "stop"}]),
        semconv.USAGE_INPUT_TOKENS: 120,
        semconv.USAGE_OUTPUT_TOKENS: 30,
        semconv.COST_AMOUNT: 0.000036,
        semconv.COST_CURRENCY: "USD",
    })
    call.finish()
    try:
        with agentops.span("broken step"):
            raise ValueError("on purpose")
    except ValueError:
        pass
    return weather("Oslo")
planner()
result = agentops.flush(30)
print(json.dumps({"flushed": bool(result), "sink": agentops.status().sinks["otlp"].model_dump(mode="json")}))
"""

TRIP = """
import json
import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.integration import start
agentops.init(exporters=["otlp"], vocabularies="openinference", integrations=[], service_name="trip", pricing=False)
@agentops.tool
def weather(city):
    return "rain in " + city
@agentops.retriever(name="guide")
def guide(query):
    return [{"id": "d1", "content": "Oslo is wet", "score": 0.9}]
@agentops.agent
def planner(question):
    guide(question)
    agentops.decide("route", "weather", options=["weather", "news"])
    call = start("llm", "gpt-4o-mini", attributes={
        semconv.PROVIDER_NAME: "openai",
        semconv.REQUEST_MODEL: "gpt-4o-mini",
        semconv.INPUT_MESSAGES: [{"role": "user", "parts": [{"type": "text", "content": question}]}],
        semconv.OUTPUT_MESSAGES: [{"role": "assistant", "parts": [{"type": "text", "content": "Let me look."}]}],
        semconv.USAGE_INPUT_TOKENS: 120,
        semconv.USAGE_OUTPUT_TOKENS: 30,
        semconv.COST_AMOUNT: 0.000036,
        semconv.COST_CURRENCY: "USD",
    })
    call.finish()
    return weather("Oslo")
@agentops.workflow(name="trip")
def trip(question):
    return planner(question)
with agentops.context(session_id="s-1", user_id="ann"):
    trip("Weather in Oslo?")
result = agentops.flush(30)
print(json.dumps({"flushed": bool(result), "sink": agentops.status().sinks["otlp"].model_dump(mode="json")}))
"""
"""One span of each kind, with OpenInference's names beside ours."""


def run(place: Path, endpoint: str, program: str = PROGRAM, **env: str) -> dict[str, object]:
    """Run a program in a process of its own; what its sink said."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **env},
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told
