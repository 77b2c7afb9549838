"""How far a share, a mean or a percentile may be off, looked at once or again and again, and how two of them differ.

Looked at once: Wilson's interval for shares, Student's for means, order statistics for percentiles. Looked at again
and again: confidence sequences, which hold at every look at once, however many there are (the beta-binomial mixture for
shares and percentiles, its normal counterpart for means). Every bound is one-sided at the confidence that is asked for.
"""

from __future__ import annotations

from math import exp, inf, lgamma, log, nan, sqrt
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Interval",
    "difference",
    "fewest_for_percentile",
    "of_mean",
    "of_percentile",
    "of_share",
    "ratio",
    "student",
    "within",
]

_NORMAL = NormalDist()
_LEAST_OF_A_SEQUENCE = 10  # values before the normal mixture is worth anything
_MOST_VALUES = 100_000
_BEST_AT = 100  # values at which a sequence of means is narrowest


class Interval(NamedTuple):
    """An estimate and its bounds; a bound that nobody can tell is infinite."""

    value: float
    low: float
    high: float


def of_share(hits: int, total: int, confidence: float, *, again: bool = False) -> Interval:
    """A share of cases.

    Args:
        hits: how many.
        total: of how many.
        confidence: of each bound, from 0.5 to 1.
        again: whether it is looked at again and again as cases come in.
    """
    if not total:
        return Interval(nan, 0.0, 1.0)
    share = hits / total
    if again:
        return Interval(share, _mixture_bound(hits, total, confidence, -1), _mixture_bound(hits, total, confidence, 1))
    z = _NORMAL.inv_cdf(confidence)
    middle, spread = share + z * z / (2 * total), z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    # Of none and of all that bound is the end of the scale, which the arithmetic misses by its last digit.
    low = (middle - spread) / scale if hits else 0.0
    high = (middle + spread) / scale if hits < total else 1.0
    return Interval(share, max(0.0, low), min(1.0, high))


def of_mean(values: Sequence[float], confidence: float, *, again: bool = False) -> Interval:
    """The mean of figures; the arguments are those of :func:`of_share`."""
    count = len(values)
    if not count:
        return Interval(nan, -inf, inf)
    mean = fmean(values)
    if count < 2 or (again and count < _LEAST_OF_A_SEQUENCE):
        return Interval(mean, -inf, inf)
    deviation = sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    if again:
        rho = _BEST_AT**-0.5
        weight = count * rho * rho + 1
        half = deviation * sqrt(2 * weight / (count * rho) ** 2 * log(sqrt(weight) / (2 * (1 - confidence)) + 1))
    else:
        half = student(confidence, count - 1) * deviation / sqrt(count)
    return Interval(mean, mean - half, mean + half)


def within(mean: Interval, low: float, high: float = inf) -> Interval:
    """The same of a mean that cannot lie outside of ``low`` and ``high``: no bound passes them.

    The bounds are as far off, to first order, on a scale on which both ends are endless: logarithms, or of two ends
    log-odds (the delta method).
    """
    value, half = mean.value, mean.high - mean.value
    if not low < value < high or not 0 < half < inf:
        return Interval(value, max(low, mean.low), min(high, mean.high))
    above, below = value - low, high - value
    factor = exp(min(700.0, half / above if below == inf else half * (above + below) / (above * below)))
    if below == inf:
        return Interval(value, low + above / factor, low + above * factor)
    odds, whole = above / below, above + below
    return Interval(value, low + whole / (1 + factor / odds), low + whole / (1 + 1 / (factor * odds)))


