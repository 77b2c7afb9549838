"""Never break the host: any function of ours may fail, and the program's calls go on as if we were not there.

Every function and method of the rooms that a call passes, and of every integration, is replaced, one at a time, by one
that raises; then the same program runs as without us. It must see the same, each failure must be counted, and each
place where one was contained must have been told once.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import inspect
import json
import logging
import os
import pkgutil
import subprocess
import sys
import threading
import types
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from tests.integrations import own
from tests.integrations.driver import Driver, driver_of, installed
from tests.integrations.seams import load
from tests.integrations.traffic import STREAMS, answering, request, ways
from tests.wire.http import Wire

import agentops_sdk as agentops
from agentops_sdk._host import guard as guarding
from agentops_sdk._pipeline.registry import find_integrations
from agentops_sdk.exporters.memory import MemoryExporter

ROOT = Path(__file__).parents[2]
NAMES = sorted({*find_integrations(), *own.NAMES})
PACKAGES = (
    "agentops_sdk._host", "agentops_sdk._snapshot", "agentops_sdk._scrub", "agentops_sdk._propagation",
    "agentops_sdk._capture", "agentops_sdk._genai", "agentops_sdk._http", "agentops_sdk._track",
    "agentops_sdk._recorder", "agentops_sdk._pipeline", "agentops_sdk._limits",
)  # fmt: skip
MODULES = (
    "agentops_sdk.track", "agentops_sdk.spans", "agentops_sdk.decision", "agentops_sdk.context", "agentops_sdk.limits",
)  # fmt: skip
KIT = ("agentops_sdk._http", "agentops_sdk._genai", "agentops_sdk._capture.adopted_")
WHOLE = ("openai", "langchain", "acme_talk")
"""One of each kind, under which every room fails. Under the others, the kit does, and the integration itself."""

FRAMEWORKS = (
    "a2a", "ag2", "agent_framework", "agno", "autogen", "celery", "claude_agent", "crewai", "dspy", "google_adk",
    "haystack", "livekit", "llama_index", "mcp", "openai_agents", "pipecat", "pydantic_ai", "semantic_kernel",
    "smolagents", "strands",
)  # fmt: skip
"""These report what they do themselves: few functions of ours stand before them, and their own tests go further."""

STORES = ("asyncpg", "chroma", "lancedb", "mem0", "pinecone", "psycopg", "qdrant", "weaviate")
"""Of these, the kit alone stands before a query; mem0 is a store of memories."""

WITH_OUR_OWN = "openai"
"""The integration in whose turn the program also uses what is ours: decorators, spans, decisions, contexts."""

# Made by the language for named tuples and dataclasses, or never part of a call.
GENERATED = {"_asdict", "_make", "_replace", "__getnewargs__", "__repr__", "__eq__", "__hash__", "__new__",
             "__getstate__", "__setstate__", "__setattr__", "__delattr__"}  # fmt: skip

# What the program itself calls or iterates: the thin shells around its own code. Each holds guarded
# calls only; it cannot be replaced by something that raises, as it *is* what the program calls.
SHELLS = {
    "guard._Guard.__exit__", "guard._Guard.__init__",  # the net itself
    # What the program names: its arguments are checked, and a wrong one is told by an exception.
    "spans.span.__init__", "decision.decision.__init__", "context.context.__init__",
    "limits.limits.__init__", "scope.Policy.__init__", "block.Block.__init__",
    "limit_counts.Counts.__init__", "limit_counts.counts_of",
    "span_handle.Span.__init__", "span_handle.Span.set",
    # Stand next to the program's own code, guarded calls of ours on either side of it.
    "intercept.around", "intercept.around_async", "intercept._accepted",
    "call.Call.attach", "call.Call.detach", "call.Call.finish", "call.Call.fail",
    "exchange.Exchange.attach", "exchange.Exchange.detach", "exchange.Exchange.fail",
    "generated._GeneratedExchange.attach", "generated._GeneratedExchange.detach",
    "function_call.Tracked.begin", "function_call.Tracked.end", "function_call.Tracked.fail",
    "spans.span.__enter__", "spans.span.__exit__", "spans.span._left",
    "decision.decision.__enter__", "decision.decision.__exit__", "decision.decision.choose",
    "spans.span._begun", "spans.span._into", "spans._stop",
    "block.Block.__enter__", "block.Block.__exit__",
    "function_call.Tracked.insist", "function_call.Tracked.insist_async",
    "admission.refusal", "admission.refusal_async", "admission.answered", "admission.insist", "admission.insist_async",
    "generated.GeneratedClient._request", "generated.GeneratedClient._request_async", "generated._build_request",
    "generated._should_retry", "generated._retry_timeout", "generated._process_response", "generated._stream",
    # Pass the program's own items on, one at a time.
    "generators._begun", "generators._begun_async", "generators._enter", "generators._leave", "generators._unhooked",
    "context_keys.release",
    "generator_call.Yielded.__init__", "generator_call.Yielded.item", "generator_call.Yielded.end",
    "generator_call.Yielded.abandon", "generator_call.Yielded.fail",
    "stream.watch_items", "stream._PassingOn.__init__", "stream._PassingOn.__iter__", "stream._PassingOn.__aiter__",
    "stream._PassingOn.__getattr__",  # the client's own attribute: its decoding closes the iterator below it
    "stream.ReplyItems.__next__", "stream.ReplyItems.__anext__",
    "stream._watched", "stream._received", "stream._Hold.__init__", "stream._Hold.__del__", "stream._ended",
    "stream.ReplyBytes.__next__",
    "stream.ReplyBytes.__anext__",
    "stream.ReplyBytes._end", "stream.ReplyBytes._failed",
    "stream._read", "stream._close", "stream._close_async",
    "stream.LiveReply.__del__",
    "reply_frame._framed", "reply_frame._framed_async", "reply_frame.ReplyFrame.__init__",
    "reply_frame.ReplyFrame.__enter__", "reply_frame.ReplyFrame.__exit__",
    "cohere._events", "mistral._stream_events",  # the client's own iterator, or around it
    # Stand between the program and a method of its client, or hand on what that gives back, a piece at a time.
    "generators.drive", "generators.drive_async", "generators.driven", "generators._drive", "generators._drive_async",
    "methods._first_step", "methods._is_lazy", "methods._begun_later", "methods._begun_later_async",
    "methods._Request.__init__",
    "methods._Request.sent", "methods._Request.sent_async", "methods._Request._passed_on", "methods._Request.__del__",
    "generators.NoSteps.*",
    "reply_proxies.*", "reply_steps.ReplySteps.item", "reply_steps.ReplySteps.end", "reply_steps.ReplySteps.abandon",
    "reply_steps.ReplySteps.fail", "reply_steps.ReplySteps.__del__",
    # LangChain's: the body of a run, its steps, and what a handler is asked before anything is reported to it.
    "context_attachment._Body.attach", "context_attachment._Body.detach", "context_attachment._Body.fail",
    "context_attachment._insist", "context_attachment._insist_async", "context_attachment._async_asked",
    "context_attachment._stepped", "context_attachment._async_stepped", "handler.TraceHandler.ignore_*",
    # The program's function, to be run with its context in another thread; and our thread's own first function.
    "context_carriers._submit", "context_carriers._start_thread", "context_carriers._Carried.__init__",
    "context_carriers._Carried.__call__",
    "queue.SpanQueue._run",
    # Called by the OpenAI Agents SDK, which contains and logs what a processor raises; what they do is guarded.
    "trace_processor.TraceProcessor.on_trace_start", "trace_processor.TraceProcessor.on_trace_end",
    "trace_processor.TraceProcessor.on_span_start", "trace_processor.TraceProcessor.on_span_end",
    # Called by the dispatcher of LlamaIndex, which does the same; what they do is guarded.
    "llama_index.Handler.span_enter", "llama_index.Handler.span_exit", "llama_index.Handler.span_drop",
    # A middleware of AG2's, around the program's own work; where a module asks for a tracer, and for all else there.
    "ag2.Recording.*", "adopted_modules._Trace.get_tracer", "adopted_modules._Trace.__getattr__",
    # A library's own tracer and spans: what it asks of them, each guarded inside; and the body of a span.
    "adopted_spans.AdoptingTracer.start_span", "adopted_spans.AdoptingTracer.start_as_current_span",
    "adopted_spans.AdoptedSpan.left_by", "adopted_spans.AdoptedSpan.end", "adopted_spans.AdoptedSpan.set_attributes",
    "adopted_spans.AdoptedSpan.add_event", "adopted_spans.AdoptedSpan.update_name",
    "adopted_spans.AdoptedSpan.is_recording", "adopted_spans.AdoptedSpan.set_status",
    "adopted_spans.AdoptedSpan.record_exception",
    # Where limits stop what a library is about to do: what they say is raised, and nothing else may be.
    "adopted_spans.insist", "strands._insisted", "llama_index._Gate.__call__",
    # Passes the messages of the program that it runs on; a turn's two ends are guarded inside.
    "message_stream._read", "message_stream.Conversations._asked", "message_stream.Conversations._received",
    "message_stream.Conversations._begun", "message_stream.Conversations._interrupted",
    "message_stream.Conversations._left", "turn.Turn.fail",
    "turn.Turn.finish",
    # A request of MCP: a call and a mark beside it, as "call.Call.attach" and its like.
    "request_spans.RequestSpan.attach", "request_spans.RequestSpan.detach", "request_spans.RequestSpan.fail",
}  # fmt: skip

# What may fail without being counted, and why.
UNCOUNTED = {
    "snapshot._flat": "the careful walker takes over",
    "snapshot._text": "the careful walker takes over",
    "snapshot._fits": "values of the program's that change meanwhile raise here too: the careful walker takes over",
    "snapshot._Known.*": "called by the encoder, which raises: the careful walker takes over",
    "type_forms.*": "called by the encoder, which raises: the careful walker takes over",
    "snapshot._encode": "the same, where the walker fails as well: the attribute says that it is unreadable",
}


@agentops.tool(cost=0.01)
def double(number: int) -> int:
    return number * 2


@agentops.track
def fails() -> None:
    raise ValueError("mine")


@agentops.track
def counted() -> Iterator[int]:
    yield from range(3)


@agentops.track
async def later(text: str) -> str:
    await asyncio.sleep(0)
    return text.upper()


@agentops.track
async def stream() -> Any:
    for number in range(3):
        yield number


@agentops.agent
def ours(seen: list[Any]) -> None:
    seen.append(double(21))
    try:
        fails()
    except ValueError as error:
        seen.append(str(error))
    seen.append(list(counted()))
    first = counted()
    seen.append(next(first))
    first.close()
    with agentops.span("step", kind="plan") as step:
        step.set("a", 1)
    with agentops.decision("d", options=["x"]) as decision:
        decision.choose("x")
    with agentops.context(session_id="s"), ThreadPoolExecutor(1) as pool:
        seen.append(pool.submit(double, 4).result())


async def ours_async(seen: list[Any]) -> None:
    seen.append(await later("abc"))
    seen.append([number async for number in stream()])


def program(name: str, driver: Driver, wire: Wire) -> list[Any]:
    """What a person's program does with us, and everything it can see of it."""
    if name == WITH_OUR_OWN:
        seen: list[Any] = []
        with agentops.limits(
            "1000 usd / user / day", cost=100, tokens=10**9, model_calls=10**6, tool_calls=10**6, depth=90,
            repeats=10**6, seconds=9_000, per_tool={"double": 10**6}, per="run", unknown_price="estimate",
        ):  # fmt: skip
            ours(seen)
            asyncio.run(ours_async(seen))
            return seen + asked(name, driver, wire)
    return asked(name, driver, wire)


