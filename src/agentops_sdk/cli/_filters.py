"""The options that choose runs: a row of the filters' table is an option of every command that reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection

    from agentops_sdk.traces.search.filters import Filters

__all__ = ["add_filters", "asked_for", "chosen"]


def add_filters(parser: argparse.ArgumentParser, *, without: Collection[str] = ()) -> None:
    """Add an option for each filter.

    Args:
        parser: of the command.
        without: filters whose names are options of the command's own.
    """
    from agentops_sdk.traces.search.filters import table

    group = parser.add_argument_group(
        "filters",
        "Only runs that meet every filter. * stands for anything. If an option is repeated, one of its values has to "
        "match; of --text and --where, all.",
    )
    for name, row in table().items():
        if name in without:
            continue
        options: dict[str, Any] = {"help": row.help, "dest": name, "default": None}
        if row.metavar:
            options |= {"metavar": row.metavar, "action": "append" if row.repeats else "store"}
        else:
            options["action"] = "store_true"
        group.add_argument(f"--{name.replace('_', '-')}", **options)


def chosen(args: argparse.Namespace, *, without: Collection[str] = ()) -> Filters:
    """The filters that were given, but those whose names are options of the command's own."""
    from agentops_sdk.traces.search.filters import table

    given: dict[str, Any] = {name: getattr(args, name, None) for name in table() if name not in without}
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
