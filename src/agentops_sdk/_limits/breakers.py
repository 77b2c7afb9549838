"""Breakers: whether a model of a provider is to be called at all, by what its last calls came to.

::

    closed     every call is made
    open       none is, for a while
    half-open  some are, to see; the first that works closes it, the first that fails opens it again

What calls came to is told on the consumer thread, from spans that have ended; whether one may begin is asked on its
own thread, and costs a look into a table while nothing is open. Long because a breaker's whole life is here.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk._capture.call import Call
from agentops_sdk._capture.contribution import Contribution
from agentops_sdk._capture.decision_attributes import decision_attributes, options_json
from agentops_sdk._host import admission
from agentops_sdk._host.bounded_map import BoundedMap
from agentops_sdk._host.guard import guard, logger
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk.errors import BreakerOpen

if TYPE_CHECKING:
    from agentops_sdk.alert_rules import AlertRule

__all__ = [
    "STATES", "BreakerRule", "add", "after_fork", "closed_elsewhere", "observe", "opened_elsewhere", "refused",
    "remove", "rules", "states",
]  # fmt: skip

_KINDS = frozenset(("llm", "embedding"))
_MOST_CALLS = 1_000
_CALLERS_FAULT = ("BadRequest", "Authentication", "PermissionDenied", "NotFound", "UnprocessableEntity",
                  "InvalidRequest", "ContentFilter", "ContextWindow", "Validation",
                  "LimitExceeded", "BreakerOpen", "Paused")  # fmt: skip
"""Errors that say nothing of the model's health: the next call with another request may well work."""
_CALLERS_STATUS = frozenset(("400", "401", "403", "404", "413", "422"))
_CHOICES = options_json(("allow", "probe", "refuse"))[1]
STATES: Final = ("closed", "half_open", "open")

Key = tuple[str, str]
"""Provider and model."""
_Call = tuple[float, bool | None, float]
"""When a call ended, whether it failed (``None`` where nobody waited for that), and how long it took."""


class BreakerRule(NamedTuple):
    """When a breaker opens, and for how long.

    Attributes:
        condition: an error rate or a latency.
        cooldown: seconds for which it stays open.
        probes: calls at the same time that are let through to see.
    """

    condition: AlertRule
    cooldown: float = 30.0
    probes: int = 1

    @property
    def text(self) -> str:
        """By which processes know that they have the same rule."""
        condition = self.condition
        return f"{condition.when} / {condition.over:g} s / {condition.least} / {self.cooldown:g} s"


class _Breaker:
    __slots__ = ("calls", "opened_at", "probes", "reason", "rule", "state", "token")

    def __init__(self) -> None:
        self.state = "closed"
        self.opened_at = 0.0
        self.probes: list[float] = []
        self.calls: deque[_Call] = deque(maxlen=_MOST_CALLS)
        self.rule: BreakerRule | None = None
        self.reason = ""
        self.token = ""
        """Of the last time that it opened, here or elsewhere."""


rules: list[BreakerRule] = []
"""In force for every model."""
_of_models: BoundedMap[Key, _Breaker] = BoundedMap(1_000)
_lock = threading.RLock()
on_change: Callable[[Key, BreakerRule, str, str], None] | None = None
"""Called after a breaker has opened, or is closed again: its key, its rule, why, and the token; empty where closed."""
on_rule: Callable[[], None] | None = None
"""Called when there is a further rule."""
refused: dict[Key, int] = {}
"""How many calls were refused, by provider and model."""
clock = time.monotonic


def add(rule: BreakerRule) -> None:
    """Have every model watched by it."""
    rules.append(rule)
    admission.add(ask)
    if on_rule is not None:
        on_rule()


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


def opened_elsewhere(key: Key, rule: BreakerRule, reason: str, token: str, age: float) -> None:
    """Another process has opened it, that many seconds ago; each time that it opens has a token of its own."""
    with _lock:
        breaker = _of_models.get(key)
        if breaker is None:
            breaker = _of_models[key] = _Breaker()
        if breaker.token == token:
            return
        was_closed = breaker.state == "closed"
        breaker.state, breaker.opened_at, breaker.probes = "open", clock() - age, []
        breaker.rule, breaker.reason, breaker.token = rule, reason, token
    if was_closed:
        _log(key, f"opens, as another process found: {reason}")


def closed_elsewhere(key: Key, token: str) -> None:
    """Another process has closed what was opened under that token."""
    with _lock:
        breaker = _of_models.get(key)
        if breaker is None or breaker.state == "closed" or breaker.token != token:
            return
        change = _close(breaker)
    _log(key, f"{change}, as another process found")


