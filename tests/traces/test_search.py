"""Which runs the filters choose, and that index, files and records choose alike."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.traces.samples import agent, chat, message, run, span, tool

from agentops_sdk import semconv
from agentops_sdk.cli import main
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces import SpanRecord, load
from agentops_sdk.traces.figures.tables import stats
from agentops_sdk.traces.search.filters import table

DAY = 86_400_000.0
A, B, C = "a" * 32, "b" * 32, "c" * 32


def records() -> list[SpanRecord]:
    """Three runs: Ada's with a failed search, Bob's a day later, and one without a name whose cost is unknown."""
    ada = agent("support", took=5000, trace_id=A, attributes={
        semconv.SESSION_ID: "s-1", semconv.USER_ID: "ada", semconv.TAGS: ["beta", "eu"],
        "agentops.metadata.variant": "short",
    })  # fmt: skip
    said = json.dumps([message("user", 'the "Größe" of\nLisbon')], ensure_ascii=True)
    failed = tool("search", ada, trace_id=A, at=20, status="error", status_message="no such page")
    asked = chat(ada, trace_id=A, at=40, attributes={semconv.INPUT_MESSAGES: said})
    bob = agent("support", took=50, trace_id=B, at=DAY, attributes={
        semconv.CONVERSATION_ID: "s-2", semconv.USER_ID: "bob", "agentops.metadata.variant": "long", "build": 7,
    }, resource={semconv.SERVICE_NAME: "web", "service.version": "2.0"})  # fmt: skip
    spent = chat(bob, trace_id=B, at=DAY, tokens=(9000, 10), cost=0.5, model="gpt-4o")
    plain = span("nightly", {semconv.KIND: "tool"}, trace_id=C, at=2 * DAY)
    unknown = chat(plain, trace_id=C, at=2 * DAY, cost=None)
    return [ada, failed, asked, bob, spent, plain, unknown]


CHOSEN: tuple[tuple[dict[str, Any], str], ...] = (
    ({"session": "s-1"}, "a"), ({"session": ["s-2", "s-3"]}, "b"), ({"session": "s-*"}, "ba"),
    ({"user": "ada"}, "a"), ({"user": "ad"}, ""), ({"agent": "support"}, "ba"), ({"tool": "search"}, "a"),
    ({"tool": "nightly"}, "c"), ({"model": "gpt-4o"}, "b"), ({"model": "gpt-4o-mini-*"}, "ca"),
    ({"tag": "eu"}, "a"), ({"service": "web"}, "b"), ({"service": "*"}, "cba"),
    ({"outcome": "error"}, ""), ({"outcome": ["ok", "error"]}, "cba"), ({"errors": True}, "a"),
    ({"errors": False}, "cb"), ({"since": "2026-08-07"}, "cb"), ({"until": "2026-08-07"}, "ba"),
    ({"since": datetime(2026, 8, 7, 9, 6, 40, tzinfo=UTC) + timedelta(hours=-2), "until": "2026-08-08T00:00"}, "b"),
    ({"min_cost": "$0.5"}, "b"), ({"slower_than": "4s"}, "a"), ({"slower_than": timedelta(minutes=1)}, ""),
    ({"text": "NO SUCH page"}, "a"), ({"text": "größe"}, "a"), ({"text": 'the "g'}, "a"), ({"text": "of\nlisbon"}, "a"),
    ({"text": ["lisbon", "absent"]}, ""), ({"text": "gen_ai"}, ""),
    ({"where": "metadata.variant = short"}, "a"), ({"where": "metadata.variant != short"}, "b"),
    ({"where": "metadata.variant"}, "ba"), ({"where": "build>=7"}, "b"), ({"where": "build = 7.0"}, "b"),
    ({"where": "gen_ai.usage.input_tokens > 1e3"}, "b"), ({"where": "service.version = 2.0"}, "b"),
    ({"where": "kind = tool"}, "ca"), ({"where": "outcome=error"}, "a"), ({"where": "duration > 4s"}, "a"),
    ({"where": "name ~ NIGHT"}, "c"), ({"where": "agentops.tags = beta"}, "a"), ({"where": "agentops.tags !~ e"}, ""),
    ({"where": ["build = 7", "metadata.variant = short"]}, ""), ({"where": f"{semconv.INPUT_MESSAGES} ~ lisbon"}, "a"),
    ({"user": "ada", "tool": "search", "errors": True}, "a"), ({"user": None}, "cba"),
)  # fmt: skip


@pytest.mark.parametrize("where", ["records", "file", "loaded"])
def test_filters_choose_alike_in_memory_and_in_files(where: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(record.model_dump_json(exclude_unset=True) + "\n" for record in records()))
    traces = load(records()) if where == "records" else load(path)
    for filters, ids in CHOSEN:
        chosen = load(path, **filters) if where == "loaded" else traces.where(**filters)
        assert "".join(trace_id[0] for trace_id in chosen.ids) == ids, filters
        assert len(chosen) == len(list(chosen)) == len(ids)
    assert len(traces) == 3  # a view leaves the others where they are
    assert {name for filters, _ in CHOSEN for name in filters} == set(table())


def test_what_may_have_cost_enough_is_said() -> None:
    assert load(records()).where(min_cost=0.1).remarks == [
        "1 run(s) may have cost 0.1 or more and are left out: their cost is not wholly known"
    ]


def test_a_wrong_filter_is_told_at_once() -> None:
    traces = load(records())
    wrong: tuple[dict[str, Any], ...] = (
        {"since": "yesterday-ish"}, {"until": 5}, {"min_cost": "much"}, {"min_cost": float("nan")}, {"slower_than": -1},
        {"outcome": "fine"}, {"errors": "yes"}, {"user": ""}, {"user": 7}, {"user": []}, {"where": "= 3"},
        {"where": "a >"}, {"where": "a <> 3"}, {"where": "a =~ b"}, {"text": ""}, {"colour": "red"},
    )  # fmt: skip
    for filters in wrong:
        with pytest.raises(ConfigError, match=next(iter(filters))):
            traces.where(**filters)


def test_a_line_of_a_step_that_was_open_is_not_how_it_ended() -> None:
    ended = span("nightly", {semconv.KIND: "task"}, trace_id=C)
    running = ended.model_copy(update={"outcome": "running"})
    assert not load([running, ended]).where("outcome = running")
    assert load([running, ended]).where(outcome="ok")


def test_more_ways_to_add_up() -> None:
    traces = load(records())
    rows = {
        by: {row.key: row.calls for row in stats(traces, by).rows}
        for by in ("user", "service", "outcome", "hour", "metadata.variant", "agentops.tags")
    }
    assert rows["user"] == {"ada": 1, "bob": 1, "(no user)": 1}
    assert rows["service"] == {"demo": 3}
    assert rows["outcome"] == {"ok": 3}
    assert rows["hour"] == {"2026-08-06 07:00": 1, "2026-08-07 07:00": 1, "2026-08-08 07:00": 1}
    assert rows["metadata.variant"] == {"short": 1, "long": 1, "(no metadata.variant)": 1}
    assert rows["agentops.tags"] == {"beta": 1, "eu": 1, "(no agentops.tags)": 2}
    assert stats(traces, "agentops.tags").total.calls == 3
    with pytest.raises(ConfigError, match=r"metadata\.KEY"):
        stats(traces, "variants")


def test_every_reading_command_has_the_filters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / ".agentops" / "traces"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text("".join(r.model_dump_json(exclude_unset=True) + "\n" for r in [*records(), *run()]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AGENTOPS_DIR", raising=False)
    for command in (["ls"], ["show"], ["stats"], ["decisions"], ["report", "-o", "-"], ["compare", A, A]):
        assert main([*command, "--user", "ada", "--where", "metadata.variant = short"]) == 0, command
        out = capsys.readouterr().out
        assert "bob" not in out, command
        assert "travel" not in out, command
        assert main([*command, "--user", "nobody"]) == 1
        assert "of 4 run(s)" in (err := capsys.readouterr().err), command
        assert "none meets --user nobody" in err
    assert main(["ls", "--since", "soon"]) == 2
    assert main(["show", "--tool", "search"]) == 0
    assert "no such page" in capsys.readouterr().out
    assert main(["report", "--agent", "*", "-o", "all.html"]) == 0
    assert Path("all.html").read_text().count('id="details-') == 3
    assert main(["stats", "--by", "metadata.variant", "--csv"]) == 0
    assert {row.split(",")[0] for row in capsys.readouterr().out.splitlines()} >= {"short", "long"}
