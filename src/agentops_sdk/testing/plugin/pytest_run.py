"""What the pytest plugin does with a test that was captured: limits, figures, kept traces, the summary."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from agentops_sdk.private_files import open_private
from agentops_sdk.testing.assertions.assertion_message import SHOWN, picture
from agentops_sdk.testing.plugin.budget import Budget
from agentops_sdk.traces.cost import Cost
from agentops_sdk.traces.usage import Usage

if TYPE_CHECKING:
    from agentops_sdk.testing.results import CapturedTraces

LIMITS: Final = ("max_cost", "max_tokens", "max_llm_calls", "max_duration")
_FIGURES: Final = (
    "agentops_cost",
    "agentops_tokens",
    "agentops_llm_calls",
    "agentops_duration",
    "agentops_kept",
    "agentops_page",
)
_SLOWEST: Final = 5
_LONGEST: Final = 150
_TELLS_APART: Final = re.compile(r"[\w./]+(::\w+)+(\[[\w.]+(-[\w.]+)*\])?", re.ASCII)
"""The ids of tests that give different names of files: ``[a/b]`` would give that of ``[a-b]``."""


def budget_of(item: pytest.Item) -> Budget:
    """The limits of a test: defaults from the configuration, then its markers, the nearest last."""
    limits: dict[str, Any] = {name: item.config.getini(f"agentops_{name}") for name in LIMITS}
    for marker in reversed(list(item.iter_markers("agentops"))):
        if marker.args:
            pytest.fail(f"@pytest.mark.agentops takes {', '.join(LIMITS)} by name", pytrace=False)
        limits.update(marker.kwargs)
    return Budget.of(limits)


def check_budget(item: pytest.Item, traces: CapturedTraces) -> None:
    """Fail the test if it used too much."""
    __tracebackhide__ = True
    exceeded = budget_of(item).exceeded(traces)
    if exceeded is not None:
        pytest.fail(str(exceeded), pytrace=False)


def note_figures(item: pytest.Item, traces: CapturedTraces) -> None:
    """What the test used, as its properties: they reach JUnit files, and the summary from every worker."""
    properties = item.user_properties
    properties[:] = [pair for pair in properties if pair[0] not in _FIGURES]  # of an earlier try
    if not traces:
        return
    cost = traces.cost.as_dict()
    properties += [
        ("agentops_cost", "unknown" if cost["amount"] is None else f"{cost['amount']:.12g}"),
        ("agentops_tokens", traces.usage.total),
        ("agentops_llm_calls", len(traces.llm_calls)),
        ("agentops_duration", round(traces.duration, 6)),
    ]


def _file_of(item: pytest.Item, folder: str, suffix: str) -> Path:
    """A file of the test alone; its folder is there."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", item.nodeid.replace("::", "--")).strip("-")
    if len(name) > _LONGEST or not _TELLS_APART.fullmatch(item.nodeid):
        name = f"{name[:_LONGEST]}-{hashlib.sha256(item.nodeid.encode(errors='replace')).hexdigest()[:8]}"
    path = Path(folder) / f"{name}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def keep(item: pytest.Item, traces: CapturedTraces, folder: str) -> Path:
    """Write the test's records where ``agentops show`` reads them."""
    path = _file_of(item, folder, ".jsonl")
    lines = [span.model_dump_json(exclude_unset=True) + "\n" for span in traces.spans]
    with open(path, "w", encoding="utf-8", opener=open_private) as file:
        file.writelines(lines)
    return path


def explain(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport, traces: CapturedTraces) -> None:
    """Add to a failed test's report: the tree, unless its message shows it, and the files that were kept."""
    error = call.excinfo.value if call.excinfo is not None else None
    shown = getattr(error, "__dict__", {}).get(SHOWN) or isinstance(error, pytest.fail.Exception)
    if traces and not shown:
        report.sections.append(("agentops trace", "\n".join(picture(traces.judged, {})[1:])))
    folder: str | None = item.config.getoption("agentops_traces")
    if folder and traces:
        path = keep(item, traces, folder)
        report.user_properties.append(("agentops_kept", str(path)))
        report.sections.append(("agentops", f"agentops show {path}"))
    pages: str | None = item.config.getoption("agentops_html")
    if pages and traces:
        from agentops_sdk.report.page import save

        page = save(traces.judged, _file_of(item, pages, ".html"))
        item.user_properties.append(("agentops_page", str(page)))  # a JUnit file is made from those of the test
        report.sections.append(("agentops page", str(page.resolve())))


