"""What leaves the building with a call to a model vendor: nothing of the trace, nothing of the incoming request."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
from collections.abc import Iterator
from typing import Any

import openai
import opentelemetry
import pytest
from opentelemetry import baggage, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.textmap import TextMapPropagator
from tests.openai.bodies import CHAT, CHAT_CHUNKS, EMBEDDINGS, MESSAGES
from tests.wire.http import Reply, Request, Wire, sse

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration import start

TRACE = "a" * 32
INCOMING = {"traceparent": f"00-{TRACE}-{'b' * 16}-01", "baggage": "user.id=u-17,session.id=s-3,tenant=acme"}
FIELDS = ("traceparent", "tracestate", "baggage", "x-own")


@pytest.fixture(autouse=True)
def _recording() -> Iterator[None]:
    agentops.init(exporters=[MemoryExporter()])
    yield
    agentops.shutdown()


def told(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name in FIELDS}


def inject(request: Any) -> None:
    """What an instrumentation of the HTTP client does with each request."""
    propagate.inject(request.headers)


async def inject_async(request: Any) -> None:
    propagate.inject(request.headers)


def client(wire: Wire) -> openai.OpenAI:
    transport = openai.DefaultHttpxClient(event_hooks={"request": [inject]}, verify=False)
    return openai.OpenAI(base_url=wire.url, api_key="none", max_retries=0, http_client=transport)


def aclient(wire: Wire) -> openai.AsyncOpenAI:
    transport = openai.DefaultAsyncHttpxClient(event_hooks={"request": [inject_async]}, verify=False)
    return openai.AsyncOpenAI(base_url=wire.url, api_key="none", max_retries=0, http_client=transport)


def answer(request: Request) -> Reply:
    if request.path.endswith("embeddings"):
        return Reply(EMBEDDINGS)
    if request.method == "POST" and request.raw.startswith(b"{") and request.body.get("stream"):
        return sse(*CHAT_CHUNKS)
    return Reply(CHAT)


def every_call(wire: Wire) -> None:
    with client(wire) as asking:
        asking.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        list(asking.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
        with asking.chat.completions.with_streaming_response.create(model="gpt-4o", messages=MESSAGES) as response:
            response.read()
        asking.embeddings.create(model="text-embedding-3-small", input="Hi")
        asking.files.create(file=("a.jsonl", b"{}"), purpose="batch")
        asking.models.list()

    async def waits() -> None:
        async with aclient(wire) as waiting:
            await waiting.chat.completions.create(model="gpt-4o", messages=MESSAGES)
            async for _ in await waiting.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
                pass

    asyncio.run(waits())


def test_openai_gets_neither_trace_nor_baggage() -> None:
    with Wire(answer) as wire:
        with agentops.extract(INCOMING), agentops.context(session_id="mine"), agentops.span("run"):
            every_call(wire)
            assert baggage.get_baggage("tenant") == "acme"  # outside of the calls nothing has changed
        assert len(wire.requests) == 8
        assert [told(request) for request in wire.requests] == [{}] * 8


def test_with_vendor_propagation_it_gets_both() -> None:
    agentops.init(vendor_propagation=True)
    with Wire(answer) as wire:
        with agentops.extract(INCOMING), agentops.span("run"):
            every_call(wire)
        for request in wire.requests:
            assert told(request)["traceparent"].startswith(f"00-{TRACE}-")
            assert told(request)["baggage"] == INCOMING["baggage"]


def test_the_environment_asks_for_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    agentops.shutdown()
    monkeypatch.setenv("AGENTOPS_VENDOR_PROPAGATION", "1")
    agentops.init(exporters=[MemoryExporter()])
    with Wire(answer) as wire, client(wire) as asking, agentops.extract(INCOMING):
        asking.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        assert told(wire.requests[0])["baggage"] == INCOMING["baggage"]


def headers() -> dict[str, str]:
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def test_what_the_program_calls_itself_is_told_as_ever() -> None:
    @agentops.tool
    def look_up() -> dict[str, str]:
        return headers()

    @agentops.track(kind="llm")
    def model() -> tuple[dict[str, str], dict[str, str]]:
        return headers(), look_up()

    with agentops.extract(INCOMING):
        outside = look_up()
        inside, tool_inside = model()
        afterwards = headers()
    assert inside == {}
    for carrier in (outside, tool_inside, afterwards):
        assert carrier["baggage"] == INCOMING["baggage"]
        assert TRACE in carrier["traceparent"]


def test_spans_still_nest_and_a_propagator_used_by_hand_has_no_baggage() -> None:
    with agentops.extract(INCOMING):
        call = start("llm", "gpt-4o")
        with call.attached():
            assert trace.format_span_id(trace.get_current_span().get_span_context().span_id) == call.span_id
            carrier: dict[str, str] = {}
            W3CBaggagePropagator().inject(carrier)
            assert carrier == {}
            assert propagate.extract(INCOMING)  # reading goes on
        call.finish()


class Own(TextMapPropagator):
    """A propagator of the program's."""

    def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Any:
        return context

    def inject(self, carrier: Any, context: Any = None, setter: Any = None) -> None:
        carrier["x-own"] = "1"

    @property
    def fields(self) -> set[str]:
        return {"x-own"}


