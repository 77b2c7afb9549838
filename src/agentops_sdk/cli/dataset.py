"""``agentops dataset``: cases for an experiment from recorded runs, and the version of cases."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING

from agentops_sdk.cli._source import add_source, place, reading
from agentops_sdk.cli.ls import positive
from agentops_sdk.errors import ConfigError, TraceError

if TYPE_CHECKING:
    import argparse

HELP = "Make the cases of an experiment from recorded runs, by a filter or by the worst feedback; print their version."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "action", choices=["from", "version"], help="from: make cases of runs; version: of a file's cases"
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="WHAT",
        help="with from: trace ids (default: all that meet the filters); with version: files",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where the cases go, as JSONL (default: standard output)"
    )
    parser.add_argument("-n", type=positive, metavar="COUNT", help="at most this many runs: the latest, or the worst")
    parser.add_argument("--worst", metavar="SCORE", help="the runs with the lowest score of this name, lowest first")
    parser.add_argument(
        "--expected", choices=["answer", "none"], default="answer",
        help="what is expected: what the run answered (default), or nothing yet",
    )  # fmt: skip
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Write the cases; say on stderr what was left out."""
    from agentops_sdk.experiments.experiment_cases import cases_version, load_cases, save_cases
    from agentops_sdk.experiments.run_cases import cases_of_runs

    if args.action == "version":
        if not args.names:
            raise ConfigError("WHAT", "", "a file of cases")
        for name in args.names:
            cases = load_cases(name)
            print(f"{cases_version(cases)}  {len(cases)} cases  {name}")
        return 0
    if args.n is not None and args.n < 1:
        raise ConfigError("-n", args.n, "a whole number of at least 1")
    with reading(place(args), args) as traces:
        chosen = [traces.get(name) for name in args.names] if args.names else traces
        if not args.worst and args.n is not None:
            chosen = list(islice(chosen, args.n))
        found = cases_of_runs(chosen, worst=args.worst, most=args.n, expected=args.expected == "answer")
    if found.without_input:
        print(f"agentops: {found.without_input} run(s) left out: their input was not recorded", file=sys.stderr)
    if found.unscored:
        print(f"agentops: {found.unscored} run(s) left out: nobody gave {args.worst}", file=sys.stderr)
    if found.labelled:
        print(
            f"agentops: {found.labelled} run(s) left out: {args.worst} is a label there, which nothing is worse than",
            file=sys.stderr,
        )
    if not found.cases:
        raise TraceError("no run makes a case")
    save_cases(found.cases, args.output or "/dev/stdout")
    print(f"agentops: {len(found.cases)} cases, version {cases_version(found.cases)}", file=sys.stderr)
    return 0
