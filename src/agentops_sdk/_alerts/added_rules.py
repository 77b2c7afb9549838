"""The rules that the program itself has added, and who wants to know when they change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_sdk.alert_rules import AlertRule

__all__ = ["add", "added", "remove"]

added: list[AlertRule] = []

on_change: Callable[[], None] | None = None
"""Called after each change, on the thread that made it; ``None`` while nothing runs."""


def add(rule: AlertRule) -> None:
    """Ask it from now on."""
    added.append(rule)
    _changed()


def remove(rule: AlertRule) -> None:
    """No longer ask it."""
    if rule in added:
        added.remove(rule)
        _changed()


def _changed() -> None:
    if on_change is not None:
        on_change()
