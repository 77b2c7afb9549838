"""Text that has no UTF-8 and numbers that no encoding holds are written otherwise, once, wherever they were put."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.export.receiver import Receiver

import agentops_sdk as agentops

LONE, ESCAPED = "a\udc80b", "a\\udc80b"


def everywhere() -> None:
    with (
        agentops.context(session_id=LONE, tags=[LONE], metadata={LONE: LONE}),
        agentops.span(f"agent {LONE}", kind="agent") as span,
    ):
        span.set(LONE, LONE)
        span.set("list", [LONE, "x"])
        span.set("structure", {LONE: [LONE]})
        span.event(LONE, {LONE: LONE})
        agentops.handoff(LONE, reason=LONE)
        agentops.decide(LONE, LONE, options=[LONE], reason=LONE, by_name=LONE)
        agentops.feedback(name=LONE, value=LONE, comment=LONE)

        @agentops.tool(name=LONE, attributes={LONE: LONE})
        def search(query: str) -> str:
            raise ValueError(LONE, query)

        with pytest.raises(ValueError, match="a"):
            search(LONE)
        with pytest.raises(KeyError), agentops.span("fails"):
            raise KeyError(LONE)


def escapes(value: Any) -> int:
    """How often the escape stands in names and values; a lone surrogate would not encode."""
    text = json.dumps(value, ensure_ascii=False)
    text.encode()
    return text.count("udc80")


def test_over_otlp_and_in_files(tmp_path: Path) -> None:
    receiver = Receiver()
    try:
        agentops.init(exporters=[f"jsonl:{tmp_path}", f"otlp:{receiver.url}"], integrations=[])
        everywhere()
        assert agentops.flush().remaining == 0
        assert len(receiver.names) == 4
        agentops.shutdown()
    finally:
        receiver.close()
    rows = [json.loads(line) for file in tmp_path.glob("*.jsonl") for line in file.read_text("utf-8").splitlines()]
    spans = {row["name"]: row for row in rows if "end_ns" in row}
    assert {f"execute_tool {ESCAPED}", f"decision {ESCAPED}", f"invoke_agent agent {ESCAPED}", "fails"} <= set(spans)
    outer = spans[f"invoke_agent agent {ESCAPED}"]["attributes"]
    assert outer[ESCAPED] == ESCAPED
    assert outer["session.id"] == ESCAPED
    assert outer["agentops.tags"] == [ESCAPED]
    assert outer[f"agentops.metadata.{ESCAPED}"] == ESCAPED
    assert json.loads(outer["structure"]) == {ESCAPED: [ESCAPED]}
    assert spans["fails"]["status_message"] == f"'{ESCAPED}'"
    assert escapes(rows) > 20


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[TracerProvider]:
    own = TracerProvider()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", own)
    yield own
    agentops.shutdown()
    own.shutdown()


def test_the_exporters_of_a_joined_provider_can_encode_it(provider: TracerProvider) -> None:
    theirs = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    agentops.init(exporters=["memory"], integrations=[])
    everywhere()
    spans = theirs.get_finished_spans()
    assert len(spans) == 4
    for span in spans:
        span.to_json().encode()
        assert "\udc80" not in span.to_json()


def test_headers_carry_it_to_other_services() -> None:
    agentops.init(exporters=["memory"], integrations=[])
    with agentops.context(session_id=LONE, metadata={"note": "fine"}), agentops.span("x"):
        headers = agentops.inject({})
    assert "traceparent" in headers
    assert "fine" in headers["baggage"]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30, 10**400])
def test_numbers_beyond_64_bits_become_text_and_are_listed(number: int, tmp_path: Path) -> None:
    agentops.init(exporters=[f"jsonl:{tmp_path}"], integrations=[])
    with agentops.span("x") as span:
        span.set("n", number)
        span.set("rows", [1, number])
        span.event("e", {"n": number})
    agentops.shutdown()
    (file,) = tmp_path.glob("*.jsonl")
    (row,) = [row for row in map(json.loads, file.read_text().splitlines()) if "end_ns" in row]
    assert row["attributes"]["n"] == str(number)
    assert row["attributes"]["agentops.altered"] == ["n", "rows"]
    assert row["events"][0]["attributes"]["agentops.altered"] == ["n"]


def test_messages_of_errors_never_make_python_write_too_many_digits(tmp_path: Path) -> None:
    agentops.init(exporters=[f"jsonl:{tmp_path}"], integrations=[])
    try:
        with agentops.span("x"):
            raise ValueError("limit", 10**5000)
    except ValueError:
        pass
    agentops.shutdown()
    (file,) = tmp_path.glob("*.jsonl")
    assert "<int of 16610 bits>" in file.read_text()
