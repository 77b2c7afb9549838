"""``breaker()``: stop calling a model that fails, or that is slow, for a while."""

from __future__ import annotations

from agentops_sdk._limits import breakers
from agentops_sdk._limits.breakers import BreakerRule
from agentops_sdk.alert_rules import from_keywords, seconds_of
from agentops_sdk.errors import ConfigError

__all__ = ["Breaker", "breaker"]


class Breaker:
    """Breakers that are in force; :meth:`remove` ends that."""

    def __init__(self, rule: BreakerRule) -> None:
        self.rule = rule

    def remove(self) -> None:
        """Close and forget them."""
        breakers.remove(self.rule)

    @staticmethod
    def states() -> dict[tuple[str, str], str]:
        """``closed``, ``open`` or ``half_open``, by provider and model."""
        return breakers.states()


def breaker(
    when: str = "error rate > 50 %",
    *,
    over: str | float = "1 minute",
    cooldown: str | float = "30 seconds",
    least: int = 5,
    probes: int = 1,
) -> Breaker:
    """Call no model whose calls fail or are slow, for a while: one breaker for each model of each provider.

    While it is open, calls of the model raise :class:`BreakerOpen` in place of being made. After ``cooldown`` it is
    half-open: ``probes`` calls are made to see; if one works it closes.

    Args:
        when: ``"error rate > 50 %"`` or ``"p95 latency > 30 s"``. Errors that are the request's fault do not count.
        over: how far is looked back.
        cooldown: for how long it stays open.
        least: calls that it takes to judge.
        probes: calls at the same time that are let through when it is half-open.

    Raises:
        ConfigError: an argument has a value that cannot work.
    """
    condition = from_keywords(when, over=over, least=least)
    if condition.measure not in ("error rate", "latency") or condition.of is not None:
        raise ConfigError("when", when, '"error rate > 50 %" or "p95 latency > 30 s"')
    if type(probes) is not int or probes < 1:
        raise ConfigError("probes", probes, "a whole number of at least 1")
    rule = BreakerRule(condition, seconds_of("cooldown", cooldown), probes)
    breakers.add(rule)
    return Breaker(rule)
