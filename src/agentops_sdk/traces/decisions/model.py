"""Decisions as people and tests read them: one list, whichever way they were recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentops_sdk import semconv
from agentops_sdk._named_tuple import NamedTuple

if TYPE_CHECKING:
    from agentops_sdk.traces.record import SpanRecord


class Choice(NamedTuple):
    """What is counted of a decision, and by what it has its place among the others of its trace."""

    moment_ns: int
    number: int
    """Of its span in the trace."""
    kind: str
    name: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice that was made (or left unmade), and the span it was made on.

    ``options`` and ``choices`` are names as they were recorded; ``choices`` is empty for a decision that
    was never made, and ``chosen`` is the one choice, a tuple of several, or None. ``kind`` is one of
    ``agentops_sdk.traces.decisions.decision_kinds.KINDS``. ``confidence`` is 0 to 1, ``waited`` seconds, ``times`` how
    often a retry was. ``by`` says who decided (``model``, ``code``, ``human``). ``followed_by`` are the spans that
    ran because of it, in the order they started; ``Trace.decisions`` fills it. What was not recorded is None or empty.
    """

    name: str
    options: tuple[str, ...]
    choices: tuple[str, ...]
    reason: str | None
    confidence: float | None
    by: str | None
    span: SpanRecord
    by_name: str | None = None
    policy: str | None = None
    model: str | None = None
    forced: bool = False
    unlisted: bool = False
    waited: float | None = None
    descriptions: dict[str, str] | None = None
    scores: dict[str, Any] | None = None
    evidence: Any = None
    rejected: dict[str, Any] | None = None
    inputs: Any = None
    followed_by: tuple[SpanRecord, ...] = ()
    kind: str = "stated"
    prompt_fingerprint: str | None = None
    times: int = 1
    at_ns: int | None = None

    @property
    def moment_ns(self) -> int:
        """When it was made: a decision's own span when it started, one that rides on a span when that ended.

        A person's answer that a graph goes on with was there before everything in it.
        """
        if self.at_ns is not None:
            return self.at_ns
        if self.by == "human" and semconv.GRAPH_RESUMED_FROM in self.span.attributes:
            return self.span.start_ns  # the answer set going what the span is of
        return self.span.start_ns if self.span.kind == "decision" else max(self.span.end_ns, self.span.start_ns)

    @property
    def made(self) -> bool:
        """Whether anything was chosen."""
        return bool(self.choices)

    @property
    def chosen(self) -> str | tuple[str, ...] | None:
        """The option that was chosen; a tuple where there were several, None where there was none."""
        return self.choices[0] if len(self.choices) == 1 else self.choices or None
