"""Ended spans as a tree that people can read and compare."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

OUTCOME, KIND = "agentops.outcome", "agentops.kind"


def tree(spans: Iterable[Any], *, internal: bool = False) -> str:
    """One line for each span: its name, how it ended, and what tells most; siblings in the order of their start.

    Siblings that ran in parallel are sorted by name: their order is chance. Internal steps are left out, their children
    move up.
    """
    spans = list(spans)
    known = {span.context.span_id for span in spans}
    below: dict[int | None, list[Any]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: span.start_time):
        parent = span.parent.span_id if span.parent is not None else None
        below[parent if parent in known else None].append(span)

    def lines(parent: int | None, depth: int) -> list[str]:
        made: list[str] = []
        for span in _stable(below[parent]):
            folded = span.attributes.get("agentops.internal") and not internal
            if not folded:
                made.append("  " * depth + line(span))
            made += lines(span.context.span_id, depth if folded else depth + 1)
        return made

    return "\n".join(lines(None, 0)) + "\n"


def _stable(siblings: Sequence[Any]) -> list[Any]:
    """Runs of siblings that overlap in time, each sorted by name."""
    made: list[Any] = []
    group: list[Any] = []
    end = 0
    for span in siblings:
        if group and span.start_time >= end:
            made += sorted(group, key=lambda span: span.name)
            group = []
        group.append(span)
        end = max(end, span.end_time) if len(group) > 1 else span.end_time
    return made + sorted(group, key=lambda span: span.name)


def line(span: Any) -> str:
    told = dict(span.attributes)
    notes = []
    if told[OUTCOME] != "ok":
        notes.append(told[OUTCOME] + (f" {told['error.type']}" if "error.type" in told else ""))
    if told[KIND] == "llm":
        if "gen_ai.usage.input_tokens" in told:
            notes.append("tokens")
        if told.get("gen_ai.request.stream"):
            notes.append("streamed")
    if "agentops.graph.step" in told:
        notes.append(f"step {told['agentops.graph.step']}")
    if "agentops.attempt" in told:
        notes.append(f"attempt {told['agentops.attempt']}")
    if "agentops.graph.next" in told:
        notes.append("→ " + ", ".join(told["agentops.graph.next"]))
    if "agentops.decision.chosen" in told:
        options = json.loads(told.get("agentops.decision.options", "[]"))
        names = "|".join(sorted(option["name"] if isinstance(option, dict) else str(option) for option in options))
        notes.append(f"{told['agentops.decision.name']}: {told['agentops.decision.chosen']}"
                     + (f" of {names}" if names else ""))  # fmt: skip
    if span.links:
        notes.append("linked")
    name = told.get("gen_ai.agent.name")
    if name and told[KIND] != "agent":
        notes.append(f"by {name}")
    return span.name + "".join(f"  [{note}]" for note in notes)
