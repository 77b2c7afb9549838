"""Planted anomalies: how many are found, and how often something is that was not planted. Prints a table.

Each series has hours of four weeks, made by a seeded generator; what is planted stands in the last of them.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Callable

from agentops_sdk.traces.figures.baselines import LEAST, judged

HOURS = 24 * 28
SEEDS = range(10)
Shape = Callable[[int, random.Random], float]


def flat(hour: int, chance: random.Random) -> float:
    return max(0.0, chance.gauss(10, 1))


def daily(hour: int, chance: random.Random) -> float:
    return max(0.0, (10 + 8 * math.sin(hour % 24 / 24 * 2 * math.pi)) * chance.gauss(1, 0.1))


def office(hour: int, chance: random.Random) -> float:
    return max(0.0, chance.gauss(10, 1.5)) if 8 <= hour % 24 < 18 else chance.random() * 0.2


def long_tailed(hour: int, chance: random.Random) -> float:
    return 5 * math.exp(chance.gauss(0, 0.4))


def weekdays(hour: int, chance: random.Random) -> float:
    return office(hour, chance) if hour // 24 % 7 < 5 and 8 <= hour % 24 < 18 else 0.0


def now_and_then(hour: int, chance: random.Random) -> float:
    return chance.gauss(10, 1) if chance.random() < 0.1 else 0.0


SILENT: dict[str, Shape] = {"now and then": now_and_then, "weekdays": weekdays}
"""Nothing in most hours; what is asked of these is that nobody is woken by them."""
SHAPES: dict[str, Shape] = {"flat": flat, "daily": daily, "office hours": office, "long-tailed": long_tailed}
PLANTS: dict[str, Callable[[list[float], int], list[int]]] = {}


def plant(name: str) -> Callable[[Callable[[list[float], int], list[int]]], None]:
    def keep(function: Callable[[list[float], int], list[int]]) -> None:
        PLANTS[name] = function

    return keep


@plant("ten times as much, one hour")
def _(values: list[float], at: int) -> list[int]:
    values[at] *= 10
    return [at]


@plant("four times as much, three hours")
def _(values: list[float], at: int) -> list[int]:
    values[at : at + 3] = [value * 4 for value in values[at : at + 3]]
    return [at, at + 1, at + 2]


@plant("twice as much from now on")
def _(values: list[float], at: int) -> list[int]:
    values[at:] = [value * 2 for value in values[at:]]
    return list(range(at, min(at + 24, len(values))))


@plant("nothing, six hours")
def _(values: list[float], at: int) -> list[int]:
    values[at : at + 6] = [0.0] * 6
    return list(range(at, at + 6))


@plant("a slow rise to three times as much")
def _(values: list[float], at: int) -> list[int]:
    rest = len(values) - at
    values[at:] = [value * (1 + 2 * number / rest) for number, value in enumerate(values[at:])]
    return list(range(at, len(values)))


def measured() -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """The share of what was planted that is found, and of untouched hours that are taken for something."""
    recall: dict[tuple[str, str], float] = {}
    alarms: dict[str, float] = {}
    for shape_name, shape in {**SHAPES, **SILENT}.items():
        quiet = [judged(series(shape, seed)) for seed in SEEDS]
        alarms[shape_name] = sum(len(each.anomalies) for each in quiet) / sum(each.judged for each in quiet)
        for plant_name, planting in PLANTS.items() if shape_name in SHAPES else ():
            found = 0
            for seed in SEEDS:
                values = series(shape, seed)
                planted = set(planting(values, HOURS - 7 * 24 + 11))  # in the middle of a day
                found += any(anomaly.number in planted for anomaly in judged(values).anomalies)
            recall[shape_name, plant_name] = found / len(SEEDS)
    return recall, alarms


def series(shape: Shape, seed: int) -> list[float]:
    chance = random.Random(seed)
    return [shape(hour, chance) for hour in range(HOURS)]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    recall, alarms = measured()
    if arguments.parse_args().json:
        print(json.dumps({"recall": {" / ".join(key): value for key, value in recall.items()}, "alarms": alarms}))
        return
    print(f"{HOURS - LEAST} hours judged of each series, {len(SEEDS)} series of each shape\n")
    print("planted".ljust(38), *(name.rjust(13) for name in (*SHAPES, *SILENT)))
    for plant_name in PLANTS:
        print(plant_name.ljust(38), *(f"{recall[shape, plant_name]:13.0%}" for shape in SHAPES))
    print("false alarms, of untouched hours".ljust(38), *(f"{alarm:13.2%}" for alarm in alarms.values()))


if __name__ == "__main__":
    main()
