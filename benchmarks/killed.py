"""What a ``kill -9`` costs: how long before it had the oldest lost span ended?

Kills programs that record, at random moments of their first seconds, and compares what had ended with what
lies on disk. Each program tells through a pipe when a span has ended, and dies in the middle of its work.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = """
import os, sys, time
import agentops_sdk as agentops
from agentops_sdk.integration import start

exporters, kind, pause, told = json.loads(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
agentops.init(integrations=[], exporters=exporters)
messages = [{"role": "user", "parts": [{"type": "text", "content": "word " * 200}]}]
attributes = {"gen_ai.request.model": "gpt-4o-mini", "gen_ai.input.messages": json.dumps(messages)}
number = 0
while True:
    if kind == "llm":
        call = start("llm", f"span-{number}-", attributes=attributes)
    else:
        call = start("task", f"span-{number}-")
    call.finish()
    os.write(told, b"%d %d\\n" % (number, time.time_ns()))
    number += 1
    time.sleep(pause)
"""

NAME = re.compile(rb"span-(\d+)-")


def killed_after(seconds: float, exporters: list[str], kind: str, pause: float) -> tuple[int, int, float]:
    """Spans that ended, spans lost, and how many milliseconds before the kill the oldest of these had ended."""
    read, write = os.pipe()
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-c", "import json\n" + PROGRAM, json.dumps(exporters), kind, str(pause), str(write)]
        with subprocess.Popen(command, cwd=directory, pass_fds=[write]) as program:
            os.close(write)
            told = os.read(read, 65_536)  # the first span has ended
            time.sleep(seconds)
            before = time.time_ns()
            os.kill(program.pid, signal.SIGKILL)
            while chunk := os.read(read, 65_536):
                told += chunk
        os.close(read)
        ended = {int(number): int(at) for number, at in (line.split() for line in told.splitlines(keepends=False))}
        files = [path for path in Path(directory).rglob("*") if path.suffix in (".jsonl", ".seg")]
        on_disk = {int(number) for path in files for number in NAME.findall(path.read_bytes())}
    lost = ended.keys() - on_disk
    oldest = max((before - ended[number] for number in lost), default=0)
    return len(ended), len(lost), max(0.0, oldest / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random.seed(args.seed)
    print(f"{args.kills} kills each; milliseconds between the end of the oldest lost span and the kill")
    print(f"{'':52}{'worst':>8}{'median':>8}{'lost/kill':>11}")
    for title, exporters in (("JSONL", ["jsonl"]), ("OTLP, spooled", ["otlp:http://127.0.0.1:9"])):
        for kind in ("task", "llm"):
            for pace, pause in (("a span a millisecond", 0.001), ("without pause", 0.0)):
                for when, longest in (("within 0.4 s of the first call", 0.4), ("within 2 s", 2.0)):
                    rows = [killed_after(random.uniform(0, longest), exporters, kind, pause) for _ in range(args.kills)]
                    ages = sorted(age for _, _, age in rows)
                    lost = sum(lost for _, lost, _ in rows) / len(rows)
                    title_row = f"{title}, {kind}, {pace}, {when}"
                    print(f"{title_row:68}{ages[-1]:>8.0f}{ages[len(ages) // 2]:>8.0f}{lost:>11.0f}", flush=True)


if __name__ == "__main__":
    main()