def of_percentile(values: Sequence[float], percent: float, confidence: float, *, again: bool = False) -> Interval:
    """A percentile by nearest rank, between 0 and 100; its bounds are values that were seen."""
    ordered = sorted(values)
    count, share = len(ordered), percent / 100
    if not count:
        return Interval(nan, -inf, inf)
    value = ordered[max(0, -int(-share * count // 1) - 1)]
    low = high = None
    if again:
        inside = [k for k in range(count + 1) if _mixture(k, count, share) < -log(1 - confidence)]
        if inside:
            low, high = inside[0], inside[-1] + 1
    else:
        low, high = _ranks(count, share, confidence)
    return Interval(
        value,
        ordered[low - 1] if low is not None and low >= 1 else -inf,
        ordered[high - 1] if high is not None and high <= count else inf,
    )


def fewest_for_percentile(percent: float, confidence: float, *, again: bool = False) -> int:
    """Values below which a bound of :func:`of_percentile` is infinite."""
    share = max(percent, 100 - percent) / 100  # the outer bound is the harder one
    count, limit = 1, -log(1 - confidence)
    while count < _MOST_VALUES and count * -log(share) - (log(count + 1) if again else 0.0) < limit:
        count += 1
    return count


def difference(a: Interval, b: Interval, *, again: bool = False) -> Interval:
    """How much more ``b`` is than ``a``."""
    value = b.value - a.value
    if again:  # whatever one look of either is worth: both hold at once
        return Interval(value, b.low - a.high, b.high - a.low)
    low = sqrt((b.value - b.low) ** 2 + (a.high - a.value) ** 2)
    high = sqrt((b.high - b.value) ** 2 + (a.value - a.low) ** 2)
    return Interval(value, value - low, value + high)


def ratio(a: Interval, b: Interval, *, again: bool = False) -> Interval:
    """By which share ``b`` is more than ``a``: 0.1 is ten per cent. Nothing can be told where ``a`` is 0."""
    if not a.value > 0:
        return Interval(nan if b.value != 0 or a.value != 0 else 0.0, -inf, inf)
    logs = difference(_log(a), _log(b), again=again)
    return Interval(b.value / a.value - 1, _unlog(logs.low), _unlog(logs.high))


def student(confidence: float, freedom: int) -> float:
    """The quantile of Student's t, by bisection of its distribution."""
    if confidence <= 0.5:
        return 0.0
    low, high = 0.0, 2.0
    while _student_below(high, freedom) < confidence and high < 1e9:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_below(middle, freedom) < confidence else (low, middle)
    return high


def _student_below(t: float, freedom: int) -> float:
    """Student's distribution function at a ``t`` above 0: finite sums, by whether the degrees are even."""
    angle_cos2 = freedom / (freedom + t * t)
    if freedom > 2_000:
        return _NORMAL.cdf(t * (1 - 1 / (4 * freedom)) / sqrt(1 + t * t / (2 * freedom)))
    sine, total, term = t / sqrt(freedom + t * t), 0.0, 1.0
    if freedom % 2 == 0:
        for k in range(0, freedom, 2):
            total += term
            term *= angle_cos2 * (k + 1) / (k + 2)
        return 0.5 + sine * total / 2
    from math import atan, pi

    angle, term = atan(t / sqrt(freedom)), sqrt(angle_cos2)
    for k in range(1, freedom - 1, 2):
        total += term
        term *= angle_cos2 * (k + 1) / (k + 2)
    return 0.5 + (angle + (sine * total if freedom > 1 else 0.0)) / pi


def _log(side: Interval) -> Interval:
    if side.value <= 0:
        return Interval(-inf, -inf, log(side.high) if 0 < side.high < inf else inf if side.high == inf else -inf)
    low = log(side.low) if side.low > 0 else -inf
    return Interval(log(side.value), low, log(side.high) if side.high < inf else inf)


def _unlog(value: float) -> float:
    if value == inf:
        return inf
    return exp(min(value, 700.0)) - 1 if value > -inf else -inf


def _ranks(count: int, share: float, confidence: float) -> tuple[int | None, int | None]:
    """The ranks of the values that a percentile lies above and below with this confidence, from 1."""
    low = high = None
    below = 0.0
    for k in range(count + 1):  # the chance that fewer than k of the values lie below the percentile
        if 1 - below >= confidence and k >= 1:
            low = k
        below += exp(_ln_binomial(k, count, share))
        if high is None and below >= confidence:
            high = k + 1
    return low, high


def _ln_binomial(hits: int, total: int, share: float) -> float:
    if share in (0.0, 1.0):
        return 0.0 if hits == total * share else -inf
    choose = lgamma(total + 1) - lgamma(hits + 1) - lgamma(total - hits + 1)
    return choose + hits * log(share) + (total - hits) * log(1 - share)


def _mixture(hits: int, total: int, share: float) -> float:
    """The logarithm of how much likelier the cases are under an even mixture of all shares than under this one.

    It is a martingale where the share is the true one: at any look it is above 1/alpha with a chance of alpha at most.
    """
    if (share <= 0 and hits) or (share >= 1 and hits < total):
        return inf
    mixed = lgamma(hits + 1) + lgamma(total - hits + 1) - lgamma(total + 2)
    one = (hits * log(share) if hits else 0.0) + ((total - hits) * log(1 - share) if hits < total else 0.0)
    return mixed - one


def _mixture_bound(hits: int, total: int, confidence: float, side: int) -> float:
    limit = -log(1 - confidence)
    inside, outside = hits / total, 0.0 if side < 0 else 1.0
    if _mixture(hits, total, outside) < limit:
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if _mixture(hits, total, middle) < limit else (inside, middle)
    return outside
