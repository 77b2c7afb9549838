"""``POST /feedback``: what somebody thinks of a run, from whoever shows it to people."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from agentops_sdk import _recorder_port
from agentops_sdk.errors import ConfigError
from agentops_sdk.feedback import feedback

__all__ = ["take_feedback"]

_FIELDS: Final = ("trace_id", "span_id", "session_id", "name", "value", "comment")
_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
_SPAN_ID: Final = re.compile(r"[0-9a-f]{16}")
_LONGEST: Final = 10_000


def take_feedback(body: bytes) -> dict[str, Any]:
    """Record what a request says; returns what was kept.

    The body is a JSON object: ``name``, ``value`` (true, false, a number or a text), maybe ``comment``, and what it is
    about: ``trace_id``, with it maybe ``span_id``, or ``session_id``.

    Raises:
        ConfigError: the body is nothing of the kind, or nothing is recorded here.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise ConfigError("body", "…", "JSON") from None
    if not isinstance(told, dict):
        raise ConfigError("body", "…", f"a JSON object with some of {', '.join(_FIELDS)}")
    unknown = [name for name in told if name not in _FIELDS]
    if unknown:
        raise ConfigError(unknown[0][:100], "…", f"one of {', '.join(_FIELDS)}")
    name, comment = told.get("name"), told.get("comment")
    value: Any = told.get("value")
    if not isinstance(name, str) or not 0 < len(name) <= 200:
        raise ConfigError("name", name if isinstance(name, str) else "…", "a text of at most 200 characters")
    is_number = isinstance(value, int | float) and abs(value) < 1e15
    if not (isinstance(value, bool) or is_number or (isinstance(value, str) and 0 < len(value) <= 200)):
        raise ConfigError("value", "…", "true, false, a number, or a text of at most 200 characters")
    if comment is not None and (not isinstance(comment, str) or len(comment) > _LONGEST):
        raise ConfigError("comment", "…", f"a text of at most {_LONGEST:,} characters")
    target = _target(told)
    if not _recorder_port.active.enabled:
        raise ConfigError("feedback", "…", "init() to have been called: nothing is recorded here")
    feedback(target, name=name, value=value, comment=comment or None)
    return {"kept": True}


def _target(told: dict[str, Any]) -> str:
    trace_id, span_id, session_id = (told.get(name) for name in ("trace_id", "span_id", "session_id"))
    if session_id is not None:
        if (
            trace_id is not None
            or span_id is not None
            or not isinstance(session_id, str)
            or not 0 < len(session_id) <= 500
        ):
            raise ConfigError("session_id", "…", "a text of at most 500 characters, and no trace_id beside it")
        return session_id
    if not isinstance(trace_id, str) or not _TRACE_ID.fullmatch(trace_id):
        raise ConfigError("trace_id", "…", "32 hexadecimal digits, or a session_id")
    if span_id is None:
        return trace_id
    if not isinstance(span_id, str) or not _SPAN_ID.fullmatch(span_id):
        raise ConfigError("span_id", "…", "16 hexadecimal digits")
    return f"00-{trace_id}-{span_id}-01"
