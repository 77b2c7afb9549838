"""What a decorated call costs beyond the bare one, beside OpenTelemetry's own span with a batch processor.

    python benchmarks/track.py [--rounds 15] [--calls 2000] [--json]

Both sides record into an exporter that throws everything away. Bare, ours and OpenTelemetry's take turns
in one process, in a new order each round; what is shown is the median over rounds, minus the bare call's.
Wall is what the caller waits; CPU is the whole process's, with everything flushed: encoding, scrubbing
and export on other threads included. OpenTelemetry's side records no arguments and no results unless the
row says so, and neither scrubs nor bounds anything.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import agentops_sdk as agentops


class Discard(SpanExporter):
    def export(self, spans: Sequence[Any]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(Discard(), max_queue_size=200_000))
tracer = provider.get_tracer("benchmark")

TEXT = "lorem ipsum dolor " * 570  # 10 KB
CHAT = [{"role": "user" if n % 2 else "assistant", "content": f"message {n}: " + "word " * 30} for n in range(200)]


def empty() -> None: ...


def one(value: Any) -> None: ...


async def coroutine() -> None: ...


def steps(count: int) -> Any:
    for number in range(count):  # noqa: UP028 - a generator of its own is what is measured
        yield number


def otel_sync() -> None:
    with tracer.start_as_current_span("empty"):
        empty()


async def otel_async() -> None:
    with tracer.start_as_current_span("coroutine"):
        await coroutine()


def otel_steps(count: int) -> Any:
    with tracer.start_as_current_span("steps"):
        yield from steps(count)


def otel_text() -> None:
    with tracer.start_as_current_span("one") as span:
        span.set_attribute("input", TEXT)
        one(TEXT)


def otel_chat() -> None:
    with tracer.start_as_current_span("one") as span:
        span.set_attribute("input", json.dumps(CHAT))
        one(CHAT)


def otel_nested() -> None:
    with tracer.start_as_current_span("a"), tracer.start_as_current_span("b"), tracer.start_as_current_span("c"):
        empty()


ours_empty, ours_one = agentops.track(empty), agentops.track(one)
ours_coroutine, ours_steps = agentops.track(coroutine), agentops.track(steps)
ours_plain_one = agentops.track(capture_input=False)(one)


@agentops.track
def level_3() -> None: ...


@agentops.track
def level_2() -> None:
    level_3()


@agentops.track
def level_1() -> None:
    level_2()


def times(call: Callable[[], Any]) -> Callable[[int], None]:
    def run(count: int) -> None:
        for _ in range(count):
            call()

    return run


def awaited(call: Callable[[], Any]) -> Callable[[int], None]:
    async def main(count: int) -> None:
        for _ in range(count):
            await call()

    return lambda count: asyncio.run(main(count))


def iterated(make: Callable[[int], Any]) -> Callable[[int], None]:
    def run(count: int) -> None:
        for _ in make(count):
            pass

    return run


CASES: dict[str, dict[str, Callable[[int], None]]] = {
    "function": {"bare": times(empty), "ours": times(ours_empty), "otel": times(otel_sync)},
    "coroutine": {"bare": awaited(coroutine), "ours": awaited(ours_coroutine), "otel": awaited(otel_async)},
    "generator, per step": {"bare": iterated(steps), "ours": iterated(ours_steps), "otel": iterated(otel_steps)},
    "3 levels nested": {"bare": times(empty), "ours": times(level_1), "otel": times(otel_nested)},
    "10 KB argument": {"bare": times(lambda: one(TEXT)), "ours": times(lambda: ours_one(TEXT)),
                       "otel": times(otel_text)},
    "200 messages": {"bare": times(lambda: one(CHAT)), "ours": times(lambda: ours_one(CHAT)),
                     "otel": times(otel_chat)},
    "200 messages, not captured": {"bare": times(lambda: one(CHAT)), "ours": times(lambda: ours_plain_one(CHAT)),
                                   "otel": times(otel_sync)},
}  # fmt: skip


def measure(run: Callable[[int], None], count: int) -> tuple[float, float]:
    """Microseconds per call: wall time until the last call returned, CPU time until everything was flushed."""
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    run(count)
    wall = time.perf_counter_ns() - wall
    provider.force_flush()
    agentops.flush()
    return wall / count / 1e3, (time.process_time_ns() - cpu) / count / 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    agentops.init(exporters=[Discard()], integrations=[], queue_size=200_000)
    spent: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(options.rounds):
        turns = [(case, side) for case, sides in CASES.items() for side in sides]
        random.shuffle(turns)
        for case, side in turns:
            count = options.calls // (10 if "200" in case else 1)
            spent.setdefault((case, side), []).append(measure(CASES[case][side], count))
    result = agentops.flush()
    rows = []
    for case in CASES:
        row: dict[str, Any] = {"case": case}
        for place, what in enumerate(("wall", "cpu")):
            bare = statistics.median(pair[place] for pair in spent[case, "bare"])
            for side in ("ours", "otel"):
                row[f"{side} {what}"] = round(statistics.median(p[place] for p in spent[case, side]) - bare, 2)
        rows.append(row)
    if options.json:
        print(json.dumps({"rows": rows, "lost": result.lost}, indent=1))
    else:
        print(f"{'µs per call beyond the bare one':<32}{'ours':>12}{'otel':>12}{'ours CPU':>12}{'otel CPU':>12}")
        for row in rows:
            figures = "".join(f"{row[name]:>12}" for name in ("ours wall", "otel wall", "ours cpu", "otel cpu"))
            print(f"{row['case']:<32}{figures}")
        print(f"lost spans: {result.lost}")
    agentops.shutdown()


if __name__ == "__main__":
    main()