def _log(key: Key, change: str) -> None:
    logger.warning("agentops_sdk: the breaker of %s of %s %s", key[1] or "?", key[0] or "?", change)


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
    if is_refused:
        return
    key, now = _key(attributes), clock()
    is_probe = attributes.get(semconv.BREAKER_STATE) == "half_open"
    if attributes.get(semconv.LIMIT_ACTION) in ("refused", "cut"):
        outcome = "abandoned"  # by us, whatever the program was told
    if is_probe and outcome == "abandoned" and semconv.RESPONSE_TIME_TO_FIRST_CHUNK in attributes:
        # A stream that was left had begun to answer, though not how long all of it takes. Of programs that always
        # leave theirs nobody would learn it otherwise.
        rule = breaker.rule if (breaker := _of_models.get(key)) is not None else None
        outcome = "ok" if rule is not None and rule.condition.measure != "latency" else outcome
    # Who no longer waits for an answer does not know what would have become of it, but that it took too long.
    is_late = outcome == "cancelled" and any(_is_slow(rule, seconds) for rule in tuple(rules))
    if (outcome not in ("ok", "error") or (outcome == "error" and _is_callers_fault(error))) and not is_late:
        if is_probe:
            with _lock:
                if (breaker := _of_models.get(key)) is not None and breaker.probes:
                    breaker.probes.pop(0)
        return
    _ended(key, (now, None if is_late else outcome == "error", seconds), is_probe=is_probe)


def _ended(key: Key, call: _Call, *, is_probe: bool) -> None:
    """A call has shown how the model is."""
    change, calls, rule = "", tuple[_Call, ...](), None
    with _lock:
        breaker = _of_models.get(key)
        if breaker is None:
            breaker = _of_models[key] = _Breaker()
        if breaker.state == "half_open" and is_probe:
            rule = breaker.rule
            change = _probe_ended(breaker, call)
        elif breaker.state == "closed":
            breaker.calls.append(call)
            calls = tuple(breaker.calls)
    if calls and (judgement := _judged(calls)) is not None:
        rule, reason = judgement
        with _lock:
            if breaker.state == "closed":
                breaker.state, breaker.opened_at, breaker.rule = "open", call[0], rule
                breaker.reason, breaker.token, change = reason, os.urandom(8).hex(), f"opens: {reason}"
    if change:
        _log(key, change)
        if on_change is not None and rule is not None:
            on_change(key, rule, breaker.reason, breaker.token if breaker.state == "open" else "")


def _probe_ended(breaker: _Breaker, call: _Call) -> str:
    now, failed, seconds = call
    rule = breaker.rule
    is_slow = rule is not None and _is_slow(rule, seconds)
    if failed is None and not is_slow:  # too late by another rule than this one
        breaker.probes = breaker.probes[1:]
        return ""
    breaker.probes = []
    if failed or is_slow:
        breaker.state, breaker.opened_at, breaker.token = "open", now, os.urandom(8).hex()
        return "stays open: a call to see " + ("failed" if failed else "was slow")
    return _close(breaker)


def _is_slow(rule: BreakerRule, seconds: float) -> bool:
    return rule.condition.measure == "latency" and rule.condition.is_passed(seconds)


def _close(breaker: _Breaker) -> str:
    breaker.state, breaker.rule, breaker.reason = "closed", None, ""
    breaker.calls.clear()
    return "is closed again"


def _judged(all_calls: Sequence[_Call]) -> tuple[BreakerRule, str] | None:
    """The rule by which a breaker opens after these calls, and why."""
    now = all_calls[-1][0]
    for rule in tuple(rules):
        with guard("breakers.judge"):
            condition = rule.condition
            is_latency = condition.measure == "latency"
            calls = [
                each
                for each in all_calls
                if now - each[0] < condition.over
                and (each[1] is not None or (is_latency and condition.is_passed(each[2])))
            ]
            if len(calls) < condition.least:
                continue
            if is_latency:
                values = sorted(seconds for _, _, seconds in calls)
                value = values[min(len(values) - 1, int(len(values) * condition.percentile / 100))]
            else:
                value = sum(bool(failed) for _, failed, _ in calls) / len(calls)
            if condition.is_passed(value):
                return rule, f"{condition.when} in {condition.over:g} s ({value:.4g})"
    return None


def _key(attributes: Mapping[str, Any]) -> Key:
    return str(attributes.get(semconv.PROVIDER_NAME) or ""), str(attributes.get(semconv.REQUEST_MODEL) or "")


def _is_callers_fault(error: str) -> bool:
    return error in _CALLERS_STATUS or any(name in error for name in _CALLERS_FAULT)
