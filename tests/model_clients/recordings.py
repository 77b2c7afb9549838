"""Recorded exchanges, asked again through a client whose calls are methods, in each way that it has; and their check.

What a reply says is worked out by each client's tests, from its raw text and by none of our code.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.openai.recorded import Said
from tests.openai.spans import Seen
from tests.shared import shared
from tests.wire.http import Reply

Exchange = dict[str, Any]
Problem = Exception | None


def of_provider(provider: str) -> list[Exchange]:
    """What was recorded of one provider, each as a case of its own; the module is skipped where that is not at hand."""
    folder = shared("recorded")
    if folder is None:
        pytest.skip("the recorded exchanges are not beside this checkout", allow_module_level=True)
    return [json.loads(path.read_text()) for path in sorted((folder / provider).glob("*.json"))]


def each(exchanges: list[Exchange]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("exchange", exchanges, ids=[each["id"] for each in exchanges])


def reply_of(exchange: Exchange) -> Reply:
    kind = exchange["response_headers"].get("content-type", "application/json")
    if not exchange["stream"]:
        return Reply(exchange["response_body"], exchange["status"], kind)
    return Reply(stream=[exchange["response_body"]], content_type=kind)


def asked(way: Callable[..., Any], *args: Any) -> Problem:
    """Ask in one way, to whatever end it comes."""
    try:
        result = way(*args)
        if inspect.isawaitable(result):
            asyncio.run(_awaited(result))
    except Exception as error:
        return error
    return None


async def _awaited(result: Any) -> None:
    await result


def objects(body: str) -> list[dict[str, Any]]:
    """The events of a stream, whichever way they are written: lines of JSON, or server-sent events."""
    lines = [line.removeprefix("data:").strip() for line in body.splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{")]


def leave(stream: Iterator[Any], count: int) -> None:
    """Read so many items, and close."""
    for _ in range(count):
        next(stream)
    stream.close()  # type: ignore[attr-defined]  # whatever it is, it can be closed


async def leave_async(stream: Any, count: int) -> None:
    for _ in range(count):
        await anext(stream)
    await (stream.aclose() if hasattr(stream, "aclose") else stream.close())


def check(span: Seen, said: Said, provider: str, model: str | None, outcome: str = "ok") -> None:
    """The span says all that the reply says, and no more of it."""
    assert span.outcome == outcome
    assert span["gen_ai.provider.name"] == provider
    assert span.get("gen_ai.request.model") == model
    assert (span["server.address"], type(span["server.port"])) == ("127.0.0.1", int)
    told = (said.id, said.model, said.finish)
    reasons = list(span.get("gen_ai.response.finish_reasons") or ())
    assert (span.get("gen_ai.response.id"), span.get("gen_ai.response.model"), reasons) == told
    if outcome == "ok" and said.usage:
        also = ("gen_ai.usage.cache_write.input_tokens",)  # the newer name of the conventions for cache_creation
        usage = {name: value for name, value in span.attributes.items() if ".usage." in name and type(value) is int}
        assert {name: value for name, value in usage.items() if value and name not in also} == said.usage
    else:  # nobody told the figures
        assert span.get("agentops.usage.source") != "reported"
    assert span.text == said.text
    assert span.calls == said.calls
    assert [part["content"] for part in span.parts if part["type"] == "reasoning"] == said.thoughts


def refused(span: Seen, problem: Problem) -> None:
    assert span.outcome == "error"
    assert span["error.type"].endswith(type(problem).__name__)
