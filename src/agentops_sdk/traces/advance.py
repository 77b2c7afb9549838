"""How far long work has come: who asks for it is told after each part, and nobody is who does not ask."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["advancing", "told"]

T = TypeVar("T")

told: Final[ContextVar[Callable[[float], None] | None]] = ContextVar("told", default=None)
"""What is called with the share of the work that is done, from 0 to 1, in the context that does the work."""


def advancing(items: Sequence[T], size: Callable[[T], int] | None = None) -> Iterable[T]:
    """The same items; while they are worked on, the share that is done is told.

    Args:
        items: the parts of the work. Of a single one nothing is told: it is not known how far it has come.
        size: what a part comes to; each the same where it is not given.
    """
    tell = told.get()
    return items if tell is None or len(items) < 2 else _told(items, size, tell)


def _told(items: Sequence[T], size: Callable[[T], int] | None, tell: Callable[[float], None]) -> Iterator[T]:
    sizes = [1 if size is None else size(item) for item in items]
    whole, done = sum(sizes) or 1, 0
    for item, own in zip(items, sizes, strict=True):
        tell(done / whole)
        yield item
        done += own
    tell(1.0)
