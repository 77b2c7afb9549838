"""Breakers: whether a model of a provider is to be called at all, by what its last calls came to.

::

    closed     every call is made
    open       none is, for a while
    half-open  some are, to see; the first that works closes it, the first that fails opens it again

What calls came to is told on the consumer thread, from spans that have ended; whether one may begin is asked on its
own thread, and costs a look into a table while nothing is open.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk._capture.call import Call
from agentops_sdk._capture.contribution import Contribution
from agentops_sdk._capture.decision_attributes import decision_attributes, options_json
from agentops_sdk._host import admission
from agentops_sdk._host.bounded_map import BoundedMap
from agentops_sdk._host.guard import guard, logger
from agentops_sdk.errors import BreakerOpen

if TYPE_CHECKING:
    from agentops_sdk.alert_rules import AlertRule

__all__ = ["STATES", "BreakerRule", "add", "after_fork", "observe", "refused", "remove", "rules", "states"]

_KINDS = frozenset(("llm", "embedding"))
_MOST_CALLS = 1_000
_CALLERS_FAULT = ("BadRequest", "Authentication", "PermissionDenied", "NotFound", "UnprocessableEntity",
                  "InvalidRequest", "ContentFilter", "ContextWindow", "Validation",
                  "LimitExceeded", "BreakerOpen")  # fmt: skip
"""Errors that say nothing of the model's health: the next call with another request may well work."""
_CALLERS_STATUS = frozenset(("400", "401", "403", "404", "413", "422"))
_CHOICES = options_json(("allow", "probe", "refuse"))[1]
STATES: Final = ("closed", "half_open", "open")

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When a breaker opens, and for how long.

    Attributes:
        condition: an error rate or a latency.
        cooldown: seconds for which it stays open.
        probes: calls at the same time that are let through to see.
    """

    condition: AlertRule
    cooldown: float = 30.0
    probes: int = 1


@dataclass(slots=True)
class _Breaker:
    state: str = "closed"
    opened_at: float = 0.0
    probes: list[float] = field(default_factory=list)
    calls: deque[tuple[float, bool, float]] = field(default_factory=lambda: deque(maxlen=_MOST_CALLS))
    rule: BreakerRule | None = None
    reason: str = ""


rules: list[BreakerRule] = []
"""In force for every model."""
_of_models: BoundedMap[Key, _Breaker] = BoundedMap(1_000)
_lock = threading.RLock()
refused: dict[Key, int] = {}
"""How many calls were refused, by provider and model."""
clock = time.monotonic


def add(rule: BreakerRule) -> None:
    """Have every model watched by it."""
    rules.append(rule)
    admission.add(ask)


def remove(rule: BreakerRule) -> None:
    """No longer; what it has opened closes."""
    if rule not in rules:
        return
    rules.remove(rule)
    with _lock:
        for breaker in list(_of_models.values()):
            if breaker.rule is rule:
                breaker.state, breaker.rule = "closed", None
    if not rules:
        admission.remove(ask)


def states() -> dict[Key, str]:
    """By provider and model."""
    with _lock:
        return {key: breaker.state for key, breaker in _of_models.items()}


def after_fork() -> None:
    """In a child: a thread that is not here may have held the lock."""
    global _lock
    _lock = threading.RLock()


def ask(live: Any) -> BreakerOpen | None:
    """What to raise in place of the work of ``live``; ``None`` where it may begin. Caller's thread."""
    call = getattr(live, "call", live)
    if type(call) is Contribution:
        call = call.operation
    if type(call) is not Call or call.kind not in _KINDS:
        return None
    key = _key(call.span.attributes)
    breaker = _of_models.get(key)
    if breaker is None or breaker.state == "closed" or semconv.BREAKER_STATE in call.span.attributes:
        return None
    with _lock:
        is_probe, left, reason = _probed(breaker, clock()), 0.0, breaker.reason
        if not is_probe:
            rule = breaker.rule
            left = max(0.0, breaker.opened_at + rule.cooldown - clock()) if rule is not None else 0.0
            refused[key] = refused.get(key, 0) + 1
        state = breaker.state
    about = f"{key[1] or 'the model'} of {key[0] or 'its provider'}"
    text = f"the breaker of {about} is {state.replace('_', '-')}: {reason}"
    decision = decision_attributes(
        "probe" if is_probe else "refuse", name="breaker", options=_CHOICES, reason=text, by="code",
        policy=breaker.rule.condition.when if breaker.rule is not None else None,
    )  # fmt: skip
    call.set(semconv.BREAKER_STATE, state)
    if is_probe:
        call.event(semconv.DECISION_EVENT, decision)
        return None
    call.update(decision)
    return BreakerOpen(text, provider=key[0], model=key[1], retry_after=left, trace_id=call.trace_id)


