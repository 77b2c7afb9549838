"""The same questions, the same answers: of files, of Parquet and of the Collector's two tables."""

from __future__ import annotations

import gzip
import importlib.util
import json
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests.store.runs import FOUR, ONE, THREE, TWO, deciding, more, runs
from tests.traces.samples import span

from agentops_sdk.cli import main
from agentops_sdk.errors import AgentOpsError
from agentops_sdk.store.stored_traces import StoredTraces
from agentops_sdk.store.views import VIEWS
from agentops_sdk.traces.figures.comparison import compare
from agentops_sdk.traces.figures.tables import BY, stats
from agentops_sdk.traces.places import load
from agentops_sdk.traces.record import ScopeRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agentops_sdk.store.result import Store

ENGINES = ("duckdb", "clickhouse", "clickhouse-json")


@pytest.fixture(scope="session", params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The runs in an engine."""
    name = str(request.param)
    if name == "duckdb":
        pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
        from agentops_sdk.store.duckdb_store import DuckDBStore

        path = tmp_path_factory.mktemp("files") / "one.jsonl"
        path.write_text("".join(record.model_dump_json(exclude_unset=True) + "\n" for record in runs()))
        return DuckDBStore(path)
    if importlib.util.find_spec("chdb") is None:
        pytest.skip("chdb, which is ClickHouse in a process, is not installed")
    from agentops_sdk.store.clickhouse_store import ClickHouseStore

    engine = request.getfixturevalue("clickhouse")
    table = f"spans_{name.replace('-', '_')}"
    engine.fill(table, runs(), is_json=name.endswith("json"))
    return ClickHouseStore(engine, table)


def answer(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return list(store.query(sql).rows)


def test_the_views_have_the_same_columns_in_every_engine(store: Store) -> None:
    only_files = {"events", "links"}
    for view in VIEWS:
        names = [name for name in store.query(f"SELECT * FROM {view} LIMIT 0").names if name not in only_files]
        assert names, view
        seen = _COLUMNS.setdefault(view, names)
        assert names == seen, view


_COLUMNS: dict[str, list[str]] = {}


def test_a_call_that_two_layers_saw_counts_once_and_an_unknown_price_is_null(store: Store) -> None:
    rows = answer(store, "SELECT model, input_tokens, cost FROM llm_calls ORDER BY start_ns")
    assert rows == [("gpt-4o", 100, 0.25), ("llama", 100, None), ("gpt-4o", None, None)]


def test_a_run_has_its_figures_its_outcome_and_what_people_think_of_it(store: Store) -> None:
    columns = "name, outcome, llm_calls, tool_calls, errors, models, input_tokens, cost, cost_unknown, ratings, score"
    rows = {row[0]: row[1:] for row in answer(store, f"SELECT trace_id, {columns} FROM traces")}
    assert rows[ONE] == ("invoke_agent planner", "ok", 2, 1, 0, "gpt-4o, llama", 200, 0.26, 1, 1, 1.0)
    assert rows[TWO] == ("invoke_agent writer", "error", 1, 0, 2, "gpt-4o", None, None, 0, 0, None)
    assert rows[THREE] == ("invoke_agent whole", "ok", 0, 0, 0, "", 100, 0.25, 0, 0, None)
    assert (rows[FOUR][1], *rows[FOUR][-2:]) == ("cancelled", 1, None)


def test_what_is_thought_of_a_session_is_no_run(tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
    from agentops_sdk.store.duckdb_store import DuckDBStore

    attributes = {"gen_ai.evaluation.name": "visit", "agentops.feedback.target": "session", "session.id": "s-1"}
    result = {"name": "gen_ai.evaluation.result", "time_ns": 1, "attributes": {"gen_ai.evaluation.name": "visit"}}
    verdict = span("evaluate visit", trace_id="e" * 32, attributes=attributes, events=[result])
    path = tmp_path / "one.jsonl"
    path.write_text("".join(f"{record.model_dump_json(exclude_unset=True)}\n" for record in (*runs(), verdict)))
    store = DuckDBStore(path)
    assert answer(store, "SELECT target FROM feedback WHERE name = 'visit'") == [("session",)]
    assert answer(store, "SELECT count(*) FROM traces") == [(len({record.trace_id for record in runs()}),)]


def test_times_are_utc_and_compare_with_the_present(store: Store) -> None:
    asked = "SELECT count(*) FROM traces WHERE start_time > now() - INTERVAL 20 YEAR AND end_time < now()"
    assert answer(store, asked) == answer(store, "SELECT count(*) FROM traces WHERE end_time IS NOT NULL")
    if type(store).__name__ == "DuckDBStore":  # which would take the machine's zone
        assert answer(store, "SELECT current_setting('TimeZone')") == [("UTC",)]


def test_decisions_tools_and_feedback_are_told(store: Store) -> None:
    asked = "SELECT name, chosen, options, confidence, decided_by FROM decisions ORDER BY name"
    options = '[{"name":"search"},{"name":"mail"}]'
    assert answer(store, asked) == [
        ("edge", "end", None, None, None),
        ("route", "yes", None, 0.75, "code"),
        ("tool choice", "search", options, None, "model"),
    ]
    assert answer(store, "SELECT tool, call_id, arguments, result FROM tool_calls") == [
        ("search", "c1", '{"q":1}', None)
    ]
    feedback = answer(store, "SELECT trace_id, name, score, label, comment, target FROM feedback ORDER BY trace_id")
    assert feedback == [
        (ONE, "helpful", 1.0, None, None, "span"),
        (FOUR, "helpful", None, "no", "too long", "span"),
    ]
    assert answer(store, "WITH few AS (SELECT agent FROM agents) SELECT count(*) FROM few") == [(3,)]


@pytest.mark.parametrize("by", BY)
def test_stats_of_a_store_are_those_of_the_files(store: Store, by: str) -> None:
    from_files, from_store = stats(load(runs()), by), stats(StoredTraces(store), by)
    assert [row.as_dict() for row in from_store.rows] == [row.as_dict() for row in from_files.rows]
    assert from_store.total.as_dict() == from_files.total.as_dict()


def test_a_fleet_adds_up_what_can_be_added(
    store: Store, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.engine != "ClickHouse":
        pytest.skip("of files this is asked in test_sums.py")
    from agentops_sdk.store.clickhouse_store import ClickHouseStore

    engine, is_json = request.getfixturevalue("clickhouse"), cast("ClickHouseStore", store).is_json
    every = [*runs(), *more(), *deciding()]
    engine.fill("many_spans", [*every, every[-1]], is_json=is_json)  # the exporter writes a batch twice after a timeout
    many = StoredTraces(ClickHouseStore(engine, "many_spans"))
    monkeypatch.setattr(many, "_batch", None)  # no run is fetched one by one
    for by in ("model", "service", "day", "hour"):
        table, expected = many.sums(by), stats(load(every), by)
        assert table is not None
        assert table.total.as_dict() == expected.total.as_dict()
        assert [row.as_dict() for row in table.rows] == [row.as_dict() for row in expected.rows]


@pytest.mark.parametrize(
    "filters",
    [
        {"session": "s-*"}, {"user": "u'1"}, {"agent": "planner"}, {"model": "llama"}, {"tool": "search"},
        {"tag": "eu"}, {"service": "demo"}, {"outcome": ["error", "cancelled"]}, {"errors": True},
        {"since": "2026-08-06T07:06:48Z"}, {"until": "2026-08-06T07:06:48Z"}, {"min_cost": "0.2"},
        {"slower_than": "1s"}, {"text": "ä ö"}, {"where": "metadata.release=1.1"}, {"where": "metadata.score > 5"},
        {"where": "name ~ planner"},
        {"agent": "planner", "where": "gen_ai.usage.input_tokens >= 100"},
    ],
)  # fmt: skip
def test_filters_choose_the_same_runs(store: Store, filters: dict[str, Any]) -> None:
    files = load(runs()).where(**filters)
    assert StoredTraces(store).where(**filters).ids == files.ids
    assert 0 < len(files) < 5


def test_no_run_of_a_comparison_is_fetched_twice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Sequence[str]] = []
    lines = store.lines
    monkeypatch.setattr(store, "lines", lambda ids, began=None: (fetched.append(ids), lines(ids, began))[1])
    traces = StoredTraces(store, ["agentops.metadata.release"])
    sides = [[trace.spans for trace in traces.where(f"metadata.release{text}")] for text in ("=1.1", "!=1.1")]
    assert any(sides)
    every = [each for ids in fetched for each in ids]
    assert len(every) == len(set(every)) > 0


@pytest.mark.parametrize(
    "text", ["metadata.release=2.0", "metadata.release!=2.0", "service.name=demo", "gen_ai.request.model=m9"]
)
def test_a_fleet_is_asked_only_for_the_runs_of_a_side_and_only_about_their_time(
    store: Store, text: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.engine != "ClickHouse":
        pytest.skip("files are compared in test_sums.py")
    from agentops_sdk.store import stored_traces
    from agentops_sdk.store.clickhouse_store import ClickHouseStore

    engine, is_json = request.getfixturevalue("clickhouse"), cast("ClickHouseStore", store).is_json
    told = {"openinference.span.kind": "LLM", "llm.model_name": "m9", "metadata.release": "2.0"}
    other = span("ask", told, trace_id="f" * 32, at=10**9).model_copy(update={"scope": ScopeRecord(name="other")})
    late = span("late", {}, trace_id="f" * 32, at=10**9 + 9_000_000, parent=other)
    records = [*runs(), *more(), *deciding(), other, late]
    engine.fill("sides", records, is_json=is_json)
    fleet, fetched = ClickHouseStore(engine, "sides"), []
    lines = fleet.lines
    monkeypatch.setattr(fleet, "lines", lambda ids, began=None: (fetched.append(began), lines(ids, began))[1])
    monkeypatch.setattr(stored_traces, "_RUNS", 3)
    files = load([record.model_dump_json(exclude_unset=True) for record in records]).where(text)
    some = StoredTraces(fleet).where(text)
    assert files.ids
    assert some.ids == files.ids
    assert [[step.name for step in each.spans] for each in some] == [
        [step.name for step in each.spans] for each in files
    ]
    batches = [began for began in fetched if began is not None]
    assert len(files) < 2 or any(last is not None for _, last in batches)
    if not is_json and text.startswith("metadata"):
        assert len(batches) <= -(-len(files) // 3) + 1  # those that are chosen, and once what others recorded


def test_a_run_is_shown_as_its_file_would_be(store: Store) -> None:
    files, stored = load(runs()), StoredTraces(store)
    assert stored.ids == files.ids
    for trace_id in files.ids:
        one, other = files[trace_id], stored[trace_id]
        assert other.tree(messages=True) == one.tree(messages=True)
        assert [decision.name for decision in other.decisions] == [decision.name for decision in one.decisions]
        for record, same in zip(one.spans, other.spans, strict=True):
            texts = {"agentops.metadata.score": "7"} if store.number("agentops.metadata.score") else {}
            known = {name: text for name, text in texts.items() if name in record.attributes}
            assert same.attributes == record.attributes | known
            assert same.events == record.events
    sides = [
        compare(source.where("metadata.release=1.1"), source.where("metadata.release=1.0"))
        for source in (files, stored)
    ]
    assert json.dumps(sides[0].as_dict()) == json.dumps(sides[1].as_dict())


def test_what_is_wrong_in_a_question_is_said_and_nothing_is_written(store: Store) -> None:
    with pytest.raises(AgentOpsError, match="no_such_column"):
        answer(store, "SELECT no_such_column FROM spans")
    if store.engine == "DuckDB":  # a server is told to refuse by itself
        reads_a_file = "SELECT * FROM read_text('/etc/hosts')"
        for sql in ("DROP VIEW spans", "COPY (SELECT 1) TO 'x.csv'", "SELECT 1; SELECT 2", reads_a_file):
            with pytest.raises(AgentOpsError):
                answer(store, sql)


def test_a_question_has_its_time_its_memory_and_says_what_it_cut(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
    (tmp_path / "one.jsonl").write_text(runs()[0].model_dump_json(exclude_unset=True) + "\n")

    def asked(*words: str) -> tuple[int, str]:
        return main(["sql", *words, "--dir", str(tmp_path)]), capfd.readouterr().err

    many = "range(1000000) AS a, range(1000000) AS b"
    for query in (
        f"SELECT sum(a.range * b.range) FROM {many}",
        f"SELECT a.range FROM {many} WHERE hash(a.range, b.range) = 1",
    ):
        assert asked(query, "--timeout", "0.1") == (
            1,
            "agentops: broken off after 0.1 s, which is the limit of a question\n",
        )
    status, error = asked("SELECT list(range) FROM range(4000000)", "--memory", "20MB")
    assert (status, "memory" in error.lower()) == (1, True)
    assert asked("SELECT 1", "--memory", "much")[0] == 2
    assert asked("SELECT 1", "--timeout", "nan")[0] == 2
    assert asked("SELECT repeat('x', 1048577), 'y'") == (
        0, "agentops: 1 value(s) of more than 1,048,576 characters are cut; --json prints all\n"
    )  # fmt: skip


def test_packed_lines_need_no_more_memory_than_there_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A packed file says nothing of its size: what a reader keeps ready for it is the same for each, and bounded."""
    pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
    line = runs()[0].model_dump_json(exclude_unset=True).encode() + b"\n"
    for number in range(8):
        (tmp_path / f"{number}.jsonl.gz").write_bytes(gzip.compress(line))
    assert main(["sql", "SELECT count(*) AS n FROM spans", "--json", "--memory", "500MB", "--dir", str(tmp_path)]) == 0
    assert json.loads(capfd.readouterr().out) == {"n": 8}


def test_whoever_reads_rows_slowly_uses_up_none_of_the_time(tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
    from agentops_sdk.store.duckdb_store import DuckDBStore

    path = tmp_path / "one.jsonl"
    path.write_text(runs()[0].model_dump_json(exclude_unset=True) + "\n")
    store = DuckDBStore(path, seconds=30)
    rows = store.query("SELECT range FROM range(100000)").rows
    next(rows)
    store._connection.interrupt()  # what a clock that still ran would do
    with pytest.raises(AgentOpsError, match="broken off"):
        list(rows)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    assert answer(store, "SELECT 1") == [(1,)]
    store.close()


def test_clickhouse_takes_the_schema_for_a_fleet_and_fills_its_columns(clickhouse: Any) -> None:
    from agentops_sdk.store.clickhouse_dialect import MOST_DAYS, schema

    for is_json in (False, True):
        name = f"typed_{is_json}"
        clickhouse.fill(name, [], is_json=is_json)
        for statement in filter(str.strip, schema(name, days=MOST_DAYS, is_json=is_json).split(";\n")):
            clickhouse.execute(statement)
        clickhouse.insert(name, runs(), is_json=is_json)
        typed = clickhouse.run(f"SELECT sum(agentops_cost), max(agentops_user_id), min(agentops_tool) FROM {name}")
        assert list(typed.rows) == [(0.51, "u2", "search")]


def test_a_limit_of_age_that_would_be_over_at_once_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", "--schema", "--days", "36500"]) == 2
    assert "1 to 20,000 days" in capsys.readouterr().err
