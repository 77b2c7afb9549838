"""``agentops feedback``: what people and programs thought of runs, over time, and which runs they liked least."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from statistics import fmean
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._source import add_source, place, reading, screen
from agentops_sdk.cli.ls import positive
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    import argparse

    from agentops_sdk.traces.figures.evaluations import Evaluation
    from agentops_sdk.traces.trace import Trace

    Judged = list[tuple[Trace, list[Evaluation]]]

HELP = "Show feedback and scores by name and week; --worst lists the runs with the lowest, with what was said."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--name", metavar="NAME", help="only this one, such as helpful")
    parser.add_argument("--by", choices=["week", "day", "month"], default="week", help="length of a period (UTC)")
    parser.add_argument("--worst", type=positive, metavar="N", help="the N runs with the lowest scores, lowest first")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from agentops_sdk.traces.figures.evaluations import judged_runs

    with reading(place(args), args) as traces:
        judged = [
            (trace, [each for each in said if args.name in (None, each.name)]) for trace, said in judged_runs(traces)
        ]
    judged = [(trace, said) for trace, said in judged if said]
    if not judged:
        raise TraceError(f"nobody gave {'feedback' if args.name is None else args.name} on these runs")
    if args.worst is not None:
        _worst(judged, args)
    else:
        _periods(judged, args)
    return 0


def _worst(judged: Judged, args: argparse.Namespace) -> None:
    scored = [(fmean(values), trace, said) for trace, said in judged if (values := _scores(said))]
    console, _, _ = screen()
    for mean, trace, said in sorted(scored, key=lambda each: (each[0], each[1].trace_id))[: max(1, args.worst)]:
        if args.json:
            verdicts = [each.as_dict() for each in said]
            print(json.dumps({"trace_id": trace.trace_id, "name": trace.name, "mean": mean, "feedback": verdicts}))
            continue
        console.print(f"{trace.trace_id[:8]}  {mean:.3g}  {line(trace.name)}", markup=False, highlight=False)
        for each in said:
            comment = f": {line(each.comment)}" if each.comment else ""
            console.print(
                f"  {line(each.name)} {line(each.verdict)}{comment}", style="dim", markup=False, highlight=False
            )


def _periods(judged: Judged, args: argparse.Namespace) -> None:
    from agentops_sdk.cli._table import Column, as_table
    from agentops_sdk.traces.figures.trends import FORMATS

    rows: dict[tuple[str, str], list[Evaluation]] = defaultdict(list)
    for _, said in judged:
        for each in dict.fromkeys(said):
            moment = datetime.fromtimestamp(each.at_ns / 1e9, UTC)
            rows[each.name, moment.strftime(FORMATS[args.by])].append(each)
    told = [_row(name, period, rows[name, period]) for name, period in sorted(rows)]
    if args.json:
        for row in told:
            print(json.dumps(row))
        return
    columns: list[Column[dict[str, Any]]] = [
        Column("name", lambda row: (row["name"], "bold"), shrink=2),
        Column(args.by, lambda row: (row["period"], "")),
        Column("given", lambda row: (f"{row['count']:,}", ""), right=True),
        Column("mean", lambda row: ("" if row["mean"] is None else f"{row['mean']:.3g}", ""), right=True),
        Column("labels", lambda row: (", ".join(f"{label} {n}" for label, n in row["labels"].items()), ""), shrink=1),
    ]
    console, width, ascii_only = screen()
    for text in as_table(columns, told, width, ascii_only):
        console.print(text)


def _row(name: str, period: str, said: list[Evaluation]) -> dict[str, Any]:
    scores = _scores(said)
    labels = Counter(each.label for each in said if each.label is not None)
    mean = fmean(scores) if scores else None
    return {"name": name, "period": period, "count": len(said), "mean": mean, "labels": dict(labels.most_common())}


def _scores(said: list[Evaluation]) -> list[float]:
    return [each.score for each in said if each.score is not None]
