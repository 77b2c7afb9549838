"""What a packed file says of its runs is what their spans say, and is not believed of runs that lie elsewhere, too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.store.runs import chat, deciding, more, runs
from tests.traces.samples import span

from agentops_sdk.cli import main

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agentops_sdk.traces.record import SpanRecord

pytest.importorskip("duckdb", reason="the extra duckdb is not installed")

import duckdb

from agentops_sdk.store import duckdb_comparison
from agentops_sdk.store.duckdb_store import DuckDBStore
from agentops_sdk.store.run_rules import RUN_COLUMNS, figures_of, inferred_of, unusual_of
from agentops_sdk.store.run_sorting import sort_runs

SIDES = ("metadata.release=2.0", "metadata.release=2.1")


def write(path: Path, records: Sequence[SpanRecord]) -> Path:
    path.write_text("".join(record.model_dump_json(exclude_unset=True) + "\n" for record in records))
    return path


def fetched() -> list[SpanRecord]:
    """Work that one run begins and another one fetches."""
    begun = chat("gpt-4o", gen_ai__response__id="resp-1")
    behind = chat("gpt-4o", gen_ai__response__id="resp-1", agentops__usage__of="resp-1") | {
        "gen_ai.operation.name": "fetch_response"
    }
    return [span("chat", begun, trace_id=f"{0x7001:032x}"), span("fetch", behind, trace_id=f"{0x7002:032x}", at=99)]


def packed(folder: Path, parts: Sequence[Sequence[SpanRecord]]) -> Path:
    folder.mkdir()
    for number, part in enumerate(parts):
        write(folder / f"20260101T000000Z-1-{number:08x}.jsonl", part)
    assert main(["compact", "--dir", str(folder)]) == 0
    return folder


def as_before(path: Path) -> None:
    """Make of a packed file what an earlier version would have."""
    old = path.with_suffix(".old")
    with duckdb.connect() as connection:
        query = f"SELECT * EXCLUDE (first_chunk_s, {', '.join(RUN_COLUMNS.values())}) FROM '{path}'"
        connection.execute(f"COPY ({query}) TO '{old}' (FORMAT parquet)")
    old.replace(path)


@pytest.mark.parametrize("infers", [False, True])
def test_what_a_packed_file_says_of_its_runs_is_what_their_spans_say(tmp_path: Path, *, infers: bool) -> None:
    store = DuckDBStore(packed(tmp_path / "packed", [[*runs(), *more()], deciding(), fetched()]))
    looked_at = sort_runs(store, infers=infers)
    assert store.own("SELECT count(*) FROM loose") == [(0,)]  # no span was looked at
    told = set(store.own("SELECT trace_id FROM unusual"))
    store.own(f"CREATE TEMP TABLE seen AS {unusual_of('stored')}")
    if infers:
        store.own(f"INSERT INTO seen {inferred_of('stored')}")
    seen = set(store.own("SELECT trace_id FROM seen"))
    assert told == seen | {(f"{0x7001:032x}",)}  # what it began is fetched by another one
    assert (looked_at.figures == "") is not infers
    expected = store.own(figures_of("(SELECT * FROM stored ANTI JOIN unusual USING (trace_id))"))
    assert not infers or sorted(store.own(looked_at.figures)) == sorted(expected)
    assert looked_at.plain == len(expected) > 20


@pytest.mark.parametrize(
    "laid", ["in several files", "packed by an earlier version", "packed by none that told", "beside lines too"]
)
def test_wherever_runs_lie_the_tables_are_the_same(
    laid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(duckdb_comparison, "_FEW", 0)
    records = [*runs(), *more(), *deciding(), *fetched()]
    (tmp_path / "lines").mkdir()
    write(tmp_path / "lines" / "20260101T000000Z-1-00000009.jsonl", records)

    def told(place: Path) -> list[object]:
        answers: list[object] = []
        for words in (["stats"], ["stats", "--by", "day"], ["compare", *SIDES]):
            assert main([*words, "--json", "--from", str(place)]) == 0
            answers.append(json.loads(capsys.readouterr().out))
        return answers

    expected = told(tmp_path / "lines")
    parts = [records[:60], records[60:]] if laid.startswith("packed") else [records[0::3], records[1::3], records[2::3]]
    folder = packed(tmp_path / "packed", parts)
    capsys.readouterr()
    if not laid.startswith("in"):
        for path in sorted(folder.glob("*.parquet"))[: None if "none" in laid else 1]:
            as_before(path)
    if laid.startswith("beside"):
        assert main(["compact", "--back", str(max(folder.glob("*.parquet")))]) == 0
        capsys.readouterr()
    with monkeypatch.context() as patches:
        patches.setattr("agentops_sdk.cli.compare.side", None)  # the readers are not asked for the whole
        assert told(folder) == expected


def test_many_small_files_are_read_by_one_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = more()
    folder = packed(tmp_path / "packed", [records[at : at + 3] for at in range(0, 18, 3)])
    engines: list[object] = []
    connect = duckdb.connect
    monkeypatch.setattr(duckdb, "connect", lambda *args: engines.append(connect(*args)) or engines[-1])
    assert main(["stats", "--from", str(folder)]) == 0
    assert len(engines) <= 2  # the store's, and the one that told which files are ours
