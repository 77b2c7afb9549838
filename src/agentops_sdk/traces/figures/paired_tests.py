"""Tests for pairs, the same cases before and after: what is more than chance, and what could have been seen."""

from __future__ import annotations

from math import comb, erfc, sqrt
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["kappa", "sign_test", "signed_rank", "smallest_difference"]

_EXACT = 25
_POWER = 0.8


def sign_test(better: int, worse: int) -> float:
    """Two-sided p that cases flip one way as often as the other (McNemar's exact test). 1.0 where none flipped."""
    flipped = better + worse
    if not flipped:
        return 1.0
    tail: float = sum(comb(flipped, k) for k in range(min(better, worse) + 1)) / 2**flipped
    return min(1.0, 2 * tail)


def signed_rank(differences: Sequence[float]) -> float:
    """Two-sided p of Wilcoxon's signed-rank test that pairs differ by nothing; pairs that are equal are left out.

    Exact for up to 25 pairs of which no two differ by the same, else the normal approximation, corrected for ties and
    for continuity.
    """
    values = sorted((difference for difference in differences if difference), key=abs)
    count = len(values)
    if not count:
        return 1.0
    ranks, ties, index = [0.0] * count, 0.0, 0
    while index < count:
        end = index
        while end < count and abs(values[end]) == abs(values[index]):
            end += 1
        ranks[index:end] = [(index + 1 + end) / 2] * (end - index)
        ties += (end - index) ** 3 - (end - index)
        index = end
    positive = sum(rank for rank, value in zip(ranks, values, strict=True) if value > 0)
    if count <= _EXACT and not ties:
        return _exact(int(min(positive, count * (count + 1) / 2 - positive)), count)
    spread = count * (count + 1) * (2 * count + 1) / 24 - ties / 48
    if spread <= 0:
        return 1.0
    distance = abs(positive - count * (count + 1) / 4)
    return erfc(max(0.0, distance - 0.5) / sqrt(spread) / sqrt(2))


def _exact(statistic: int, count: int) -> float:
    ways = [1]
    for rank in range(1, count + 1):
        longer = ways + [0] * rank
        for index, number in enumerate(ways):
            longer[index + rank] += number
        ways = longer
    tail: float = sum(ways[: statistic + 1]) / 2**count
    return min(1.0, 2 * tail)


def smallest_difference(differences: Sequence[float], alpha: float = 0.05) -> float | None:
    """The smallest mean difference that these pairs would have shown four times out of five.

    ``None`` of fewer than 3 pairs, and where all differ by the same: nothing is known of their spread then.
    """
    count = len(differences)
    if count < 3:
        return None
    mean = fmean(differences)
    deviation = sqrt(sum((each - mean) ** 2 for each in differences) / (count - 1))
    normal = NormalDist()
    return (normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(_POWER)) * deviation / sqrt(count) or None


def kappa(pairs: Sequence[tuple[object, object]]) -> float | None:
    """Cohen's kappa: how far two judges agree beyond chance, 1 at most. ``None`` where there is nothing to tell."""
    if not pairs:
        return None
    count = len(pairs)
    agreed = sum(one == other for one, other in pairs) / count
    words = {word for pair in pairs for word in pair}
    ones, others = [one for one, _ in pairs], [other for _, other in pairs]
    chance = sum(ones.count(word) * others.count(word) for word in words) / count**2
    return None if chance == 1 else (agreed - chance) / (1 - chance)
