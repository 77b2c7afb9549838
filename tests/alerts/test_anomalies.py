"""What was planted is found, little else is, and where there is too little to go by that is what is said."""

from __future__ import annotations

import importlib.util
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.alerts.test_rules import span, told

from agentops_sdk.traces.figures.baselines import forecast, judged


def test_recall_and_false_alarms() -> None:
    path = Path(__file__).parents[2] / "benchmarks" / "anomalies.py"
    spec = importlib.util.spec_from_file_location("planted", path)
    assert spec is not None and spec.loader is not None  # noqa: PT018 - for type checkers
    planted = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(planted)
    planted.SEEDS = range(3)
    recall, alarms = planted.measured()
    print(recall, alarms)
    assert sum(recall.values()) / len(recall) >= 0.95
    assert min(recall.values()) >= 0.6
    assert max(alarms.values()) <= 0.02


def test_what_is_used_now_and_then_is_compared_with_how_it_was_used() -> None:
    chance = random.Random(1)
    values = [chance.gauss(10, 1) if chance.random() < 0.1 else 0.0 for _ in range(500)]
    assert judged(values).anomalies == []
    (anomaly,) = judged([*values, 100.0]).anomalies
    assert (anomaly.number, round(anomaly.usual)) == (500, 10)
    assert abs(anomaly.score) < 100
    assert judged([0.0] * 30 + [1.0]).anomalies == []  # nobody knows yet
    one_by_one = [float(chance.random() < 0.05) for _ in range(200)]
    assert judged([*one_by_one, 1.0], unit=1.0).anomalies == []
    assert [each.number for each in judged([0.0] * 30 + [9.0], unit=1.0).anomalies] == [30]  # errors, all at once
    by_day = [10.0 if 8 <= hour % 24 < 18 else 0.0 for hour in range(24 * 14)]
    assert judged(by_day).anomalies == []
    assert [each.number for each in judged([*by_day, 0.0, 0.0, 9.0]).anomalies] == [24 * 14 + 2]  # at two in the night


def test_too_little_is_told() -> None:
    assert judged([1.0] * 24).reason == "too little data: 24 buckets of more than 24"
    now = datetime(2026, 5, 10, 3, 30, tzinfo=UTC)
    day = now.replace(hour=0, minute=0)
    nothing = forecast({}, now, day + timedelta(days=1), day)
    little = forecast({day + timedelta(hours=n): 1.0 for n in range(3)}, now, day + timedelta(days=1), day)
    assert (nothing.amount, little.amount, little.spent) == (None, None, 3.0)
    assert little.reason.startswith("too little data")


@pytest.mark.parametrize("until_month", [False, True])
def test_the_bounds_hold_four_times_out_of_five(until_month: bool) -> None:
    held, trials = 0, 60
    for seed in range(trials):
        chance = random.Random(seed)
        start = datetime(2026, 5, 1, tzinfo=UTC)
        spent = {
            start + timedelta(hours=n): max(0.0, (2 + (8 if 8 <= n % 24 < 18 else 0)) * chance.gauss(1, 0.3))
            for n in range(24 * 31)
        }
        now = start + timedelta(days=14, hours=11)
        since = start if until_month else start + timedelta(days=14)
        until = start + timedelta(days=31) if until_month else since + timedelta(days=1)
        known = {hour: amount for hour, amount in spent.items() if hour < now}
        told_then = forecast(known, now, until, since)
        assert told_then.low is not None and told_then.high is not None  # noqa: PT018 - for type checkers
        held += (
            told_then.low <= sum(amount for hour, amount in spent.items() if since <= hour < until) <= told_then.high
        )
    assert held / trials >= 0.7
    assert held / trials < 1.0  # bounds that always hold say nothing


def test_an_alert_on_what_is_not_as_usual() -> None:
    calls = [span(60 * n + 1, agentops__cost__amount=0.1 if n != 40 else 5.0) for n in range(50)]
    notices = told(calls, when="anomaly of cost", over=60, every=60)
    assert [(notice.state, int(notice.at // 60)) for notice in notices] == [("firing", 41), ("recovered", 42)]
    assert (
        told([*calls[:20], span(1300, agentops__cost__amount=9.0), span(1400)], when="anomaly of cost", over=60) == []
    )


def test_an_outage_is_unusual_although_nothing_is_seen() -> None:
    calls = [span(60 * n + 1) for n in range(50)]
    notices = told(calls, tuple(range(3_010, 3_190, 60)), when="anomaly of calls", over=60, every=600)
    assert [(notice.state, int(notice.at // 60)) for notice in notices] == [("firing", 51)]


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from agentops_sdk.cli import main

    hour = int(datetime.now(UTC).timestamp() // 3600) - 60
    rows: list[dict[str, Any]] = [
        {"trace_id": f"{n + 1:032x}", "span_id": f"{n + 1:016x}", "name": "chat m", "kind": "llm",
         "start_ns": (hour + n) * 3600 * 10**9, "end_ns": (hour + n) * 3600 * 10**9 + 1,
         "attributes": {"gen_ai.request.model": "m", "agentops.cost.amount": 50.0 if n == 50 else 1.0}}
        for n in range(60)
    ]  # fmt: skip
    unknown = {"gen_ai.request.model": "m", "agentops.cost.unknown_reason": "no price"}
    rows.append({**rows[-1], "span_id": "9" * 16, "attributes": unknown})
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["anomalies", "--json", "--dir", str(tmp_path)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["number"], json.loads(line)["value"], json.loads(line)["kind"]) == (50, 50.0, "spike")
    assert main(["forecast", "--dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "end of the day" in out
    assert "end of the month" in out
    assert "not in it: 1 calls whose cost in USD nobody knows" in out
    assert main(["forecast", "--json", "--dir", str(tmp_path)]) == 0
    assert [json.loads(each)["missing"] for each in capsys.readouterr().out.splitlines()] == [1, 1]
