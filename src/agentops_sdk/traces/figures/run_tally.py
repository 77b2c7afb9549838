"""How runs ended: those that are over, those that go on, those that failed, those that were killed or lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_sdk.traces.trace import Trace

__all__ = ["RunTally"]


@dataclass(slots=True, kw_only=True)
class RunTally:
    """Counts of runs.

    Attributes:
        runs: that are over.
        running: that go on, and are in no figure.
        errors: that failed.
        unfinished: that were killed or lost.
    """

    runs: int = 0
    running: int = 0
    errors: int = 0
    unfinished: int = 0

    def count(self, trace: Trace) -> bool:
        """Count one more run; whether it is over."""
        is_over = trace.outcome != "running"
        self.running += not is_over
        self.runs += is_over
        self.errors += trace.outcome == "error"
        self.unfinished += trace.outcome == "unfinished"
        return is_over
