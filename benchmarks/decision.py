"""What stating a decision costs the caller, as a multiple of an OpenTelemetry span with the same attributes.

    python benchmarks/decision.py [--rounds 15] [--calls 1000]

Ours and OpenTelemetry's take turns in one process, both into an exporter that throws everything away; what is
shown is the median over rounds of the caller's wall time per decision, and the ratio.
"""

from __future__ import annotations

import argparse
import json
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
NAMES = ["refund", "escalate", "ask"]
REASON = "a small amount, and the customer has waited long enough"


def stated() -> None:
    with agentops.decision("route", options=NAMES, inputs={"amount": 12}) as made:
        made.choose("refund", reason=REASON, confidence=0.82, evidence=["policy 4"])


def plain() -> None:
    with tracer.start_as_current_span("decision route") as span:
        span.set_attribute("agentops.decision.name", "route")
        span.set_attribute("agentops.decision.options", json.dumps([{"name": name} for name in NAMES]))
        span.set_attribute("agentops.decision.inputs", json.dumps({"amount": 12}))
        span.set_attribute("agentops.decision.chosen", "refund")
        span.set_attribute("agentops.decision.reason", REASON)
        span.set_attribute("agentops.decision.confidence", 0.82)
        span.set_attribute("agentops.decision.evidence", json.dumps(["policy 4"]))


@agentops.track(kind="decision", options=NAMES)
def decorated() -> str:
    return "refund"


def timed(call: Callable[[], Any], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=1000)
    args = parser.parse_args()
    agentops.init(exporters=[Discard()], integrations=[])
    sides: dict[str, Callable[[], Any]] = {"OpenTelemetry": plain, "decision()": stated, "@track": decorated}
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(args.rounds):
        for name, call in sides.items():
            found[name].append(timed(call, args.calls))
            agentops.flush()
            provider.force_flush()
    base = statistics.median(found["OpenTelemetry"])
    for name, values in found.items():
        middle = statistics.median(values)
        print(f"{name:14} {middle:7.1f} us a decision  {middle / base:5.2f} x")
    agentops.shutdown()


if __name__ == "__main__":
    main()
