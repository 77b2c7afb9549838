"""The options that choose runs: a row of the filters' table is an option of every command that reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import argparse

    from agentops_sdk.traces.search.filters import Filters

__all__ = ["add_filters", "asked_for", "chosen"]


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Add an option for each filter."""
    from agentops_sdk.traces.search.filters import table

    group = parser.add_argument_group(
        "filters",
        "Only runs that meet every filter. * stands for anything. Of a word given several times one has to match, "
        "of --text and --where each.",
    )
    for name, row in table().items():
        options: dict[str, Any] = {"help": row.help, "dest": name, "default": None}
        if row.metavar:
            options |= {"metavar": row.metavar, "action": "append" if row.repeats else "store"}
        else:
            options["action"] = "store_true"
        group.add_argument(f"--{name.replace('_', '-')}", **options)


def chosen(args: argparse.Namespace) -> Filters:
    """The filters that were given."""
    from agentops_sdk.traces.search.filters import table

    given: dict[str, Any] = {name: getattr(args, name, None) for name in table()}
    filters: Filters = cast("Any", {name: value for name, value in given.items() if value is not None})
    return filters


def asked_for(filters: Filters) -> str:
    """The filters as they were typed, for people."""
    shown = []
    for name, value in filters.items():
        option = f"--{name.replace('_', '-')}"
        values = value if isinstance(value, list) else [value]
        shown += [option if value is True else f"{option} {value}" for value in values]
    return " ".join(shown)
