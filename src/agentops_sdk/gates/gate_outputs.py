"""What a gate says to a CI system: JUnit XML, and Markdown for a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as Tree

from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    from agentops_sdk.gates.gate_verdict import Check, GateVerdict

__all__ = ["figure", "junit", "markdown", "moved"]

_MARKS: Final = {"pass": "✅", "fail": "❌", "undecided": "➖", "unknown": "❔"}


def figure(check: Check, value: float | None) -> str:
    """A figure of a check, for people."""
    if value is None:
        return "unknown"
    table = check.name.partition(".")[0].partition(" ")[0]
    if table in ("errors", "unfinished", "decisions"):
        return f"{value * 100:.3g} %"
    if table == "latency":
        return f"{value:.3g} s"
    return f"{value:,.0f}" if table == "tokens" else f"{value:.4g}"


def moved(check: Check) -> str:
    """The change of a check, for people; empty where there is none."""
    if check.change is None:
        return ""
    table = check.name.partition(".")[0].partition(" ")[0]
    if table == "scores":
        return f"{check.change:+.3g}"
    return f"{check.change * 100:+.3g} {'%' if table in ('cost', 'latency', 'tokens') else 'points'}"


def junit(verdict: GateVerdict) -> str:
    """A test suite with a case for each check: what failed is a failure, what has no data is skipped or an error."""
    suite = Tree.Element(
        "testsuite", name="agentops gate", tests=str(len(verdict.checks) + len(verdict.not_read)),
        failures=str(len(verdict.failed)),
        errors=str(sum(_is_error(check) for check in verdict.checks) + len(verdict.not_read)),
        skipped=str(sum(_is_skipped(check) for check in verdict.checks)),
    )  # fmt: skip
    for check in verdict.checks:
        case = Tree.SubElement(suite, "testcase", classname="agentops.gate", name=line(f"{check.name}: {check.limit}"))
        said = line(_sentence(check), 2_000)
        if check.verdict == "fail":
            Tree.SubElement(case, "failure", message=said).text = said
        elif _is_error(check):
            Tree.SubElement(case, "error", message=said)
        elif _is_skipped(check):
            Tree.SubElement(case, "skipped", message=said)
        Tree.SubElement(case, "system-out").text = said
    for number, sentence in enumerate(verdict.not_read, 1):
        case = Tree.SubElement(suite, "testcase", classname="agentops.gate", name=f"not read: {number}")
        Tree.SubElement(case, "error", message=line(sentence, 2_000))
    return Tree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _is_error(check: Check) -> bool:
    return check.verdict == "unknown" and check.written


def _is_skipped(check: Check) -> bool:
    return check.verdict == "undecided" or (check.verdict == "unknown" and not check.written)


def _sentence(check: Check) -> str:
    parts = [f"baseline {figure(check, check.baseline)}", f"candidate {figure(check, check.candidate)}"]
    parts += [part for part in (moved(check), check.limit, check.remark) if part]
    return f"{check.verdict}: {', '.join(parts)}"


def markdown(verdict: GateVerdict) -> str:
    """A table, for a pull request or a job's summary."""
    lines = [
        f"### agentops gate: {verdict.word}",
        "",
        f"{verdict.candidate:,} runs of the candidate against {verdict.baseline:,} of the baseline"
        + (", looked at again and again" if verdict.sequential else "")
        + ".",
        "",
        "| | Check | Baseline | Candidate | Change | Limit | |",
        "|---|---|---:|---:|---:|---|---|",
    ]
    for check in sorted(verdict.checks, key=lambda each: each.verdict != "fail"):
        cells = (
            _MARKS[check.verdict], check.name, figure(check, check.baseline), figure(check, check.candidate),
            moved(check), check.limit, check.remark,
        )  # fmt: skip
        lines.append("| " + " | ".join(line(cell, 500).replace("|", "\\|") for cell in cells) + " |")
    lines += ["", *(f"- not read: {line(sentence, 500)}" for sentence in verdict.not_read)] if verdict.not_read else []
    return "\n".join(lines) + "\n"
