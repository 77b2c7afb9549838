"""A secret is scrubbed wherever it was put: names, events, links, status, resource; joined to a provider as well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, StatusCode, get_current_span

import agentops_sdk as agentops
from agentops_sdk._scrub import redact
from agentops_sdk._scrub.policy import Policy
from agentops_sdk.config import resolve

SECRET = "ghp_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
ELSEWHERE = SpanContext(1, 1, is_remote=False)


def plant_through_us() -> None:
    with agentops.span(f"call {SECRET}", kind="tool") as span:
        span.set("note", [SECRET, "x"])
    with agentops.span(f"ask {SECRET}", kind="agent"):
        pass


def plant_through_opentelemetry() -> None:
    with agentops.span("plain"):
        span = get_current_span()
        span.set_attribute("other", SECRET)
        span.add_event(f"event {SECRET}", {"key": SECRET})
        span.add_link(ELSEWHERE, {"key": SECRET})
        span.set_status(StatusCode.ERROR, f"failed with {SECRET}")


def written(directory: Path) -> str:
    agentops.shutdown()
    return "".join(path.read_text() for path in directory.glob("*.jsonl"))


def test_no_part_of_a_span_or_its_resource_shows_a_secret(tmp_path: Path) -> None:
    agentops.init(
        exporters=[f"jsonl:{tmp_path}"],
        integrations=[],
        service_name=f"service {SECRET}",
        resource_attributes={"deployment.note": SECRET, "db.password": "open sesame"},
    )
    plant_through_us()
    plant_through_opentelemetry()
    lines = written(tmp_path)
    assert lines.count("\n") == 3
    assert SECRET not in lines
    assert "open sesame" not in lines
    assert '"name":"execute_tool call [redacted:github-token]"' in lines


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[TracerProvider]:
    made = TracerProvider()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", made)
    yield made
    agentops.shutdown()
    made.shutdown()


def test_joined_to_a_provider_neither_exporter_gets_a_secret_of_ours(tmp_path: Path, provider: TracerProvider) -> None:
    theirs = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    agentops.init(exporters=[f"jsonl:{tmp_path}"], integrations=[])
    plant_through_us()
    with agentops.span("linked"):
        agentops.current_span().link(ELSEWHERE, {"key": SECRET})
    seen = "".join(span.to_json() for span in theirs.get_finished_spans())
    assert len(theirs.get_finished_spans()) == 3
    assert SECRET not in seen
    plant_through_opentelemetry()  # their exporter gets what their own code gave it; our file must not
    lines = written(tmp_path)
    assert lines.count("\n") == 4
    assert SECRET not in lines


def test_links_given_at_the_start_are_scrubbed_in_a_joined_provider(tmp_path: Path, provider: TracerProvider) -> None:
    from agentops_sdk._capture.start import start

    theirs = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    agentops.init(exporters=[f"jsonl:{tmp_path}"], integrations=[])
    start("task", "linked", links=[Link(ELSEWHERE, {"key": SECRET})]).finish()
    (span,) = theirs.get_finished_spans()
    assert SECRET not in span.to_json()
    assert json.loads(written(tmp_path))["links"][0]["attributes"] == {"key": "[redacted:github-token]"}


@pytest.mark.guard_swallows
def test_where_scrubbing_fails_no_list_gets_through_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, text: str) -> tuple[str, int]:
        raise RuntimeError

    monkeypatch.setattr(redact.Redactor, "text", broken)
    kept = Policy(resolve({})).apply({"one": SECRET, "many": [SECRET], "count": 3})
    assert kept == {"one": "[redaction failed]", "many": "[redaction failed]", "count": 3}
