"""A run in a form that is the same each time: one line per span, without times, ids and prices."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.testing.records import LlmCall, ToolCall, label
from agentops_sdk.traces.decisions.model import Decision
from agentops_sdk.traces.decisions.span_decisions import decision_of
from agentops_sdk.traces.display.render import error_of
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

_LONGEST: Final = 200  # characters of one piece of content

# What differs from run to run although nothing changed, in the order it is looked for.
_VARYING: Final = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<uuid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b(call|chatcmpl|resp|msg|run|toolu|req|fc|rs)[_-](?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{6,}"), r"<\1 id>"),
    (re.compile(r"\b(?:[0-9a-f]{32}|[0-9a-f]{16})\b"), "<id>"),
    (re.compile(r"\b0x[0-9a-f]{6,}\b"), "<address>"),
    (re.compile(r"\b(127\.0\.0\.1|localhost|\[::1\]):\d+"), r"\1:<port>"),
)


def snapshot(traces: Sequence[Trace], *, content: bool = True, tokens: bool = False) -> str:
    """The traces as text, separated by blank lines; no newline at the end."""
    return "\n\n".join("\n".join(_lines(trace, content, tokens)) for trace in traces)


def _lines(trace: Trace, content: bool, tokens: bool) -> Iterator[str]:
    for depth, span in trace.walk():
        words = [f"{span.kind} {label(span)}"]
        words[0] += _told(span, trace) if content else ""
        if tokens and (usage := trace.share(span).usage) is not None:
            words.append(f"{number_format.tokens(usage, span.kind)} tokens")
        if span.outcome != "ok":
            reason = error_of(span) if content else ""
            words.append(f"[{span.outcome}: {reason}]" if reason else f"[{span.outcome}]")
        yield "  " * depth + line(steady(" ".join(words)), 1000)


def _told(span: SpanRecord, trace: Trace) -> str:
    if isinstance(span, ToolCall):
        arguments = ", ".join(f"{name}={_shown(value)}" for name, value in span.arguments.items())
        return f"({arguments})" + (f" -> {_shown(span.result)}" if span.result is not None else "")
    if span.kind == "decision":
        decision = decision_of(span)
        return f": {_chose(decision)}" if decision is not None else ""
    if isinstance(span, LlmCall) and span.kind == "llm" and trace.share(span).call:
        parts = [f"calls {', '.join(span.requested_tools)}"] if span.requested_tools else []
        if span.text:
            parts.append(_shown(span.text))
        return f" -> {' and '.join(parts)}" if parts else ""
    return ""


def _chose(decision: Decision) -> str:
    text = ", ".join(decision.choices) if decision.made else "nothing"
    if decision.options:
        text += f" of {', '.join(decision.options)}"
    return f"{text} ({decision.reason})" if decision.reason else text


def steady(text: str) -> str:
    """The text with ids, times, addresses and ports replaced by what they are."""
    for pattern, name in _VARYING:
        text = pattern.sub(name, text)
    return text


def _shown(value: Any) -> str:
    return line(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str), _LONGEST)
