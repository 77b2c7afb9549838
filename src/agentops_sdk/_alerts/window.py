"""What one rule knows of one thing that it is asked of: the last minutes, and what they come to."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, deque
from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk._limits.repetition import Repetition, key_of_attributes, result_of
from agentops_sdk.traces.figures.baselines import judged

if TYPE_CHECKING:
    from agentops_sdk._alerts.observation import Observation
    from agentops_sdk.alert_rules import AlertRule

__all__ = ["Window", "counts"]

_MOST = 20_000  # observations; beyond them the oldest no longer count
_MANY = 10_000  # beyond them, those of a sum are counted together where they are close
_SLOTS = 2_000  # of a window: what is counted together counts for so small a part of it longer
_SUMS = frozenset(("cost", "tokens", "tool failures", "unfinished runs", "findings"))
"""Of these a bound on observations would lose a part of the figure itself."""
_MOST_RUNS = 200
_MOST_BUCKETS = 24 * 28
_KINDS = {"model calls": ("llm", "embedding"), "tool calls": ("tool",), "agents": ("agent",)}
_PER_KIND = {"model": "model calls", "provider": "model calls", "tool": "tool calls", "agent": "agents"}
_CALLS = frozenset(("llm", "embedding"))
_GIVEN = {"fingerprint": semconv.PROMPT_FINGERPRINT, "prompt": semconv.PROMPT_VERSION_NAME}


def counts(rule: AlertRule, seen: Observation) -> bool:
    """Whether what was seen is of interest to the rule."""
    measure, of = rule.measure, rule.of
    if measure in ("error rate", "latency"):
        subject = (
            of.lower() if of is not None else _PER_KIND.get(rule.per, "model calls" if measure == "latency" else "runs")
        )
        if subject == "runs":
            return seen.outermost
        return seen.kind in _KINDS[subject] and (subject == "agents" or _was_made(seen))
    if measure.startswith("tool failure"):
        return seen.kind == "tool" and _was_made(seen) and (of is None or seen.attributes.get(semconv.TOOL_NAME) == of)
    if measure == "cost":
        amount = seen.attributes.get(semconv.COST_AMOUNT)
        is_own = seen.kind in _CALLS or not seen.attributes.get(semconv.COST_TOTAL)
        return bool(amount) and is_own and seen.attributes.get(semconv.COST_CURRENCY, "USD") == rule.currency
    if measure in ("tokens", "anomaly"):
        return seen.kind in _CALLS
    if measure == "loop":
        return seen.kind in ("tool", "llm") and _was_made(seen)
    if measure == "limit":
        return seen.level > 0
    if measure == "drift":
        return bool(_choices(seen, of))
    if measure == "findings":
        return _found(seen, of) > 0
    if measure == "unfinished runs":
        return seen.outcome in ("unfinished", "interrupted") and seen.outermost
    return True


def _was_made(seen: Observation) -> bool:
    """Whether the call was made: one that a limit, a breaker or a pause refused shows nothing of model or tool."""
    return seen.failed or seen.outcome != "error" or seen.attributes.get(semconv.LIMIT_ACTION) == "cut"


def _found(seen: Observation, of: str | None) -> int:
    """How many security findings were made at its end, of one rule or of any."""
    found = seen.attributes.get(semconv.FINDINGS) or ()
    return sum(of is None or name == of for name in found)


def _choices(seen: Observation, of: str | None) -> list[str]:
    """What was chosen in a decision of this name; of ``fingerprint`` and ``prompt``, what a model was given."""
    chosen = [choice for name, choice in seen.decisions if name == of]
    attribute = _GIVEN.get(of or "")
    if attribute is not None and seen.kind == "llm" and seen.attributes.get(attribute):
        chosen.append(str(seen.attributes[attribute]))
    return chosen


class Window:
    """The observations of one rule for one key.

    Attributes:
        trace_id: of the last observation that speaks for the alert.
        last: when the last one came.
    """

    def __init__(self, rule: AlertRule) -> None:
        self._rule = rule
        self._seen: deque[tuple[float, float, str]] = deque()
        self._sum = 0.0
        self._shares: Counter[str] = Counter()
        self._before: Counter[str] = Counter()
        self._runs: OrderedDict[str, Repetition] = OrderedDict()
        self._buckets: dict[int, float] = {}
        self._score: tuple[int, float | None] = (0, None)
        self.trace_id = ""
        self.last = 0.0

    def add(self, seen: Observation) -> None:
        """Something was seen."""
        self.last = max(self.last, seen.at)
        measure = self._rule.measure
        if measure == "anomaly":
            self.trace_id = seen.trace_id
            self._count(seen)
            return
        if measure == "drift":
            for chosen in _choices(seen, self._rule.of):
                self._push(seen.at, 1.0, chosen)
                self._shares[chosen] += 1
            self.trace_id = seen.trace_id
            return
        value = self._value(seen)
        if value or not self.trace_id:
            self.trace_id = seen.trace_id
        self._push(seen.at, value, "")

    def _count(self, seen: Observation) -> None:
        get, of = seen.attributes.get, self._rule.of
        amount: float = of == "calls" or (of == "errors" and seen.failed)
        if of == "cost":
            amount = float(get(semconv.COST_AMOUNT) or 0)
        elif of == "tokens":
            amount = float((get(semconv.USAGE_INPUT_TOKENS) or 0) + (get(semconv.USAGE_OUTPUT_TOKENS) or 0))
        number = int(seen.at // self._rule.over)
        self._buckets[number] = self._buckets.get(number, 0.0) + amount
        if len(self._buckets) > _MOST_BUCKETS:
            del self._buckets[min(self._buckets)]

    def _unusual(self, now: float) -> float | None:
        """How far the last whole bucket is off what is usual; 0 where it is not, ``None`` where nobody knows."""
        number = int(now // self._rule.over)
        if self._score[0] != number:
            first = max(min(self._buckets, default=number), number - _MOST_BUCKETS)
            values = [self._buckets.get(each, 0.0) for each in range(first, number)]
            season = 86_400 / self._rule.over
            unit = float(self._rule.of == "errors")
            judgement = judged(values, int(season) if season == int(season) and season <= 288 else 0, unit=unit)
            last = next((each for each in judgement.anomalies if each.number == len(values) - 1), None)
            self._score = number, None if judgement.reason else abs(last.score) if last is not None else 0.0
        return self._score[1]

    def _push(self, at: float, value: float, label: str) -> None:
        self._sum += value
        if len(self._seen) > _MANY and self._rule.measure in _SUMS:
            last, before, _ = self._seen[-1]
            width = self._rule.over / _SLOTS
            if at // width == last // width:
                self._seen[-1] = max(at, last), before + value, label
                return
        self._seen.append((at, value, label))
        if len(self._seen) > _MOST:
            self._leave()

    def _leave(self) -> None:
        _, value, label = self._seen.popleft()
        self._sum -= value
        if label:
            self._shares[label] -= 1
            self._before[label] += 1

    def _value(self, seen: Observation) -> float:
        measure, attributes = self._rule.measure, seen.attributes
        if measure in ("error rate", "tool failure rate", "tool failures"):
            return float(seen.failed)
        if measure == "latency":
            return seen.seconds
        if measure == "findings":
            return float(_found(seen, self._rule.of))
        if measure == "cost":
            return float(attributes.get(semconv.COST_AMOUNT, 0))
        if measure == "tokens":
            return float(
                (attributes.get(semconv.USAGE_INPUT_TOKENS) or 0) + (attributes.get(semconv.USAGE_OUTPUT_TOKENS) or 0)
            )
        if measure == "limit":
            return float(seen.level)
        if measure == "loop":
            return self._repeated(seen)
        return 1.0

    def _repeated(self, seen: Observation) -> float:
        run = self._runs.setdefault(seen.trace_id, Repetition())
        self._runs.move_to_end(seen.trace_id)
        if len(self._runs) > _MOST_RUNS:
            self._runs.popitem(last=False)
        key = key_of_attributes(seen.kind, seen.attributes)
        if key is None:
            run.busy += seen.seconds if seen.kind in ("tool", "llm") else 0.0
            return 0.0
        result, failed = result_of(seen.kind, seen.attributes)
        run.ends(key, result, failed=failed, seconds=seen.seconds, at=seen.at)
        return float(run.count(key, seen.at)[0])

    def value(self, now: float) -> float | None:
        """What the window comes to; ``None`` where there is too little in it."""
        rule, measure = self._rule, self._rule.measure
        if measure == "anomaly":
            return self._unusual(now)
        if measure == "silence":
            return max(0.0, now - self.last - rule.over)
        while self._seen and self._seen[0][0] <= now - rule.over:
            self._leave()
        number = len(self._seen)
        if not number:
            return (
                0.0
                if measure in ("cost", "tokens", "tool failures", "loop", "limit", "unfinished runs", "findings")
                else None
            )
        if number < rule.least:
            return None
        if measure in ("error rate", "tool failure rate"):
            return self._sum / number
        if measure in ("loop", "limit"):
            return max(value for _, value, _ in self._seen)
        if measure == "latency":
            values = sorted(value for _, value, _ in self._seen)
            return values[min(number - 1, max(0, math.ceil(number * rule.percentile / 100) - 1))]
        return self._drift(number) if measure == "drift" else self._sum

    def _drift(self, number: int) -> float | None:
        """Half the sum of what each choice's share has changed by: 0 is none, 1 is everything."""
        before = self._before.total()
        if before < self._rule.least:
            return None
        labels = self._before.keys() | self._shares.keys()
        return sum(abs(self._shares[label] / number - self._before[label] / before) for label in labels) / 2
