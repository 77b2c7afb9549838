"""Three tests of significance: Fisher's exact test for shares, the rank-sum test for figures, Holm for many at once."""

from __future__ import annotations

from math import erfc, exp, lgamma, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def fisher(hits_a: int, total_a: int, hits_b: int, total_b: int) -> float:
    """Two-sided p of Fisher's exact test that two shares are the same.

    The sum of the probabilities of all tables that are no likelier than the one observed; from where they no longer
    count in a float they are left out, so that millions of runs take no longer than some thousands. 1.0 where a side
    is empty: nothing can be told.
    """
    if not total_a or not total_b:
        return 1.0
    hits, total = hits_a + hits_b, total_a + total_b
    fixed = _ln_choose(total, hits)
    lowest, highest = max(0, hits - total_b), min(hits, total_a)

    def probability(in_a: int) -> float:
        return exp(_ln_choose(total_a, in_a) + _ln_choose(total_b, hits - in_a) - fixed)

    observed = probability(hits_a) * (1 + 1e-7)  # equal ones must not be lost to rounding
    # Probabilities rise up to the likeliest table and fall from there on: those in question are two tails.
    likeliest = min(highest, max(lowest, (total_a + 1) * (hits + 1) // (total + 2)))
    below = _last(lowest, likeliest - 1, lambda in_a: probability(in_a) <= observed)
    above = -_last(-highest, -likeliest, lambda in_a: probability(-in_a) <= observed)
    tails = _tail(probability, range(below, lowest - 1, -1)) + _tail(probability, range(above, highest + 1))
    return min(1.0, tails)


def _last(first: int, last: int, holds: Callable[[int], bool]) -> int:
    """The last number of which something holds that holds up to it and of none after it; else ``first - 1``."""
    low, high = first - 1, last
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _tail(probability: Callable[[int], float], numbers: range) -> float:
    whole = 0.0
    for number in numbers:
        one = probability(number)
        whole += one
        if one < whole * 1e-18:
            break
    return whole


def rank_sum(a: Sequence[float], b: Sequence[float]) -> float:
    """Two-sided p of the Wilcoxon rank-sum (Mann-Whitney U) test, normal approximation with ties corrected.

    1.0 with fewer than four values on a side, where the approximation says nothing.
    """
    ordered = sorted([(value, 0) for value in a] + [(value, 1) for value in b])
    rank_a, ties, index = 0.0, 0, 0
    while index < len(ordered):
        end = index
        while end < len(ordered) and ordered[end][0] == ordered[index][0]:
            end += 1
        size = end - index
        rank_a += (index + 1 + end) / 2 * sum(1 for _, side in ordered[index:end] if side == 0)
        ties += size**3 - size
        index = end
    return rank_sum_of(len(a), len(b), rank_a, ties)


def rank_sum_of(n: int, m: int, rank_a: float, ties: int) -> float:
    """The same of values that have been ranked.

    Args:
        n: how many values there are on one side.
        m: on the other.
        rank_a: the sum of the ranks of the first side's; equal values share the mean of theirs.
        ties: the sum over all groups of equal values of the cube of their number less their number.
    """
    if min(n, m) < 4:
        return 1.0
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
