"""Spans to JSONL and to OTLP, beside OpenTelemetry's BatchSpanProcessor with its own exporter.

Prints spans per second, CPU time per span and memory; what is compared is what each does by default,
except that both may queue everything, so that no one is fast by dropping. Each row is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 300,
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "x" * 1000}]}]),
}


class Sinkhole(BaseHTTPRequestHandler):
    """Takes everything and answers 200."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def ours(exporters: list[str], count: int) -> Any:
    import agentops_sdk as agentops
    from agentops_sdk.integration import start

    agentops.init(exporters=exporters, integrations=[], queue_size=10_000_000, pricing=False, redact=False)

    def one() -> None:
        start("llm", "gpt-4o-mini", attributes=ATTRIBUTES).finish()

    def done() -> None:
        agentops.flush(300)

    return one, done, lambda: agentops.status().sinks


def theirs(url: str, count: int) -> Any:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    exporter = OTLPSpanExporter(endpoint=url + "/v1/traces", compression=Compression.Gzip)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=10_000_000))
    tracer = provider.get_tracer("benchmark")

    def one() -> None:
        tracer.start_span("chat gpt-4o-mini", attributes=ATTRIBUTES).end()

    return one, lambda: provider.force_flush(300_000), dict


def measure(kind: str, url: str, count: int) -> dict[str, Any]:
    made = {
        "jsonl": lambda: ours(["jsonl"], count),
        "otlp": lambda: ours([f"otlp:{url}"], count),
        "both": lambda: ours(["jsonl", f"otlp:{url}"], count),
        "otel": lambda: theirs(url, count),
        "outage": lambda: ours(["otlp:http://127.0.0.1:9"], count),
    }[kind]()
    one, done, sinks = made
    for _ in range(200):
        one()
    if kind != "outage":
        done()
    before, cpu, wall = _memory(), time.process_time(), time.perf_counter()
    peak = 0
    for number in range(count):
        one()
        if number % 5_000 == 0:
            peak = max(peak, _memory())
    called, hot = time.perf_counter() - wall, _memory()
    if kind == "outage":
        while any(sink.accepted < count for sink in sinks().values()):
            time.sleep(0.05)
    else:
        done()
    return {
        "spans_per_s": count / (time.perf_counter() - wall),
        "caller_us": called / count * 1e6,
        "cpu_us": (time.process_time() - cpu) / count * 1e6,
        "queued_mb": max(peak, hot) - before,
        "after_mb": _memory() - before,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _memory() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123 - as cheap as it gets
        return int(file.read().split()[1]) * resource.getpagesize() // 1_048_576


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one[0], args.one[1], args.count)))
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sinkhole)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    print(f"{args.count} spans of 1.2 kB; µs per span")
    print(f"{'':44}{'spans/s':>9}{'caller':>8}{'CPU':>7}{'queue MB':>10}{'after MB':>10}")
    for kind, title in (
        ("jsonl", "JSONL"),
        ("otlp", "OTLP, spooled on disk"),
        ("both", "JSONL and OTLP"),
        ("otel", "OpenTelemetry: BatchSpanProcessor + OTLP"),
        ("outage", "OTLP while the backend is down"),
    ):
        with tempfile.TemporaryDirectory() as place:
            command = [sys.executable, __file__, "--count", str(args.count), "--one", kind, url]
            path = os.pathsep.join(sys.path)
            done = subprocess.run(
                command, cwd=place, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
            )
        if done.returncode:
            print(f"{title:44}failed: {done.stderr.strip().splitlines()[-1:]}")
            continue
        row = json.loads(done.stdout)
        print(
            f"{title:44}{row['spans_per_s']:>9.0f}{row['caller_us']:>8.1f}{row['cpu_us']:>7.1f}"
            f"{row['queued_mb']:>10.0f}{row['after_mb']:>10.0f}"
        )


if __name__ == "__main__":
    main()
