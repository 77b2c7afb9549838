"""Nothing that a user's operation was given or gave stays in memory once it has ended and been delivered."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import subprocess
import sys
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration import current_call, start

TIMES, SIZE = 50, 50_000
ALLOWED = TIMES * SIZE // 10


def _handoff_that_nobody_takes(text: str) -> object:
    with agentops.span("run"), agentops.span("A", kind="agent") as agent:
        agent.set_input(text)
        agentops.handoff("nobody")
    return None


def _handoff_by_a_tool(text: str) -> object:
    @agentops.tool
    def pass_on(what: str) -> str:
        agentops.handoff("nobody", reason="so")
        return what

    with agentops.span("A", kind="agent"):
        pass_on(text)
    return None


def _context_that_lives_on(text: str) -> object:
    """As of a timer, a callback, or a task that goes on when the run is over."""
    with agentops.span("run", kind="agent") as run:
        run.set_input(text)
        run.event("said", {"what": text})
        run.set_output(text)
        return contextvars.copy_context()


def _failure_in_a_context_that_lives_on(text: str) -> object:
    kept = None
    with pytest.raises(ValueError, match="x"), agentops.span("run", kind="agent"):
        kept = contextvars.copy_context()
        raise ValueError(text)
    return kept


WAYS: list[Callable[[str], object]] = [
    _handoff_that_nobody_takes,
    _handoff_by_a_tool,
    _context_that_lives_on,
    _failure_in_a_context_that_lives_on,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_"))
def test_inputs_are_gone_when_they_are_delivered(way: Callable[[str], object], tmp_path: Path) -> None:
    agentops.init(exporters=["jsonl"], directory=tmp_path, integrations=[])
    way("x")
    assert agentops.flush()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = [way("x" * SIZE) for _ in range(TIMES)]
        assert agentops.flush()
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(kept) == TIMES
    assert held < ALLOWED


def test_a_handoff_keeps_no_call(tmp_path: Path) -> None:
    agentops.init(exporters=["jsonl"], directory=tmp_path, integrations=[])
    calls = []
    for _ in range(20):
        with agentops.span("A", kind="agent"):
            agentops.handoff("nobody")
            calls.append(weakref.ref(current_call()))
    agentops.flush()
    gc.collect()
    assert [call for call in calls if call() is not None] == []


MEMORIES = """
import os, sys
import agentops_sdk as agentops
from agentops_sdk._host import bounded_map
from agentops_sdk._capture import handoff
from agentops_integrations.langchain import interrupts
from agentops_integrations.openai import background

def fill():
    with agentops.span("A", kind="agent"):
        agentops.handoff("nobody")
    for each in bounded_map._maps:
        if not each:
            each["thread", "checkpoint"] = None

def sizes():
    return {len(each) for each in bounded_map._maps}

agentops.init(exporters=["jsonl"], directory=sys.argv[1], integrations=[])
assert {id(handoff.pending), id(interrupts._interrupted)} < {id(each) for each in bounded_map._maps}
fill()
assert sizes() == {1}, sizes()
pid = os.fork()
if pid == 0:
    os._exit(len(sizes() - {0}))
assert os.waitpid(pid, 0)[1] == 0, "a forked child remembers"
assert sizes() == {1}, sizes()
for number in range(20_000):
    for each in bounded_map._maps:
        each[number] = None
assert max(sizes()) == 10_000, sizes()
agentops.shutdown()
assert sizes() == {0}, sizes()
"""


def test_what_is_remembered_ends_with_the_run_of_the_sdk(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", MEMORIES, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _function() -> weakref.ref[Any]:
    return agentops.track(lambda: weakref.ref(current_call()))()


def _generator() -> weakref.ref[Any]:
    @agentops.track
    def steps() -> Iterator[weakref.ref[Any]]:
        yield weakref.ref(current_call())

    (only,) = steps()
    return only


def _coroutine() -> weakref.ref[Any]:
    @agentops.track
    async def wait() -> weakref.ref[Any]:
        return weakref.ref(current_call())

    return asyncio.run(wait())


def _tool() -> weakref.ref[Any]:
    return agentops.tool(lambda: weakref.ref(current_call()))()


def _block() -> weakref.ref[Any]:
    with agentops.span("block"):
        return weakref.ref(current_call())


@pytest.mark.parametrize("way", [_function, _generator, _coroutine, _tool, _block])
def test_a_call_that_ended_needs_no_collector(way: Callable[[], weakref.ref[Any]], tmp_path: Path) -> None:
    """Its passes come in the middle of the program's own calls, the more often the more is left to them."""
    agentops.init(exporters=["memory"], directory=tmp_path, integrations=[])
    gc.disable()
    try:
        assert way()() is None
    finally:
        gc.enable()
        agentops.shutdown()


@pytest.mark.parametrize("kind", ["task", "tool", "agent", "workflow", "retriever"])
def test_what_begins_below_a_call_that_ended_is_below_it(kind: str, tmp_path: Path) -> None:
    memory = MemoryExporter()
    agentops.init(exporters=[memory], directory=tmp_path, integrations=[])
    with agentops.context(user_id="somebody"), agentops.span("outer", kind=kind) as outer:
        call = current_call()
    assert call is not None
    assert call.ended
    late = start("task", "late", parent=call.context)
    token = late.attach()
    assert current_call() is late
    late.detach(token)
    late.finish()
    agentops.flush()
    below = memory.finished_spans()[-1]
    assert below.parent is not None
    ids = f"{below.context.trace_id:032x}", f"{below.parent.span_id:016x}"
    assert (below.name, *ids) == ("late", outer.trace_id, outer.span_id)
    assert below.attributes["user.id"] == "somebody"
