"""The errors this package raises on purpose, and nothing else.

::

    AgentOpsError
    ├── BreakerOpen        a model call was not made: its breaker is open
    ├── ConfigError        a bad argument or setting; raised at once, before anything is captured
    ├── IntegrationError   a library asked for by name cannot be instrumented
    ├── LimitExceeded      a model or tool call was not made: a limit that the program has set was reached
    ├── Paused             a call was not made: its agent, or everything, is paused
    └── TraceError         a trace, file or directory asked for cannot be read

None but :class:`LimitExceeded`, :class:`BreakerOpen` and :class:`Paused`, which are asked for, is ever raised inside a
user's own call: once :func:`agentops_sdk.init` has returned, failures are counted and shown by
:func:`agentops_sdk.status` instead.
"""

from __future__ import annotations

from agentops_sdk.addresses import without_secrets

__all__ = ["AgentOpsError", "BreakerOpen", "ConfigError", "IntegrationError", "LimitExceeded", "Paused", "TraceError"]


class AgentOpsError(Exception):
    """Base of every error raised on purpose by this package."""


class ConfigError(AgentOpsError, ValueError):
    """A setting or argument has a value that cannot work.

    Attributes:
        name: the setting or argument, as the user wrote it.
        value: what was given.
        expected: what would be right, as a phrase that completes "expected …".
    """

    def __init__(self, name: str, value: object, expected: str) -> None:
        self.name = name
        self.value = value
        self.expected = expected
        super().__init__(f"{name}={_shown(value)}: expected {expected}")

    def __reduce__(self) -> tuple[type[ConfigError], tuple[str, object, str]]:
        """As what it was made of: pools of processes hand errors on, and a value may not let itself be handed on."""
        plain = self.value is None or type(self.value) in (str, int, float, bool)
        return type(self), (self.name, self.value if plain else _Shown(_shown(self.value)), self.expected)


class IntegrationError(AgentOpsError):
    """A library that was asked for by name is missing, too old, or could not be patched."""


class LimitExceeded(AgentOpsError):  # noqa: N818 - what happened, and no fault of anybody's
    """A call was not made: a limit of :class:`agentops_sdk.limits` was reached. Raised in the call's place.

    Attributes:
        limit: which one: ``cost``, ``tokens``, ``model_calls``, ``tool_calls``, ``per_tool``, ``depth``, ``seconds`` or
            ``repeats``.
        most: what the limit allows, in its ``unit``.
        spent: what has been used, as far as it is known, and estimates where it is not.
        reserved: what calls that are under way are expected to use; no part of ``spent``.
        unknown: how many calls have been made of which nobody knows what they used; an estimate of them is in
            ``spent``, but with ``unknown_price="allow"``.
        unit: what the figures count: a currency, or a plural.
        per: for what it is counted, such as ``block``, ``run`` or ``user``.
        tool: the tool that the limit is about, where it is about one.
        trace_id: of the call that was not made, as 32 hexadecimal digits.
    """

    def __init__(
        self,
        message: str,
        *,
        limit: str = "",
        most: float = 0.0,
        spent: float = 0.0,
        reserved: float = 0.0,
        unknown: int = 0,
        unit: str = "",
        per: str = "block",
        tool: str | None = None,
        trace_id: str = "",
    ) -> None:
        super().__init__(message)
        self.limit = limit
        self.most = most
        self.spent = spent
        self.reserved = reserved
        self.unknown = unknown
        self.unit = unit
        self.per = per
        self.tool = tool
        self.trace_id = trace_id


class BreakerOpen(AgentOpsError):  # noqa: N818 - what is so, and no fault of anybody's
    """A model call was not made: calls of the model failed or were slow of late. Raised in the call's place.

    Attributes:
        provider: of the model.
        model: that was asked for.
        retry_after: seconds until a call is made to see how it is.
        trace_id: of the call that was not made, as 32 hexadecimal digits.
    """

    def __init__(
        self, message: str, *, provider: str = "", model: str = "", retry_after: float = 0.0, trace_id: str = ""
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.model = model
        self.retry_after = retry_after
        self.trace_id = trace_id


class Paused(AgentOpsError):  # noqa: N818 - what is so, and no fault of anybody's
    """A call was not made: somebody has paused its agent, or everything. Raised in the call's place.

    Attributes:
        agent: that is paused; ``None`` where everything is.
        reason: as it was given.
        trace_id: of the call that was not made, as 32 hexadecimal digits.
    """

    def __init__(self, message: str, *, agent: str | None = None, reason: str = "", trace_id: str = "") -> None:
        super().__init__(message)
        self.agent = agent
        self.reason = reason
        self.trace_id = trace_id


class TraceError(AgentOpsError):
    """A trace, file or directory that was asked for does not exist or holds no spans."""


class _Shown(str):
    """Stands for a value that was not handed on to another process."""

    __slots__ = ()


def _shown(value: object) -> str:
    """``repr`` of a plain value, the type's name of anything else: no user code runs."""
    if type(value) is _Shown:
        return str(value)
    if value is None or type(value) in (str, int, float, bool):
        text = without_secrets(repr(value))
        return text if len(text) <= 120 else text[:117] + "..."
    return f"<{type(value).__name__}>"
