"""How far a limit is used: told once at 50, 80 and 95 per cent of it, in the log and on the span that took it there."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentops_sdk import semconv
from agentops_sdk._host.guard import guard, logger

if TYPE_CHECKING:
    from agentops_sdk._limits.account import Account
    from agentops_sdk.limit_rules import Rule

__all__ = ["COUNTS", "LEVELS", "Level", "log_levels", "reached"]

LEVELS: Final = (50, 80, 95)
COUNTS: Final = ("model_calls", "tool_calls")
_BACK = 0.8  # of a level: in a window, what is used must fall that far before the level is told again


class Level(NamedTuple):
    """A level of a limit that has been reached."""

    percent: int
    rule: Rule
    spent: float
    most: float

    def __str__(self) -> str:
        return f"{self.percent} % of the limit of {self.rule} is reached: {self.spent:.12g} of {self.most:.12g} used"


def reached(rule: Rule, account: Account, events: list[tuple[str, int, Any]]) -> Level | None:
    """The highest level that is reached now and was not before; noted among the ``events`` of a span. Under the lock.

    Of several levels that are passed by one call, the highest is told.
    """
    most = rule.most + account.extra
    if not most or (most <= 1 and rule.measure in COUNTS):
        account.tell_at = float("inf")  # the first call takes all of it
        return None
    used = 100 * account.spent / most
    while account.level and used < account.level * _BACK:
        account.level = max((level for level in LEVELS if level < account.level), default=0)
    level = max((level for level in LEVELS if level <= used), default=0)
    is_new = level > account.level
    account.level = max(level, account.level)
    # The lowest one that is not told yet; in a window, whatever is used is looked at: it may have fallen meanwhile.
    following = next((each for each in LEVELS if each > account.level), None)
    account.tell_at = 0.0 if rule.window is not None else most * following / 100 if following else float("inf")
    if not is_new:
        return None
    events.append(
        (
            semconv.LIMIT_EVENT,
            time.time_ns(),
            {semconv.LIMIT: str(rule), semconv.LIMIT_LEVEL: level, semconv.LIMIT_SPENT: account.spent},
        )
    )
    return Level(level, rule, account.spent, most)


def log_levels(levels: Sequence[Level]) -> None:
    """Half of a limit is information, more a warning."""
    with guard("limits.levels"):
        for level in levels:
            logger.log(logging.INFO if level.percent <= LEVELS[0] else logging.WARNING, "agentops_sdk: %s", level)
