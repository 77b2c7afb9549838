"""What is remembered from one operation to another: bounded, and forgotten when the SDK ends or the process forks."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

_maps: list[BoundedMap[object, object]] = []


class BoundedMap(OrderedDict[K, V]):
    """A mapping for module state: beyond ``most`` entries the oldest go, at shutdown and in a forked child all do.

    Keys and values hold identities, never what a user's operation was given or gave: they outlive it.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        _maps.append(self)  # type: ignore[arg-type]  # cleared as one kind, whatever is in them

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        while len(self) > self._most:
            self.popitem(last=False)


def clear_all() -> None:
    """Empty every such mapping of the process."""
    for each in _maps:
        each.clear()
