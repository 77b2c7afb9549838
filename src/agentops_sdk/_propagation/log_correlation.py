"""Puts the ids of the current trace and span into the records of ``logging``, under OpenTelemetry's names for them.

Not ``trace_id``: a program that passes that in ``extra`` would be refused by ``logging``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from opentelemetry import trace

from agentops_sdk._host.guard import guard

__all__ = ["install"]

_NONE = "0"


def install() -> Callable[[], bool]:
    """Stand in for the factory of records that is set now; returns the undo, which says whether all is as before."""
    before = logging.getLogRecordFactory()
    alive = [True]

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = before(*args, **kwargs)
        if alive:
            with guard("log_correlation"):
                here = trace.get_current_span().get_span_context()
                known = here.is_valid
                record.otelTraceID = trace.format_trace_id(here.trace_id) if known else _NONE
                record.otelSpanID = trace.format_span_id(here.span_id) if known else _NONE
                record.otelTraceSampled = known and here.trace_flags.sampled
        return record

    def undo() -> bool:
        alive.clear()
        if logging.getLogRecordFactory() is not make:
            return False  # somebody has set another one since, which calls through us
        logging.setLogRecordFactory(before)
        return True

    logging.setLogRecordFactory(make)
    return undo