def test_a_propagator_of_the_programs_own_is_quiet_inside_only() -> None:
    before, own = propagate.get_global_textmap(), Own()
    propagate.set_global_textmap(own)
    try:
        call = start("llm", "gpt-4o")
        with call.attached():
            assert headers() == {}
            assert propagate.get_global_textmap().fields == {"x-own"}
        call.finish()
        assert propagate.get_global_textmap() is own
        assert headers() == {"x-own": "1"}
    finally:
        propagate.set_global_textmap(before)


def test_shutdown_puts_everything_back() -> None:
    agentops.shutdown()
    original = propagate.get_global_textmap
    agentops.init(exporters=[MemoryExporter()])
    assert propagate.get_global_textmap is not original
    propagator = propagate.get_global_textmap()
    agentops.shutdown()
    assert propagate.get_global_textmap is original
    assert propagate.get_global_textmap() is propagator


# --- a client that sends the trace along by itself ------------------------------------------------

REPLY = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "stop_reason": "end_turn",
    "stop_sequence": None, "content": [{"type": "text", "text": "Hi"}],
    "usage": {"input_tokens": 3, "output_tokens": 1},
}  # fmt: skip


@pytest.mark.parametrize("asked", [False, True])
def test_anthropic_gets_nothing_unless_asked_for(asked: bool) -> None:
    anthropic = pytest.importorskip("anthropic", reason="anthropic is not installed")
    agentops.init(vendor_propagation=asked)
    message: Any = {"model": "claude-x", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}

    async def waits(url: str) -> None:
        async with anthropic.AsyncAnthropic(base_url=url, api_key="none", max_retries=1) as waiting:
            await waiting.messages.create(**message)

    busy = Reply({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, 529,
                 headers={"retry-after-ms": "1"})  # fmt: skip
    with Wire(busy, Reply(REPLY)) as wire:
        url = wire.url.removesuffix("/v1")
        with agentops.extract(INCOMING), agentops.span("run"):
            with anthropic.Anthropic(base_url=url, api_key="none", max_retries=1) as asking:
                asking.messages.create(**message)
            asyncio.run(waits(url))
            assert baggage.get_baggage("tenant") == "acme"
        assert len(wire.requests) == 3
        if asked:
            assert all(told(request)["baggage"] == INCOMING["baggage"] for request in wire.requests)
        else:
            assert [told(request) for request in wire.requests] == [{}] * 3
    agentops.shutdown()
    assert not hasattr(anthropic._base_client.SyncAPIClient.request, "_self_wrapper")


def test_a_call_that_begins_while_another_thread_loads_baggage_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.find_spec("opentelemetry.baggage")
    assert spec is not None
    assert spec.loader is not None
    run, begun, seen = spec.loader.exec_module, threading.Event(), threading.Event()

    def slowly(module: Any) -> None:
        begun.set()
        seen.wait(0.05)
        run(module)

    monkeypatch.setattr(spec.loader, "exec_module", slowly)
    monkeypatch.setattr(opentelemetry, "baggage", baggage)  # put back, as is what the modules are
    monkeypatch.delitem(sys.modules, "opentelemetry.baggage")
    monkeypatch.setattr("importlib.machinery.PathFinder.find_spec", lambda *_: spec)
    other = threading.Thread(target=importlib.import_module, args=("opentelemetry.baggage",))
    other.start()
    assert begun.wait(5)
    call = start("llm", "gpt-4o")
    seen.set()
    other.join()
    assert call.recording
    assert call.finish()
