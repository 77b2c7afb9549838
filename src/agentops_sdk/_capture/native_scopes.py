"""Libraries that make spans themselves, by the scope of those: what their names mean. One row a scope.

A library is here where its spans are adopted. Where a client is recorded by an integration of its own, as are
``anthropic`` and ``mcp``, that silences its native spans; spans of other scopes are the program's, and ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from agentops_sdk import semconv


@dataclass(frozen=True, slots=True)
class NativeScope:
    """One row.

    Attributes:
        reporter: the name of the integration that hands over the tracer.
        names: attributes that have other names than the conventions' or ours.
        internal: names of spans that are steps of the library's own.
        interrupting: names of exceptions by which a run waits for somebody, and that are no errors.
    """

    reporter: str
    names: Mapping[str, str] = field(default_factory=dict)
    internal: frozenset[str] = frozenset()
    interrupting: frozenset[str] = frozenset()


NATIVE_SCOPES: Final = {
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
