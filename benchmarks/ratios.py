"""Our costs beside those of OpenTelemetry's own span, and of other recorders where they are installed, as ratios.

    python benchmarks/ratios.py [--rounds 7] [--calls 400] [--json FILE] [--svg FILE] [--no-instructions]

Each case of each side is a process of its own, and sides take turns in a new order each round, so that a busy minute
hits all alike. Both export over OTLP to a server on this machine. What is told is the median over rounds, divided by
that of a raw OpenTelemetry span with a batch processor that records nothing. Wall is the caller's own time; CPU is the
whole process's, with everything flushed. Calls are counted, and so are instructions where valgrind is installed (by its
callgrind; of four cases, and of ``import`` and ``init()``): neither depends on what else runs. Peers have
environments of their own: those that ``benchmarks/peers.sh`` makes, or that ``LANGFUSE_PYTHON``, ``LOGFIRE_PYTHON`` and
``OPENLLMETRY_PYTHON`` name. Long because every side, and how it is shown, is in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SENTENCE = "The report covers the third quarter; figures are in thousands, and the table on page four is new. "
TEXT = (SENTENCE * 110)[:10_240]
CHAT = [{"role": "user" if n % 2 else "assistant", "content": f"message {n}: " + "word " * 30} for n in range(200)]
CASES = ("no argument", "small arguments", "generator", "async generator", "10 KB text", "200 messages")
CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
CENTRAL = {"no argument": 1_000, "small arguments": 1_000, "10 KB text": 50, "200 messages": 50}
"""How many calls instructions are counted of: the shorter a call, the more, for switching the count on takes some."""
SIDES = ("opentelemetry", "ours", "langfuse", "logfire", "openllmetry")
AT_MOST = {
    ("no argument", "wall"): 0.35, ("small arguments", "wall"): 0.4, ("small arguments", "cpu"): 0.7,
    ("generator", "wall"): 0.8, ("async generator", "wall"): 0.8, ("10 KB text", "cpu"): 2.5,
    ("200 messages", "wall"): 8.0, ("200 messages", "cpu"): 8.0,
}  # fmt: skip
"""What we hold ourselves to, as a ratio to OpenTelemetry's span without content."""


class Sinkhole(BaseHTTPRequestHandler):
    """Takes everything and answers 200."""

    protocol_version = "HTTP/1.1"
    received = 0
    """Bytes of bodies, of all requests."""

    def do_POST(self) -> None:
        Sinkhole.received += len(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def nothing() -> None: ...


def small(number: int, text: str) -> str:
    return "ok"


def same(value: Any) -> Any:
    return value


def steps() -> Any:
    yield from range(5)


async def async_steps() -> Any:
    for number in range(5):
        yield number


Decorate = Callable[[Any], Any]


def side(name: str, url: str, integrations: Sequence[str] = ()) -> tuple[Decorate | None, Callable[[], Any]]:
    """How a side decorates a function (``None``: raw spans), and how it is flushed.

    Args:
        name: one of :data:`SIDES`.
        url: where its spans go; ours take ``jsonl`` as well.
        integrations: of ours, those that are to be there.
    """
    if name == "ours":
        import agentops_sdk as agentops

        where = url if url == "jsonl" else f"otlp:{url}"
        agentops.init(exporters=[where], integrations=list(integrations), queue_size=1_000_000)
        return agentops.track, lambda: agentops.flush(60)
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=1_000_000))
    if name == "opentelemetry":
        trace.set_tracer_provider(provider)
        return None, lambda: provider.force_flush(60_000)
    if name == "langfuse":
        from langfuse import Langfuse, observe

        client = Langfuse(public_key="pk", secret_key="sk", base_url=url)
        return observe(), client.flush
    if name == "logfire":
        import logfire

        ours_too = BatchSpanProcessor(exporter, max_queue_size=1_000_000)
        logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[ours_too])
        return logfire.instrument(extract_args=True, record_return=True, allow_generator=True), logfire.force_flush
    from traceloop.sdk import Traceloop
    from traceloop.sdk.decorators import task

    Traceloop.init(app_name="bench", exporter=exporter, telemetry_enabled=False)
    return task(), lambda: trace.get_tracer_provider().force_flush(60_000)  # type: ignore[attr-defined]  # the SDK's has it


