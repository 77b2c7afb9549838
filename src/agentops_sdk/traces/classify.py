"""What a span's attributes tell of it: its kind and its outcome; and its times, for people. No pydantic here."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD_VERSION: Final = 1
OWN_SCOPE: Final = "agentops_sdk"
"""The scope of spans that were recorded here."""
OUTCOMES: Final = (*semconv.OUTCOMES, *semconv.NOT_ENDED)
SPAN_KINDS: Final = ("INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES: Final = ("unset", "ok", "error")
"""The words of a record's fields; the record spells them out for type checkers, and costs more to import."""
REMOTE_KNOWN: Final = 0x100
REMOTE_PARENT: Final = 0x300
"""The two bits of OTLP's span flags that say: it is known where the parent lives, and it is another process."""


def kind_of(attributes: Mapping[str, Any]) -> str:
    """The kind a span's attributes tell: ours if stated, else from the GenAI operation, else ``span``."""
    stated = attributes.get(semconv.KIND)
    if stated in semconv.KINDS:
        return str(stated)
    return semconv.KIND_OF_OPERATION.get(str(attributes.get(semconv.OPERATION_NAME)), "span")


def outcome_of(attributes: Mapping[str, Any], status: str) -> str:
    """The outcome a span tells: ours if stated, else ``error`` or ``ok`` from its status."""
    stated = attributes.get(semconv.OUTCOME)
    if stated in semconv.OUTCOMES:
        return str(stated)
    return "error" if status == "error" else "ok"


def from_ns(ns: int) -> datetime:
    """Nanoseconds since the epoch as an aware UTC datetime (microsecond precision, no float drift)."""
    seconds, rest = divmod(ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


def iso(ns: int) -> str:
    """Nanoseconds since the epoch as ISO 8601 in UTC with six decimals."""
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{second_text(seconds)}.{rest // 1000:06}Z"


@lru_cache(maxsize=64)
def second_text(seconds: int) -> str:
    """Seconds since the epoch as ISO 8601 without what comes after them.

    Spans that are written together begin and end in few different seconds.
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
