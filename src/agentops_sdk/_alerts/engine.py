"""Asks the rules of everything that is seen, and says what fires and what is over."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from agentops_sdk import semconv
from agentops_sdk._alerts.notice import Notice
from agentops_sdk._alerts.told_file import OFTEN, Told
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
_UNNAMED = ("user", "session")
"""What is remembered by a hash alone: it may be on disk for as long as nobody looks."""

_BY_THE_CLOCK = ("silence", "anomaly")
"""What may fire although nothing is seen: nothing more, or a stretch in which there was less than usual."""

Tell = Callable[["AlertRule", Notice], None]


class _Asked:
    """One rule asked of one thing; ``number`` is the id of its notices.

    What fires as somebody has told who is no more is not over before ``unsure_until``: what they saw may still count.
    """

    __slots__ = ("number", "told_at", "told_firing", "unsure_until", "window")

    def __init__(self, rule: AlertRule, number: str, told: Told | None, begun: float) -> None:
        self.number = number
        self.window = Window(rule)
        self.told_at: float | None = None
        self.told_firing = False
        self.unsure_until = 0.0
        if told is not None:
            at, self.told_firing, _, self.window.last, self.window.trace_id = told
            self.told_at = at or None
            self.unsure_until = begun + rule.over
            if not at:  # what was seen last may not have been written
                self.window.last = max(told.last, min(told.last + OFTEN, begun))


class Engine:
    """Holds what rules have seen. Its lock is held while figures are worked out, never while anybody is told.

    Args:
        rules: the rules.
        tell: takes each notice, with its rule.
        service: the program's name.
        told: what was told last, by the ids of notices: by whoever did this before, and kept up to date.
        since: what was before that is counted, and told to nobody.
        begun: from when on everything is seen: what fires by ``told`` is over at the earliest when all that counts is.
    """

    def __init__(
        self,
        rules: Sequence[AlertRule],
        tell: Tell,
        service: str = "",
        told: dict[str, Told] | None = None,
        since: float = 0.0,
        begun: float = 0.0,
    ) -> None:
        self._told = {} if told is None else told
        self._since = since
        self._begun = begun
        self.rules = tuple(dict.fromkeys(rules))  # one that is written down twice is asked once
        self._tell = tell
        self._service = service
        self._asked: dict[AlertRule, OrderedDict[str, _Asked]] = {rule: OrderedDict() for rule in self.rules}
        self._alike = _alike(self._asked)
        self._lock = threading.RLock()
        self._remember()

    def remember(self, begun: float) -> None:
        """``told`` holds more than it did: what fires by it is to be over some time; see ``begun``."""
        with self._lock:
            self._begun = begun
            self._remember()

    def has_told(self, notice: Notice) -> None:
        """Somebody who is no more has told this, or was about to."""
        with self._lock:
            known = self._told.get(notice.id)
            if known is None or known.at < notice.at:
                firing = notice.state == "firing"
                key = "" if notice.per in _UNNAMED else notice.key
                self._told[notice.id] = Told(notice.at, firing, key, notice.at, notice.trace_id)
                self._begun = max(self._begun, notice.at)
                self._remember()

    def _remember(self) -> None:
        """Ask of what fires, and of what may fall silent, also where nothing more is seen of it."""
        for number, told in self._told.items() if self._told else ():
            for rule, keys in self._asked.items():
                if (
                    (told.firing or rule.measure == "silence")
                    and told.key not in keys
                    and self._number(rule, told.key) == number
                ):
                    keys[told.key] = _Asked(rule, number, told, self._begun)

    def reconfigure(self, rules: Sequence[AlertRule]) -> None:
        """Ask other rules; those that stay keep what they have seen."""
        with self._lock:
            self._asked = {rule: self._asked.get(rule, OrderedDict()) for rule in rules}
            self.rules = tuple(self._asked)
            self._alike = _alike(self._asked)
            self._remember()

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
            keys = self._asked.get(rule)
            if keys is None:
                return  # it has just been removed
            asked = keys.get(str(key))
            if asked is None:
                number = self._number(rule, str(key))
                asked = keys[str(key)] = _Asked(rule, number, self._told.get(number), self._begun)
                if len(keys) > _MOST_KEYS:
                    _, gone = keys.popitem(last=False)
                    if gone.told_at is None:
                        self._told.pop(gone.number, None)
            keys.move_to_end(str(key))
            asked.window.add(seen)
            if rule.measure == "silence":
                self._heard(rule, str(key), asked)
            notice = self._judged(rule, str(key), asked, seen.at)
        if notice is not None:
            self._tell(rule, notice)

    def _heard(self, rule: AlertRule, key: str, asked: _Asked) -> None:
        """Have it remembered that something of it was seen: whoever is started again is to miss it."""
        known = self._told.get(asked.number)
        if rule.per in _UNNAMED or (known is not None and asked.window.last - known.last < OFTEN):
            return
        self._told[asked.number] = Told(
            asked.told_at or 0.0, asked.told_firing, key, asked.window.last, asked.window.trace_id
        )

    def tick(self, now: float) -> None:
        """Time has passed: what is silent, and what is over."""
        for rule in self.rules:
            with guard("alerts.tick"):
                with self._lock:
                    judged = [
                        self._judged(rule, key, asked, max(now, asked.window.last))
                        for key, asked in list(self._asked.get(rule, {}).items())
                        if asked.told_at is not None or rule.measure in _BY_THE_CLOCK
                    ]
                for notice in filter(None, judged):
                    self._tell(rule, notice)

    def _judged(self, rule: AlertRule, key: str, asked: _Asked, now: float) -> Notice | None:
        """What is to be told now: once for each period while the rule fires, and when that is over."""
        if now < max(self._since, asked.told_at or 0.0):  # read once more: it has been judged
            return None
        value = asked.window.value(now)
        firing = value is not None and rule.is_passed(value)
        if firing and (asked.told_at is None or (now - asked.told_at >= rule.every and self._is_news(rule, asked))):
            asked.told_at, asked.told_firing = now, True
            return self._notice(rule, key, asked, now, value or 0.0, "firing")
        if not firing and asked.told_firing and now >= asked.unsure_until:
            asked.told_firing = False
            return self._notice(rule, key, asked, now, value or 0.0, "recovered")
        return None

    def _is_news(self, rule: AlertRule, asked: _Asked) -> bool:
        """Whether what fires is to be told again: of what has happened once and for all, only where more of it has."""
        return rule.measure != "unfinished runs" or asked.window.last > (asked.told_at or 0.0)

    def _notice(self, rule: AlertRule, key: str, asked: _Asked, now: float, value: float, state: str) -> Notice:
        if asked.told_at is not None:
            name = "" if rule.per in _UNNAMED else key
            self._told[asked.number] = Told(
                asked.told_at, asked.told_firing, name, asked.window.last, asked.window.trace_id
            )
        return Notice(
            asked.number, rule.name, state, rule.when, rule.per, key, value, rule.threshold, rule.over, now,
            rule.severity, self._service, asked.window.trace_id, rule.runbook,
        )  # fmt: skip

    def _number(self, rule: AlertRule, key: str) -> str:
        text = f"{self._service} {rule.name} {rule.when} {rule.over:g} {rule.per} {key}{self._alike.get(rule, '')}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _alike(rules: Iterable[AlertRule]) -> dict[AlertRule, str]:
    """What tells rules apart that ask for the same, and tell it to others or as something else."""
    seen: Counter[tuple[str, str, float, str]] = Counter()
    found: dict[AlertRule, str] = {}
    for rule in rules:
        facts = rule.name, rule.when, rule.over, rule.per
        seen[facts] += 1
        if seen[facts] > 1:
            found[rule] = f" {seen[facts]}"
    return found
