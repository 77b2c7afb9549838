"""What the commands that read take for so many spans: CPU seconds and peak memory, as a table, as JSON and as a plot.

    python benchmarks/read_side.py 11000 55000 220000 1000000 --json figures.json --plot figures.svg
    python benchmarks/read_side.py --packed /tmp/packed 1000000

For each size spans are generated (benchmarks/generate_spans.py) and read as lines, then packed by ``agentops compact``
and read as Parquet. ``first`` is ``ls`` over lines that nobody has read yet: it leaves an index. CPU seconds say what
the work takes, also on a machine that does other work at the same time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from generate_spans import write

SQL = "SELECT service_version, count(*), avg(cost), quantile_disc(duration_s, 0.5) FROM traces GROUP BY service_version"
COMMANDS = {
    "first": ["ls"],  # makes what later ones need not find out again
    "ls": ["ls"],
    "stats": ["stats"],
    "compare": ["compare", "release=1.0", "release=1.1"],
    "sql": ["sql", SQL],
}
LONGEST = 220_000  # spans in lines of which every command is run; beyond only those that stay fast
FAST = ("first", "ls", "stats", "sql")
COLOURS = {"first": "#9f1239", "ls": "#6b7280", "stats": "#0d9488", "compare": "#b45309", "sql": "#4338ca"}


def measured(words: list[str], place: Path) -> dict[str, float]:
    """CPU seconds and peak megabytes of a command."""
    command = [sys.executable, "-m", "agentops_sdk", *words, "--from", str(place)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} failed on {place}")
    return {"cpu_s": round(usage.ru_utime + usage.ru_stime, 2), "peak_mb": round(usage.ru_maxrss / 1024)}


def figures(sizes: list[int], packed: Path | None) -> list[dict[str, Any]]:
    rows = []
    for spans in sizes:
        if packed is not None:
            rows += of_place(spans, "parquet", packed)
            continue
        with tempfile.TemporaryDirectory(prefix="spans-") as folder:
            place = Path(folder)
            write(spans, place)
            rows += of_place(spans, "lines", place)
            pack = measured(["compact"], place)
            rows.append({"spans": spans, "form": "lines", "command": "compact", **pack})
            rows += of_place(spans, "parquet", place)
    return rows


def of_place(spans: int, form: str, place: Path) -> list[dict[str, Any]]:
    rows = []
    for name, words in COMMANDS.items():
        if spans <= LONGEST or name in FAST or form == "parquet":
            rows.append({"spans": spans, "form": form, "command": name, **measured(words, place)})
            print(rows[-1], flush=True)
    return rows


def plot(rows: list[dict[str, Any]]) -> str:
    """CPU seconds over spans, both axes logarithmic; lines of text are drawn whole, Parquet dashed."""
    from math import log10

    def at(spans: float, seconds: float) -> tuple[float, float]:
        return 70 + (log10(spans) - 4) * 170, 330 - (log10(max(seconds, 0.1)) + 1) * 95

    size = 'width="720" height="400" font-family="sans-serif" font-size="12"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', '<rect width="720" height="400" fill="#fff"/>']
    for power in range(4, 8):
        x, _ = at(10**power, 1)
        parts.append(f'<path d="M{x} 45V330" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{x}" y="348" text-anchor="middle">10^{power}</text>')
    for power in range(-1, 3):
        _, y = at(1, 10.0**power)
        parts.append(f'<path d="M70 {y}H580" stroke="#e5e7eb"/>')
        parts.append(f'<text x="62" y="{y + 4}" text-anchor="end">{10.0**power:g}</text>')
    parts.append('<text x="325" y="372" text-anchor="middle">spans</text><text x="14" y="30">CPU seconds</text>')
    labels: list[tuple[float, float, str, str]] = []
    for name, colour in COLOURS.items():
        for form, dash in (("lines", ""), ("parquet", ' stroke-dasharray="6 4"')):
            points = [at(row["spans"], row["cpu_s"]) for row in rows if (row["command"], row["form"]) == (name, form)]
            if points:
                path = " ".join(f"{x:.0f},{y:.0f}" for x, y in sorted(points))
                parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
                labels.append((*max(points), colour, f"{name}, {form}"))
    placed: dict[float, float] = {}  # where lines end at the same number of spans their labels stand below each other
    for x, y, colour, text in sorted(labels):
        placed[x] = max(y + 4, placed.get(x, 0) + 13)
        parts.append(f'<text x="{x + 6:.0f}" y="{placed[x]:.0f}" fill="{colour}">{text}</text>')
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spans", type=int, nargs="*", default=[11_000, 55_000])
    parser.add_argument("--packed", type=Path, help="read this directory of Parquet files instead, which holds so many")
    parser.add_argument("--json", type=Path, help="keep the figures; what is there already stays")
    parser.add_argument("--plot", type=Path, help="write an SVG of all figures")
    options = parser.parse_args()
    every = json.loads(options.json.read_text()) if options.json and options.json.exists() else []
    every += figures(options.spans, options.packed)
    if options.json:
        options.json.write_text(json.dumps(every, indent=1) + "\n")
    if options.plot:
        options.plot.write_text(plot(every))
