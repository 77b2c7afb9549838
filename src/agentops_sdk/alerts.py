"""``alert()``: who is told, and when, of what ended spans say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from agentops_sdk._alerts import added_rules
from agentops_sdk._alerts.notice import Notice
from agentops_sdk.alert_rules import AlertRule, from_keywords

__all__ = ["Alert", "Notice", "alert"]


class Alert:
    """A rule that is being asked; :meth:`remove` ends that.

    Attributes:
        rule: its facts.
    """

    def __init__(self, rule: AlertRule) -> None:
        self.rule = rule

    def remove(self) -> None:
        """No longer ask it."""
        added_rules.remove(self.rule)

    def __repr__(self) -> str:
        return f"<alert {self.rule.when!r} over {self.rule.over:g} s per {self.rule.per}>"


def alert(
    when: str,
    *,
    over: str | float = "5 minutes",
    per: str = "process",
    then: str | Callable[[Notice], Any] | Sequence[str | Callable[[Notice], Any]] = "log",
    name: str | None = None,
    every: str | float | None = None,
    least: int | None = None,
    runbook: str | None = None,
    severity: str = "warning",
) -> Alert:
    """Tell somebody when this is so, once for each period, and again when it is over.

    Worked out on the consumer thread from spans that have ended, and told on a thread of its own.

    Args:
        when: the condition: ``"error rate > 20 %"``, ``"cost rate > 5 usd / hour"``, ``"p95 latency > 10 s"``,
            ``"loop"``, ``"limit at 80 %"``, ``"unfinished runs"``, ``"tool failures > 3"``,
            ``"drift of route > 20 %"``, ``"anomaly of cost"``, ``"findings"``, ``"silence"``.
        over: how far is looked back: seconds, or a text such as ``"5 minutes"``.
        per: what it is asked of apart: ``process``, ``service``, ``agent``, ``model``, ``provider``, ``tool``,
            ``user`` or ``session``.
        then: where it is told: ``"log"``, ``"event"``, ``"webhook:URL"``, ``"slack:URL"``, ``"pagerduty:KEY"``,
            ``"command:PROGRAM"``, a function that takes the notice, or several of them.
        name: of the rule; the condition when not given.
        every: the period in which it is told once while it goes on; ``over`` when not given.
        least: how many observations a share or a percentile takes; 5, and 20 of a drift, when not given.
        runbook: address of what to do.
        severity: ``critical``, ``error``, ``warning`` or ``info``.

    Raises:
        ConfigError: an argument has a value that cannot work.
    """
    rule = from_keywords(
        when, over=over, per=per, then=then, name=name, every=every, least=least, runbook=runbook, severity=severity
    )
    added_rules.add(rule)
    return Alert(rule)
