"""A thousand tasks and fifty threads, with generators and pools among them: no span has a wrong parent."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import agentops_sdk as agentops


@agentops.tool
def leaf(owner: str) -> str:
    return owner


@agentops.task
async def inner(owner: str) -> str:
    await asyncio.sleep(0)
    leaf(owner)
    async for _ in stream(owner):
        leaf(owner)
        await asyncio.sleep(0)
    return owner


@agentops.track
async def stream(owner: str) -> Any:
    for _ in range(2):
        await asyncio.sleep(0)
        leaf(owner)
        yield owner


@agentops.track
def numbers(owner: str) -> Any:
    for _ in range(2):
        leaf(owner)
        yield owner


def check(seen: Any, expected: dict[str, int]) -> None:
    spans = {span.context.span_id: span for span in seen.all()}
    roots: dict[str, int] = {}
    for span in spans.values():
        owner = span.attributes["agentops.metadata.owner"]
        roots.setdefault(owner, 0)
        roots[owner] += 1
        if span.parent is not None:
            above = spans[span.parent.span_id]
            assert above.attributes["agentops.metadata.owner"] == owner
            assert above.context.trace_id == span.context.trace_id
            assert above.start_time <= span.start_time
        else:
            assert span.name.startswith("root")
    assert roots == expected


async def test_a_thousand_tasks(seen: Any) -> None:
    async def work(owner: str) -> None:
        with agentops.context(metadata={"owner": owner}):
            async with agentops.span(f"root {owner}"):
                assert await inner(owner) == owner
                await asyncio.gather(inner(owner), inner(owner))

    names = [f"t{number}" for number in range(1_000)]
    await asyncio.gather(*(work(name) for name in names))
    # per inner: itself, a leaf, the stream, and two leaves on either side of it
    check(seen, dict.fromkeys(names, 1 + 3 * (1 + 1 + 1 + 4)))


def test_fifty_threads(seen: Any) -> None:
    gate = threading.Barrier(50)

    def work(owner: str) -> None:
        gate.wait(30)
        chance = random.Random(owner)
        with agentops.context(metadata={"owner": owner}), agentops.span(f"root {owner}"):
            bodies = [numbers(owner) for _ in range(4)]
            for _ in range(2):
                chance.shuffle(bodies)
                for body in bodies:
                    next(body)
                    leaf(owner)
            for body in bodies:
                body.close()
            with ThreadPoolExecutor(2) as pool:
                assert list(pool.map(leaf, [owner] * 5)) == [owner] * 5
            asyncio.run(inner(owner))

    threads = [threading.Thread(target=work, args=(f"n{number}",)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(seen, {f"n{number}": 1 + 4 * 3 + 8 + 5 + 7 for number in range(50)})
