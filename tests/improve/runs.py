"""Runs to judge: each a workflow with one model call, a decision and maybe a verdict."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from tests.traces.samples import span

from agentops_sdk import semconv
from agentops_sdk.traces import SpanRecord
from agentops_sdk.traces.record import EventRecord

_numbers = itertools.count(1)


def run(
    *, cost: float | None = 0.01, took: float = 1_000, tokens: int = 100, outcome: str = "ok", choice: str = "refund",
    score: float | None = None, scored: str = "helpful", variant: str | None = None, at: float = 0,
    model: str = "gpt-4o-mini", release: str = "", **attributes: Any,
) -> list[SpanRecord]:  # fmt: skip
    """The records of one run; ``took`` and ``at`` are milliseconds."""
    trace_id = f"{next(_numbers):032x}"
    told = {semconv.SERVICE_VERSION: release} if release else {}
    root = span(
        "desk", {semconv.KIND: "workflow", semconv.OUTCOME: outcome, **attributes}, at=at, took=took, trace_id=trace_id,
        resource=told, outcome=outcome,
    )  # fmt: skip
    priced = {semconv.COST_AMOUNT: cost} if cost is not None else {semconv.COST_UNKNOWN_REASON: "no price"}
    call = span(
        f"chat {model}",
        {semconv.KIND: "llm", semconv.REQUEST_MODEL: model, semconv.USAGE_INPUT_TOKENS: tokens, **priced},
        parent=root, at=at + 1, took=took / 2, trace_id=trace_id, resource=told,
    )  # fmt: skip
    stated = span(
        "decision route",
        {semconv.KIND: "decision", semconv.DECISION_NAME: "route", semconv.DECISION_CHOSEN: choice},
        parent=root, at=at + 2, took=1, trace_id=trace_id, resource=told,
    )  # fmt: skip
    records = [root, call, stated]
    if variant is not None:
        which = {
            semconv.KIND: "decision", semconv.DECISION_NAME: "variant prompt", semconv.DECISION_CHOSEN: variant,
            semconv.DECISION_BY: "code", semconv.DECISION_BY_NAME: "variant",
        }  # fmt: skip
        records.append(span("decision", which, parent=root, at=at + 3, took=1, trace_id=trace_id, resource=told))
    if score is not None:
        verdict = {semconv.EVALUATION_NAME: scored, semconv.EVALUATION_SCORE_VALUE: score}
        event = EventRecord(name=semconv.EVALUATION_EVENT, time_ns=root.end_ns, attributes=verdict)
        judged = span(
            "evaluate helpful", {semconv.KIND: "span", semconv.FEEDBACK_TARGET: "trace"}, parent=root, at=at + took,
            took=0, trace_id=trace_id, resource=told,
        )  # fmt: skip
        records.append(judged.model_copy(update={"events": [event]}))
    return records


def write(path: Path, *runs: list[SpanRecord]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [record.model_dump_json(exclude_unset=True) + "\n" for records in runs for record in records]
    path.write_text("".join(lines), encoding="utf-8")
    return path
