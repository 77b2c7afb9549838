"""Runs a framework's whole programs against a scripted model, with a provider of ours and with the program's own."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.conformance.spans import check as check_conventions
from tests.langchain.forest import tree
from tests.openai.spans import check_schemas
from tests.own_provider import set_provider

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

Program = Callable[[Any], None]
MODES = ("private", "joined")
_SET_LATER = ("delegation", "failures", "refunds", "research", "team")
"""Programs that set their provider after ``init()`` where it is theirs; the others do before."""


def check(
    program: Program, trees: Path, mode: str, patch: pytest.MonkeyPatch, server: Any = LocalModel, **options: Any
) -> list[Any]:
    """Run ``program`` and compare its tree; each request's tokens are counted once, wherever spans go.

    Args:
        program: asks the server that it is given.
        trees: the folder with the trees; ``AGENTOPS_UPDATE_TREES`` writes them.
        mode: ``private``, ``joined`` or ``late``: whose provider it is, and whether it was set after ``init()``.
        server: makes the server, whose ``requests`` are those of models only.
        options: goes to ``init()``. Where they choose no state of the conventions, runs with a provider of ours are
            in ``main``, or, with other options, in ``pin``; those with the program's own in none.
    """
    if mode == "private":
        options.setdefault("semconv", "pin" if options else "main")
    own, exporter = InMemorySpanExporter(), MemoryExporter()
    if mode == "joined" and program.__name__ in _SET_LATER:
        mode = "late"
    if mode == "joined":
        set_provider(patch, own)
    agentops.init(exporters=[exporter], **options)
    if mode == "late":
        set_provider(patch, own)
    with server() as models:
        program(models)
    assert agentops.flush()
    assert agentops.status().spans["open"] == 0
    spans = list(exporter.finished_spans())
    agentops.shutdown()
    for span in spans:
        check_schemas(dict(span.attributes))
    check_conventions(spans, options.get("semconv"))
    for exported in (spans,) if mode == "private" else (spans, own.get_finished_spans()):
        counted = [
            span for span in exported if "gen_ai.usage.input_tokens" in span.attributes
            # agents have the sum by the conventions' name where a state of them is chosen
            and ("semconv" not in options or span.attributes["agentops.kind"] in ("llm", "embedding"))
        ]  # fmt: skip
        assert len(counted) == len(models.requests)
        known = {span.context.span_id for span in exported}
        assert all(span.parent is None or span.parent.span_id in known for span in exported), "an orphan"
    file = trees / f"{program.__name__}.txt"
    if os.environ.get("AGENTOPS_UPDATE_TREES"):
        file.write_text(tree(spans))
    assert tree(spans) == file.read_text()
    return spans


def check_cancelled(run: Callable[[Any, Any], Awaitable[Any]], server: Any = None) -> dict[str, str]:
    """A run that is cancelled while its tool works ends with all that runs in it; returns how each span ended.

    Args:
        run: asks an agent whose tool is the asynchronous function that it is given.
        server: makes the server, whose model calls ``wait``.
    """
    exporter, started = MemoryExporter(), asyncio.Event()

    async def wait() -> str:
        """Wait."""
        started.set()
        await asyncio.sleep(60)
        return ""

    async def cancel(models: Any) -> None:
        task = asyncio.ensure_future(run(models, wait))
        waiting = asyncio.ensure_future(started.wait())
        await asyncio.wait((task, waiting), timeout=60, return_when=asyncio.FIRST_COMPLETED)
        assert waiting.done(), task
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    agentops.init(exporters=[exporter])
    with server() if server else LocalModel(lambda request: Reply(tool_calls=(ToolCall("wait", {}),))) as models:
        asyncio.run(cancel(models))
    gc.collect()  # clients that a cancelled run has left open, in the test whose they are
    assert agentops.flush()
    still_open = agentops.status().spans["open"]
    agentops.shutdown()
    assert still_open == 0
    return {span.name: span.attributes["agentops.outcome"] for span in exporter.finished_spans()}


def memories(spans: list[Any]) -> list[tuple[Any, ...]]:
    """What was done with which memory, and the texts of the records that are known of it."""
    told = (span.attributes for span in spans if span.attributes["agentops.kind"] == "memory")
    return [
        (
            each["gen_ai.operation.name"],
            each.get("gen_ai.memory.store.id"),
            [row["content"] for row in json.loads(each.get("gen_ai.memory.records", "[]"))],
        )
        for each in told
    ]


def check_approvals(spans: list[Any], chosen: list[str]) -> None:
    """A run that stops to ask a person, and the one that goes on: the question, the answers, the time and the link."""
    stopped, resumed = spans
    checkpoint = stopped.attributes["agentops.graph.checkpoint.id"]
    assert stopped.attributes["agentops.outcome"] == "interrupted"
    assert len(json.loads(stopped.attributes["agentops.interrupts"])) == len(chosen)
    decisions = [
        resumed.attributes,
        *(event.attributes for event in resumed.events if "chosen" in str(event.attributes)),
    ]
    assert sorted(each["agentops.decision.chosen"] for each in decisions) == chosen
    assert all(each["agentops.decision.by"] == "human" and each["agentops.decision.waited"] > 0 for each in decisions)
    assert resumed.attributes["agentops.graph.resumed_from.checkpoint.id"] == checkpoint
    assert [link.context.span_id for link in resumed.links] == [stopped.context.span_id]
