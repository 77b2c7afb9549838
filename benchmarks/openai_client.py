"""What recording costs the caller of the OpenAI client: per call, per stream and per piece of a stream.

A transport inside the process answers at once, so that nothing but the client and the recording is measured.
``python benchmarks/openai_client.py`` prints the least times without and with recording.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from typing import Any

import openai

http: Any = __import__("httpx2" if int(openai.__version__.partition(".")[0]) >= 3 else "httpx")
PIECES = 200
_BASE = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
_MESSAGE = {"role": "assistant", "content": "Hello " * 50}
WHOLE = {
    **_BASE,
    "object": "chat.completion",
    "choices": [{"index": 0, "finish_reason": "stop", "message": _MESSAGE}],
    "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
}
STREAM = [
    b"data: " + json.dumps({**_BASE, "choices": [{"index": 0, "delta": {"content": "Hello "}}]}).encode() + b"\n\n"
] * PIECES + [b"data: [DONE]\n\n"]


class Bytes(http.SyncByteStream):  # type: ignore[misc]  # httpx or httpx2, known at run time
    """A body that comes piece by piece."""

    def __iter__(self) -> Any:
        return iter(STREAM)


def answer(request: Any) -> Any:
    if json.loads(request.content).get("stream"):
        return http.Response(200, headers={"content-type": "text/event-stream"}, stream=Bytes())
    return http.Response(200, json=WHOLE)


def least(work: Callable[[], Any], times: int) -> float:
    """The least CPU seconds of a run on this thread: noise only ever adds. The first runs warm up."""
    taken = []
    for turn in range(times + 5):
        began = time.thread_time()  # of this thread alone: another busy program does not show
        work()
        if turn >= 5:
            taken.append(time.thread_time() - began)
    return min(taken)


def main() -> None:
    import agentops_sdk as agentops

    client = openai.OpenAI(api_key="none", http_client=http.Client(transport=http.MockTransport(answer)))
    messages: list[Any] = [{"role": "user", "content": "Say hello. " * 100}] * 20

    def call() -> None:
        client.chat.completions.create(model="gpt-4o", messages=messages)

    def stream() -> None:
        for _ in client.chat.completions.create(model="gpt-4o", messages=messages, stream=True):
            pass

    def both() -> tuple[float, float]:
        return least(call, 60), least(stream, 10)

    without, recorded = [], []
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(3):  # in turns, and the best of each: a machine has slow minutes
            without.append(both())
            agentops.init(directory=directory)
            recorded.append(both())
            agentops.shutdown()
    for name, before, after, pieces in (
        ("call", min(run[0] for run in without), min(run[0] for run in recorded), 1),
        (f"stream of {PIECES}", min(run[1] for run in without), min(run[1] for run in recorded), PIECES),
    ):
        extra = after - before
        print(
            f"{name}: {before * 1e6:.0f} µs without, {after * 1e6:.0f} µs with recording: "
            f"{extra * 1e6:+.0f} µs, {extra / pieces * 1e6:+.2f} µs a piece"
        )


if __name__ == "__main__":
    main()