def _probed(breaker: _Breaker, now: float) -> bool:
    """Whether a call is made to see how the model is. Under the lock."""
    rule = breaker.rule
    if rule is None:
        return True
    if breaker.state == "open" and now - breaker.opened_at >= rule.cooldown:
        breaker.state, breaker.probes = "half_open", []
    if breaker.state != "half_open":
        return False
    # One that never told how it ended makes room after a while.
    breaker.probes = [begun for begun in breaker.probes if now - begun < max(rule.cooldown, 1.0)]
    if len(breaker.probes) >= rule.probes:
        return False
    breaker.probes.append(now)
    return True


def observe(attributes: Mapping[str, Any], seconds: float) -> None:
    """A span has ended. Consumer thread."""
    if attributes.get(semconv.KIND) not in _KINDS or attributes.get(semconv.CACHED):
        return
    outcome, error = attributes.get(semconv.OUTCOME), str(attributes.get(semconv.ERROR_TYPE, ""))
    is_refused = attributes.get(semconv.BREAKER_STATE) is not None and error.endswith("BreakerOpen")
    if is_refused or attributes.get(semconv.LIMIT_ACTION) in ("refused", "cut"):
        return
    key, now = _key(attributes), clock()
    is_probe = attributes.get(semconv.BREAKER_STATE) == "half_open"
    if outcome not in ("ok", "error") or (outcome == "error" and _is_callers_fault(error)):
        if is_probe:
            with _lock:
                if (breaker := _of_models.get(key)) is not None and breaker.probes:
                    breaker.probes.pop(0)
        return
    failed, change = outcome == "error", ""
    with _lock:
        breaker = _of_models.get(key)
        if breaker is None:
            breaker = _of_models[key] = _Breaker()
        if breaker.state == "half_open" and is_probe:
            change = _probe_ended(breaker, now, failed=failed, seconds=seconds)
        elif breaker.state == "closed":
            breaker.calls.append((now, failed, seconds))
            change = _judged(breaker, now)
    if change:
        logger.warning("agentops_sdk: the breaker of %s of %s %s", key[1] or "?", key[0] or "?", change)


def _probe_ended(breaker: _Breaker, now: float, *, failed: bool, seconds: float) -> str:
    rule = breaker.rule
    is_slow = rule is not None and rule.condition.measure == "latency" and rule.condition.is_passed(seconds)
    breaker.probes = []
    if failed or is_slow:
        breaker.state, breaker.opened_at = "open", now
        return "stays open: a call to see " + ("failed" if failed else "was slow")
    breaker.state, breaker.rule, breaker.reason = "closed", None, ""
    breaker.calls.clear()
    return "is closed again"


def _judged(breaker: _Breaker, now: float) -> str:
    for rule in rules:
        with guard("breakers.judge"):
            condition = rule.condition
            calls = [each for each in breaker.calls if now - each[0] < condition.over]
            if len(calls) < condition.least:
                continue
            if condition.measure == "latency":
                values = sorted(seconds for _, _, seconds in calls)
                value = values[min(len(values) - 1, int(len(values) * condition.percentile / 100))]
            else:
                value = sum(failed for _, failed, _ in calls) / len(calls)
            if condition.is_passed(value):
                breaker.state, breaker.opened_at, breaker.rule = "open", now, rule
                breaker.reason = f"{condition.when} in {condition.over:g} s ({value:.4g})"
                return f"opens: {breaker.reason}"
    return ""


def _key(attributes: Mapping[str, Any]) -> Key:
    return str(attributes.get(semconv.PROVIDER_NAME) or ""), str(attributes.get(semconv.REQUEST_MODEL) or "")


def _is_callers_fault(error: str) -> bool:
    return error in _CALLERS_STATUS or any(name in error for name in _CALLERS_FAULT)
