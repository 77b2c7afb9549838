"""What the audit log learns from ended spans: limits, answers of people, models and prompts in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk._host.guard import guard

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["AuditWatch"]

_IN_USE: Final = (
    semconv.AGENT_NAME, semconv.AGENT_VERSION, semconv.PROVIDER_NAME, semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL,
    semconv.PROMPT_NAME, semconv.PROMPT_VERSION, semconv.PROMPT_FINGERPRINT,
)  # fmt: skip
_MOST: Final = 10_000
_PAUSED: Final = "agentops_sdk.errors.Paused"
_OVERRIDES: Final = frozenset(("allowed", "granted", "extended"))


class AuditWatch:
    """Looks at each span that has ended; on the consumer thread.

    Args:
        tell: is told an action, who did it, and what there is to know.
    """

    def __init__(self, tell: Callable[[str, str, Mapping[str, Any]], object]) -> None:
        self._tell = tell
        self._in_use: set[tuple[Any, ...]] = set()

    def add(self, span: ReadableSpan) -> None:
        """A span has ended."""
        with guard("audit.span"):
            attributes = span.attributes or {}
            context = span.get_span_context()
            ids = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"} if context else {}
            who = str(attributes.get(semconv.AGENT_NAME) or span.name)
            if attributes.get(semconv.KIND) == "llm":
                self._versions(attributes, who, ids)
            if semconv.LIMIT in attributes:
                action = str(attributes.get(semconv.LIMIT_ACTION))
                about = {"limit": attributes[semconv.LIMIT], "action": action, "agent": who,
                         "spent": attributes.get(semconv.LIMIT_SPENT), **ids}  # fmt: skip
                self._tell("override" if action in _OVERRIDES else "limit", "the limit", about)
            if attributes.get(semconv.ERROR_TYPE) == _PAUSED:  # whoever paused it has not looked at this call
                self._tell("refusal", "the pause", {"agent": who, "kind": attributes.get(semconv.KIND), **ids})
            else:
                self._decision(attributes, who, ids)
            for event in span.events:
                self._decision(event.attributes or {}, who, ids)

    def _versions(self, attributes: Mapping[str, Any], who: str, ids: dict[str, str]) -> None:
        key = tuple(attributes.get(name) for name in _IN_USE)
        if key in self._in_use or len(self._in_use) >= _MOST:
            return
        self._in_use.add(key)
        about = {name: value for name, value in zip(_IN_USE, key, strict=True) if value is not None}
        self._tell("in use", who, {**about, **ids})

    def _decision(self, attributes: Mapping[str, Any], who: str, ids: dict[str, str]) -> None:
        if attributes.get(semconv.DECISION_BY) != "human":
            return
        about = {
            "decision": attributes.get(semconv.DECISION_NAME), "chosen": attributes.get(semconv.DECISION_CHOSEN),
            "policy": attributes.get(semconv.DECISION_POLICY), "waited": attributes.get(semconv.DECISION_WAITED),
            "agent": who, **ids,
        }  # fmt: skip
        self._tell("approval", str(attributes.get(semconv.DECISION_BY_NAME) or "human"), about)
