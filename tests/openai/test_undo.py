"""Undo, twice, with somebody on top of us, and beside other SDKs."""

from __future__ import annotations

from typing import Any

import openai
import pytest
import wrapt
from openai import _base_client as base
from openai import _streaming as streaming
from tests.openai.bodies import CHAT, CHAT_CHUNKS, MESSAGES, USAGE_CHUNK
from tests.openai.test_chat import client, known
from tests.wire.http import Reply, Wire, sse

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

PLACES = [
    (base.SyncAPIClient, "request"),
    (base.AsyncAPIClient, "request"),
    (base.SyncAPIClient, "_process_response"),
    (base.AsyncAPIClient, "_process_response"),
    (base.BaseClient, "_build_request"),
    (base.BaseClient, "_should_retry"),
    (base.BaseClient, "_calculate_retry_timeout"),
    (streaming.Stream, "__stream__"),
    (streaming.AsyncStream, "__stream__"),
]


def _now() -> list[Any]:
    return [vars(owner).get(name) for owner, name in PLACES]


def test_every_attribute_is_the_original_again() -> None:
    before = _now()
    for _ in range(2):
        agentops.init(exporters=["memory"])
        agentops.init(exporters=["memory"])
        assert all(now is not then for now, then in zip(_now(), before, strict=True))
        agentops.shutdown()
        assert all(now is then for now, then in zip(_now(), before, strict=True))


def test_with_somebody_on_top_we_go_dormant_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = MemoryExporter()
    original = vars(base.SyncAPIClient)["request"]
    agentops.init(exporters=[exporter])
    seen: list[str] = []

    def theirs(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        seen.append("theirs")
        return wrapped(*args, **kwargs)

    wrapper = wrapt.FunctionWrapper(vars(base.SyncAPIClient)["request"], theirs)
    base.SyncAPIClient.request = wrapper  # type: ignore[method-assign, assignment]  # patching is the test
    try:
        with Wire(Reply(CHAT)) as wire:
            client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES)
            agentops.shutdown()
            assert vars(base.SyncAPIClient)["request"] is wrapper
            assert "SyncAPIClient.request" in agentops.status().dormant_patches
            client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES)
            assert seen == ["theirs", "theirs"]
            assert len(exporter.finished_spans()) == 1
            # A new start wraps outside of theirs and sees each call once.
            again = MemoryExporter()
            agentops.init(exporters=[again])
            client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES)
            agentops.flush()
            assert len(again.finished_spans()) == 1
            agentops.shutdown()
            assert vars(base.SyncAPIClient)["request"] is wrapper
    finally:
        base.SyncAPIClient.request = original  # type: ignore[method-assign]  # patching is the test


def test_a_stream_that_outlives_us_goes_on(recorded: Any) -> None:
    with Wire(sse(*CHAT_CHUNKS, USAGE_CHUNK)) as wire:
        stream = known(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        next(stream)
        agentops.shutdown()
        assert len(list(stream)) == 3


def test_another_sdks_wrapper_is_noticed(recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert agentops.status().integrations["openai"].reason is None
    from openai.resources.chat.completions import Completions

    def stranger(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        return wrapped(*args, **kwargs)

    monkeypatch.setitem(stranger.__globals__, "__name__", "strangelet.openai")
    with monkeypatch.context() as patched:
        patched.setattr(Completions, "create", wrapt.FunctionWrapper(Completions.create, stranger))
        assert agentops.status().integrations["openai"].reason == "also wrapped by strangelet on Completions.create"
        with Wire(Reply(CHAT)) as wire:
            client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert len(recorded()) == 1


def test_beside_openinference(recorded: Any) -> None:
    """Both record the call once, and neither breaks the stream."""
    theirs = pytest.importorskip(
        "openinference.instrumentation.openai", reason="openinference-instrumentation-openai is not installed"
    )
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    seen = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(seen))
    instrumentor = theirs.OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        assert "openinference" in str(agentops.status().integrations["openai"].reason)
        with Wire(Reply(CHAT), sse(*CHAT_CHUNKS, USAGE_CHUNK)) as wire:
            asking = known(wire)
            asking.chat.completions.create(model="gpt-4o", messages=MESSAGES)
            assert len(list(asking.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))) == 4
        mine = recorded()
        assert [span.name for span in mine] == ["chat gpt-4o", "chat gpt-4o"]
        assert mine[1].text == "Hello"
        assert len(seen.get_finished_spans()) == 2
    finally:
        instrumentor.uninstrument()


def test_a_method_that_a_version_lacks_is_told_and_the_rest_is_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(base.BaseClient, "_calculate_retry_timeout")
    before = _now()
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    told = agentops.status().integrations["openai"]
    assert told.state == "patched"
    assert told.reason == "this version lacks BaseClient._calculate_retry_timeout"
    with Wire(Reply(CHAT)) as wire:
        client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    agentops.flush()
    assert [span.name for span in exporter.finished_spans()] == ["chat gpt-4o"]
    agentops.shutdown()
    assert all(now is then for now, then in zip(_now(), before, strict=True))


@pytest.mark.guard_swallows
def test_a_failed_install_is_undone_whole_and_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from agentops_integrations.openai import realtime

    def broken(patches: Any) -> None:
        raise LookupError("a part that looks different")

    monkeypatch.setattr(realtime, "install", broken)  # the last step: everything before it is in place by then
    before, dormant = _now(), list(agentops.status().dormant_patches)
    agentops.init(exporters=["memory"])
    told = agentops.status().integrations["openai"]
    assert (told.state, told.reason) == ("failed", "LookupError while patching")
    assert all(now is then for now, then in zip(_now(), before, strict=True))
    agentops.shutdown()
    assert agentops.status().dormant_patches == dormant


def test_a_call_passes_us_where_another_sdk_was_there_first() -> None:
    """A wrapper on the class below holds the client's method as it was: the base class is never passed."""
    theirs = pytest.importorskip(
        "openinference.instrumentation.openai", reason="openinference-instrumentation-openai is not installed"
    )
    instrumentor = theirs.OpenAIInstrumentor()
    instrumentor.instrument()

    class Own(openai.OpenAI):
        def request(self, *args: Any, **kwargs: Any) -> Any:
            return super().request(*args, **kwargs)

    exporter = MemoryExporter()
    try:
        agentops.init(exporters=[exporter])
        with Wire(Reply(CHAT), Reply(CHAT)) as wire:
            for kind in (openai.OpenAI, Own):
                asking = kind(base_url=f"{wire.url}/v1", api_key="none", max_retries=0)
                asking.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        agentops.flush()
        assert [span.name for span in exporter.finished_spans()] == ["chat gpt-4o", "chat gpt-4o"]
    finally:
        agentops.shutdown()
        instrumentor.uninstrument()
    assert "agentops" not in repr(vars(openai.OpenAI).get("request"))
