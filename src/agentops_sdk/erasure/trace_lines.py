"""Lines of trace files: which belong to the traces that go, and files without them.

A file that a living process writes is not replaced: its lines are overwritten with blanks where they stand, which
readers skip, and the process goes on appending. A closed file is written anew beside the old one and takes its name
once it is whole and on the disk. Whoever is killed in between leaves a line that begins with blanks, or a file with
the ending ``.anew``; the next erasure finishes the one and removes the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

import orjson

from agentops_sdk import semconv
from agentops_sdk.exporters._event_records import log_records
from agentops_sdk.exporters.jsonl.rewriting import overwrite_lines, rewrite_lines

__all__ = ["blank_lines", "is_named", "is_ours", "rewrite", "trace_ids_of"]

_SESSIONS: Final = (semconv.SESSION_ID, semconv.CONVERSATION_ID)
_USERS: Final = (semconv.USER_ID, "enduser.id", "user.hash", "langfuse.user.id")


def records_of(line: bytes) -> list[dict[str, Any]]:
    """What a line holds: a record, several that are open, or the records of an event in OTLP's JSON, as ours are."""
    try:
        raw = orjson.loads(line)
    except ValueError:
        return []
    if not isinstance(raw, dict):
        return []
    if "resourceLogs" in raw:
        return [_event_record(record) for record in log_records(raw)]
    inside = [item for value in raw.values() if isinstance(value, list) for item in value if isinstance(item, dict)]
    return [raw, *(item for item in inside if "attributes" in item or "trace_id" in item)]


def _event_record(record: dict[str, Any]) -> dict[str, Any]:
    pairs = [pair for pair in record.get("attributes") or () if isinstance(pair, dict)]
    attributes = {pair.get("key"): (pair.get("value") or {}).get("stringValue") for pair in pairs}
    return {"trace_id": record.get("traceId"), "attributes": attributes}


def is_named(record: dict[str, Any], users: Collection[str], sessions: Collection[str]) -> bool:
    """Whether a record says that it is of one of these users or sessions."""
    attributes = record.get("attributes")
    if not isinstance(attributes, dict):
        return False
    return any(_text_of(attributes, name) in users for name in _USERS) or any(
        _text_of(attributes, name) in sessions for name in _SESSIONS
    )


def _text_of(attributes: dict[str, Any], name: str) -> str | None:
    """An id as readers show it: other recorders write numbers as well."""
    value = attributes.get(name)
    return None if value is None else str(value)


def is_ours(line: bytes) -> bool:
    """Whether a line has the form of ours: :func:`belongs` says of no other whose it is."""
    return line.startswith(b'{"v":') or any(
        record.get("trace_id") and isinstance(record.get("attributes"), dict) for record in records_of(line)
    )


def trace_ids_of(line: bytes, users: Collection[str], sessions: Collection[str]) -> set[str]:
    """Ids of the traces of which a line says that they are of one of these users or sessions."""
    records = records_of(line)
    own = next((record.get("trace_id") for record in records if record.get("trace_id")), None)
    return {
        str(record.get("trace_id") or own)
        for record in records
        if (record.get("trace_id") or own) and is_named(record, users, sessions)
    }


def belongs(line: bytes, trace_ids: Collection[str]) -> bool:
    """Whether a line is of one of the traces, or about one; or was left half blank by an erasure that was killed."""
    if line[:1] == b" " and line.strip():
        return True
    for record in records_of(line):
        attributes = record.get("attributes")
        about = attributes.get(semconv.FEEDBACK_TRACE_ID) if isinstance(attributes, dict) else None
        if record.get("trace_id") in trace_ids or about in trace_ids:
            return True
    return False


def blank_lines(path: Path, goes: Callable[[bytes], bool]) -> int:
    """Overwrite lines with blanks where they stand; how many.

    Args:
        path: of a file that somebody may be appending to.
        goes: whether a line does.

    Raises:
        OSError: it cannot be read, or written.
    """
    return overwrite_lines(path, lambda line: b"" if goes(line.removesuffix(b"\n")) else line)


def rewrite(path: Path, goes: Callable[[bytes], bool]) -> int:
    """Write a closed file anew without some lines; how many went. A file without any line left is removed.

    Raises:
        OSError: it cannot be read, or written; it is as it was then.
    """
    return rewrite_lines(path, lambda line: b"" if goes(line.removesuffix(b"\n")) else line)
