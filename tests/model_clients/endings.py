"""Every way out of a stream, for any client: the span ends once, with the true outcome and what had come so far.

A client's tests subclass :class:`StreamEndings` and give it a :class:`StreamCase`.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

import pytest
from tests.wire.http import CUT, HANG, Reply, Wire


class StreamCase:
    """How one client streams, and what its server sends."""

    pieces: Sequence[bytes]
    """The reply as the server sends it. Each brings one item; the second and the third bring text, the last the end."""

    texts: Sequence[str]
    """The text that has come with each item, all of it so far."""

    finish: bytes = b""
    """What the server sends after the last item."""

    error: bytes | None = None
    """A piece that says that the operation failed, where the API has such a thing."""

    content_type: str = "text/event-stream"

    def client(self, url: str, **options: Any) -> AbstractContextManager[Any]:
        """A client of the server at ``url``, without retries. Options: ``timeout``, in seconds."""
        raise NotImplementedError

    def async_client(self, url: str, **options: Any) -> AbstractAsyncContextManager[Any]:
        raise NotImplementedError

    def stream(self, client: Any) -> Iterator[Any]:
        raise NotImplementedError

    async def stream_async(self, client: Any) -> AsyncIterator[Any]:
        raise NotImplementedError

    def close(self, stream: Any) -> None:
        stream.close()

    async def aclose(self, stream: Any) -> None:
        await stream.close()

    def reply(self, *pieces: Any) -> Reply:
        return Reply(stream=pieces, content_type=self.content_type)

    def whole(self) -> Reply:
        return self.reply(*self.pieces, *([self.finish] if self.finish else []))


def ended(recorded: Any, outcome: str, text: str, chunks: int) -> Any:
    span = recorded.one()
    assert (span.outcome, span.text) == (outcome, text)
    assert span["agentops.stream.chunks"] == chunks
    assert span.span.status.status_code.name == ("ERROR" if outcome == "error" else "UNSET")
    if outcome != "ok":
        assert "agentops.decision.chosen" not in span.attributes
    return span


class SyncStreamEndings:
    """The ways out of a plain stream. What a test leaves to the collector is collected in it."""

    case: StreamCase

    def test_read_to_its_end(self, recorded: Any) -> None:
        case = self.case
        with Wire(case.whole()) as wire, case.client(wire.url) as client:
            assert len(list(case.stream(client))) == len(case.pieces)
        ended(recorded, "ok", case.texts[-1], len(case.pieces))

    def test_break_and_close(self, recorded: Any) -> None:
        case = self.case
        with Wire(case.whole()) as wire, case.client(wire.url) as client:
            stream = case.stream(client)
            for count, _ in enumerate(stream, 1):
                if count == 2:
                    break
            assert recorded() == []
            case.close(stream)
            ended(recorded, "abandoned", case.texts[1], 2)  # and not what lay in the buffer unread
            case.close(stream)
            assert recorded() == []

    def test_closed_after_the_last_word(self, recorded: Any) -> None:
        case = self.case
        with Wire(case.whole()) as wire, case.client(wire.url) as client:
            stream = case.stream(client)
            for _ in case.pieces:
                next(stream)
            case.close(stream)
        ended(recorded, "ok", case.texts[-1], len(case.pieces))

    def test_the_reader_raises(self, recorded: Any) -> None:
        case = self.case
        with Wire(case.whole()) as wire, case.client(wire.url) as client:
            stream = case.stream(client)
            try:
                with pytest.raises(ZeroDivisionError):
                    for count, _ in enumerate(stream, 1):
                        if count == 2:
                            raise ZeroDivisionError
            finally:
                case.close(stream)
        ended(recorded, "abandoned", case.texts[1], 2)

    def test_dropped(self, recorded: Any) -> None:
        case = self.case
        with Wire(case.whole()) as wire, case.client(wire.url) as client:
            stream = case.stream(client)
            next(stream)
            next(stream)
            del stream
            gc.collect()
            ended(recorded, "abandoned", case.texts[1], 2)

    def test_the_connection_is_cut(self, recorded: Any) -> None:
        case = self.case
        reply = case.reply(*case.pieces[:2], 0.05, CUT)
        with Wire(reply) as wire, case.client(wire.url) as client, pytest.raises(Exception) as caught:
            list(case.stream(client))
        span = ended(recorded, "error", case.texts[1], 2)
        assert span["error.type"].endswith(type(caught.value).__name__)

    def test_time_out(self, recorded: Any) -> None:
        case = self.case
        reply = case.reply(*case.pieces[:2], HANG)
        with Wire(reply) as wire, case.client(wire.url, timeout=0.5) as client, pytest.raises(Exception) as caught:
            list(case.stream(client))
        span = ended(recorded, "error", case.texts[1], 2)
        assert span["error.type"].endswith(type(caught.value).__name__)

    def test_an_error_in_the_stream(self, recorded: Any) -> None:
        case = self.case
        if case.error is None:
            pytest.skip("this API has no errors inside of streams")
        reply = case.reply(*case.pieces[:2], case.error)
        with Wire(reply) as wire, case.client(wire.url) as client, pytest.raises(Exception) as caught:
            list(case.stream(client))
        span = ended(recorded, "error", case.texts[1], 2)
        assert span["error.type"].endswith(type(caught.value).__name__)

    def test_items_are_handed_over_when_they_come(self, recorded: Any) -> None:
        case, gate = self.case, threading.Event()
        reply = case.reply(*case.pieces[:2], gate, *case.pieces[2:], *([case.finish] if case.finish else []))
        with Wire(reply) as wire, case.client(wire.url) as client:
            stream = case.stream(client)
            next(stream)
            next(stream)  # while the server still holds the rest back
            gate.set()
            assert len(list(stream)) == len(case.pieces) - 2
        ended(recorded, "ok", case.texts[-1], len(case.pieces))

    def test_read_in_another_thread(self, recorded: Any) -> None:
        case, read = self.case, list[Any]()
        with Wire(case.whole()) as wire, case.client(wire.url) as client:
            stream = case.stream(client)
            reader = threading.Thread(target=lambda: read.extend(stream))
            reader.start()
            reader.join()
        assert len(read) == len(case.pieces)
        ended(recorded, "ok", case.texts[-1], len(case.pieces))


class StreamEndings(SyncStreamEndings):
    """The ways out of both kinds of stream."""

    def test_async_read_to_its_end(self, recorded: Any) -> None:
        async def run(client: Any) -> None:
            assert len([item async for item in await self.case.stream_async(client)]) == len(self.case.pieces)

        self._run(run, self.case.whole())
        ended(recorded, "ok", self.case.texts[-1], len(self.case.pieces))

    def test_async_break_and_close(self, recorded: Any) -> None:
        async def run(client: Any) -> None:
            stream = await self.case.stream_async(client)
            await anext(stream)
            await anext(stream)
            await self.case.aclose(stream)

        self._run(run, self.case.whole())
        ended(recorded, "abandoned", self.case.texts[1], 2)

    def test_async_cancelled(self, recorded: Any) -> None:
        async def run(client: Any) -> None:
            reached = asyncio.Event()

            async def read() -> None:
                count = 0
                async for _ in await self.case.stream_async(client):
                    count += 1
                    if count == 2:
                        reached.set()

            task = asyncio.create_task(read())
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        self._run(run, self.case.reply(*self.case.pieces[:2], HANG))
        ended(recorded, "cancelled", self.case.texts[1], 2)

    def test_async_dropped(self, recorded: Any) -> None:
        async def run(client: Any) -> None:
            stream = await self.case.stream_async(client)
            await anext(stream)
            await anext(stream)
            del stream
            gc.collect()
            await asyncio.sleep(0.01)  # the loop closes a generator that was dropped

        self._run(run, self.case.whole())
        ended(recorded, "abandoned", self.case.texts[1], 2)

    def test_async_reader_raises(self, recorded: Any) -> None:
        async def run(client: Any) -> None:
            stream, count = await self.case.stream_async(client), 0
            with pytest.raises(ZeroDivisionError):
                async for _ in stream:
                    count += 1
                    if count == 2:
                        raise ZeroDivisionError
            await self.case.aclose(stream)

        self._run(run, self.case.whole())
        ended(recorded, "abandoned", self.case.texts[1], 2)

    def test_async_cut(self, recorded: Any) -> None:
        self._fails(recorded, self.case.reply(*self.case.pieces[:2], 0.05, CUT))

    def test_async_time_out(self, recorded: Any) -> None:
        self._fails(recorded, self.case.reply(*self.case.pieces[:2], HANG), timeout=0.5)

    def test_async_error_in_the_stream(self, recorded: Any) -> None:
        if self.case.error is None:
            pytest.skip("this API has no errors inside of streams")
        self._fails(recorded, self.case.reply(*self.case.pieces[:2], self.case.error))

    def _fails(self, recorded: Any, reply: Reply, **options: Any) -> None:
        async def run(client: Any) -> None:
            with pytest.raises(Exception) as caught:
                async for _ in await self.case.stream_async(client):
                    pass
            problems.append(caught.value)

        problems: list[BaseException] = []
        self._run(run, reply, **options)
        span = ended(recorded, "error", self.case.texts[1], 2)
        assert span["error.type"].endswith(type(problems[0]).__name__)

    def _run(self, program: Any, reply: Reply, **options: Any) -> None:
        async def main(wire: Wire) -> None:
            async with self.case.async_client(wire.url, **options) as client:
                await program(client)

        with Wire(reply) as wire:
            asyncio.run(main(wire))