def asked(name: str, driver: Driver, wire: Wire) -> list[Any]:
    """What a person's program sees of one library."""
    seen: list[Any] = []
    seen += [request(driver, wire, way) for way in ways(driver)]
    with answering(wire, driver.refusal):
        seen.append(request(driver, wire, ways(driver)[0]))
    seen += [request(driver, wire, way, pieces=1) for way in ways(driver, STREAMS)[:1]]
    return seen


def modules(name: str) -> Iterator[types.ModuleType]:
    integration = sys.modules[type(find_integrations()[name]).__module__]
    if integration.__name__.startswith("agentops_sdk"):  # made by the kit, out of tables in a module
        integration = next(
            module for module in list(sys.modules.values())
            if vars(module).get("integration") is find_integrations()[name]
        )  # fmt: skip
    for package in (*PACKAGES, integration.__name__):
        root = importlib.import_module(package)
        yield root
        for found in pkgutil.iter_modules(getattr(root, "__path__", ())):
            yield importlib.import_module(f"{package}.{found.name}")
    for module in MODULES:
        yield importlib.import_module(module)


def targets(name: str) -> Iterator[tuple[str, Any, str]]:
    """Label, holder and attribute of every function and method of ours."""
    for module in modules(name):
        yield from functions_of(module)


def functions_of(module: types.ModuleType) -> Iterator[tuple[str, Any, str]]:
    """The same of one module."""
    short = module.__name__.rpartition(".")[2]
    for attribute, value in vars(module).items():
        if getattr(value, "__module__", None) != module.__name__ or getattr(value, "__name__", attribute) != attribute:
            continue
        if isinstance(value, types.FunctionType):
            yield f"{short}.{attribute}", module, attribute
        elif isinstance(value, type) and not getattr(value, "_is_protocol", False):
            for method, found in vars(value).items():
                if method not in GENERATED and isinstance(
                    found, types.FunctionType | property | staticmethod | classmethod
                ):
                    yield f"{short}.{attribute}.{method}", value, method


