"""Calls of a library's long memory: what is done, with which record, and the records that are found or written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._capture.call import Call, NullCall
from agentops_sdk._capture.current import current_call
from agentops_sdk._capture.start import start
from agentops_sdk._genai.framework_content import content

__all__ = ["memory_call", "memory_records"]

_MOST_RECORDS = 200


def memory_call(
    operation: str, store: Any, reporter: str, attributes: Mapping[str, Any], *, record: Any = None, query: Any = None
) -> Call | NullCall | None:
    """Begin what is done with a memory.

    Args:
        operation: one of ``semconv.MEMORY_OPERATIONS``.
        store: the id of the memory, where there is one.
        reporter: the integration.
        attributes: more of them.
        record: the one record that it is about.
        query: what is looked for, in words.

    Returns:
        the call; ``None`` inside another one of the same library: its methods call one another.
    """
    around = current_call()
    if around is not None and around.kind == "memory" and around.reporters == (reporter,):
        return None
    about = {
        semconv.MEMORY_RECORD_ID: str(record) if type(record) in (str, int) and record != "" else None,
        **(content(semconv.MEMORY_QUERY, query) if type(query) is str else {}),
        **attributes,
    }
    store = store if type(store) is str and store else None
    return start("memory", store, operation=operation, attributes=about, reporter=reporter)


def memory_records(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """How many records there are; where content is captured, each with ``content`` and what else is known of it."""
    rows = list(records)
    told: dict[str, Any] = {semconv.MEMORY_RECORD_COUNT: len(rows)}
    if _recorder_port.active.settings.records_content:
        shown = [
            {name: value for name, value in row.items() if name == "content" or value is not None}
            for row in rows[:_MOST_RECORDS]
        ]
        told.update(content(semconv.MEMORY_RECORDS, shown))
    return told
