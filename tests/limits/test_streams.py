"""A limit tells how far it is used, and ends by choice the stream that passes it: recorded as ours, not as theirs."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.limits import bodies
from tests.seen import Seen
from tests.shared import shared
from tests.wire.http import Reply, Request, Wire, sse

import agentops_sdk as agentops
from agentops_sdk._limits.expectation import StreamRates, learned, stream_rates
from agentops_sdk._limits.stream_meter import StreamMeter
from agentops_sdk.exporters.memory import MemoryExporter

openai = pytest.importorskip("openai", reason="the calls are those of OpenAI's client")

MESSAGES: Any = [{"role": "user", "content": "hi"}]
PIECES = 40


def long_stream(request: Request) -> Reply:
    if not request.body.get("stream"):
        return Reply(bodies.body({"content": "hi"}))
    head = {"id": "c", "created": 1, "model": "gpt-4o-mini-2024-07-18", "object": "chat.completion.chunk"}
    choice = {"index": 0, "delta": {"content": "x" * 400}, "finish_reason": None}
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return sse(*([{**head, "choices": [choice]}] * PIECES), {**head, "choices": [last]})


@pytest.fixture
def seen() -> Seen:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=["openai"])
    return Seen(exporter)


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire(long_stream) as running:
        yield running


def plain(wire: Wire, read: list[Any]) -> None:
    with openai.OpenAI(api_key="none", base_url=wire.url, max_retries=0) as client:
        stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
        read.extend(stream)
        assert stream.response.is_closed


def asynchronous(wire: Wire, read: list[Any]) -> None:
    async def main() -> None:
        async with openai.AsyncOpenAI(api_key="none", base_url=wire.url, max_retries=0) as client:
            async for chunk in await client.chat.completions.create(
                model="gpt-4o-mini", messages=MESSAGES, stream=True
            ):
                read.append(chunk)

    asyncio.run(main())


def raw(wire: Wire, read: list[Any]) -> None:
    with (
        openai.OpenAI(api_key="none", base_url=wire.url, max_retries=0) as client,
        client.chat.completions.with_streaming_response.create(
            model="gpt-4o-mini", messages=MESSAGES, stream=True
        ) as response,
    ):
        read.extend(response.iter_bytes(700))


@pytest.mark.parametrize("stream", [plain, asynchronous, raw])
@pytest.mark.parametrize("limit", [{"tokens": 1_000}, {"cost": 0.0006}])
def test_a_stream_that_passes_a_limit_is_cut(
    seen: Seen, wire: Wire, stream: Callable[[Wire, list[Any]], None], limit: dict[str, Any]
) -> None:
    read: list[Any] = []
    with agentops.limits(**limit, on_stream="cut"), pytest.raises(agentops.LimitExceeded, match="cut") as caught:
        stream(wire, read)
    assert 5 <= len(read) < PIECES - 5 or stream is raw
    span = seen.one("chat gpt-4o-mini")
    assert caught.value.trace_id == f"{span.context.trace_id:032x}"
    attributes = span.attributes
    assert (attributes["agentops.outcome"], attributes["agentops.limit.action"]) == ("error", "cut")
    assert attributes["error.type"].endswith("LimitExceeded")
    assert "stop" not in (attributes.get("gen_ai.response.finish_reasons") or ())
    decision = next(event for event in span.events if event.name == "agentops.decision")
    assert decision.attributes["agentops.decision.chosen"] == "cut"


@pytest.mark.parametrize("stream", [plain, asynchronous])
@pytest.mark.parametrize("on_stream", ["cut", "end"])
@pytest.mark.parametrize("limit", [{"tokens": 1_000}, {"cost": 0.0006}])
def test_what_a_stream_had_used_when_it_was_cut_stays_used(
    seen: Seen, wire: Wire, stream: Callable[[Wire, list[Any]], None], on_stream: str, limit: dict[str, Any]
) -> None:
    with agentops.limits(**limit, on_stream=on_stream):
        with contextlib.suppress(agentops.LimitExceeded):
            stream(wire, [])
        for _ in range(2):
            with pytest.raises(agentops.LimitExceeded) as caught:
                stream(wire, [])
            assert caught.value.spent >= caught.value.most
            assert caught.value.unknown <= 1
    assert len(wire.requests) == 1


def test_by_choice_it_ends_quietly_or_is_finished(seen: Seen, wire: Wire) -> None:
    read: list[Any] = []
    with agentops.limits(tokens=1_000, on_stream="end"):
        plain(wire, read)
    assert 5 < len(read) < PIECES - 5
    assert seen.outcome("chat gpt-4o-mini") == "cancelled"
    with agentops.limits(tokens=1_000):
        read.clear()
        plain(wire, read)
    assert len(read) == PIECES + 1
    with agentops.limits(tokens=100_000, seconds=600, on_stream="cut"):
        read.clear()
        plain(wire, read)
    assert len(read) == PIECES + 1
    with pytest.raises(agentops.ConfigError):
        agentops.limits(tokens=1, on_stream="explode")


def test_methods_that_give_a_generator_are_cut_too(seen: Seen) -> None:
    from agentops_sdk._http.reply_proxies import StreamProxy
    from agentops_sdk._propagation.generators import drive

    left: list[bool] = []

    class Steps:
        context = live = None
        stops = False

        def item(self, value: int) -> None:
            self.stops = value == 2

        def cut_off(self) -> Exception:
            return agentops.LimitExceeded("cut")

        def end(self, result: Any) -> None: ...

    def body() -> Iterator[int]:
        try:
            yield from range(5)
        finally:
            left.append(True)

    steps: Any = Steps()
    for stream in (drive(body, lambda args, kwargs: steps)(), StreamProxy(body(), steps)):
        read: list[int] = []
        steps.stops = False
        with pytest.raises(agentops.LimitExceeded):
            read.extend(stream)
        assert left == [True]
        left.clear()


COUNTS = (
    "completion_tokens", "output_tokens", "candidatesTokenCount", "thoughtsTokenCount", "eval_count", "outputTokens",
)  # fmt: skip


def test_what_is_estimated_is_near_what_providers_count() -> None:
    """Over the recorded streams of each API: a single answer may be far off, by thinking that is not shown."""
    folder = shared("recorded")
    if folder is None:
        pytest.skip("the recorded exchanges are not beside this checkout")
    figures: dict[str, list[tuple[float, int]]] = {}
    for each in (json.loads(path.read_text()) for path in folder.glob("*/*.json")):
        # Groq's streams tell what its own servers found; a program on somebody's own machine counts otherwise.
        if not each["stream"] or each["status"] != 200 or each["provider"] in ("groq", "local"):
            continue
        body = each["response_body"].encode()
        found = [re.findall(rb'"%b"\s*:\s*(\d+)' % name.encode(), body) for name in COUNTS]
        meter = StreamMeter(Any, (), StreamRates(0, 0.0, 0.0, "USD"))
        for line in body.splitlines(keepends=True):
            meter.feed(line)
        figures.setdefault(each["api"], []).append(
            (meter.tokens, sum(max(map(int, counts)) for counts in found if counts))
        )
    for api, pairs in figures.items():
        estimated, counted = (sum(column) for column in zip(*pairs, strict=True))
        assert 0.6 < estimated / counted < 1.2, (api, estimated, counted)
    assert len(figures) >= 7


def test_text_inside_of_frames_is_found() -> None:
    """Bedrock's ``InvokeModelWithResponseStream``: the events of the model, in base64."""
    meter = StreamMeter(Any, (), StreamRates(0, 0.0, 0.0, "USD"))
    event = json.dumps({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x" * 400}})
    meter.feed(json.dumps({"bytes": base64.b64encode(event.encode()).decode(), "p": "abc"}).encode())
    meter.feed(b'{"bytes":"eyJ0"}')
    assert meter.tokens == 100


@pytest.mark.guard_swallows
def test_a_bug_of_the_meter_lets_the_stream_go_on(seen: Seen, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(StreamMeter, "feed", broken)
    read: list[Any] = []
    with agentops.limits(tokens=1, on_stream="cut"):
        plain(wire, read)
    assert len(read) == PIECES + 1


@pytest.mark.parametrize("limit", [{"model_calls": 20}, {"tokens": 40_000}, {"cost": 20 * bodies.COST}])
def test_each_level_is_told_once(
    seen: Seen, wire: Wire, caplog: pytest.LogCaptureFixture, limit: dict[str, Any]
) -> None:
    client = openai.OpenAI(api_key="none", base_url=wire.url, max_retries=0)
    with caplog.at_level(logging.INFO, "agentops_sdk"), agentops.limits(**limit):
        for _ in range(20):
            client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
        spans = seen.all()
    client.close()
    lines = [(each.levelname, each.getMessage()) for each in caplog.records if "% of the limit" in each.getMessage()]
    assert [(name, text.split(" %")[0].split()[-1]) for name, text in lines] == [
        ("INFO", "50"), ("WARNING", "80"), ("WARNING", "95"),
    ]  # fmt: skip
    told = [(number, event.attributes["agentops.limit.level"]) for number, span in enumerate(spans, 1)
            for event in span.events if event.name == "agentops.limit.level_reached"]  # fmt: skip
    assert told == [(10, 50), (16, 80), (19, 95)]


def test_many_calls_at_once_of_a_model_that_nobody_knows(seen: Seen, wire: Wire) -> None:
    from agentops_sdk._limits.expectation import expected

    known = expected({"gen_ai.request.model": "gpt-4o-mini"}, {"messages": MESSAGES})
    unknown = expected({"gen_ai.request.model": "acme-9000"}, {"messages": MESSAGES})
    assert unknown.tokens > 4_000 > known.tokens
    assert expected({"gen_ai.request.model": "acme-9000"}, {"messages": MESSAGES, "max_tokens": 10}).tokens < 100


PICTURE = base64.b64encode(bytes(range(256)) * 3_000).decode()


@pytest.mark.parametrize("as_text", [False, True])
def test_a_picture_is_not_taken_for_text_of_its_length(as_text: bool) -> None:
    for picture in (PICTURE, f"data:image/png;base64,{PICTURE}"):
        request: Any = {"messages": [{"role": "user", "content": [{"type": "image_url", "url": picture}]}]}
        for body in (json.dumps(request), json.dumps(request).encode()) if as_text else (request,):
            assert stream_rates({}, body).input_tokens < 3_000
    words = {"content": "Of all that was said, nothing was Written down. " * 1_000 + "x" * 2_000}
    for body in (json.dumps(words), json.dumps(words).encode()) if as_text else (words,):
        assert stream_rates({}, body).input_tokens > 12_000


def test_a_stream_about_a_picture_is_not_cut(seen: Seen, wire: Wire) -> None:
    content: Any = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}]
    with (
        openai.OpenAI(api_key="none", base_url=wire.url, max_retries=0) as client,
        agentops.limits(tokens=20_000, on_stream="cut"),
    ):
        read = list(
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": content}], stream=True
            )
        )
    assert len(read) == PIECES + 1


