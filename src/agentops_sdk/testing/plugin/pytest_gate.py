"""``--agentops-baseline``: the runs of all tests judged against those of an earlier test run."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agentops_sdk.errors import AgentOpsError
from agentops_sdk.gates.gate_outputs import figure, moved
from agentops_sdk.gates.gate_rules import DEFAULT, read_rules
from agentops_sdk.gates.gate_verdict import judge
from agentops_sdk.traces.places import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentops_sdk.gates.gate_rules import GateRule
    from agentops_sdk.gates.gate_verdict import GateVerdict

__all__ = ["begin", "judged", "lines"]


def begin(config: pytest.Config) -> None:
    """Check what was asked for, and find a place for the runs where none was named."""
    option = config.option
    if not Path(option.agentops_baseline).exists():
        raise pytest.UsageError(f"--agentops-baseline: there is no {option.agentops_baseline}")
    try:
        _rules(option)
    except AgentOpsError as error:
        raise pytest.UsageError(f"--agentops-rules: {error}") from None
    if not option.agentops_keep:
        folder = tempfile.TemporaryDirectory(prefix="agentops-candidate-")
        config.add_cleanup(folder.cleanup)
        option.agentops_keep = folder.name


def judged(config: pytest.Config) -> GateVerdict | str:
    """The verdict over the runs that were kept, or why there is none."""
    option = config.option
    try:
        baseline, candidate = load(option.agentops_baseline), load(option.agentops_keep)
        verdict = judge(baseline, candidate, _rules(option))
        return replace(verdict, not_read=(*baseline.not_read, *candidate.not_read))
    except AgentOpsError as error:
        return str(error)


def _rules(option: Any) -> tuple[GateRule, ...]:
    """Without a file the usual ones, but for latency: the machine may be another one than that of the baseline."""
    if option.agentops_rules:
        return read_rules(option.agentops_rules)
    return tuple(rule for rule in DEFAULT if rule.table != "latency")


def lines(verdict: GateVerdict | str) -> Iterator[str]:
    """What the summary says."""
    if isinstance(verdict, str):
        yield f"gate: no data: {verdict}"
        return
    yield f"gate: {verdict.word}, {verdict.candidate} runs against {verdict.baseline} of the baseline"
    for sentence in verdict.not_read:
        yield f"  not read: {sentence}"
    for check in verdict.checks:
        if check.verdict not in ("pass", "unknown") or (check.verdict == "unknown" and check.written):
            facts = f"{figure(check, check.baseline)} -> {figure(check, check.candidate)} {moved(check)}".strip()
            remark = f": {check.remark}" if check.remark else ""
            yield f"  {check.verdict}: {check.name} {facts} ({check.limit}){remark}"
