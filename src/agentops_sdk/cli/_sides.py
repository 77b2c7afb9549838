"""A set of runs, as a person names one: by an id, a place, a range of days or a condition."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.cli._source import place, reading

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from agentops_sdk.traces.trace import Trace

__all__ = ["SIDE", "side"]

SIDE = (
    "a trace id, 'latest', a file or directory, a date range (2026-11-01..2026-11-07), or attribute=value, such as "
    "release=1.4 or variant=prompt=short"
)


def side(args: argparse.Namespace, text: str) -> Iterator[Trace]:
    """One trace at a time: all records of many take too much room.

    Raises:
        TraceError: there is none.
    """
    from agentops_sdk.traces.search.attribute_condition import attribute_names
    from agentops_sdk.traces.search.selection import selected

    if Path(text).exists():
        with reading(Path(text), args) as traces:
            yield from traces
        return
    name, is_condition, _ = text.partition("=")
    with reading(place(args), args, attribute_names(name) if is_condition else []) as traces:
        yield from selected(traces, text)
