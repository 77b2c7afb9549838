"""What records of ``logging`` and spans tell of each other: ids on the records, lines as events on the spans.

The ids have OpenTelemetry's names. Not ``trace_id``: a program that passes that in ``extra`` would be refused by
``logging``. Lines are taken where records are made, not by a handler: ``logging.basicConfig()`` does nothing where the
root logger has one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import get_current

from agentops_sdk import semconv
from agentops_sdk._host.guard import guard
from agentops_sdk._propagation import context_keys
from agentops_sdk._snapshot.snapshot import snapshot
from agentops_sdk._snapshot.text import clip

__all__ = ["OFF", "install"]

OFF = "off"
_NONE = "0"
_OURS = "agentops_sdk"
_MOST_LINES = 100
_MOST_TEXT = 2_000
_PLAIN = (str, int, float, bool, type(None))


def install(*, ids: bool, lines: str = OFF) -> Callable[[], bool]:
    """Stand in for the factory of records that is set now; returns the undo, which says whether all is as before.

    Args:
        ids: put the ids of the current trace and span on each record.
        lines: the lowest level whose lines become events of the span that is current, or :data:`OFF`.
    """
    before = logging.getLogRecordFactory()
    alive = [True]
    lowest = None if lines == OFF else logging.getLevelNamesMapping()[lines.upper()]

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = before(*args, **kwargs)
        if alive and ids:
            with guard("log_correlation"):
                _identify(record)
        if alive and lowest is not None:
            with guard("log_events"):
                # `logging.makeLogRecord()` gives a level afterwards: what it makes anew was a line before.
                level = getattr(record, "levelno", None)
                if level is not None and level >= lowest:
                    _keep(record)
        return record

    def undo() -> bool:
        alive.clear()
        if logging.getLogRecordFactory() is not make:
            return False  # somebody has set another one since, which calls through us
        logging.setLogRecordFactory(before)
        return True

    logging.setLogRecordFactory(make)
    return undo


def _identify(record: logging.LogRecord) -> None:
    here = trace.get_current_span().get_span_context()
    known = here.is_valid
    record.otelTraceID = trace.format_trace_id(here.trace_id) if known else _NONE
    record.otelSpanID = trace.format_span_id(here.span_id) if known else _NONE
    record.otelTraceSampled = known and here.trace_flags.sampled


def _keep(record: logging.LogRecord) -> None:
    call: Any = context_keys.whole(get_current()).get(context_keys.CALL_KEY)
    if call is None or call.ended or record.name.partition(".")[0] == _OURS:
        return
    attributes = call.span.attributes
    kept = attributes.get(semconv.LOG_LINES, 0)
    if kept >= _MOST_LINES:
        call.set(semconv.LOG_LINES_DROPPED, attributes.get(semconv.LOG_LINES_DROPPED, 0) + 1)
        return
    call.set(semconv.LOG_LINES, kept + 1)
    told = {semconv.LOG_SEVERITY: record.levelname, semconv.LOG_LOGGER: clip(record.name, _MOST_TEXT)}
    error = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
    if error is not None:
        told[semconv.EXCEPTION_TYPE] = f"{error.__module__}.{error.__qualname__}"
    if semconv.LOG_BODY not in call.withheld:
        told[semconv.LOG_BODY] = clip(_text(record), _MOST_TEXT)
    call.event(semconv.LOG_EVENT, told)


def _text(record: logging.LogRecord) -> str:
    """The line, without running what the program's objects would say of themselves."""
    message = record.msg if type(record.msg) is str else _plain(record.msg)
    arguments = record.args
    if not arguments:
        return str(message)
    try:
        if isinstance(arguments, Mapping):
            return str(message) % {name: _plain(value) for name, value in arguments.items()}
        return str(message) % tuple(map(_plain, arguments))
    except (TypeError, ValueError, KeyError):  # the line is not what its arguments are for: handlers say so
        return str(message)


def _plain(value: Any) -> Any:
    if type(value) is str:
        return value[:_MOST_TEXT]
    return value if type(value) in _PLAIN else snapshot(value).decode()[:_MOST_TEXT]
