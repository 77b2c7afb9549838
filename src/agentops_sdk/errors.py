"""The errors this package raises on purpose, and nothing else.

::

    AgentOpsError
    ├── ConfigError        a bad argument or setting; raised at once, before anything is captured
    ├── IntegrationError   a library asked for by name cannot be instrumented
    └── TraceError         a trace, file or directory asked for cannot be read

None of them is ever raised inside a user's own call: once :func:`agentops_sdk.init` has returned,
failures are counted and shown by :func:`agentops_sdk.status` instead.
"""

from __future__ import annotations

from agentops_sdk.addresses import without_secrets

__all__ = ["AgentOpsError", "ConfigError", "IntegrationError", "TraceError"]


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


class IntegrationError(AgentOpsError):
    """A library that was asked for by name is missing, too old, or could not be patched."""


class TraceError(AgentOpsError):
    """A trace, file or directory that was asked for does not exist or holds no spans."""


def _shown(value: object) -> str:
    """``repr`` of a plain value, the type's name of anything else: no user code runs."""
    if value is None or type(value) in (str, int, float, bool):
        text = without_secrets(repr(value))
        return text if len(text) <= 120 else text[:117] + "..."
    return f"<{type(value).__name__}>"
