"""Buckets that grow by a constant factor: OpenTelemetry's base-2 exponential histogram, of one series.

Bucket ``index`` at ``scale`` holds values above ``base ** index`` up to ``base ** (index + 1)``, where ``base`` is
``2 ** 2 ** -scale``. The scale begins at the finest and falls where the values need more than :data:`MOST_BUCKETS`.
OpenTelemetry's SDK has these buckets too, but in a module that it keeps to itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, frexp, ldexp, log
from sys import float_info
from typing import Final

__all__ = ["FINEST_SCALE", "MOST_BUCKETS", "Base2Buckets"]

MOST_BUCKETS: Final = 160
"""Of the positive values, and as many of the negative: what OpenTelemetry's specification advises."""
FINEST_SCALE: Final = 20
_PER_LOG: Final = 1 / log(2)


class Base2Buckets:
    """Counts by bucket, for values above and below zero; written under the lock of the store that it is of."""

    __slots__ = ("negative", "positive", "scale", "zeros")

    def __init__(self) -> None:
        self.scale = FINEST_SCALE
        self.positive: dict[int, int] = {}
        self.negative: dict[int, int] = {}
        self.zeros = 0

    @property
    def count(self) -> int:
        """How many values there are."""
        return self.zeros + sum(self.positive.values()) + sum(self.negative.values())

    def add(self, amount: float, times: int) -> None:
        """A value, ``times`` times; one that is not finite belongs to no bucket."""
        if amount == 0:
            self.zeros += times
            return
        if not -float_info.max <= amount <= float_info.max:
            return
        side, size = (self.positive, amount) if amount > 0 else (self.negative, -amount)
        index = _index(size, self.scale)
        if index not in side:
            if side and (change := _change((*side, index))):
                self._coarsen(change)
                index = _index(size, self.scale)
                side = self.positive if amount > 0 else self.negative
            side.setdefault(index, 0)
        side[index] += times

    def merge(self, other: Base2Buckets) -> None:
        """Add what ``other`` has, which stays as it is."""
        scale = min(self.scale, other.scale)
        mine, theirs = self.scale - scale, other.scale - scale
        change = max(
            _change([*(index >> mine for index in own), *(index >> theirs for index in more)])
            for own, more in ((self.positive, other.positive), (self.negative, other.negative))
        )
        self._coarsen(mine + change)
        self.positive = _folded((self.positive, 0), (other.positive, theirs + change))
        self.negative = _folded((self.negative, 0), (other.negative, theirs + change))
        self.zeros += other.zeros

    def _coarsen(self, change: int) -> None:
        if change:
            self.scale -= change
            self.positive, self.negative = _folded((self.positive, change)), _folded((self.negative, change))


def _folded(*sides: tuple[dict[int, int], int]) -> dict[int, int]:
    """Counts of one or more sides in one, each by how many scales coarser."""
    folded: dict[int, int] = {}
    for side, change in sides:
        for index, count in side.items():
            folded[index >> change] = folded.get(index >> change, 0) + count
    return folded


def _change(indices: Iterable[int]) -> int:
    """By how many scales the buckets have to be coarser for all of ``indices`` to have room."""
    low, high, change = min(indices, default=0), max(indices, default=0), 0
    while high - low >= MOST_BUCKETS:
        low, high, change = low >> 1, high >> 1, change + 1
    return change


def _index(size: float, scale: int) -> int:
    """The bucket of a value above zero; subnormal ones are in that of the least normal one."""
    fraction, exponent = frexp(max(size, float_info.min))
    if scale <= 0:
        return (exponent - 1 - (fraction == 0.5)) >> -scale
    if fraction == 0.5:  # a power of two, which ends its bucket: a logarithm is not sure of that
        return ((exponent - 1) << scale) - 1
    return min(floor(log(size) * ldexp(_PER_LOG, scale)), (1024 << scale) - 1)
