"""What people think of a run, as a record beside the others: whoever loads the directory finds it in the run."""

from __future__ import annotations

import os
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

import orjson

from agentops_sdk import semconv
from agentops_sdk._version import VERSION
from agentops_sdk.encryption import sealed_line
from agentops_sdk.errors import ConfigError
from agentops_sdk.private_files import appending
from agentops_sdk.traces.classify import OWN_SCOPE, iso

if TYPE_CHECKING:
    from pathlib import Path

    from agentops_sdk.traces.trace import Trace

__all__ = ["NAME", "append_feedback"]

NAME: Final = "feedback.jsonl"
_LONGEST: Final = 10_000


def append_feedback(folder: Path, trace: Trace, *, name: Any, value: Any, comment: Any = None) -> None:
    """Append a line to ``feedback.jsonl`` in a directory of traces.

    The span stands below the run's outermost one and where that ended, so that the run gets no longer by what is
    thought of it; its event says when that was.

    Raises:
        ConfigError: a value cannot be feedback.
        OSError: the file cannot be written.
    """
    if not isinstance(name, str) or not 0 < len(name) <= 200:
        raise ConfigError("name", name, "a text of at most 200 characters")
    verdict: dict[str, Any] = {semconv.EVALUATION_NAME: name}
    if isinstance(value, bool):
        verdict |= {semconv.EVALUATION_SCORE_VALUE: float(value), semconv.EVALUATION_SCORE_LABEL: str(value).lower()}
    elif isinstance(value, int | float) and abs(value) < 1e15:
        verdict[semconv.EVALUATION_SCORE_VALUE] = float(value)
    elif isinstance(value, str) and 0 < len(value) <= 200:
        verdict[semconv.EVALUATION_SCORE_LABEL] = value
    else:
        raise ConfigError("value", value, "True, False, a number, or a text of at most 200 characters")
    if comment not in (None, ""):
        if not isinstance(comment, str) or len(comment) > _LONGEST:
            raise ConfigError("comment", comment, f"a text of at most {_LONGEST:,} characters")
        verdict[semconv.EVALUATION_EXPLANATION] = comment
    moment = time.time_ns()
    root = trace.root
    record = {
        "v": 1, "trace_id": trace.trace_id, "span_id": secrets.token_hex(8), "parent_id": root.span_id,
        "name": f"evaluate {name}", "kind": "span", "span_kind": "INTERNAL", "start_ns": root.end_ns,
        "end_ns": root.end_ns, "start": iso(root.end_ns), "end": iso(root.end_ns), "status": "unset", "outcome": "ok",
        "attributes": {**verdict, semconv.FEEDBACK_TARGET: "trace", semconv.FEEDBACK_TRACE_ID: trace.trace_id},
        "events": [{"name": semconv.EVALUATION_EVENT, "time_ns": moment, "attributes": verdict}],
        "resource": {semconv.SERVICE_NAME: "agentops view"}, "scope": {"name": OWN_SCOPE, "version": VERSION},
        "flags": 257,
    }  # fmt: skip
    line = sealed_line(orjson.dumps(record) + b"\n")
    with appending(folder / NAME) as descriptor:
        os.write(descriptor, line)
