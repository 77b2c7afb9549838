"""``agentops forecast``: what will have been spent at the end of the day and of the month."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from agentops_sdk.cli._hours import BY, observed
from agentops_sdk.cli._source import add_source, place, reading
from agentops_sdk.traces.display.terminal_text import line

HELP = "Forecast what will have been spent by the end of the day and of the month (UTC), with bounds."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--by", choices=sorted(BY), help="apart for each agent, model or user")
    parser.add_argument("--currency", default="USD", help="of the costs that are added up (default: USD)")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each forecast")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from agentops_sdk.traces.figures.baselines import by_hours, forecast

    now, currency = datetime.now(UTC), args.currency.upper()
    missing: Counter[str] = Counter()
    with reading(place(args), args) as traces:
        amounts = observed(traces, "cost", (args.by,) if args.by else (), currency, missing)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    for key, values in sorted(amounts.items()):
        about = f"{line(key)}: " if key else ""
        first, hours = by_hours(values)
        spent = {first + timedelta(hours=number): amount for number, amount in enumerate(hours)} if first else {}
        for name, since, until in (
            ("day", today, today + timedelta(days=1)), ("month", month, (month + timedelta(days=32)).replace(day=1))
        ):  # fmt: skip
            found = forecast(spent, now, until, since)
            if args.json:
                facts = {"key": key, "until": until.isoformat(), "currency": currency, **found._asdict()}
                print(json.dumps({**facts, "missing": missing[key]}))
                continue
            end = f"{about}end of the {name}: {_money(found.spent, currency)} spent"
            if found.amount is None:
                print(f"{end}; {found.reason}")
            else:
                amount, low, high = (
                    _money(each, currency) for each in (found.amount, found.low, found.high) if each is not None
                )
                print(f"{end}; {amount} expected ({low} to {high}), {found.reason}")
        if missing[key] and not args.json:
            print(f"{about}not in it: {missing[key]} calls whose cost in {currency} nobody knows")
    return 0


def _money(amount: float, currency: str) -> str:
    from agentops_sdk.traces.cost import money

    return money(Decimal(f"{amount:.6g}"), currency)