CALLS: list[str] = []
"""One entry for each call of what was replaced."""


def fails_inside(*_: Any, **__: Any) -> Any:
    __import__("sys").modules["__main__"].CALLS.append("")
    raise RuntimeError("injected")


def replaced(holder: Any, name: str, patch: pytest.MonkeyPatch) -> list[str]:
    """Put something that raises in place of the function, wherever it is; returns what grows with its calls."""
    original = inspect.getattr_static(holder, name)
    CALLS.clear()
    if isinstance(original, types.FunctionType) and inspect.unwrap(original) is not original:
        # A decorator guards it, and stays: what is inside of it fails.
        patch.setattr(inspect.unwrap(original), "__code__", fails_inside.__code__)
        return CALLS

    def broken(*_: Any, **__: Any) -> Any:
        CALLS.append(name)
        raise RuntimeError("injected")

    if isinstance(holder, type):
        patch.setattr(holder, name, property(broken) if isinstance(original, property) else broken)
        return CALLS
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith(("agentops_sdk", "agentops_integrations")):
            for other, value in list(vars(module).items()):
                if value is original:
                    patch.setitem(vars(module), other, broken)
    return CALLS


def code_of(holder: Any, name: str) -> types.CodeType | None:
    found = inspect.getattr_static(holder, name)
    if isinstance(found, property):
        found = found.fget
    found = getattr(found, "__func__", found)
    return getattr(inspect.unwrap(found), "__code__", None)


