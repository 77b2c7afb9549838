"""Coroutines and streams that somebody closes elsewhere than where they ran: nothing is logged, nothing raised."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableGenerator
from opentelemetry.context import get_current
from tests.langchain.forest import OUTCOME

import agentops_sdk as agentops

Spans = Callable[[], tuple[Any, ...]]


class Model(BaseChatModel):
    """Waits for what never comes."""

    @property
    def _llm_type(self) -> str:
        return "waiting"

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("hi"))])

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        for word in ("one", "two", "three"):
            yield ChatGenerationChunk(message=AIMessageChunk(word))

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk("one"))
        await asyncio.get_running_loop().create_future()


class Retriever(BaseRetriever):
    """The same."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Any]:
        return []

    async def _aget_relevant_documents(self, query: str, *, run_manager: Any) -> list[Any]:
        await asyncio.get_running_loop().create_future()
        return []


class Vectors(Embeddings):
    """The same."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[0.0] for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        return [0.0]

    async def aembed_query(self, text: str) -> list[float]:
        await asyncio.get_running_loop().create_future()
        return [0.0]


async def pieces(given: AsyncIterator[str]) -> AsyncIterator[str]:
    async for _ in given:
        yield "one"
        await asyncio.get_running_loop().create_future()


def sync_pieces(given: Iterator[str]) -> Iterator[str]:
    yield from given


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING):
        yield
    told = [f"{record.name}: {record.getMessage()}" for record in caplog.get_records("call")]
    assert [line for line in told if line.startswith(("opentelemetry", "agentops_sdk"))] == []


def _begun(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run it as far as it comes, in a context of its own."""
    contextvars.copy_context().run(coroutine.send, None)


def _close_in_a_thread(closing: Any) -> None:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            closing.close()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert raised == []


ENDS: dict[str, Callable[[Any], None]] = {
    "another context": lambda coroutine: contextvars.copy_context().run(coroutine.close),
    "no context": lambda coroutine: contextvars.Context().run(coroutine.close),
    "a thread": _close_in_a_thread,
}
COROUTINES: dict[str, Callable[[], Any]] = {
    "retriever": lambda: Retriever().ainvoke("x"),
    "embedding": lambda: Vectors().aembed_query("x"),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("what", COROUTINES)
async def test_a_coroutine_is_closed_elsewhere(what: str, end: str, spans: Spans) -> None:
    before = get_current()
    coroutine = COROUTINES[what]()
    _begun(coroutine)
    ENDS[end](coroutine)
    assert get_current() is before
    assert {span.attributes[OUTCOME] for span in spans()} <= {"abandoned"}
    assert agentops.status().spans["open"] == 0


@pytest.mark.parametrize("source", [Model().stream, RunnableGenerator(sync_pieces).stream])
def test_a_stream_is_closed_in_a_thread(source: Callable[[Any], Any], spans: Spans) -> None:
    stream = source("one two three")
    assert next(stream)
    _close_in_a_thread(stream)
    (span,) = spans()
    assert span.attributes[OUTCOME] == "abandoned"


async def _consume(stream: AsyncIterator[Any]) -> None:
    async for _ in stream:
        pass


LEFT: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
    "model": lambda: Model().ainvoke("x"),
    "model's stream": lambda: _consume(Model().astream("x")),
    "chain's stream": lambda: _consume(RunnableGenerator(pieces).astream("x")),
    "retriever": lambda: Retriever().ainvoke("x"),
    "embedding": lambda: Vectors().aembed_query("x"),
}


@pytest.mark.parametrize("what", LEFT)
def test_an_event_loop_that_is_left_with_work_in_it(what: str, spans: Spans) -> None:
    """What its tasks were doing is closed wherever they are collected."""
    loop = asyncio.new_event_loop()
    tasks = {loop.create_task(LEFT[what]())}
    for _ in range(20):
        loop.run_until_complete(asyncio.sleep(0))
    for task in tasks | asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own complaint is no news here
        del task
    tasks.clear()
    loop.close()
    del loop
    gc.collect()
    assert agentops.flush()


async def test_a_request_of_the_openai_client_is_closed_elsewhere(server: Any, spans: Spans) -> None:
    import openai

    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="local") as client:
        coroutine = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "x"}])
        context = contextvars.copy_context()
        context.run(coroutine.send, None)
        contextvars.Context().run(coroutine.close)
    (span,) = spans()
    assert span.attributes[OUTCOME] == "abandoned"
