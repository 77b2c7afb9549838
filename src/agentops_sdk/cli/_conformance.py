"""``agentops doctor --conformance FILE``: what the spans of a file have of the conventions, and what is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_sdk.traces.conformance import KindReport, Report

__all__ = ["examine"]

_LONGEST = 2_000


def examine(source: str, state: str | None, *, as_json: bool) -> int:
    """Print the report on a file or folder; 1 if something is wrong or lacks what is required, or nothing was checked.

    Raises:
        TraceError: it cannot be read.
    """
    from agentops_sdk.traces.conformance import check
    from agentops_sdk.traces.conformance.source import spans_in

    report = check(spans_in(source), state)
    if as_json:
        print(json.dumps(report.as_dict()))
    else:
        for text in _lines(report, source):
            print(f"{text[: len(text) - len(text.lstrip())]}{line(text.lstrip(), _LONGEST)}")
    return 1 if report.violations or report.lacking or report.score is None else 0


def _lines(report: Report, source: str) -> Iterator[str]:
    if not report.spans:
        yield f"{source} holds no spans"
        return
    for kind in report.kinds.values():
        if kind.levels or kind.violations or kind.vocabularies:
            yield from _kind(kind)
    score = (
        "no score, for no span is of a type of the conventions"
        if report.score is None
        else (f"score {report.score:.0f} of 100")
    )
    yield (
        f"{score}: {_count(report.spans, 'span')} against the state {report.state}, "
        f"{_count(report.violations, 'violation')}"
        f"{f', {report.lacking}x a required attribute is missing' if report.lacking else ''}"
    )


def _kind(kind: KindReport) -> Iterator[str]:
    count = _count(kind.spans, "span")
    if not kind.levels:
        yield f"{kind.name}: {count}"
    else:
        seen = f"{len(kind.present)} of {len(kind.levels)} attributes seen"
        yield f"{kind.name}: {count}, {seen}, score {kind.score or 0:.0f}"
    if kind.untyped:
        yield f"  missing gen_ai.operation.name, by which a span is known to be of a type ({kind.untyped}x)"
    for name, spans in kind.vocabularies.most_common():
        yield f"  names of {name} in place of the conventions' ({spans}x): not checked here, agentops show reads them"
    for violation, spans in kind.violations.most_common():
        yield f"  WRONG {violation.where}: {violation.what} ({violation.rule}; {spans}x)"
    for name, spans in sorted(kind.missing.items()):
        yield f"  missing {name} ({kind.levels[name].removesuffix('_conditional').replace('_', ' ')}; {spans}x)"
    if absent := [name for name in kind.never if name not in kind.missing]:
        yield f"  not seen: {', '.join(absent)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
