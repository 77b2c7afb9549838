"""Clients whose requests pass one method: whatever it gives back, the operation ends once, with its true outcome."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from tests.method_clients import acme
from tests.method_clients.conftest import integration
from tests.openai.bodies import CHAT, CHAT_CHUNKS, MESSAGES, USAGE_CHUNK, completion
from tests.wire.http import CUT, HANG, Reply, Wire, event_of, sse

import agentops_sdk as agentops
from agentops_sdk.integration import Patches, enclosing_llm_call
from agentops_sdk.integration.clients import frame_methods

pytestmark = [  # the clients' connections are left to the collector
    pytest.mark.filterwarnings("ignore:.*unclosed <socket:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*unclosed transport:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]

PATH = "chat/completions"
ASK: dict[str, Any] = {"model": "gpt-4o", "messages": MESSAGES}
HELLO = completion({"role": "assistant", "content": "Hello"})
WHOLE = sse(*CHAT_CHUNKS, USAGE_CHUNK)
HUNG = Reply(stream=[event_of(CHAT_CHUNKS[0]), event_of(CHAT_CHUNKS[1]), HANG], content_type="text/event-stream")
REFUSED = Reply({"error": {"message": "no", "code": "quota"}}, status=429)

Opener = Callable[[acme.Client], Any]
AsyncOpener = Callable[[acme.AsyncClient], Any]


def _iterated(client: acme.Client) -> Any:
    return iter(client.hold(PATH, ASK)["stream"])


async def _awaited(opening: Any) -> Any:
    return await opening if inspect.isawaitable(opening) else opening


streams = pytest.mark.parametrize(
    "opened",
    [
        pytest.param(lambda client: client.generate(PATH, ASK), id="generator-function"),
        pytest.param(lambda client: client.ask(PATH, ASK, stream=True), id="generator"),
        pytest.param(lambda client: client.stream(PATH, ASK), id="iterator"),
        pytest.param(_iterated, id="held"),
    ],
)
async_streams = pytest.mark.parametrize(
    "opened",
    [
        pytest.param(lambda client: client.generate(PATH, ASK), id="generator-function"),
        pytest.param(lambda client: client.ask(PATH, ASK), id="coroutine-of-generator"),
        pytest.param(lambda client: client.stream(PATH, ASK), id="coroutine-of-iterator"),
    ],
)


def _text(reply: acme.Reply) -> str:
    return reply.text


def _ended(recorded: Any, outcome: str, text: str | None = None, chunks: int | None = None) -> Any:
    span = recorded.one()
    assert span.outcome == outcome
    assert span.name == "chat gpt-4o"
    assert span["gen_ai.provider.name"] == "acme"
    assert span["server.address"] == "127.0.0.1"
    assert span.json("gen_ai.input.messages")[-1]["parts"][0]["content"] == "Weather in Rome?"
    if text is not None:
        assert span.text == text
    if chunks is not None:
        assert span["agentops.stream.chunks"] == chunks
        assert span["gen_ai.request.stream"] is True
    assert span.span.status.status_code.name == ("ERROR" if outcome == "error" else "UNSET")
    return span


# --- values ----------------------------------------------------------------------------------------


def test_value(recorded: Any) -> None:
    with Wire(Reply(HELLO)) as wire:
        reply = acme.Client(wire.url).send(PATH, ASK)
        assert type(reply) is acme.Reply
        span = _ended(recorded, "ok", "Hello")
        assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (20, 7)
        assert span["gen_ai.response.model"] == "gpt-4o-2024-08-06"
        assert "gen_ai.request.stream" not in span.attributes


def test_function_of_the_module(recorded: Any) -> None:
    with Wire(Reply(CHAT)) as wire:
        acme.send(f"{wire.url}/{PATH}", ASK)
        assert _ended(recorded, "ok").calls == [("weather", {"city": "Rome"})]


async def test_coroutines_of_a_value(recorded: Any) -> None:
    with Wire(Reply(HELLO)) as wire:
        client = acme.AsyncClient(wire.url)
        for opening in (client.send, client.later):
            coroutine = opening(PATH, ASK)
            assert inspect.iscoroutine(coroutine)
            assert type(await coroutine) is acme.Reply
            _ended(recorded, "ok", "Hello")


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
async def test_coroutine_that_nobody_awaits(recorded: Any) -> None:
    client = acme.AsyncClient("http://127.0.0.1:1")
    client.send(PATH, ASK)
    gc.collect()
    assert recorded() == []  # nothing was begun
    client.later(PATH, ASK)
    gc.collect()
    _ended(recorded, "abandoned")


def test_error(recorded: Any) -> None:
    with Wire(REFUSED) as wire:
        with pytest.raises(acme.AcmeError) as caught:
            acme.Client(wire.url).send(PATH, ASK)
        assert caught.value.args == (429,)
        assert _ended(recorded, "error")["error.type"] == f"{acme.__name__}.AcmeError"


async def test_task_cancelled(recorded: Any) -> None:
    with Wire(Reply(HANG)) as wire:
        for name in ("send", "later"):
            task = asyncio.create_task(getattr(acme.AsyncClient(wire.url), name)(PATH, ASK))
            while not wire.requests:
                await asyncio.sleep(0.01)
            wire.requests.clear()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            _ended(recorded, "cancelled")


# --- streams ---------------------------------------------------------------------------------------


@streams
def test_stream(recorded: Any, opened: Opener) -> None:
    with Wire(WHOLE) as wire:
        items = list(opened(acme.Client(wire.url)))
        assert [type(item) for item in items] == [acme.Reply] * 5
        span = _ended(recorded, "ok", "Hello", 5)
        assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (20, 7)
        assert span["gen_ai.response.time_to_first_chunk"] > 0


@streams
def test_stream_closed_early(recorded: Any, opened: Opener) -> None:
    with Wire(WHOLE) as wire:
        stream = opened(acme.Client(wire.url))
        next(stream), next(stream)
        assert recorded() == []
        stream.close()
        _ended(recorded, "abandoned", "Hel", 2)
        stream.close()
        assert recorded() == []


@streams
def test_stream_dropped(recorded: Any, opened: Opener) -> None:
    with Wire(WHOLE) as wire:
        stream = opened(acme.Client(wire.url))
        next(stream)
        del stream
        gc.collect()
        _ended(recorded, "abandoned", "", 1)


@streams
def test_stream_left_after_the_last_word(recorded: Any, opened: Opener) -> None:
    with Wire(WHOLE) as wire:
        stream = opened(acme.Client(wire.url))
        for item in stream:
            if '"finish_reason": "stop"' in item.text:
                break
        stream.close()
        _ended(recorded, "ok", "Hello", 4)


@streams
def test_stream_that_says_error(recorded: Any, opened: Opener) -> None:
    with Wire(sse(*CHAT_CHUNKS[:2], event_of({"error": {"message": "overloaded"}}))) as wire:
        with pytest.raises(acme.AcmeError):
            list(opened(acme.Client(wire.url)))
        assert _ended(recorded, "error", "Hel", 2)["error.type"] == f"{acme.__name__}.AcmeError"


@streams
def test_stream_cut(recorded: Any, opened: Opener) -> None:
    cut = Reply(stream=[event_of(CHAT_CHUNKS[0]), event_of(CHAT_CHUNKS[1]), 0.05, CUT], content_type="text/plain")
    with Wire(cut) as wire:
        with pytest.raises(httpx.HTTPError) as caught:
            list(opened(acme.Client(wire.url)))
        assert _ended(recorded, "error", "Hel", 2)["error.type"] == f"httpx.{type(caught.value).__name__}"


@streams
def test_what_the_caller_does_between_steps_is_not_inside(recorded: Any, opened: Opener) -> None:
    with Wire(WHOLE) as wire:
        for _ in opened(acme.Client(wire.url)):
            assert enclosing_llm_call() is None
            assert not trace.get_current_span().get_span_context().is_valid
    _ended(recorded, "ok")


def test_generators_are_generators(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        client = acme.Client(wire.url)
        for stream in (client.generate(PATH, ASK), client.ask(PATH, ASK, stream=True)):
            assert inspect.isgenerator(stream)
            next(stream)
            with pytest.raises(ZeroDivisionError):
                stream.throw(ZeroDivisionError())
            assert _ended(recorded, "error", "", 1)["error.type"] == "ZeroDivisionError"
        assert client.generate(PATH, ASK).__qualname__ == "Client.generate"


def test_generator_that_nobody_steps_is_no_request(recorded: Any) -> None:
    client = acme.Client("http://127.0.0.1:1")
    client.generate(PATH, ASK)
    gc.collect()
    assert recorded() == []


def test_iterators_stay_what_they_are(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        client = acme.Client(wire.url)
        with client.stream(PATH, ASK) as stream:
            assert isinstance(stream, acme.Items)
            assert stream.response.status_code == 200
            stream.note = "mine"
            assert next(stream).text
            assert stream.note == "mine"
            assert not hasattr(stream, "send")
        assert stream.response.is_closed
        _ended(recorded, "abandoned", "", 1)


def test_a_mapping_that_holds_its_stream_is_the_same_mapping(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        reply = acme.Client(wire.url).hold(PATH, ASK)
        assert type(reply) is dict
        assert isinstance(reply["stream"], acme.Events)
        reply["stream"].close()
        del reply
        _ended(recorded, "abandoned", "", 0)


@async_streams
async def test_async_stream(recorded: Any, opened: AsyncOpener) -> None:
    with Wire(WHOLE) as wire:
        items = [item async for item in await _awaited(opened(acme.AsyncClient(wire.url)))]
        assert [type(item) for item in items] == [acme.Reply] * 5
        _ended(recorded, "ok", "Hello", 5)


@async_streams
async def test_async_stream_closed_early(recorded: Any, opened: AsyncOpener) -> None:
    with Wire(WHOLE) as wire:
        stream = await _awaited(opened(acme.AsyncClient(wire.url)))
        async for item in stream:
            if "Hel" in item.text:
                break
        assert recorded() == []
        await stream.aclose()
        _ended(recorded, "abandoned", "Hel", 2)


@async_streams
async def test_async_stream_dropped(recorded: Any, opened: AsyncOpener) -> None:
    with Wire(WHOLE) as wire:
        stream = await _awaited(opened(acme.AsyncClient(wire.url)))
        await anext(stream)
        del stream
        for _ in range(5):  # the event loop closes abandoned generators one inside the other
            gc.collect()
            await asyncio.sleep(0)
        _ended(recorded, "abandoned", "", 1)


@async_streams
async def test_task_cancelled_while_waiting_for_an_item(recorded: Any, opened: AsyncOpener) -> None:
    with Wire(HUNG) as wire:
        got = asyncio.Event()

        async def read() -> None:
            async for item in await _awaited(opened(acme.AsyncClient(wire.url))):
                if "Hel" in item.text:
                    got.set()

        task = asyncio.create_task(read())
        await got.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        _ended(recorded, "cancelled", "Hel", 2)


@async_streams
async def test_task_cancelled_between_items(recorded: Any, opened: AsyncOpener) -> None:
    with Wire(HUNG) as wire:
        got = asyncio.Event()

        async def read() -> None:
            stream = await _awaited(opened(acme.AsyncClient(wire.url)))
            try:
                async for _ in stream:
                    got.set()
                    await asyncio.sleep(30)
            finally:
                await stream.aclose()

        task = asyncio.create_task(read())
        await got.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        _ended(recorded, "cancelled", "", 1)


# --- HTTP responses --------------------------------------------------------------------------------


def test_response(recorded: Any) -> None:
    with Wire(Reply(HELLO, headers={"x-request-id": "req_1"})) as wire:
        response = acme.Client(wire.url).exchange(PATH, ASK)
        assert type(response) is httpx.Response
        assert response.json() == HELLO
        assert _ended(recorded, "ok", "Hello")["agentops.request_id"] == "req_1"


@pytest.mark.parametrize("stream", [False, True])
def test_response_that_refuses(recorded: Any, stream: bool) -> None:
    with Wire(REFUSED) as wire:
        response = acme.Client(wire.url).exchange(PATH, ASK, stream=stream)
        assert response.status_code == 429
        response.read()
        assert _ended(recorded, "error")["error.type"] == "quota"


def _lines(response: httpx.Response) -> Iterator[str]:
    return (line for line in response.iter_lines() if line)


def test_streamed_response(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        response = acme.Client(wire.url).exchange(PATH, ASK, stream=True)
        assert type(response) is httpx.Response
        assert recorded() == []
        assert len(list(_lines(response))) == 6
        _ended(recorded, "ok", "Hello", 5)


def test_streamed_response_closed_early(recorded: Any) -> None:
    with Wire(Reply(stream=[event_of(CHAT_CHUNKS[0]), HANG], content_type="text/event-stream")) as wire:
        response = acme.Client(wire.url).exchange(PATH, ASK, stream=True)
        next(_lines(response))
        response.close()
        _ended(recorded, "abandoned", "", 1)


def test_opened_response(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        with acme.Client(wire.url).open(PATH, ASK) as response:
            assert type(response) is httpx.Response
            assert enclosing_llm_call() is None
            assert len(list(_lines(response))) == 6
        _ended(recorded, "ok", "Hello", 5)
        with pytest.raises(ZeroDivisionError), acme.Client(wire.url).open(PATH, ASK):
            raise ZeroDivisionError
        _ended(recorded, "abandoned")


def test_response_that_nobody_opens(recorded: Any) -> None:
    acme.Client("http://127.0.0.1:1").open(PATH, ASK)
    gc.collect()
    _ended(recorded, "abandoned")


def test_response_that_cannot_be_opened(recorded: Any) -> None:
    with pytest.raises(httpx.ConnectError), acme.Client("http://127.0.0.1:1").open(PATH, ASK):
        pass
    assert _ended(recorded, "error")["error.type"] == "httpx.ConnectError"


async def test_async_responses(recorded: Any) -> None:
    async def lines(response: httpx.Response) -> AsyncIterator[str]:
        async for line in response.aiter_lines():
            if line:
                yield line

    with Wire(WHOLE) as wire:
        client = acme.AsyncClient(wire.url)
        response = await client.exchange(PATH, ASK, stream=True)
        assert len([line async for line in lines(response)]) == 6
        _ended(recorded, "ok", "Hello", 5)
        async with client.open(PATH, ASK) as response:
            assert len([line async for line in lines(response)]) == 6
        _ended(recorded, "ok", "Hello", 5)


# --- around ----------------------------------------------------------------------------------------


class Reading(acme.Client):
    """Asks through the client and reads what came, as generated clients do."""

    def read(self, *paths: str) -> list[Any]:
        replies = [self.exchange(path, ASK) for path in paths]
        return [reply.json() for reply in replies]

    async def read_async(self, path: str) -> Any:
        return self.read(path)


def test_a_call_ends_as_the_method_that_reads_its_reply(patches: Patches, recorded: Any) -> None:
    frame_methods(patches, "acme", __name__)
    with Wire(Reply(HELLO), Reply("{no json"), Reply("{no json")) as wire:
        client = Reading(wire.url)
        with pytest.raises(ValueError, match="Expecting"):
            client.read("chat/completions", "chat/completions")
        assert [span.outcome for span in recorded()] == ["ok", "error"], "who asks again has read what came before"
        with pytest.raises(ValueError, match="Expecting"):
            asyncio.run(client.read_async("chat/completions"))
        assert recorded.one().outcome == "error"
        client.http.close()


def test_what_others_ask_meanwhile_is_not_read_there(patches: Patches, recorded: Any) -> None:
    frame_methods(patches, "somebody", __name__)
    with Wire(Reply("{no json")) as wire:
        client = Reading(wire.url)
        with pytest.raises(ValueError, match="Expecting"):
            client.read("chat/completions")
        assert recorded.one().outcome == "ok"
        client.http.close()


def test_inside_of_a_model_call_it_is_that_call(recorded: Any) -> None:
    with Wire(Reply(HELLO)) as wire, agentops.span("gpt-4o", kind="llm"):
        acme.Client(wire.url).send(PATH, ASK)
    span = recorded.one()
    assert span.name == "chat gpt-4o"
    assert span.text == "Hello"
    assert span["gen_ai.provider.name"] == "acme"


def test_nothing_of_the_trace_leaves(recorded: Any) -> None:
    with Wire(Reply(HELLO), WHOLE) as wire:
        client = acme.Client(wire.url)
        client.send(PATH, ASK)
        list(client.generate(PATH, ASK))
        assert not any("traceparent" in request.headers for request in wire.requests)
        assert [request.body for request in wire.requests] == [ASK, ASK]


def test_bodies_are_taken_when_they_are_sent(recorded: Any) -> None:
    with Wire(WHOLE) as wire:
        messages = list(MESSAGES)
        stream = acme.Client(wire.url).generate(PATH, {"model": "gpt-4o", "messages": messages})
        next(stream)
        messages.clear()
        list(stream)
        _ended(recorded, "ok", "Hello")


def test_a_call_passes_us_where_another_sdk_wrapped_the_class_below_first(patches: Patches, recorded: Any) -> None:
    """Its wrapper holds the method that the class inherits, as it was: the class above is never passed."""
    assert patches.undo()
    inherited = vars(acme.Client)["send"]

    class Below(acme.Client):
        pass

    class Own(acme.Client):
        def send(self, path: str, body: Any) -> acme.Reply:
            return super().send(path, body)

    @functools.wraps(inherited)
    def theirs(*args: Any) -> Any:
        return inherited(*args)

    Below.send = theirs  # type: ignore[method-assign]  # as it is done
    again = Patches("acme")
    integration.install(acme, again)
    with Wire(Reply(HELLO)) as wire:
        for client in (Below(wire.url), Own(wire.url)):
            client.send(PATH, ASK)
            _ended(recorded, "ok", "Hello")
    assert again.undo()
    assert vars(Below)["send"] is theirs


def test_undone(patches: Patches, recorded: Any) -> None:
    patched = vars(acme.Client)["send"]
    assert set(patches.missing) == {"Client.gone", "Nobody.send"}
    assert patches.undo()
    assert vars(acme.Client)["send"] is patched.__wrapped__
    with Wire(Reply(HELLO)) as wire:
        acme.Client(wire.url).send(PATH, ASK)
    assert recorded() == []


@pytest.mark.guard_swallows
def test_what_cannot_be_read_is_not_recorded(recorded: Any) -> None:
    with Wire(Reply(HELLO), WHOLE) as wire:
        client = acme.Client(wire.url)
        assert client.send(PATH, {"messages": []}).text  # the row reads body["model"]
        assert len(list(client.generate(PATH, {"messages": []}))) == 5
        assert recorded() == []
