"""Runs that a library reports by id, in whatever order, thread and number it does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk._capture import runs as runs_module
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration import current_call
from agentops_sdk.integration.frameworks import Runs

Tree = Callable[[], dict[str, tuple[str | None, str]]]


@pytest.fixture
def tree() -> Tree:
    """By name, the parent and the outcome of each span that has ended."""
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[])

    def seen() -> dict[str, tuple[str | None, str]]:
        agentops.flush(10)
        spans = exporter.finished_spans()
        names = {span.context.span_id: span.name for span in spans if span.context is not None}
        return {
            span.name: (
                names.get(span.parent.span_id, "?") if span.parent is not None else None,
                str((span.attributes or {})["agentops.outcome"]),
            )
            for span in spans
        }

    return seen


def test_runs_nest_as_the_library_says(tree: Tree) -> None:
    runs = Runs("acme")
    runs.begin("workflow", "flow", 1)
    runs.begin("agent", "bob", 2, 1)
    runs.begin("tool", "search", 3, 2)
    for key in (3, 2, 1):
        runs.finish(key)
    assert tree() == {
        "invoke_workflow flow": (None, "ok"),
        "invoke_agent bob": ("invoke_workflow flow", "ok"),
        "execute_tool search": ("invoke_agent bob", "ok"),
    }
    assert not runs.open


def test_what_runs_inside_hangs_below(tree: Tree) -> None:
    runs = Runs("acme")
    assert runs.current() is None
    run = runs.begin("task", "step", "a")
    token = run.attach()
    assert runs.current() is run
    assert current_call() is run.call
    with agentops.span("inside"):
        # The library says "below step"; the span in between is nearer.
        runs.begin("task", "deeper", "b", "a")
        runs.finish("b")
    run.detach(token)
    assert runs.current() is None
    runs.finish("a")
    spans = tree()
    assert spans["inside"] == ("step", "ok")
    assert spans["deeper"] == ("inside", "ok")


def test_entered_until_it_ends(tree: Tree) -> None:
    runs = Runs("acme")
    run = runs.begin("task", "step", 1)
    run.enter()
    with agentops.span("inside"):
        pass
    runs.finish(1)
    assert current_call() is None
    assert tree()["inside"] == ("step", "ok")


def test_entered_here_and_ended_elsewhere(tree: Tree) -> None:
    runs = Runs("acme")

    def begin() -> None:
        runs.begin("task", "step", 1).enter()

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    runs.finish(1)
    assert tree() == {"step": (None, "ok")}


def test_two_libraries_one_inside_the_other(tree: Tree) -> None:
    outer, inner = Runs("crew"), Runs("acme")
    outer.begin("agent", "bob", 1).enter()
    run = inner.begin("tool", "search", 1)  # the same id, of another library
    assert inner.current() is None
    run.enter()
    assert (outer.current(), inner.current()) == (outer.get(1), run)
    inner.finish(1)
    outer.finish(1)
    assert tree()["execute_tool search"] == ("invoke_agent bob", "ok")


def test_a_run_without_a_span(tree: Tree) -> None:
    runs = Runs("acme")
    runs.begin("workflow", "flow", 1)
    hidden = runs.begin("task", "internal", 2, 1, record=False)
    runs.begin("task", "step", 3, 2)
    assert [run.name for run in hidden.above()] == ["flow"]
    for key in (3, 2, 1):
        runs.finish(key)
    assert tree() == {"invoke_workflow flow": (None, "ok"), "step": ("invoke_workflow flow", "ok")}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ValueError("no"), "error"),
        (asyncio.CancelledError(), "cancelled"),
        (GeneratorExit(), "abandoned"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_outcomes(tree: Tree, error: BaseException, outcome: str) -> None:
    runs = Runs("acme")
    runs.begin("task", "step", 1)
    runs.fail(1, error)
    runs.finish(1)  # a second end of the same run, and one of nobody's
    runs.finish("unknown")
    assert tree() == {"step": (None, outcome)}


def test_what_is_cut_off_ends_with_it(tree: Tree) -> None:
    runs = Runs("acme")
    runs.begin("workflow", "flow", 1)
    runs.begin("task", "step", 2, 1)
    runs.begin("task", "deeper", 3, 2)
    runs.fail(1, asyncio.CancelledError())
    assert tree() == {
        "invoke_workflow flow": (None, "cancelled"),
        "step": ("invoke_workflow flow", "cancelled"),
        "deeper": ("step", "cancelled"),
    }
    assert not runs.open


def test_what_outlives_it_ends_by_itself(tree: Tree) -> None:
    runs = Runs("acme")
    runs.begin("workflow", "flow", 1)
    runs.begin("task", "step", 2, 1)
    runs.finish(1)
    assert tree() == {"invoke_workflow flow": (None, "ok")}
    runs.finish(2)
    assert tree()["step"] == ("invoke_workflow flow", "ok")


def test_end_all(tree: Tree) -> None:
    runs = Runs("acme")
    for key in range(3):
        runs.begin("task", f"step {key}", key)
    runs.end_all("interrupted")
    assert set(tree().values()) == {(None, "interrupted")}
    assert not runs.open


def test_growth_is_bounded(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "_MAX_OPEN", 10)
    runs = Runs("acme")
    for key in range(25):  # of a library that never reports an end
        runs.begin("task", f"step {key}", key)
    assert len(runs.open) == 10
    assert set(tree().values()) == {(None, "abandoned")}
    for key in range(100, 125):
        runs.begin("workflow", f"flow {key}", key)
        runs.begin("task", f"step {key}", -key, key)
        runs.finish(key)
    assert len(runs.open) <= 22
    runs.end_all("interrupted")
    assert agentops.status().spans["open"] == 0


def test_streamed(tree: Tree) -> None:
    runs = Runs("acme")
    run = runs.begin("llm", "gpt", 1, operation="chat")
    assert run.streamed() == {}
    run.chunk()
    run.chunk()
    told: dict[str, Any] = run.streamed()
    assert told["agentops.stream.chunks"] == 2
    assert told["gen_ai.response.time_to_first_chunk"] > 0
    runs.finish(1)
    assert tree() == {"chat gpt": (None, "ok")}
