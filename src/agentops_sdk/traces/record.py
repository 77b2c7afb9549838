"""The span record: one flat, versioned JSON object per span; the shape where writers and readers meet."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agentops_sdk import semconv
from agentops_sdk.traces.classify import RECORD_VERSION, from_ns, kind_of, outcome_of

__all__ = [
    "RECORD_VERSION",
    "DroppedCounts",
    "EventRecord",
    "LinkRecord",
    "ProcessRecord",
    "ScopeRecord",
    "SpanRecord",
    "from_ns",
    "kind_of",
    "outcome_of",
]

if TYPE_CHECKING:
    Kind = str
else:  # one of the table's, which type checkers cannot read
    Kind = Literal[semconv.KINDS]
Outcome = Literal["ok", "error", "cancelled", "abandoned", "interrupted", "running", "unfinished"]
Status = Literal["unset", "ok", "error"]
SpanKind = Literal["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]


class _Shape(BaseModel):
    # Readers accept what newer writers add (extra="allow" keeps it) and never change a record.
    model_config = ConfigDict(extra="allow", frozen=True)


class EventRecord(_Shape):
    """Something that happened at one moment of a span."""

    name: str
    time_ns: int = Field(description="Nanoseconds since the Unix epoch.")
    attributes: dict[str, Any] = Field(default_factory=dict)
    dropped: int = Field(default=0, description="Attributes that did not fit.")


class LinkRecord(_Shape):
    """A pointer to a span elsewhere: a handoff, what is resumed, the source of a batch."""

    trace_id: str
    span_id: str
    trace_state: str = ""
    flags: int = Field(default=0, description="As on the span, for the span pointed to.")
    attributes: dict[str, Any] = Field(default_factory=dict)
    dropped: int = Field(default=0, description="Attributes that did not fit.")


class ScopeRecord(_Shape):
    """Which instrumentation made the span."""

    name: str = ""
    version: str | None = None
    schema_url: str | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)


class DroppedCounts(_Shape):
    """What did not fit into the span's limits."""

    attributes: int = 0
    events: int = 0
    links: int = 0


class ProcessRecord(_Shape):
    """Which process a span was open in, exactly enough to find out later whether it still lives."""

    pid: int
    started: int | None = Field(default=None, description="Clock ticks from boot to the start of the process.")
    program: str | None = Field(default=None, description="Another one after the process has called exec().")
    boot: str | None = Field(default=None, description="The kernel's id of this boot.")
    namespace: str | None = Field(default=None, description="The namespace that the pid belongs to.")
    host: str = ""


class SpanRecord(_Shape):
    """One span, as one line of a JSONL file holds it.

    Lossless to and from OTLP. Identifiers are lower-case hex as in W3C trace context. Times are
    integers in nanoseconds since the Unix epoch, and ISO 8601 in UTC (microseconds) for people;
    the integers are authoritative.

    A span that has been open for a second is written as well, with the outcome ``running`` and few of
    its attributes; its end is then the moment of writing. The line of its end, under the same ids, takes
    its place. Readers make ``unfinished`` of it where there is no such line and the process is gone.
    """

    v: int = Field(default=RECORD_VERSION, description="Version of this shape.")
    trace_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    span_id: str = Field(pattern=r"^[0-9a-f]{16}$")
    parent_id: str | None = Field(default=None, pattern=r"^[0-9a-f]{16}$")
    name: str
    kind: Kind = Field(default="span", description="What the operation is, in this package's vocabulary.")
    span_kind: SpanKind = Field(default="INTERNAL", description="OpenTelemetry's span kind.")
    start_ns: int
    end_ns: int
    start: datetime | None = None
    end: datetime | None = None
    status: Status = "unset"
    status_message: str | None = None
    outcome: Outcome = "ok"
    attributes: dict[str, Any] = Field(default_factory=dict)
    events: list[EventRecord] = Field(default_factory=list)
    links: list[LinkRecord] = Field(default_factory=list)
    resource: dict[str, Any] = Field(default_factory=dict)
    resource_schema_url: str | None = None
    scope: ScopeRecord = Field(default_factory=ScopeRecord)
    trace_state: str = ""
    flags: int = Field(
        default=1,
        description="OTLP span flags: W3C trace flags in the low byte (1 is sampled); 0x100 and 0x200 together: "
        "the parent is in another process.",
    )
    dropped: DroppedCounts = Field(default_factory=DroppedCounts)
    process: ProcessRecord | None = Field(default=None, description="On open spans only: where it is open.")
    open_below: list[dict[str, Any]] = Field(
        default_factory=list,
        description="On open spans only: further open spans of the trace, each a record without what this one tells.",
    )

    def model_post_init(self, _context: object) -> None:
        """Fill ``start`` and ``end`` from the integers where a writer left them out."""
        if self.start is None:
            object.__setattr__(self, "start", from_ns(self.start_ns))
        if self.end is None:
            object.__setattr__(self, "end", from_ns(self.end_ns))

    @property
    def refused(self) -> bool:
        """Whether a limit, a breaker or a pause has stopped it: it was not made."""
        return self.outcome == "error" and self.attributes.get(semconv.DECISION_NAME) in semconv.STOPS

    @property
    def ended(self) -> bool:
        """Whether the span has ended: it is neither ``running`` nor ``unfinished``."""
        return self.outcome not in semconv.NOT_ENDED

    @property
    def duration(self) -> float:
        """Seconds between start and end; never negative, even if a clock was set back.

        Of a span that has not ended: how long it is known to have run.
        """
        return max(0, self.end_ns - self.start_ns) / 1e9
