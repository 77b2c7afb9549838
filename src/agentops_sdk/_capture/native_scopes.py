"""Libraries that create spans themselves, by the scope of those: what is done with them. One row a scope.

- ``adopt``: the library is handed a tracer of ours, and each of its spans becomes a call of ours.
- ``silence``: an integration of ours records the same calls, and keeps the library's own spans from arising there.

Spans of all other scopes belong to the program, and are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from agentops_sdk import semconv


@dataclass(frozen=True, slots=True)
class NativeScope:
    """One row.

    Attributes:
        reporter: the name of the integration that hands over the tracer, or that silences.
        treatment: ``adopt`` or ``silence``.
        names: attributes that have other names than the conventions' or ours.
        internal: names of spans that are steps of the library's own.
        interrupting: names of exceptions by which a run waits for somebody, and that are no errors.
    """

    reporter: str
    treatment: Literal["adopt", "silence"] = "adopt"
    names: Mapping[str, str] = field(default_factory=dict)
    internal: frozenset[str] = frozenset()
    interrupting: frozenset[str] = frozenset()


NATIVE_SCOPES: Final = {
    "com.anthropic.sdk.python": NativeScope("anthropic", "silence"),
    "mcp-python-sdk": NativeScope("mcp", "silence"),
    "pydantic-ai": NativeScope(
        "pydantic_ai",
        names={
            "gen_ai.client.operation.time_to_first_chunk": semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
            "final_result": semconv.OUTPUT,
            "tool_arguments": semconv.TOOL_CALL_ARGUMENTS,
            "tool_response": semconv.TOOL_CALL_RESULT,
        },
        internal=frozenset(("running tools",)),
        interrupting=frozenset(("ApprovalRequired", "CallDeferred")),
    ),
}
