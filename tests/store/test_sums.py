"""What DuckDB adds up by itself is what the readers add up, to the last digit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.store.runs import PRICE, USAGE, chat, runs
from tests.traces.samples import span

from agentops_sdk.cli import main
from agentops_sdk.traces.figures.tables import stats
from agentops_sdk.traces.files import load

if TYPE_CHECKING:
    from pathlib import Path

    from agentops_sdk.traces.record import SpanRecord

pytest.importorskip("duckdb", reason="the extra duckdb is not installed")

from agentops_sdk.store import duckdb_sums


def more() -> list[SpanRecord]:
    """Runs that are plain: prices whose binary forms do not add up, estimates, refusals, times to the first chunk."""
    records: list[SpanRecord] = []
    for number in range(1, 30):
        trace_id = f"{number:032x}"
        top = span("invoke_agent a", {"agentops.kind": "agent"}, trace_id=trace_id, at=number * 3_600_000)
        failed = number % 7 == 0
        told: dict[str, Any] = {
            **chat("gpt-4o" if number % 3 else "llama"), **USAGE, **PRICE, "agentops.cost.amount": number / 1e7 + 0.1,
            "gen_ai.response.time_to_first_chunk": number / 7, "gen_ai.usage.cache_read.input_tokens": number,
        }  # fmt: skip
        if number % 5 == 0:
            told["agentops.usage.source"] = "estimated"
        if number % 4 == 0:
            told |= {"agentops.cost.unknown_reason": "no price known"}
            del told["agentops.cost.amount"]
        if failed:
            told = chat("gpt-4o", agentops__outcome="error")
        status = "error" if failed else "unset"
        at = number * 3_600_000 + 1
        records += [top, span("chat", told, trace_id=trace_id, at=at, took=number, parent=top, status=status)]
        records.append(span("chat", chat("silent"), trace_id=trace_id, at=at, took=2, parent=top))
    return records


def write(path: Path, records: list[SpanRecord], end: str = "") -> Path:
    path.write_text("".join(record.model_dump_json(exclude_unset=True) + "\n" for record in records) + end)
    return path


@pytest.mark.parametrize("by", duckdb_sums.KEYS)
def test_the_sums_over_parquet_are_those_of_the_readers(
    tmp_path: Path, by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "20260101T000000Z-1-00000001.jsonl", [*runs(), *more()])
    expected = stats(load(file), by)
    assert main(["compact", str(file)]) == 0
    capsys.readouterr()
    assert main(["stats", "--by", by, "--json", "--from", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["total"] == json.loads(json.dumps(expected.total.as_dict()))
    assert [row["cost"] for row in told["rows"]] == [row.as_dict()["cost"] for row in expected.rows]
