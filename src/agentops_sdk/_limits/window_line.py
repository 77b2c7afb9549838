"""What one process tells the others of what it uses of a limit."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from agentops_sdk._named_tuple import NamedTuple

if TYPE_CHECKING:
    from agentops_sdk.limit_rules import Rule

__all__ = ["Line", "counted", "does_count", "hashed"]


class Line(NamedTuple):
    """What stands in the store: what somebody uses, or what that came to.

    Attributes:
        at: seconds since the epoch.
        by: who tells.
        number: as which of theirs, from 1 on; 0 where they are not numbered.
        key: what it is counted for, as :func:`hashed` gives it.
        amount: how much.
        of: the number of theirs that it is in place of; 0 for none.
        most: of a call that waits for its turn, and is made only where a limit of that has room for it: the limits of
            two processes may differ that count the same. 0 for none that waits.
    """

    at: float
    by: str
    number: int
    key: str
    amount: float
    of: int = 0
    most: float = 0.0


def does_count(line: Line, since: float) -> bool:
    """Whether what is written there was used since then.

    What is damaged must neither lift the limit (NaN, less than nothing) nor close it for good (infinity).
    """
    return since < line.at < math.inf and 0 <= line.amount < math.inf


def hashed(key: str | None) -> str:
    """What stands in a file for what is counted together."""
    return "-" if key is None else hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def counted(rule: Rule) -> str:
    """A name for what the rule counts, whatever it allows of it."""
    what = f"{rule.measure} {rule.tool} {rule.currency} / {rule.per} / {rule.window}"
    return hashlib.sha256(what.encode()).hexdigest()[:16]
