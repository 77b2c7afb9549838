"""Traces by one word: an id, a range of dates, or an attribute's value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentops_sdk.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.files import Traces
    from agentops_sdk.traces.trace import Trace

__all__ = ["RANGE", "selected"]

RANGE = re.compile(r"(\d{4}-\d\d-\d\d)?\.\.(\d{4}-\d\d-\d\d)?")


def selected(traces: Traces, text: str) -> Iterable[Trace]:
    """The traces that ``2026-11-01..2026-11-07``, ``attribute=value``, the beginning of an id, or ``latest`` names.

    Raises:
        TraceError: there is none.
    """
    if text != ".." and (match := RANGE.fullmatch(text)):
        first, last = match.groups()
        matching = traces.where(since=first, until=last)
    elif "=" in text:
        matching = traces.where(text)
    else:
        return [traces.get(text)]
    if not matching:
        raise TraceError(f"no trace matches {text}")
    return matching
