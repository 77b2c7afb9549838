"""``agentops anomalies``: hours in which an agent or a model was not as usual."""

from __future__ import annotations

import argparse
import json
import time
from datetime import timedelta
from decimal import Decimal

from agentops_sdk.cli._hours import BY, MEASURES, observed
from agentops_sdk.cli._source import add_source, place, reading
from agentops_sdk.traces.display.terminal_text import line

HELP = "Name the hours in which an agent or a model cost, called or failed more or less than usual."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--of", choices=MEASURES, default="cost", help="which figure (default: cost)")
    parser.add_argument(
        "--by", choices=sorted(BY), action="append", help="separately for each of these (default: agent and model)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object for each anomaly")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from agentops_sdk.traces.figures.baselines import by_hours, judged

    with reading(place(args), args) as traces:
        amounts = observed(traces, args.of, tuple(args.by or ("agent", "model")))
    for key, values in sorted(amounts.items()):
        first, hours = by_hours(values, time.time())
        judgement = judged(hours, unit=float(args.of == "errors"))
        if judgement.reason is not None and not args.json:
            print(f"{line(key)}: {judgement.reason}")
        for anomaly in judgement.anomalies:
            at = first + timedelta(hours=anomaly.number) if first is not None else None
            facts = {"key": key, "of": args.of, "hour": at.isoformat() if at is not None else None, **anomaly._asdict()}
            if args.json:
                print(json.dumps(facts))
            else:
                value, usual = (_amount(each, args.of) for each in (anomaly.value, anomaly.usual))
                print(
                    f"{line(key)}: {at:%Y-%m-%d %H:00} UTC: {args.of} {value}, usually {usual} "
                    f"({anomaly.kind}, {anomaly.score:+.1f} deviations)"
                )
    return 0


def _amount(value: float, what: str) -> str:
    if what != "cost":
        return f"{value:,.6g}"
    from agentops_sdk.traces.cost import money

    return money(Decimal(f"{value:.6g}"))
