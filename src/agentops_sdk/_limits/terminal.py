"""Asks the person at the terminal whether a call may be made in spite of a limit."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_sdk.errors import LimitExceeded

__all__ = ["ask_person"]

_YES = ("y", "yes")


def ask_person(error: LimitExceeded) -> bool | float:
    """What the person says: yes to this one call, a number to raise the limit by, or anything else for no.

    Where nobody sits at a terminal, nobody agrees.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    sys.stderr.write(f"agentops: {error}. Go on? [y/N, or how much more] ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip().lower()
    try:
        more = float(answer)
    except ValueError:
        return answer in _YES
    return more if 0 < more < float("inf") else False
