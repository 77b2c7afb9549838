"""What is usual, by robust figures: which hours were not, and what the day and the month will cost.

Nothing is guessed: where there is too little to go by, the answer says so. Medians and their absolute deviations are
not moved by the very outliers that are looked for; an average that forgets (EWMA) shows what shifts by little and
stays. Hours are those of UTC.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean, median
from typing import Final, NamedTuple

__all__ = ["Anomaly", "Forecast", "Judgement", "forecast", "judged", "score"]

LEAST: Final = 24
"""Buckets before the first one that is judged."""
_LEAST_OF_SEASON = 4  # earlier days whose same hour counts for itself
_HISTORY = 24 * 28
_TO_SIGMA = 1.4826  # a median absolute deviation, of a normal distribution's
_LEAST_SCALE = 0.1  # of the usual value: less than that is not worth anybody's time
_LIMIT = 6.0
_SHIFT_LIMIT = 3.0
_WEIGHT = 0.3  # of the newest value in what shifts
_RUN = 4  # values one after the other beyond all that has been
_FEW = 3.0  # by how much a deviation that goes by few figures is taken for more, over their number
_CLIP = 4.5
_80_PERCENT = 1.2816
_OFTEN = 0.1  # of the buckets before: where so many were nothing, nothing is usual
_CHANCE = 0.001  # that it is by chance that a series that is used now and then never was at this hour


class Anomaly(NamedTuple):
    """A bucket that is not as usual.

    Attributes:
        number: which one, from 0.
        value: what it comes to.
        usual: what it should have come to.
        score: how many usual deviations it is off; negative where it is less.
        kind: ``spike``, or ``shift`` where it is one of several that are all a little off.
        seasonal: whether it was compared with the same hour of other days.
    """

    number: int
    value: float
    usual: float
    score: float
    kind: str
    seasonal: bool


class Judgement(NamedTuple):
    """What there is to say of a series.

    Attributes:
        anomalies: in order.
        judged: how many buckets were.
        reason: why none was, where that is so.
    """

    anomalies: list[Anomaly]
    judged: int
    reason: str | None = None


class Forecast(NamedTuple):
    """What will have been spent.

    Attributes:
        spent: so far.
        amount: at the end; ``None`` where that cannot be told.
        low: four times out of five it will be more than that, and less than ``high``.
        high: see ``low``.
        reason: what the forecast goes by, or why there is none.
    """

    spent: float
    amount: float | None
    low: float | None
    high: float | None
    reason: str


def score(value: float, history: Sequence[float], *, steady: bool = True, least: float = 1e-12) -> tuple[float, float]:
    """What is usual by ``history``, and how many usual deviations ``value`` is off.

    ``steady``: the history is of one kind. Else it may be of several, as days and nights are, and their spread counts.
    ``least``: no deviation is taken for less.
    """
    usual = median(history)
    deviation = median(abs(each - usual) for each in history) * _TO_SIGMA
    if not deviation:  # more than half are equal: the mean deviation tells of the rest
        deviation = fmean(abs(each - usual) for each in history) * 1.2533
    if not steady:
        deviation = max(deviation, math.sqrt(_spread(history)[1]))
    deviation *= 1 + _FEW / len(history)
    scale = max(deviation, _LEAST_SCALE * abs(usual), least)
    return usual, (value - usual) / scale


def judged(values: Sequence[float], season: int = 24, *, unit: float = 0.0) -> Judgement:
    """Which buckets are not as usual, each by those before it.

    Args:
        values: one for each bucket, in order, none left out.
        season: after how many buckets the same hour comes again; 0 for none.
        unit: of what is usually nothing, such as errors: what one of them comes to.
    """
    if len(values) <= LEAST:
        return Judgement([], 0, f"too little data: {len(values)} buckets of more than {LEAST}")
    anomalies: list[Anomaly] = []
    odd: set[int] = set()
    shift, was_seasonal, run = 0.0, False, 0
    for index in range(LEAST, len(values)):
        first = max(0, index - _HISTORY)
        same = range(index - season, first - 1, -season) if season else range(0)
        seasonal = len(same) >= _LEAST_OF_SEASON
        numbers = same if seasonal else range(max(first, index - 2 * LEAST), index)
        history = [values[each] for each in numbers if each not in odd]
        if len(history) < _LEAST_OF_SEASON:
            history = [values[each] for each in numbers]
        silent = sum(not values[each] for each in numbers) / len(numbers)
        if not silent:
            usual, off = score(values[index], history, steady=seasonal)
            outside = (values[index] > max(history)) - (values[index] < min(history))
        else:
            recent = [values[each] for each in range(first, index) if each not in odd]
            usual, off, outside = _now_and_then(values[index], history, recent, silent, seasonal, unit)
        run = run + outside if outside * run > 0 else outside
        if seasonal is not was_seasonal:
            shift, was_seasonal = 0.0, seasonal
        shift = _WEIGHT * max(-_CLIP, min(_CLIP, off)) + (1 - _WEIGHT) * shift
        if abs(off) >= _LIMIT:
            anomalies.append(Anomaly(index, values[index], usual, off, "spike", seasonal))
            odd.add(index)
        elif abs(shift) >= _SHIFT_LIMIT or abs(run) >= _RUN:
            anomalies.append(Anomaly(index, values[index], usual, off, "shift", seasonal))
    return Judgement(anomalies, len(values) - LEAST)


def _now_and_then(
    value: float, history: Sequence[float], recent: Sequence[float], silent: float, seasonal: bool, unit: float
) -> tuple[float, float, int]:
    """What is usual of a series that comes to nothing at times, how far it is off, and on which side of all others.

    Nothing is off where that cannot be told.
    """
    least = 1e-12
    if not value and silent >= _OFTEN:
        return 0.0, 0.0, 0
    if silent > 0.5:  # what it comes to most often says nothing of what it does else
        used = [each for each in recent if each]
        if unit:
            least = unit
        elif used and not any(history) and (1 - len(used) / len(recent)) ** len(history) < _CHANCE:
            least = _LEAST_SCALE * median(used)  # as at night: what is not usual is that there is anything
        elif len(used) < _LEAST_OF_SEASON:
            return 0.0, 0.0, 0
        else:
            history, seasonal = used, False
    usual, off = score(value, history, steady=seasonal, least=least)
    return usual, off, (value > max(history)) - (value < min(history))


def forecast(spent: Mapping[datetime, float], now: datetime, until: datetime, since: datetime) -> Forecast:
    """What will have been spent from ``since`` until ``until``.

    Args:
        spent: by the beginning of each hour, in UTC; hours in which nothing was spent may be left out.
        now: the time.
        until: the end of the day or of the month.
        since: its beginning.
    """
    so_far = sum(amount for hour, amount in spent.items() if since <= hour < until)
    if not spent:
        return Forecast(so_far, None, None, None, "too little data: nothing has been spent yet")
    this_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    first = min(spent)
    hours = [first + timedelta(hours=number) for number in range(max(0, int((this_hour - first) / timedelta(hours=1))))]
    days: dict[datetime, float] = defaultdict(float)
    by_hour: dict[int, list[float]] = defaultdict(list)
    for hour in hours:
        amount = spent.get(hour, 0.0)
        by_hour[hour.hour].append(amount)
        days[hour.replace(hour=0)] += amount
    whole = [amount for day, amount in days.items() if day >= first and day + timedelta(days=1) <= this_hour]
    left = max(0.0, (until - now) / timedelta(hours=1))
    if left > 48 and len(whole) >= 3:
        recent = whole[-28:]
        return _summed(so_far, left / 24, _spread(recent), len(recent), f"the last {len(recent)} whole days")
    rest = [
        this_hour + timedelta(hours=number) for number in range(math.ceil((until - this_hour) / timedelta(hours=1)))
    ]
    if all(len(by_hour[hour.hour]) >= 3 for hour in rest):
        mean = variance = 0.0
        count = min((len(by_hour[hour.hour]) for hour in rest), default=1)
        for hour in rest:
            share = 1.0 if hour > this_hour else 1 - (now - this_hour) / timedelta(hours=1)
            one_mean, one_variance = _spread(by_hour[hour.hour][-28:])
            mean, variance = mean + share * one_mean, variance + share * one_variance
        # Good and bad days are so in all their hours: the spread of whole days is a lower bound for that of the rest.
        if len(whole) >= 3:
            variance = max(variance, _spread(whole[-28:])[1] * (len(rest) / 24) ** 2)
        width = _80_PERCENT * math.sqrt(variance * (1 + 1 / count)) * _student(count)
        return _bounded(so_far, mean, width, f"the same hours of {count} days")
    recent = [spent.get(hour, 0.0) for hour in hours[-24:]]
    if len(recent) >= 6 and left <= 48:
        return _summed(so_far, left, _spread(recent), len(recent), f"the last {len(recent)} hours")
    return Forecast(so_far, None, None, None, f"too little data: {len(hours)} whole hours, {len(whole)} whole days")


def _spread(values: Sequence[float]) -> tuple[float, float]:
    mean = fmean(values)
    return mean, sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)


def _summed(so_far: float, times: float, spread: tuple[float, float], count: int, basis: str) -> Forecast:
    """``times`` more of what comes to that on average; that the average is not known either is a part of the width."""
    mean, variance = spread
    width = _80_PERCENT * math.sqrt(variance * (times + times**2 / count)) * _student(count)
    return _bounded(so_far, times * mean, width, basis)


def _student(count: int) -> float:
    """Roughly by how much the interval is wider where it goes by few values."""
    return 1 + 1.5 / max(1, count - 1)


def _bounded(so_far: float, more: float, width: float, basis: str) -> Forecast:
    return Forecast(so_far, so_far + more, so_far + max(0.0, more - width), so_far + more + width, f"by {basis}")


def by_hours(observed: Iterable[tuple[float, float]], now: float | None = None) -> tuple[datetime | None, list[float]]:
    """The first hour, and the amounts of each from it on, from times (seconds since the epoch) and amounts.

    With ``now``, the hours end before the one that has begun; else with the last one in which there is something.
    """
    sums: dict[int, float] = defaultdict(float)
    for at, amount in observed:
        sums[int(at // 3600)] += amount
    if not sums:
        return None, []
    first, last = min(sums), max(sums)
    end = last + 1 if now is None else int(now // 3600)
    return datetime.fromtimestamp(first * 3600, UTC), [sums.get(hour, 0.0) for hour in range(first, end)]