def compared(op: str, left: object, right: object) -> list[str] | None:
    """What pytest prints below a failed comparison with something of ours."""
    from agentops_sdk.testing.capture_session import innermost
    from agentops_sdk.testing.records import Decisions, Spans
    from agentops_sdk.testing.results import CapturedTrace, CapturedTraces

    if op == "==" and isinstance(left, CapturedTrace | CapturedTraces) and isinstance(right, str):
        import difflib

        lines = difflib.ndiff(right.splitlines(), left.snapshot().splitlines())
        return ["the traces are not as in the text (- expected, + captured)", *(line.rstrip("\n") for line in lines)]
    ours = (Cost, Usage, Spans, Decisions, CapturedTrace, CapturedTraces)
    if not isinstance(left, ours) and not isinstance(right, ours):
        return None
    traces = innermost()
    if traces is None or not traces:
        return None
    marks: dict[str, str] = {}
    for side in (left, right):
        marks |= _parts(side, traces)
    return [f"{_said(left)} {op} {_said(right)}", *picture(traces.judged, marks)]


def _parts(side: object, traces: CapturedTraces) -> dict[str, str]:
    if isinstance(side, list):
        return {span.span_id: "" for span in side if hasattr(span, "span_id")}
    part = {Cost: "cost", Usage: "usage"}.get(type(side))
    if part is None:
        return {}
    shares = ((span, getattr(trace.share(span), part)) for trace in traces.judged for span in trace.spans)
    return {span.span_id: _said(own) for span, own in shares if own is not None}


def _said(side: object) -> str:
    if isinstance(side, Cost):
        return str(side) if not side.unknowns else f"{side} (unknown: {'; '.join(side.unknowns)})"
    if isinstance(side, Usage):
        return f"{side.total:,} tokens" + (f" and {side.unknown} calls of unknown size" if side.unknown else "")
    return repr(side)


def summary(reports: list[pytest.TestReport]) -> Iterator[str]:
    """The lines of ``--agentops-report``."""
    tests = [(report, dict(report.user_properties)) for report in reports if report.when == "call"]
    tests = [(report, row) for report, row in tests if "agentops_llm_calls" in row]
    if not tests:
        yield "no test recorded anything"
        return
    costs = [row["agentops_cost"] for _, row in tests]
    unknown = costs.count("unknown")
    total = sum(float(str(cost)) for cost in costs if cost != "unknown")
    calls = sum(int(str(row["agentops_llm_calls"])) for _, row in tests)
    tokens = sum(int(str(row["agentops_tokens"])) for _, row in tests)
    yield (
        f"{len(tests)} tests with agents: ${total:.6g}{f' and {unknown} of unknown cost' if unknown else ''}, "
        f"{tokens:,} tokens, {calls} model calls"
    )
    tests.sort(key=lambda pair: -float(str(pair[1]["agentops_duration"])))
    yield "slowest:"
    for report, row in tests[:_SLOWEST]:
        cost = row["agentops_cost"]
        yield (
            f"  {float(str(row['agentops_duration'])):8.3f} s  {cost if cost == 'unknown' else f'${cost}':>12}  "
            f"{int(str(row['agentops_tokens'])):>8,} tokens  {row['agentops_llm_calls']:>3} calls  {report.nodeid}"
        )


def kept(reports: list[pytest.TestReport]) -> list[str]:
    """The commands that show the traces which were kept."""
    return [f"agentops show {value}" for report in reports for name, value in report.user_properties
            if name == "agentops_kept" and report.when == "call"]  # fmt: skip
