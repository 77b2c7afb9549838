"""The port at which an operation is asked about before its work begins: whoever begins work asks, limits answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agentops_sdk._host.guard import guard

__all__ = ["refusal"]

ask: Callable[[Any], Exception | None] | None = None
"""``ask(live)``: what to raise in place of the work, or ``None`` where it may begin.

``None`` until the first limit of the process is set: one look at it is all that asking costs until then.
"""


def refusal(site: str, live: Any) -> Exception | None:
    """Why the work of ``live`` (a call, or what has one as its ``call``) must not begin; ``None`` where it may.

    What goes wrong while asking is ours, and stops nothing. A refusal is for the caller to raise, outside of any guard.
    """
    answer: Exception | None = None
    if ask is not None:
        with guard(site):
            answer = ask(live)
    return answer
