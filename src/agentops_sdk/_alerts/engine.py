"""Asks the rules of everything that is seen, and says what fires and what is over."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk._alerts.notice import Notice
from agentops_sdk._alerts.window import Window, counts
from agentops_sdk._host.guard import guard

if TYPE_CHECKING:
    from agentops_sdk._alerts.observation import Observation
    from agentops_sdk.alert_rules import AlertRule

__all__ = ["Engine"]

_MOST_KEYS = 1_000
_NAMED_BY = {
    "service": semconv.SERVICE_NAME, "agent": semconv.AGENT_NAME, "model": semconv.REQUEST_MODEL,
    "provider": semconv.PROVIDER_NAME, "tool": semconv.TOOL_NAME, "user": semconv.USER_ID,
    "session": semconv.SESSION_ID,
}  # fmt: skip

Tell = Callable[["AlertRule", Notice], None]


class _Asked:
    """One rule asked of one thing; ``number`` is the id of its notices."""

    __slots__ = ("number", "told_at", "told_firing", "window")

    def __init__(self, rule: AlertRule, number: str, told: tuple[float | None, bool]) -> None:
        self.number = number
        self.window = Window(rule)
        self.told_at, self.told_firing = told


class Engine:
    """Holds what rules have seen. Its lock is held while figures are worked out, never while anybody is told.

    Args:
        rules: the rules.
        tell: takes each notice, with its rule.
        service: the program's name.
        told: when each notice was told last, by its id, and whether it fires since: by whoever did this before, and
            kept up to date.
        since: what was before that is counted, and told to nobody.
    """

    def __init__(
        self,
        rules: Sequence[AlertRule],
        tell: Tell,
        service: str = "",
        told: dict[str, tuple[float, bool]] | None = None,
        since: float = 0.0,
    ) -> None:
        self._told = told
        self._since = since
        self.rules = tuple(rules)
        self._tell = tell
        self._service = service
        self._asked: dict[AlertRule, OrderedDict[str, _Asked]] = {rule: OrderedDict() for rule in self.rules}
        self._lock = threading.RLock()

    def reconfigure(self, rules: Sequence[AlertRule]) -> None:
        """Ask other rules; those that stay keep what they have seen."""
        with self._lock:
            self._asked = {rule: self._asked.get(rule, OrderedDict()) for rule in rules}
            self.rules = tuple(self._asked)

    def observe(self, seen: Observation) -> None:
        """A span has ended."""
        for rule in self.rules:
            with guard("alerts.observe"):
                self._observe(rule, seen)

    def _observe(self, rule: AlertRule, seen: Observation) -> None:
        if not counts(rule, seen):
            return
        name = _NAMED_BY.get(rule.per)
        key = "" if name is None else seen.attributes.get(name)
        if key is None:
            return
        with self._lock:
            keys = self._asked[rule]
            asked = keys.get(str(key))
            if asked is None:
                number = self._number(rule, str(key))
                asked = keys[str(key)] = _Asked(rule, number, (self._told or {}).get(number, (None, False)))
                if len(keys) > _MOST_KEYS:
                    keys.popitem(last=False)
            keys.move_to_end(str(key))
            asked.window.add(seen)
            notice = self._judged(rule, str(key), asked, seen.at)
        if notice is not None:
            self._tell(rule, notice)

    def tick(self, now: float) -> None:
        """Time has passed: what is silent, and what is over."""
        for rule in self.rules:
            with guard("alerts.tick"):
                with self._lock:
                    judged = [
                        self._judged(rule, key, asked, max(now, asked.window.last))
                        for key, asked in list(self._asked[rule].items())
                        if asked.told_at is not None or rule.measure == "silence"
                    ]
                for notice in filter(None, judged):
                    self._tell(rule, notice)

    def _judged(self, rule: AlertRule, key: str, asked: _Asked, now: float) -> Notice | None:
        """What is to be told now: once for each period while the rule fires, and when that is over."""
        if now < max(self._since, asked.told_at or 0.0):  # read once more: it has been judged
            return None
        value = asked.window.value(now)
        firing = value is not None and rule.is_passed(value)
        if firing and (asked.told_at is None or now - asked.told_at >= rule.every):
            asked.told_at, asked.told_firing = now, True
            return self._notice(rule, key, asked, now, value or 0.0, "firing")
        if not firing and asked.told_firing:
            asked.told_firing = False
            return self._notice(rule, key, asked, now, value or 0.0, "recovered")
        return None

    def _notice(self, rule: AlertRule, key: str, asked: _Asked, now: float, value: float, state: str) -> Notice:
        if self._told is not None and asked.told_at is not None:
            self._told[asked.number] = asked.told_at, asked.told_firing
        return Notice(
            asked.number, rule.name, state, rule.when, rule.per, key, value, rule.threshold, rule.over, now,
            rule.severity, self._service, asked.window.trace_id, rule.runbook,
        )  # fmt: skip

    def _number(self, rule: AlertRule, key: str) -> str:
        text = f"{self._service} {rule.name} {rule.when} {rule.over:g} {rule.per} {key}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
