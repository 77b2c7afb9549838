"""What is added up by the column, one file at a time, is what the trees of all runs add up to, to the last digit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.store.runs import PRICE, USAGE, chat, runs
from tests.traces.samples import run, span, troubled

from agentops_sdk import semconv
from agentops_sdk.traces import load
from agentops_sdk.traces.figures.plain_runs import KEYS
from agentops_sdk.traces.figures.tables import stats
from agentops_sdk.traces.formats.line_index import index_of
from agentops_sdk.traces.summed_files import sums_of_files

if TYPE_CHECKING:
    from pathlib import Path

    from agentops_sdk.traces.record import SpanRecord

FIRST, SECOND = "20260101T000000Z-1-00000001.jsonl", "20260101T000000Z-2-00000002.jsonl"


def more(first: int, count: int = 120) -> list[SpanRecord]:
    """Runs, most of them plain: prices whose binary forms do not add up, estimates, refusals, first chunks, noise."""
    records: list[SpanRecord] = []
    for number in range(first, first + count):
        trace_id = f"{number:032x}"
        hour = number * 3_600_000
        top = span("invoke_agent a", {"agentops.kind": "agent"}, trace_id=trace_id, at=hour)
        told: dict[str, Any] = {
            **chat("gpt-4o" if number % 3 else "llama"), **USAGE, **PRICE, "agentops.cost.amount": number / 1e7 + 0.1,
            "gen_ai.response.time_to_first_chunk": number / 7, "gen_ai.usage.cache_read.input_tokens": number,
            "noise": "x" * 700,
        }  # fmt: skip
        if number % 5 == 0:
            told["agentops.usage.source"] = "estimated"
        if number % 4 == 0:
            told |= {"agentops.cost.unknown_reason": "no price known"}
            del told["agentops.cost.amount"]
        if number % 11 == 0:
            told["agentops.cost.amount"] = -0.5 if number % 2 else 1  # a refund; no float
        failed = number % 7 == 0
        if failed and number % 2:
            told = chat("gpt-4o", agentops__outcome="error", agentops__decision__name=("breaker", "x")[number % 3 % 2])
        status = "error" if failed else "unset"
        outer = span("chat", told, trace_id=trace_id, at=hour + 1, took=number, parent=top, status=status)
        records += [top, outer, span("chat", chat("silent"), trace_id=trace_id, at=hour + 1, took=2, parent=top)]
        if number % 13 == 0:
            records.append(span("chat", {**chat("inner"), **USAGE}, trace_id=trace_id, at=hour + 2, parent=outer))
        if number % 17 == 0:
            records.append(records[-2])
        if number % 19 == 0:
            records.remove(top)
    return records


def write(path: Path, records: list[SpanRecord], end: str = "") -> None:
    path.write_text("".join(record.model_dump_json(exclude_unset=True) + "\n" for record in records) + end)


@pytest.mark.parametrize("by", KEYS)
def test_sums_are_those_of_the_trees(tmp_path: Path, by: str) -> None:
    begun = {semconv.OPERATION_NAME: "chat", semconv.USAGE_OF: "b-1", semconv.RESPONSE_STATUS: "queued"}
    ended = {**begun, semconv.RESPONSE_STATUS: "completed", semconv.USAGE_INPUT_TOKENS: 9}
    over_both = more(400, 1)
    write(tmp_path / FIRST, [*more(1), *run(), span("batch", begun, trace_id="d" * 32), *over_both[:2]], "no span\n")
    write(tmp_path / SECOND, [*more(200), span("batch", ended, at=9, trace_id="e" * 32), *over_both[2:]], '{"v":1,"t')
    write(tmp_path / "mine.jsonl", [*runs(), *troubled(), *more(500, 9)])
    expected = stats(load(tmp_path), by)
    for path in tmp_path.glob("*.index"):
        path.unlink()
    for _ in range(2):  # without indexes, and with them
        summed = sums_of_files(tmp_path, by)
        assert summed is not None
        assert [row.as_dict() for row in summed.stats.rows] == [row.as_dict() for row in expected.rows]
        assert summed.stats.total.as_dict() == expected.total.as_dict()
        assert (summed.read.torn, summed.read.foreign, len(summed.read.files)) == (1, 1, 3)
        assert index_of(tmp_path / FIRST).exists()
        assert index_of(tmp_path / SECOND).exists()
    one = sums_of_files(tmp_path / "mine.jsonl", by)
    assert one is not None
    assert one.stats.total.as_dict() == stats(load(tmp_path / "mine.jsonl"), by).total.as_dict()
    assert 0 < len(summed.read) < len(load(tmp_path)) / 2, "most runs are added up without their trees"


def test_what_takes_all_runs_is_left_to_them(tmp_path: Path) -> None:
    two = [runs()[2], runs()[2].model_copy(update={"trace_id": "c" * 32}, deep=True)]
    two[1].attributes[semconv.COST_CURRENCY] = "EUR"
    write(tmp_path / "two.jsonl", two)
    assert sums_of_files(tmp_path, "model") is None
    assert sums_of_files(tmp_path, "agent") is None
    (tmp_path / "two.jsonl").unlink()
    assert sums_of_files(tmp_path, "model") is None
