"""``agentops gate``: whether a candidate may go on, by rules over its runs and those of a baseline."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.cli._sides import SIDE, side
from agentops_sdk.cli._source import add_source, screen
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    import argparse

    from agentops_sdk.gates.gate_verdict import Check, GateVerdict

HELP = "Judge a candidate's runs against a baseline's: exit code 0 to go on, 1 to stop, 2 where there is no data."
_STYLES = {"fail": "bold red", "pass": "green"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--baseline", required=True, metavar="A", help=f"what is known to be good: {SIDE}")
    parser.add_argument("--candidate", required=True, metavar="B", help="what is judged, in the same form")
    parser.add_argument(
        "--rules",
        metavar="FILE",
        help="TOML with tables [cost] [latency] [tokens] [errors] [scores] [decisions] [unfinished] and keys max, min, "
        "max_increase, max_decrease, confidence; without it nothing may get surely worse",
    )
    parser.add_argument(
        "--sequential", action="store_true", help="for a canary: confidence holds however often it is judged"
    )
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML")
    parser.add_argument(
        "--markdown", metavar="FILE", help="write Markdown for a pull request; added to if it exists, - prints it"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Print the verdict; the exit code is the gate's."""
    from agentops_sdk.gates.gate_outputs import junit, markdown
    from agentops_sdk.gates.gate_rules import DEFAULT, read_rules
    from agentops_sdk.gates.gate_verdict import judge

    rules = read_rules(args.rules) if args.rules is not None else DEFAULT
    try:
        verdict = judge(side(args, args.baseline), side(args, args.candidate), rules, sequential=args.sequential)
        verdict = replace(verdict, not_read=tuple(getattr(args, "not_read", ())))
    except TraceError as error:
        print(f"agentops: no data: {error}", file=sys.stderr)
        return 2
    if args.junit:
        Path(args.junit).write_text(junit(verdict), encoding="utf-8")
    if args.markdown == "-":
        print(markdown(verdict))
    elif args.markdown:
        with Path(args.markdown).open("a", encoding="utf-8") as file:
            file.write(markdown(verdict))
    if args.json:
        print(json.dumps(verdict.as_dict()))
    else:
        _print(verdict)
    if verdict.code == 2:
        for check in (check for check in verdict.checks if check.verdict == "unknown" and check.written):
            print(f"agentops: no data for {check.name}: {check.remark}", file=sys.stderr)
        for name, runs in (("baseline", verdict.baseline), ("candidate", verdict.candidate)):
            if not runs:
                print(f"agentops: no data: no run of the {name} is over", file=sys.stderr)
    return verdict.code


def _print(verdict: GateVerdict) -> None:
    from agentops_sdk.cli._table import Column, as_table
    from agentops_sdk.gates.gate_outputs import figure, moved

    console, width, ascii_only = screen()
    columns: list[Column[Check]] = [
        Column("check", lambda check: (check.name, ""), shrink=2),
        Column("baseline", lambda check: (figure(check, check.baseline), ""), right=True),
        Column("candidate", lambda check: (figure(check, check.candidate), ""), right=True),
        Column("change", lambda check: (moved(check), ""), right=True),
        Column("limit", lambda check: (check.limit, "dim"), shrink=3),
        Column("verdict", lambda check: (check.verdict, _STYLES.get(check.verdict, ""))),
    ]
    for text in as_table(columns, verdict.checks, width, ascii_only):
        console.print(text)
    console.print()
    for check in verdict.checks:
        if check.remark:
            console.print(line(f"{check.name}: {check.remark}", 500), style="dim", markup=False, highlight=False)
    for sentence in verdict.not_read:
        console.print(f"not read: {line(sentence, 500)}", markup=False, highlight=False)
    word = f"{verdict.word}: {verdict.candidate:,} run(s) against {verdict.baseline:,}"
    if verdict.running:
        word += f", {verdict.running:,} still running and left out"
    if verdict.sequential and not verdict.settled:
        word += "; not settled yet, look again"
    console.print(word, style=_STYLES.get(verdict.word, "bold"), markup=False, highlight=False)
