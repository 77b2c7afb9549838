"""What lies in the spools of a directory, one for each address, without sending any of it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

ITEMS: Final = {"traces": "spans", "metrics": "data points", "logs": "events"}


class Spool(NamedTuple):
    """One spool as it is now.

    Attributes:
        items: what it holds: spans, data points or events.
        waiting: items that dead processes left behind.
        owned: live processes that use it.
        held: items that those have not delivered yet.
        began: when the oldest of these was written, in seconds since the epoch; now if there are none.
    """

    items: str
    waiting: int
    owned: int
    held: int
    began: float


def signal_of(folder: Path) -> str:
    """The signal whose spool a directory is; that of traces has the address alone for a name."""
    last = folder.name.rpartition("-")[2]
    return last if last in ITEMS else "traces"


def look(folder: Path) -> Spool:
    """Count what waits in a spool. Nothing is changed, and what is being sent meanwhile may be missed."""
    from agentops_sdk.exporters.otlp.run_directory import Run, runs
    from agentops_sdk.exporters.otlp.segment import Segment

    waiting = owned = held = 0
    began = time.time()
    for part in runs(folder):
        run = Run.adopt(part)
        if run is None:
            owned += 1
            for path in sorted(part.glob("*.seg")):
                with suppress(OSError, ValueError):  # sent by now, or being written
                    held += (left := Segment.reopen(path).spans)
                    began = min(began, int(path.name.partition("-")[0]) / 1e9) if left else began
            continue
        try:
            waiting += sum(Segment.reopen(path).spans for path in run.segments())
        except (OSError, ValueError):  # damaged, or no segment: ship tells
            continue
        finally:
            run.forget()
    return Spool(ITEMS[signal_of(folder)], waiting, owned, held, began)