def work_of(case: str, decorate: Decorate | None) -> Callable[[int], None]:
    """Runs a case so many times."""
    function = {"no argument": nothing, "small arguments": small, "generator": steps, "async generator": async_steps}
    plain = function.get(case, same)
    if decorate is None:
        from opentelemetry import trace

        tracer = trace.get_tracer("benchmark")

        def decorated(*_: Any) -> Any:
            with tracer.start_as_current_span("work"):
                return plain
    else:
        decorated = decorate(plain)
    arguments: tuple[Any, ...] = {"small arguments": (1, "x"), "10 KB text": (TEXT,), "200 messages": (CHAT,)}.get(
        case, ()
    )
    is_raw = decorate is None

    def run(count: int) -> None:
        for _ in range(count):
            decorated(*arguments)

    def run_generator(count: int) -> None:
        for _ in range(count):
            for _ in decorated():
                pass

    async def run_async(count: int) -> None:
        for _ in range(count):
            async for _ in decorated():
                pass

    if is_raw or case not in ("generator", "async generator"):
        return run
    return run_generator if case == "generator" else lambda count: asyncio.run(run_async(count))


def measure(name: str, case: str, url: str, calls: int) -> dict[str, float]:
    decorate, flush = side(name, url)
    run = work_of(case, decorate)
    run(20)
    flush()
    cpu, wall = time.process_time(), time.thread_time()
    run(calls)
    wall = time.thread_time() - wall
    flush()
    cpu = time.process_time() - cpu
    counts = []
    for _ in range(3):
        count = 0

        def on_call(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(on_call)
        run(1)
        sys.setprofile(None)
        counts.append(count)
    return {"wall": wall / calls * 1e6, "cpu": cpu / calls * 1e6, "calls": min(counts)}


def interpreter(name: str) -> str | None:
    """The Python that has a side; ``None`` where it is not installed."""
    if name in ("ours", "opentelemetry", "bare"):
        return sys.executable
    made = Path(__file__).resolve().parents[1] / ".peers" / name / "bin" / "python"
    return os.environ.get(f"{name.upper()}_PYTHON") or (str(made) if made.exists() else None)


def in_process(
    name: str, case: str, url: str, calls: int, *before: str, program: Path = Path(__file__), counted: bool = False
) -> subprocess.CompletedProcess[str]:
    python = interpreter(name) or sys.executable
    more = ["--counted"] if counted else []
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [*before, python, str(program.resolve()), "--one", name, case, url, str(calls), *more],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip


def figures_of(
    name: str, case: str, url: str, calls: int, *, program: Path = Path(__file__), sends: bool = True
) -> dict[str, float] | None:
    """What a process measured; ``None``, and why on stderr, where it failed, or sent nothing although it should."""
    received = Sinkhole.received
    done = in_process(name, case, url, calls, program=program)
    if done.returncode:
        print(f"{name}, {case}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    if sends and Sinkhole.received == received:
        print(f"{name}, {case}: nothing was sent", file=sys.stderr)
        return None
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def instructions(name: str, case: str, url: str) -> float | None:
    """Instructions of one call, on all threads, until what it recorded has been sent."""
    calls = CENTRAL[case]
    done = in_process(name, case, url, calls, *CALLGRIND, "--instr-atstart=no", counted=True)
    total = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode or total is None:
        print(f"{name}, {case}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    print(f"counted: {name}, {case}", file=sys.stderr)
    return int(total[1]) / calls


def run_counted(name: str, case: str, url: str, calls: int) -> None:
    """Run a case under callgrind, and have it count these calls alone: what starts the process is not slowed down."""
    decorate, flush = side(name, url)
    run = work_of(case, decorate)
    run(20)
    flush()
    _count_instructions("on")
    run(calls)
    flush()
    _count_instructions("off")
    os._exit(0)


def _count_instructions(switch: str) -> None:
    command = ["vgdb", "--wait=30", f"--pid={os.getpid()}", "instrumentation", switch]
    subprocess.run(command, capture_output=True, check=True, timeout=60)


def start_up() -> dict[str, float | None]:
    """Instructions of ``import`` and ``init()``, by sink, and of importing OpenTelemetry's SDK."""
    init = "import os, agentops_sdk\nagentops_sdk.init(exporters=['{}'])\nos._exit(0)"
    programs = {
        "bare": "pass",
        "opentelemetry": "import opentelemetry.sdk.trace",
        "jsonl": init.format("jsonl"),
        "otlp": init.format("otlp"),
    }
    totals: dict[str, int | None] = {}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for name, program in programs.items():
        with tempfile.TemporaryDirectory() as folder:
            for before in ([], CALLGRIND):  # first without: what is imported is compiled then
                done = subprocess.run(
                    [*before, sys.executable, "-c", program],
                    cwd=folder, env=environment, capture_output=True, text=True, check=False,
                )  # fmt: skip
        total = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
        totals[name] = int(total[1]) if total is not None else None
    bare = totals.pop("bare")
    return {name: None if total is None or bare is None else total - bare for name, total in totals.items()}


def count_instructions(url: str, ratios: dict[str, dict[str, dict[str, float]]]) -> dict[str, dict[str, float | None]]:
    """Of the central cases, and of starting; what is told as a ratio is added to ``ratios``."""
    counted: dict[str, dict[str, float | None]] = {}
    base = instructions("opentelemetry", "no argument", url)
    for case in CENTRAL:
        ours = instructions("ours", case, url)
        counted[case] = {"opentelemetry": base, "ours": ours}
        if ours and base and "ours" in ratios.get(case, {}):
            ratios[case]["ours"]["instructions"] = round(ours / base, 3)
    started = counted["import and init()"] = start_up()
    for sink in ("jsonl", "otlp"):
        taken, sdk = started[sink], started["opentelemetry"]
        if taken and sdk:
            ratios[f"import and init(), {sink}"] = {"ours": {"instructions": round(taken / sdk, 3)}}
    return counted


def plot(
    ratios: dict[str, dict[str, dict[str, float]]],
    file: Path,
    shown: Sequence[str] = ("wall", "cpu", "instructions"),
    title: str = "raw OpenTelemetry span = 1",
) -> None:
    """Bars of the ratios, on a logarithmic scale around 1."""
    rows = sorted(
        (case, what, name, value)
        for case, by_name in ratios.items()
        for name, figures in by_name.items()
        for what, value in figures.items()
        if what in shown and name != "opentelemetry"
    )
    height, middle, unit = 16 * len(rows) + 40, 420, 130
    size = f'width="860" height="{height}" font-family="sans-serif" font-size="11"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    parts = [head, f'<text x="{middle}" y="14" text-anchor="middle">{title}</text>']
    for number, (case, what, name, value) in enumerate(rows):
        y, end = 26 + 16 * number, middle + unit * math.log10(max(value, 0.01))
        left, width, colour = min(middle, end), abs(end - middle), "#2a7" if name == "ours" else "#999"
        parts += [
            f'<text x="8" y="{y + 9}">{case}, {what}: {name}</text>',
            f'<rect x="{left:.0f}" y="{y}" width="{width:.0f}" height="11" fill="{colour}"/>',
            f'<text x="{max(middle, end) + 5:.0f}" y="{y + 9}">{value:.2f}</text>',
        ]
    parts.append(f'<line x1="{middle}" y1="20" x2="{middle}" y2="{height - 8}" stroke="#333"/></svg>')
    file.write_text("\n".join(parts) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/ratios.json"))
    parser.add_argument("--svg", type=Path, default=Path("docs/images/ratios.svg"))
    parser.add_argument("--instructions", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--counted", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, case, url, calls = options.one
        if options.counted:
            run_counted(name, case, url, int(calls))
        print(json.dumps(measure(name, case, url, int(calls))))
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sinkhole)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    names = [name for name in SIDES if interpreter(name)]
    turns = [
        ("opentelemetry", "no argument"),
        *((name, case) for name in names if name != "opentelemetry" for case in CASES),
    ]
    measured: dict[tuple[str, str], list[dict[str, float]]] = {}
    for _ in range(options.rounds):
        random.shuffle(turns)
        for name, case in turns:
            if (figures := figures_of(name, case, url, options.calls)) is not None:
                measured.setdefault((name, case), []).append(figures)
    middle = {
        key: {what: statistics.median(one[what] for one in runs) for what in runs[0]} for key, runs in measured.items()
    }
    raw = middle["opentelemetry", "no argument"]
    ratios: dict[str, dict[str, dict[str, float]]] = {}
    for (name, case), figures in middle.items():
        ratios.setdefault(case, {})[name] = {what: round(value / raw[what], 3) for what, value in figures.items()}
    counted = count_instructions(url, ratios) if options.instructions and shutil.which("valgrind") else {}
    print(f"{'ratio to a raw span':<20}{'side':<14}{'wall':>7}{'CPU':>7}{'calls':>7}{'at most':>16}")
    for case in CASES:
        for name, figures in ratios.get(case, {}).items():
            most = " ".join(f"{what} {AT_MOST[case, what]}" for what in ("wall", "cpu") if (case, what) in AT_MOST)
            print(f"{case:<20}{name:<14}{figures['wall']:>7.2f}{figures['cpu']:>7.2f}"
                  f"{middle[name, case]['calls']:>7.0f}{most if name == 'ours' else '':>16}")  # fmt: skip
    print(
        f"raw span: {raw['wall']:.1f} µs, with export {raw['cpu']:.1f} µs of CPU, {raw['calls']:.0f} calls; {counted}"
    )
    if options.json.parent.is_dir() or options.json.parent.name == "results":
        options.json.parent.mkdir(parents=True, exist_ok=True)
        kept = {
            "raw": raw,
            "ratios": ratios,
            "instructions": counted,
            "load": os.getloadavg(),
            "rounds": options.rounds,
        }
        options.json.write_text(json.dumps(kept, indent=1) + "\n")
    if options.svg.parent.is_dir():
        plot(ratios, options.svg)


if __name__ == "__main__":
    main()
