"""``agentops evidence``: what the traces and the audit log show of a period, every figure with its query."""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.cli._source import add_dir, base_directory, place, shown
from agentops_sdk.errors import ConfigError, TraceError
from agentops_sdk.private_files import open_private
from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    import argparse

HELP = "Write what traces and the audit log show of a period: systems, decisions, oversight, incidents, data, cost."
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--period",
        default="30d", metavar="PERIOD",
        help="the last 30d, 12w or 1y, a month 2026-03, a year 2026, or FROM..UNTIL in days (default: 30d)",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", default="evidence.html", metavar="FILE", help="a .html or .json file (default: evidence.html)"
    )
    parser.add_argument(
        "--key", metavar="SOURCE",
        help="where the key of the audit log's signatures is kept: env:NAME or file:PATH (default: the setting's)",
    )  # fmt: skip
    add_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Write the file and print its path; 1 where something could not be read, or the audit log is not whole."""
    from agentops_sdk.config import inspect
    from agentops_sdk.evidence.evidence_page import as_html, as_json
    from agentops_sdk.evidence.evidence_rows import gather
    from agentops_sdk.key_source import key_source

    since, until = period(args.period, time.time())
    path = Path(args.output)
    if path.suffix not in (".html", ".json"):
        raise ConfigError("--output", args.output, "a file whose name ends in .html or .json")
    where = place(args)
    if not isinstance(where, Path):
        raise ConfigError("--dir", str(where), "a directory: a fleet's table has no audit log")
    if not where.exists():
        raise TraceError(f"{shown(where)} does not exist: no traces yet?")
    key = key_source(args.key, "--key") if args.key else inspect()[0].audit_key
    evidence = gather(base_directory(args), where, int(since * 1e9), int(until * 1e9), key)
    text = as_json(evidence) if path.suffix == ".json" else as_html(evidence)
    with open(path, "w", encoding="utf-8", opener=open_private) as file:
        file.write(text)
    for remark in evidence.remarks:
        print(f"agentops: {line(remark)}", file=sys.stderr)
    if evidence.audit["records"]:
        for fault in evidence.audit["faults"]:
            print(f"agentops: audit log: {line(fault)}", file=sys.stderr)
    print(shown(path))
    return 0 if evidence.is_whole else 1


def period(text: str, now: float) -> tuple[float, float]:
    """The begin and the end of a period, in seconds since the epoch.

    Raises:
        ConfigError: it is none.
    """
    if match := re.fullmatch(r"(\d{1,4})([dwmy])", text):
        return now - int(match[1]) * _DAYS[match[2]] * 86_400, now
    first, sign, second = text.partition("..")
    try:
        since = _edges(first)
        until = _edges(second) if sign else since
    except ValueError:
        raise ConfigError("--period", text, "such as 30d, 2026-03, 2026, or 2026-01-01..2026-03-31") from None
    return since[0], until[1]


def _edges(text: str) -> tuple[float, float]:
    """When a year, a month or a day begins, and when it is over."""
    numbers = [int(part) for part in text.split("-")]
    if not 1 <= len(numbers) <= 3:
        raise ValueError(text)
    year, month, day = (*numbers, 1, 1)[:3]
    begin = datetime(year, month, day, tzinfo=UTC)
    if len(numbers) == 3:
        return begin.timestamp(), begin.timestamp() + 86_400
    after = (year + 1, 1) if len(numbers) == 1 or month == 12 else (year, month + 1)
    return begin.timestamp(), datetime(after[0], after[1], 1, tzinfo=UTC).timestamp()
