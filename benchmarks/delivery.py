"""What recording costs while spans are sent: the slowest calls, a model call, spans per second, a backend that is down.

    python benchmarks/delivery.py [--rounds 3] [--json FILE] [--svg FILE]

As ``benchmarks/ratios.py``, whose sides and whose server these are: every case of each side is a process of its own,
sides take turns, medians over rounds are told. Spans carry a text of 1 KB. ``bare`` is the OpenAI client alone, whose
transport inside the process answers at once; there what is told is what a side adds to it. CPU is the whole process's,
with everything flushed; of the backend that is down, until four seconds after the last span.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ratios import SIDES, Sinkhole, figures_of, interpreter, nothing, plot, side

TEXT = ("The report covers the third quarter; figures are in thousands. " * 17)[:1_024]
CASES = ("latency", "model call", "stream", "steady", "burst", "backend down", "steady to JSONL", "burst to JSONL")
CLIENT = ("model call", "stream")
DOWN = "http://127.0.0.1:9"
SPANS = 5_000
UNITS = {"p50": "µs", "p99": "µs", "worst": "µs", "wall": "µs", "cpu": "µs", "per_s": "/s", "per_cpu_s": "/CPU s"}


def spans(name: str, url: str) -> tuple[Any, Any]:
    """What makes a span with a text, and what flushes."""
    decorate, flush = side(name, url)

    def plain(text: str) -> str:
        return "ok"

    if decorate is not None:
        return decorate(plain), flush
    from opentelemetry import trace

    tracer = trace.get_tracer("benchmark")

    def one(text: str) -> str:
        with tracer.start_as_current_span("work", attributes={"input": text}):
            return "ok"

    return one, flush


def settle(flush: Any) -> None:
    """The end of warming up: the one full collection that Python owes what was loaded is no part of what a call costs.

    It takes 25 to 70 ms beside a large client, and came in the middle of one side's measuring or of another's.
    """
    flush()
    gc.collect()


def latency(name: str, url: str) -> dict[str, float]:
    one, flush = spans(name, url)
    for _ in range(50):
        one(TEXT)
    settle(flush)
    taken = []
    for _ in range(3_000):
        began = time.perf_counter_ns()
        one(TEXT)
        taken.append(time.perf_counter_ns() - began)
    flush()
    taken.sort()
    return {"p50": taken[1_500] / 1e3, "p99": taken[2_970] / 1e3, "worst": taken[-1] / 1e3}


def throughput(name: str, url: str, pieces: int) -> dict[str, float]:
    one, flush = spans(name, url)
    for _ in range(50):
        one(TEXT)
    settle(flush)
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(pieces):
        for _ in range(SPANS // pieces):
            one(TEXT)
        flush()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"per_s": SPANS / wall, "per_cpu_s": SPANS / cpu}


def outage(name: str) -> dict[str, float]:
    one, _ = spans(name, DOWN)
    cpu = time.process_time()
    for _ in range(SPANS):
        one(TEXT)
    time.sleep(4)
    return {"cpu": (time.process_time() - cpu) / SPANS * 1e6}


def client_of(name: str, url: str) -> tuple[Any, Any]:
    """The OpenAI client as a side watches it, and what flushes."""
    flush: Any = nothing
    if name != "bare":
        _, flush = side(name, url, ["openai"])
    from importlib import import_module

    from openai_client import answer, http

    make = import_module("langfuse.openai" if name == "langfuse" else "openai").OpenAI
    client = make(api_key="none", http_client=http.Client(transport=http.MockTransport(answer)))
    if name == "logfire":
        import_module("logfire").instrument_openai(client)
    return client, flush


def model_call(name: str, url: str, *, stream: bool) -> dict[str, float]:
    client, flush = client_of(name, url)
    messages = [{"role": "user", "content": "Say hello. " * 100}] * 20

    def once() -> None:
        reply = client.chat.completions.create(model="gpt-4o", messages=messages, stream=stream)
        if stream:
            for _ in reply:
                pass

    from openai_client import PIECES

    times = 8 if stream else 150
    for _ in range(3 if stream else 10):
        once()
    settle(flush)
    cpu, own, wall = time.process_time(), time.thread_time(), []
    for _ in range(times):
        began = time.perf_counter()
        once()
        wall.append(time.perf_counter() - began)
    own = time.thread_time() - own
    flush()
    count = times * (PIECES + 1 if stream else 1)
    return {"wall": own / count * 1e6, "cpu": (time.process_time() - cpu) / count * 1e6}


def measure(name: str, case: str, url: str) -> dict[str, float]:
    if case == "latency":
        return latency(name, url)
    if case in ("model call", "stream"):
        return model_call(name, url, stream=case == "stream")
    if case == "backend down":
        return outage(name)
    return throughput(name, "jsonl" if case.endswith("JSONL") else url, 5 if case.startswith("steady") else 1)


def turns() -> list[tuple[str, str]]:
    names = [name for name in SIDES if interpreter(name)]
    every = [(name, case) for name in names for case in CASES if name == "ours" or not case.endswith("JSONL")]
    return [(name if name != "opentelemetry" or case not in CLIENT else "bare", case) for name, case in every]


def ratios_of(cases: dict[str, dict[str, dict[str, float]]]) -> dict[str, dict[str, dict[str, float]]]:
    """Every figure divided by that of the same case of OpenTelemetry, or of the client alone."""
    made: dict[str, dict[str, dict[str, float]]] = {}
    for case, by_name in cases.items():
        one = cases[case.removesuffix(" to JSONL")]
        base = one.get("bare") or one.get("opentelemetry")
        if base is not None:
            made[case] = {
                name: {what: round(value / base[what], 3) for what, value in figures.items()}
                for name, figures in by_name.items()
                if name != "bare"
            }
    return made


def keep(measured: dict[tuple[str, str], list[dict[str, float]]], file: Path, svg: Path, load: list[Any]) -> None:
    """Print medians of what was measured so far, and keep them."""
    middle = {
        key: {what: statistics.median(one[what] for one in runs) for what in runs[0]} for key, runs in measured.items()
    }
    cases: dict[str, dict[str, dict[str, float]]] = {}
    for case in CASES:
        for (name, of), figures in middle.items():
            if of == case:
                print(
                    f"{case:<18}{name:<15}"
                    + "  ".join(f"{what} {figures[what]:,.1f} {UNITS[what]}" for what in figures)
                )
                cases.setdefault(case, {})[name] = {what: round(value, 2) for what, value in figures.items()}
    ratios = ratios_of(cases)
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = {"load": load, "rounds": max(map(len, measured.values())), "cases": cases, "ratios": ratios}
    file.write_text(json.dumps(kept, indent=1) + "\n")
    if svg.parent.is_dir():
        plot(ratios, svg, ("p99", "cpu", "per_cpu_s"), "OpenTelemetry, or the OpenAI client alone = 1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/delivery.json"))
    parser.add_argument("--svg", type=Path, default=Path("docs/images/delivery.svg"))
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, case, url, _ = options.one
        print(json.dumps(measure(name, case, url)))
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sinkhole)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    measured: dict[tuple[str, str], list[dict[str, float]]] = {}
    before = os.getloadavg()
    order = turns()
    for _ in range(options.rounds):
        random.shuffle(order)
        for name, case in order:
            sends = name != "bare" and case != "backend down" and not case.endswith("JSONL")
            figures = figures_of(name, case, url, 0, program=Path(__file__), sends=sends)
            if figures is not None:
                measured.setdefault((name, case), []).append(figures)
        keep(measured, options.json, options.svg, [before, os.getloadavg()])


if __name__ == "__main__":
    main()
