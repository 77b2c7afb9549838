"""Three tests of significance: Fisher's exact test for shares, the rank-sum test for figures, Holm for many at once."""

from __future__ import annotations

from math import erfc, exp, lgamma, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def fisher(hits_a: int, total_a: int, hits_b: int, total_b: int) -> float:
    """Two-sided p of Fisher's exact test that two shares are the same.

    Exact at every size; the sum of the probabilities of all tables that are no likelier than the one
    observed. 1.0 where a side is empty: nothing can be told.
    """
    if not total_a or not total_b:
        return 1.0
    hits, total = hits_a + hits_b, total_a + total_b
    fixed = _ln_choose(total, hits)

    def probability(in_a: int) -> float:
        return exp(_ln_choose(total_a, in_a) + _ln_choose(total_b, hits - in_a) - fixed)

    observed = probability(hits_a) * (1 + 1e-7)  # equal ones must not be lost to rounding
    possible = range(max(0, hits - total_b), min(hits, total_a) + 1)
    return min(1.0, sum(p for p in map(probability, possible) if p <= observed))


def rank_sum(a: Sequence[float], b: Sequence[float]) -> float:
    """Two-sided p of the Wilcoxon rank-sum (Mann-Whitney U) test, normal approximation with ties corrected.

    1.0 with fewer than four values on a side, where the approximation says nothing.
    """
    n, m = len(a), len(b)
    if min(n, m) < 4:
        return 1.0
    ordered = sorted([(value, 0) for value in a] + [(value, 1) for value in b])
    rank_a, ties, index = 0.0, 0.0, 0
    while index < len(ordered):
        end = index
        while end < len(ordered) and ordered[end][0] == ordered[index][0]:
            end += 1
        size = end - index
        rank_a += (index + 1 + end) / 2 * sum(1 for _, side in ordered[index:end] if side == 0)
        ties += size**3 - size
        index = end
    whole = n + m
    spread = n * m / 12 * (whole + 1 - ties / (whole * (whole - 1)))
    if spread <= 0:
        return 1.0
    distance = abs(rank_a - n * (n + 1) / 2 - n * m / 2)
    return erfc(max(0.0, distance - 0.5) / sqrt(spread) / sqrt(2))


def holm(values: Sequence[float]) -> list[float]:
    """The same p values corrected for having looked at all of them (Holm-Bonferroni), in the same order."""
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected, worst = [1.0] * len(values), 0.0
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, values[index] * (len(values) - rank)))
        corrected[index] = worst
    return corrected


def _ln_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
