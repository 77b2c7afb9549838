"""In a program that has a TracerProvider already: the same trees, through its provider, with its spans among them."""

from __future__ import annotations

import json
import subprocess
import sys
from contextvars import copy_context

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util._once import Once
from tests.own_provider import set_provider

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

PROGRAM = """
import asyncio, json, logging, sys, threading
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
memory = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("theirs")

import agentops_sdk as agentops
agentops.init(exporters=["memory"], integrations=[])

@agentops.tool
def leaf():
    with tracer.start_as_current_span("their leaf"):
        pass

@agentops.task
def body():
    with tracer.start_as_current_span("their held"):
        leaf()
        yield 1
        with agentops.span("inside held"):
            pass
        yield 2

@agentops.task
async def stream():
    async with agentops.span("held"):
        yield 1
        await asyncio.sleep(0)
        yield 2

async def drain():
    async for _ in stream():
        with tracer.start_as_current_span("their use"):
            pass
        break

with tracer.start_as_current_span("their root"), agentops.context(session_id="s"):
    with agentops.span("Agent", kind="agent"):
        for _ in body():
            with agentops.span("use"):
                pass
        thread = threading.Thread(target=leaf)
        thread.start(); thread.join()
        agentops.handoff("B")
    with agentops.span("B", kind="agent") as last:
        pass
    asyncio.run(drain())
    agentops.feedback(last, name="good", value=1)
agentops.shutdown()
spans = memory.get_finished_spans()
names = {span.context.span_id: span.name for span in spans}
print(json.dumps({
    "tree": sorted((span.name, names.get(span.parent.span_id) if span.parent else None) for span in spans),
    "sessions": sorted({str(span.attributes.get("session.id")) for span in spans if not span.name.startswith("their")}),
    "links": [len(span.links) for span in spans if span.name == "invoke_agent B"],
}))
"""


def test_with_a_provider_of_the_programs_own() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert [tuple(pair) for pair in found["tree"]] == [
        ("body", "invoke_agent Agent"),
        ("evaluate good", "invoke_agent B"),
        ("execute_tool leaf", "invoke_agent Agent"),
        ("execute_tool leaf", "their held"),
        ("held", "stream"),
        ("inside held", "their held"),
        ("invoke_agent Agent", "their root"),
        ("invoke_agent B", "their root"),
        ("stream", "their root"),
        ("their held", "body"),
        ("their leaf", "execute_tool leaf"),
        ("their leaf", "execute_tool leaf"),
        ("their root", None),
        ("their use", "their root"),
        ("use", "invoke_agent Agent"),
        ("use", "invoke_agent Agent"),
    ]
    assert found["sessions"] == ["s"]
    assert found["links"] == [1]


def test_a_provider_that_is_set_after_init_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is open ends as it began; what begins goes through the provider; nothing counts twice, and none is lost."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    original = trace._set_tracer_provider
    theirs, ours = InMemorySpanExporter(), MemoryExporter()
    agentops.init(exporters=[ours], integrations=[])
    copy_context().run(agentops.span("left open").__enter__)
    with agentops.span("around"):
        set_provider(monkeypatch, theirs)
        with trace.get_tracer("theirs").start_as_current_span("their step"), agentops.span("inside"):
            pass
    with agentops.span("later"):
        pass
    assert agentops.flush()
    assert agentops.status().spans["open"] == 1
    agentops.shutdown()
    spans = {span.name: span for span in ours.finished_spans()}
    assert sorted(spans) == ["around", "inside", "later", "left open"]
    assert spans["left open"].attributes["agentops.outcome"] == "interrupted"
    parent = spans["inside"].parent
    assert parent is not None
    assert parent.span_id == spans["around"].context.span_id
    assert [span.name for span in theirs.get_finished_spans()] == ["inside", "their step", "later"]
    assert trace._set_tracer_provider is original
    with trace.get_tracer("theirs").start_as_current_span("without us"):
        pass
    assert len(theirs.get_finished_spans()) == 4


def test_a_provider_of_ours_that_is_registered_later_has_each_span_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    ours = MemoryExporter()
    agentops.init(exporters=[ours], integrations=[])
    agentops.init(global_provider=True)
    with agentops.span("once"):
        pass
    assert agentops.flush()
    agentops.shutdown()
    assert [span.name for span in ours.finished_spans()] == ["once"]