def test_what_is_allowed_at_no_known_price_is_not_ended_by_one(seen: Seen, wire: Wire) -> None:
    read: list[Any] = []
    with (
        openai.OpenAI(api_key="none", base_url=wire.url, max_retries=0) as client,
        agentops.limits(cost=0.001, unknown_price="allow", on_stream="cut"),
    ):
        stream = client.chat.completions.create(model="of-nobody", messages=MESSAGES, stream=True)
        read.extend(stream)
    assert len(read) == PIECES + 1


def test_a_stream_that_was_cut_teaches_no_expectation(seen: Seen) -> None:
    head = {"id": "c", "created": 1, "model": "gpt-4o-mini", "object": "chat.completion.chunk"}
    choice = {"index": 0, "delta": {"content": "x" * 400}, "finish_reason": None}
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11}  # as servers tell that count as they go
    with (
        Wire(lambda request: sse(*([{**head, "choices": [choice], "usage": usage}] * PIECES))) as running,
        agentops.limits(tokens=1_000, on_stream="cut"),
        pytest.raises(agentops.LimitExceeded, match="cut"),
    ):
        plain(running, [])
    agentops.flush()
    assert seen.one("chat gpt-4o-mini").attributes["gen_ai.usage.output_tokens"] == 1
    assert not learned
