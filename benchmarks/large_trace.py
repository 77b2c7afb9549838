"""Traces of any size for the readers, and what reading them takes.

    python benchmarks/large_trace.py write mixed 1000000 /tmp/large.jsonl
    python benchmarks/large_trace.py read /tmp/large.jsonl

``read`` runs ``agentops ls``, ``show`` and ``stats`` and prints the seconds and the peak memory of each.
Shapes: ``flat`` (equal steps below one root), ``calls`` (model calls with tokens and cost below one agent),
``mixed`` (agents, each with model calls and tools), ``chain`` (each span below the one before), ``names``
(siblings that all have a name of their own).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

START = 1_760_000_000_000_000_000
RESOURCE = {
    "service.name": "large",
    "service.version": "1.2.3",
    "telemetry.sdk.language": "python",
    "process.pid": 4711,
}
SCOPE = {"name": "agentops_sdk", "version": "0.1.0"}


def span(number: int, parent: int | None, name: str, kind: str, **more: Any) -> dict[str, Any]:
    """One record; spans start a microsecond apart."""
    start = START + number * 1_000
    end = start + more.pop("took", 50_000)
    attributes = {"agentops.kind": kind, **more.pop("attributes", {})}
    return {
        "v": 1,
        "trace_id": f"{0xA11CE:032x}",
        "span_id": f"{number + 1:016x}",
        "parent_id": None if parent is None else f"{parent + 1:016x}",
        "name": name,
        "kind": kind,
        "span_kind": "CLIENT" if kind == "llm" else "INTERNAL",
        "start_ns": start,
        "end_ns": end,
        "start": f"2025-10-09T08:53:{start // 10**9 % 60:02}.{start // 1000 % 10**6:06}Z",
        "end": f"2025-10-09T08:53:{end // 10**9 % 60:02}.{end // 1000 % 10**6:06}Z",
        "status": "unset",
        "outcome": "ok",
        "attributes": attributes,
        "resource": RESOURCE,
        "scope": SCOPE,
        "flags": 257,
        **more,
    }


def model_call(number: int, parent: int, dice: random.Random) -> dict[str, Any]:
    tokens, answer = dice.randrange(100, 9_000), dice.randrange(10, 900)
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": f"chatcmpl-{number:024x}",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.output_tokens": answer,
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"What is the capital?"}]}]',
        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"It is Paris."}]}]',
        "agentops.usage.source": "reported",
        "agentops.cost.amount": round(tokens * 15e-8 + answer * 6e-7, 9),
        "agentops.cost.currency": "USD",
    }
    took = dice.randrange(10**8, 10**10)
    return span(number, parent, "chat gpt-4o-mini", "llm", attributes=attributes, took=took)


def tool(number: int, parent: int, dice: random.Random) -> dict[str, Any]:
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": f"tool{number % 7}"}
    failed = dice.random() < 0.001
    outcome = {"outcome": "error", "status": "error", "status_message": "no such page"} if failed else {}
    return span(number, parent, f"execute_tool tool{number % 7}", "tool", attributes=attributes, **outcome)


def flat(count: int) -> Iterator[dict[str, Any]]:
    yield from (span(number, 0, "step", "task") for number in range(1, count))
    yield span(0, None, "invoke_agent Root", "agent", took=count * 2_000)


def calls(count: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(1)
    yield from (model_call(number, 0, dice) for number in range(1, count))
    yield span(0, None, "invoke_agent Root", "agent", took=count * 2_000)


def mixed(count: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(2)
    agent = 0
    for number in range(1, count):
        if number % 50 == 1:
            agent = number
            name = f"Worker{number // 50 % 20}"
            yield span(number, 0, f"invoke_agent {name}", "agent", attributes={"gen_ai.agent.name": name})
        else:
            yield (model_call if number % 2 else tool)(number, agent, dice)
    yield span(0, None, "invoke_agent Root", "agent", took=count * 2_000)


def chain(count: int) -> Iterator[dict[str, Any]]:
    yield from (span(number, number - 1 if number else None, "step", "task") for number in reversed(range(count)))


def names(count: int) -> Iterator[dict[str, Any]]:
    yield from (span(number, 0, f"step {number}", "task") for number in range(1, count))
    yield span(0, None, "invoke_agent Root", "agent", took=count * 2_000)


SHAPES: dict[str, Callable[[int], Iterator[dict[str, Any]]]] = {
    shape.__name__: shape for shape in (flat, calls, mixed, chain, names)
}


def write(shape: str, count: int, path: Path) -> None:
    with path.open("w") as file:
        for record in SHAPES[shape](count):
            file.write(json.dumps(record, separators=(",", ":")) + "\n")


def measured(path: Path, *arguments: str) -> tuple[float, float, int]:
    """Seconds of the processor, peak memory in MB, and bytes that one command printed."""
    program = "import sys; from agentops_sdk.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, *arguments, "--dir", str(path)]
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        printed = len(process.stdout.read())
        _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    wall, cpu, peak = time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    name = " ".join(arguments)
    print(f"{name:28} {wall:7.1f} s wall {cpu:7.1f} s cpu {peak:7.0f} MB  {printed:,} bytes printed")
    return cpu, peak, printed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("write", "read"))
    parser.add_argument("rest", nargs="*")
    args = parser.parse_args()
    if args.what == "write":
        write(args.rest[0], int(args.rest[1]), Path(args.rest[2]))
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    commands = [" ".join(args.rest[1:]).split()] if args.rest[1:] else [["ls"], ["show"], ["stats"]]
    for arguments in commands:
        measured(Path(args.rest[0]), *arguments)


if __name__ == "__main__":
    main()