def reached(name: str, driver: Driver, wire: Wire) -> set[types.CodeType]:
    """The code that runs, on any thread, while the program does."""
    codes: set[types.CodeType] = set()

    def note(frame: types.FrameType, event: str, _: Any) -> None:
        if event == "call":
            codes.add(frame.f_code)

    threading.setprofile(note)  # before init(): our threads are watched as well
    agentops.init(exporters=[MemoryExporter()], integrations=[name], stream_usage=False)
    sys.setprofile(note)
    try:
        contextvars.Context().run(program, name, driver, wire)
        agentops.flush()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]  # None switches it off
    agentops.shutdown()
    return codes


class Log(logging.Handler):
    """The warnings that somebody who runs the program reads."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.sites: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if "contained an internal error" in record.msg:
            self.sites.append(str(record.args[0]))  # type: ignore[index]  # the guard logs its site first


def inject(name: str) -> dict[str, Any]:
    """Every function that the program reaches, replaced by one that raises; what the program noticed of it."""
    driver = driver_of(name)
    load(driver)
    log = Log()
    logging.getLogger("agentops_sdk").addHandler(log)
    logging.getLogger("agentops_sdk").propagate = False
    noticed: dict[str, str] = {}
    tried = 0
    with Wire(driver.answer) as wire:
        program(name, driver, wire)
        unwatched = program(name, driver, wire)
        codes = reached(name, driver, wire)
        labels = set()
        for label, holder, attribute in list(targets(name)):
            labels.add(label)
            room = getattr(holder, "__module__", None) or holder.__name__
            if name not in WHOLE and not room.startswith((*KIT, "agentops_integrations")):
                continue
            if any(fnmatch(label, shell) for shell in SHELLS) or code_of(holder, attribute) not in codes:
                continue
            tried += 1
            guarding.errors.clear()
            log.sites.clear()
            # Our own answer to our own question of usage would show if hiding it failed: not asked here.
            agentops.init(exporters=[MemoryExporter()], integrations=[name], stream_usage=False)
            with pytest.MonkeyPatch.context() as patch:
                failures = replaced(holder, attribute, patch)
                try:
                    if contextvars.Context().run(program, name, driver, wire) != unwatched:
                        noticed[label] = "another result"
                except BaseException as error:
                    noticed[label] = repr(error)
                may_be_silent = any(fnmatch(label, each) for each in UNCOUNTED)
                if failures and not guarding.errors and not may_be_silent:
                    agentops.flush()
                if failures and not guarding.errors and not may_be_silent:
                    noticed.setdefault(label, "not counted")
            if sorted(log.sites) != sorted(guarding.errors):
                noticed.setdefault(label, f"told {sorted(log.sites)}, counted {sorted(guarding.errors)}")
        elsewhere = (
            "context_attachment.",
            "handler.",
            "message_stream.",
            "request_spans.",
            "trace_processor.",
            "turn.",
            *(f"{each}." for each in NAMES),
        )
        ours_only = {shell for shell in SHELLS if not shell.startswith(elsewhere)}
        stale = {shell for shell in ours_only if not any(fnmatch(label, shell) for label in labels)}
        if stale:
            noticed["SHELLS"] = f"no functions of ours: {sorted(stale)}"
    return {"tried": tried, "noticed": noticed}


_DOORS = ("anthropic", "langchain", "ollama", "openai")
"""One for each way in which the kit stands before a library; the others are tried before a release."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name if name in _DOORS else pytest.param(name, marks=pytest.mark.long) for name in NAMES]
)
def test_any_function_of_ours_may_fail(name: str, tmp_path: Path) -> None:
    """In a process of its own: hundreds of contained errors are no state that another test should find."""
    driver = driver_of(name)
    environment = dict(os.environ)
    if name in own.NAMES:
        environment["PYTHONPATH"] = os.pathsep.join(own.paths(tmp_path))
    else:
        for package in (find_integrations()[name].target, *driver.needs):
            if not installed(package):
                pytest.skip(f"{package} is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.test_fault_injection", name],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"{name}: {found['tried']} functions of ours failed, one at a time")
    assert found["tried"] > (100 if name in WHOLE else 1 if name in (*FRAMEWORKS, *STORES) else 20)
    assert found["noticed"] == {}


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # a stream that is dropped leaves its socket to the collector
    print(json.dumps(inject(sys.argv[1])))
