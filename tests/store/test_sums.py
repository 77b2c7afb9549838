"""What DuckDB adds up by itself is what the readers add up, to the last digit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.store.runs import deciding, more, runs

from agentops_sdk.cli import main
from agentops_sdk.traces.figures.tables import stats
from agentops_sdk.traces.places import load

if TYPE_CHECKING:
    from pathlib import Path

    from agentops_sdk.traces.record import SpanRecord

pytest.importorskip("duckdb", reason="the extra duckdb is not installed")

from agentops_sdk.store import duckdb_comparison, duckdb_dialect, duckdb_sums
from agentops_sdk.store.duckdb_store import DuckDBStore


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


@pytest.mark.parametrize(
    "sides",
    [("metadata.release=2.0", "metadata.release=2.1"), ("metadata.release>1.9", "metadata.release!=2.0"),
     ("2026-08-01..2026-08-07", "2026-08-07.."), ("release=1", "release=1")],
    ids=str,
)  # fmt: skip
def test_a_comparison_over_parquet_is_that_of_the_readers(
    sides: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(duckdb_comparison, "_FEW", 0)
    file = write(tmp_path / "20260101T000000Z-1-00000001.jsonl", [*runs(), *more(), *deciding()])
    words = ["compare", *sides, "--from", str(tmp_path)]
    shown = main(words), capsys.readouterr().out
    words.append("--json")
    code = main(words)
    expected = capsys.readouterr().out
    assert main(["compact", str(file)]) == 0
    capsys.readouterr()
    with monkeypatch.context() as patches:
        if code == 0:  # the readers are not asked for the whole
            patches.setattr("agentops_sdk.cli.compare.side", None)
        assert main(words) == code
        assert capsys.readouterr().out == expected
        assert (main(words[:-1]), capsys.readouterr().out) == shown


def test_one_run_beside_many_is_no_reason_to_read_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "20260101T000000Z-1-00000001.jsonl", [*runs(), *deciding()])
    words = ["compare", "metadata.release=1.0", "metadata.release!=1.0", "--from", str(tmp_path)]
    assert main(words) == 0
    expected = capsys.readouterr().out
    assert main(["compact", str(file)]) == 0
    capsys.readouterr()
    monkeypatch.setattr(duckdb_comparison, "_FEW", 20)
    monkeypatch.setattr("agentops_sdk.cli.compare.side", None)  # the readers are not asked for the whole
    assert main(words) == 0
    assert capsys.readouterr().out == expected
    assert "(000000" in expected  # which run it is


def test_what_an_earlier_version_packed_is_compared_by_the_readers(tmp_path: Path) -> None:
    import duckdb

    write(tmp_path / "lines.jsonl", more())
    assert main(["compact", str(tmp_path / "lines.jsonl")]) == 0
    (packed,) = tmp_path.glob("*.parquet")
    old = tmp_path / "old"
    with duckdb.connect() as connection:
        query = f"SELECT * EXCLUDE ({', '.join(duckdb_dialect.KEYS)}) FROM '{packed}'"
        connection.execute(f"COPY ({query}) TO '{old}' (FORMAT parquet)")
    old.replace(packed)
    assert duckdb_comparison.comparison(DuckDBStore(tmp_path), "2026-08-01..", "..2026-08-30") is None
    assert main(["compare", "2026-08-01..", "..2026-08-30", "--from", str(tmp_path)]) == 0
