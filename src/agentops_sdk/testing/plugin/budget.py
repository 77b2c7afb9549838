"""What one test may use at most: ``@pytest.mark.agentops(max_cost=0.05, …)`` and its defaults."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from agentops_sdk.errors import ConfigError
from agentops_sdk.testing.assertions.assertion_message import failure, numbered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentops_sdk.testing.results import CapturedTraces


@dataclass(frozen=True, slots=True)
class Budget:
    """``None`` is no limit. Money in US dollars, time in seconds."""

    max_cost: float | None = None
    max_tokens: int | None = None
    max_llm_calls: int | None = None
    max_duration: float | None = None

    @classmethod
    def of(cls, limits: Mapping[str, Any]) -> Self:
        """From numbers, or their text as a configuration file has it.

        Raises:
            ConfigError: a limit is unknown, or no number.
        """
        known = {field.name: float if "float" in str(field.type) else int for field in fields(cls)}
        checked: dict[str, Any] = {}
        for name, value in limits.items():
            if name not in known:
                raise ConfigError(name, value, "a limit: " + ", ".join(known))
            if value is None or value == "":
                continue
            try:
                checked[name] = known[name](value)
            except (TypeError, ValueError):
                raise ConfigError(name, value, "a number") from None
        return cls(**checked)

    def exceeded(self, traces: CapturedTraces) -> AssertionError | None:
        """The failure, if something was: exactly the limit is within it."""
        cost, usage, calls = traces.cost, traces.usage, traces.llm_calls
        if self.max_cost is not None and not cost <= self.max_cost:
            return traces.say_cost(cost, f"expected a cost of at most ${self.max_cost:g}", self.max_cost)
        if self.max_tokens is not None and (usage.lower_bound or usage.total > self.max_tokens):
            return traces.say_tokens(usage, f"expected at most {self.max_tokens:,} tokens", self.max_tokens + 1)
        if self.max_llm_calls is not None and len(calls) > self.max_llm_calls:
            what = "model call" if self.max_llm_calls == 1 else "model calls"
            sentence = f"expected at most {self.max_llm_calls} {what}, there were {len(calls)}"
            return failure(sentence, traces.judged, numbered(calls))
        if self.max_duration is not None and traces.duration > self.max_duration:
            return traces.say_duration(f"expected to take at most {self.max_duration:g} s")
        return None
