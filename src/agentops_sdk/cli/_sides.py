"""A set of runs, as a person names one: by an id, a place, a range of days or a condition."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.cli._source import place, reading, shown
from agentops_sdk.errors import TraceError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from agentops_sdk.traces.files import Traces
    from agentops_sdk.traces.trace import Trace

__all__ = ["SIDE", "is_one_or_a_place", "side"]

_SUFFIXES = (".jsonl", ".gz", ".parquet", ".json")
SIDE = (
    "a trace id, 'latest', a file or directory, a date range (2026-11-01..2026-11-07), or attribute=value, such as "
    "release=1.4 or variant=prompt=short"
)


def side(args: argparse.Namespace, text: str) -> Iterator[Trace]:
    """One trace at a time: all records of many take too much room.

    Raises:
        TraceError: there is none.
    """
    from agentops_sdk.traces.search.selection import selected

    path = Path(text)
    if path.exists():
        with reading(path / "traces" if (path / "traces").is_dir() else path, args) as traces:
            yield from traces
        return
    if "=" not in text and (path.name != text or path.suffix in _SUFFIXES):
        raise TraceError(f"{shown(path)} does not exist: it has to be {SIDE}")
    read: Traces | None = getattr(args, "read", None)
    if read is None:
        with reading(place(args), args, _attributes(args)) as traces:
            args.read = traces  # both sides of a comparison lie in the same place: it is read once
            yield from selected(traces, text)
    else:
        yield from selected(read, text)


def is_one_or_a_place(text: str) -> bool:
    """Whether a side is a file, a directory or one run, and not a choice among those of the place."""
    return Path(text).exists() or not ("=" in text or ".." in text)


def _attributes(args: argparse.Namespace) -> list[str]:
    """What the sides ask for, whatever options they were given by."""
    from agentops_sdk.traces.search.attribute_condition import attribute_names

    names = (text.partition("=") for text in vars(args).values() if isinstance(text, str))
    return [each for name, is_condition, _ in names if is_condition for each in attribute_names(name)]
