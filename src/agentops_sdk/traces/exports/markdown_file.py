"""Markdown, for a ticket or a model: figures, the tree, decisions, and what was said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO, Final

from agentops_sdk.traces.decisions.narrative import story
from agentops_sdk.traces.display.conversation import contents
from agentops_sdk.traces.display.render import error_of, text
from agentops_sdk.traces.display.terminal_text import block, line
from agentops_sdk.traces.figures import number_format
from agentops_sdk.traces.formats.json_values import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

SUFFIX: Final = ".md"
_SPECIAL: Final = re.compile(r"([\\`*_<>\[\]#|&~!])")


def write(traces: Iterable[Trace], file: BinaryIO) -> None:
    """Write the runs, one below the other; what was captured cannot become markup."""
    for number, trace in enumerate(traces):
        if number:
            file.write(b"\n---\n\n")
        file.writelines(part.encode("utf-8", "backslashreplace") + b"\n\n" for part in _parts(trace))


def _parts(trace: Trace) -> Iterator[str]:
    usage, cost = trace.sums
    facts = (
        trace.outcome,
        number_format.duration(trace.duration, at_least=bool(trace.outline.open)),
        f"{tokens} tokens" if (tokens := number_format.tokens(usage, trace.outline.kind_of_calls)) else "",
        number_format.cost(cost),
        f"{trace.start:%Y-%m-%d %H:%M:%S} UTC",
        f"trace {trace.trace_id}",
    )
    yield f"# {_plain(trace.name)}"
    yield _plain(", ".join(filter(None, facts)))
    yield _fenced(text(trace, width=100, whole=False))
    if sentences := story(trace.beginning):
        yield "## Decisions"
        yield "\n".join(f"{number}. {_plain(sentence)}" for number, sentence in enumerate(sentences, 1))
    for span in trace.beginning:
        yield from _said(span)


def _said(span: SpanRecord) -> Iterator[str]:
    said = [(label, content) for label, content in contents(span) if content]
    if not said and span.outcome == "ok":
        return
    yield f"## {_plain(span.name)}"
    if span.outcome != "ok":
        yield _plain(": ".join(filter(None, (span.outcome, error_of(span)))))
    for label, content in said:
        yield f"**{_plain(as_text(label))}**"
        yield _fenced(content)


def _plain(content: str) -> str:
    return _SPECIAL.sub(r"\\\1", line(content))


def _fenced(content: str) -> str:
    """A block whose fence is longer than any in it."""
    shown = block(content).rstrip()
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=2) + 1)
    return f"{max(fence, '```', key=len)}text\n{shown}\n{max(fence, '```', key=len)}"
