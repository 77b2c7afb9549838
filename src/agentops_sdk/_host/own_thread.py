"""Threads of our own: nobody else's control flow runs on them, and they are told apart from the program's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

__all__ = ["OwnThread", "on_own_thread"]


class OwnThread(threading.Thread):
    """A daemon thread of ours, named ``agentops-NAME``.

    Args:
        name: what it does.
        target: runs on it.
        args: what ``target`` is called with.
        daemon: ``False`` has the interpreter wait for it.
    """

    def __init__(
        self, name: str, target: Callable[..., Any], args: tuple[Any, ...] = (), *, daemon: bool = True
    ) -> None:
        super().__init__(name=f"agentops-{name}", target=target, args=args, daemon=daemon)


def on_own_thread() -> bool:
    """Whether the code that asks runs on a thread of ours."""
    return isinstance(threading.current_thread(), OwnThread)
