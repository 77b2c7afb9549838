"""``limits()``: how much may be spent, and how many calls may be made, before a program is stopped."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.context import Context, get_current, set_value

from agentops_sdk import _recorder_port
from agentops_sdk._limits.call_gate import open_gate
from agentops_sdk._limits.limit_counts import counts_of
from agentops_sdk._limits.scope import Policy, Scope
from agentops_sdk._propagation.context_keys import LIMITS_KEY
from agentops_sdk._track.block import DecoratingBlock
from agentops_sdk.config import ON_LIMIT, ON_STREAM, UNKNOWN_PRICE, log_once
from agentops_sdk.errors import ConfigError, LimitExceeded
from agentops_sdk.limit_rules import from_keywords, from_text

__all__ = ["limits"]


class limits(DecoratingBlock):  # noqa: N801 - a context manager that reads as a statement
    """``with limits(cost=0.50, model_calls=20):`` stops whatever is inside before it uses more.

    Asked before each model call and each tool call, whichever library makes it, streams too. Also ``async with``, and
    a decorator for functions of every kind. Each time the block is entered it counts anew, unless ``per`` or a window
    says otherwise. Blocks nest: all that are around a call hold.

    Calls that are under way at the same time are counted by what they are expected to use. A limit of cost or tokens is
    passed by one call at the most, the one that is under way when it is reached; where more than one are, by what they
    use beyond that expectation. The log says so.

    Args:
        rules: limits as text, such as ``"5 usd / user / day"`` or ``"20 model calls / run"``.
        cost: US dollars.
        tokens: input and output tokens together.
        model_calls: calls of models; answers from a cache are none.
        tool_calls: calls of tools.
        per_tool: calls of single tools, by their names.
        depth: agents that run one inside of the other; 1 is an agent that calls none.
        seconds: from when the block is entered. What runs is not interrupted; no further call is made.
        repeats: calls that go round with nothing new: of one tool with equal arguments and an unchanged result, of a
            model with the same question and answer, of two agents that hand over to each other.
        per: what is counted together: ``block``, or ``run`` (a trace), ``session``, ``user``, ``agent``, ``process``.
        on_limit: ``"raise"``; ``"warn"`` in the log and go on; ``"mark"`` the span and go on; ``"ask"`` the person at
            the terminal; or a function that is given the :class:`LimitExceeded` and returns whether the call may be
            made all the same, or by how much the limit is raised.
        on_stream: what becomes of a stream that passes a limit of cost, tokens or seconds while it is read:
            ``"finish"`` it; ``"cut"`` it with :class:`LimitExceeded`; or ``"end"`` it, as if there were no more. What
            it has used by then is an estimate.
        unknown_price: what becomes of a call whose price nobody knows, under a limit of cost: ``"refuse"`` it,
            ``"estimate"`` it at the rates of dear models, or ``"allow"`` it and count how many there were.

    Raises:
        ConfigError: an argument has a value that cannot work.
    """

    def __init__(
        self,
        *rules: str,
        cost: float | None = None,
        tokens: int | None = None,
        model_calls: int | None = None,
        tool_calls: int | None = None,
        per_tool: Mapping[str, int] | None = None,
        depth: int | None = None,
        seconds: float | None = None,
        repeats: int | None = None,
        per: str = "block",
        on_limit: str | Callable[[LimitExceeded], Any] = "raise",
        unknown_price: str = "refuse",
        on_stream: str = "finish",
    ) -> None:
        super().__init__("limits()")
        named = {
            "cost": cost, "tokens": tokens, "model_calls": model_calls, "tool_calls": tool_calls, "per_tool": per_tool,
            "depth": depth, "seconds": seconds, "repeats": repeats,
        }  # fmt: skip
        parsed = [*from_keywords(named, per), *(from_text(rule, per) for rule in rules)]
        if not parsed:
            raise ConfigError("limits", None, "at least one limit, such as cost=0.5")
        if not callable(on_limit) and on_limit not in ON_LIMIT:
            raise ConfigError("on_limit", on_limit, "one of " + ", ".join(ON_LIMIT) + ", or a function")
        if any(map(inspect.iscoroutinefunction, (on_limit, getattr(type(on_limit), "__call__", None)))):  # noqa: B004 - how it is called
            raise ConfigError("on_limit", on_limit, "a plain function: it is asked in the middle of a call")
        if unknown_price not in UNKNOWN_PRICE:
            raise ConfigError("unknown_price", unknown_price, "one of " + ", ".join(UNKNOWN_PRICE))
        if on_stream not in ON_STREAM:
            raise ConfigError("on_stream", on_stream, "one of " + ", ".join(ON_STREAM))
        self._policy = Policy(parsed, on_limit, unknown_price, on_stream, counts_of(parsed))

    def make(self) -> Context:
        """The current context with these limits in force, their counts at zero."""
        if not _recorder_port.active.enabled:
            log_once("limits() hold what agentops records: call init() first.")
        open_gate(self._policy)
        self._policy.counts.open(_recorder_port.active.settings)
        here = get_current()
        around: Any = here.get(LIMITS_KEY) or ()
        return set_value(LIMITS_KEY, (*around, Scope(self._policy)), here)
