"""What rules say of a stream of ended spans: each once for each period, with its recovery, and nothing by guess."""

from __future__ import annotations

from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk._alerts.engine import Engine
from agentops_sdk._alerts.notice import Notice
from agentops_sdk._alerts.observation import of_fields
from agentops_sdk._alerts.window import Window
from agentops_sdk.alert_rules import ANOMALIES, from_file, from_keywords

TRACE = "0" * 31


def span(
    at: float, kind: str = "llm", outcome: str = "ok", seconds: float = 1.0, trace: int = 1, **attributes: Any
) -> Any:
    events = attributes.pop("events", ())
    return of_fields(
        {"trace_id": f"{TRACE}{trace}", "span_id": "1" * 16, "parent_id": None, "kind": kind, "outcome": outcome,
         "start_ns": int((at - seconds) * 1e9), "end_ns": int(at * 1e9), "events": events,
         "attributes": {name.replace("__", "."): value for name, value in attributes.items()}}
    )  # fmt: skip


def told(spans: list[Any], ticks: tuple[float, ...] = (), **rule: Any) -> list[Notice]:
    notices: list[Notice] = []
    engine = Engine([from_keywords(**rule)], lambda _, notice: notices.append(notice), "svc")
    for each in spans:
        engine.observe(each)
    for now in ticks:
        engine.tick(now)
    return notices


def states(notices: list[Notice]) -> list[str]:
    return [notice.state for notice in notices]


TOOL = {
    "gen_ai__tool__name": "search",
    "gen_ai__tool__call__arguments": '{"q": 1}',
    "gen_ai__tool__call__result": '"x"',
}
LEVEL = {"name": "agentops.limit.level_reached", "attributes": {"agentops.limit.level": 80}}


def decided(at: float, chosen: str) -> Any:
    return span(at, "decision", agentops__decision__name="route", agentops__decision__chosen=chosen)


FIRES: list[tuple[str, list[Any], float]] = [
    ("error rate > 20 %", [span(t, outcome="error" if t % 3 == 0 else "ok") for t in range(1, 10)], 100),
    ("error rate of model calls > 20 %", [span(t, outcome="error") for t in range(1, 7)], 100),
    ("p95 latency > 10 s", [span(t, seconds=11) for t in range(20, 30)], 200),
    ("cost rate > 5 usd / hour", [span(t, agentops__cost__amount=0.1) for t in range(1, 7)], 100),
    ("cost > 0.5 usd", [span(t, agentops__cost__amount=0.1) for t in range(1, 8)], 100),
    ("tokens > 1000", [span(1, gen_ai__usage__input_tokens=1001)], 100),
    ("tool failures > 3", [span(t, "tool", "error") for t in range(1, 6)], 100),
    ("tool failure rate of search > 50 %", [span(t, "tool", "error", **TOOL) for t in range(1, 6)], 100),
    ("loop", [span(t, "tool", **TOOL) for t in range(1, 6)], 100),
    ("limit at 80 %", [span(1, events=[LEVEL])], 100),
    ("limit", [span(1, outcome="error", agentops__limit__action="refused")], 100),
    ("unfinished runs", [span(1, "agent", "unfinished")], 100),
    ("findings", [span(1, "tool", agentops__findings=["new_host"])], 100),
    ("findings of new_host", [span(1, "tool", agentops__findings=["new_host"])], 100),
    (
        "drift of route > 30 %",
        [*(decided(t, "a") for t in range(25)), *(decided(t, "b") for t in range(100, 125))],
        300,
    ),
]


@pytest.mark.parametrize(("when", "spans", "later"), FIRES, ids=[row[0] for row in FIRES])
def test_each_condition_fires_once_and_is_over(when: str, spans: list[Any], later: float) -> None:
    notices = told(spans, (later, later + 1), when=when, over="1 minute", runbook="https://run.example/book")
    assert states(notices) == ["firing", "recovered"]
    assert notices[0].id == notices[1].id
    assert (notices[0].trace_id, notices[0].runbook) == (f"{TRACE}1", "https://run.example/book")


def test_what_a_file_says_is_what_the_program_says(tmp_path: Any) -> None:
    whens = [when for when, _, _ in FIRES] + ["silence", *(f"anomaly of {of}" for of in ANOMALIES)]
    path = tmp_path / "alerts.toml"
    path.write_text("".join(f'[[alert]]\nwhen = "{when}"\nover = 60\nevery = "2 hours"\n' for when in whens))
    assert list(from_file(path)) == [from_keywords(when, over="1 minute", every=7200) for when in whens]


def test_unfinished_runs_are_told_again_where_there_are_new_ones() -> None:
    notices: list[Notice] = []
    rule = from_keywords("unfinished runs", over="1 hour", every="1 minute")
    engine = Engine([rule], lambda _, notice: notices.append(notice))
    engine.observe(span(1, "agent", "unfinished"))
    for now in (30, 100, 200):
        engine.tick(now)
    engine.observe(span(210, "agent", "unfinished", trace=2))
    engine.observe(span(220, "agent", "unfinished", trace=3))  # of the same period
    for now in (230, 280, 400, 4_000):
        engine.tick(now)
    assert [(notice.at, notice.state, notice.value) for notice in notices] == [
        (1, "firing", 1), (210, "firing", 2), (280, "firing", 3), (4_000, "recovered", 0)
    ]  # fmt: skip


QUIET: list[tuple[str, list[Any]]] = [
    ("error rate > 20 %", [span(t, outcome="error") for t in range(4)]),  # too little data
    ("error rate > 20 %", [span(t, outcome="error", agentops__limit__action="refused") for t in range(9)]),
    ("p95 latency > 10 s", [span(t, "tool", seconds=11) for t in range(20, 30)]),
    ("cost > 1 eur", [span(t, agentops__cost__amount=1.0) for t in range(9)]),
    ("loop", [span(t, "tool", **{**TOOL, "gen_ai__tool__call__arguments": f'{{"page": {t}}}'}) for t in range(9)]),
    ("drift of route > 30 %", [decided(t, "ab"[t % 2]) for t in (*range(25), *range(99, 125))]),
    ("limit at 95 %", [span(1, events=[LEVEL])]),
]  # fmt: skip


@pytest.mark.parametrize(("when", "spans"), QUIET)
def test_what_is_no_reason(when: str, spans: list[Any]) -> None:
    assert told(spans, when=when, over="1 minute") == []


def test_silence_is_told_and_its_end() -> None:
    notices: list[Notice] = []
    rule = from_keywords("silence", over=60, every=1000, per="agent")
    engine = Engine([rule], lambda _, notice: notices.append(notice))
    engine.observe(span(10, "agent", gen_ai__agent__name="scout"))
    for now in (50, 71, 90):
        engine.tick(now)
    engine.observe(span(100, "agent", gen_ai__agent__name="scout"))
    assert [(notice.state, notice.key) for notice in notices] == [("firing", "scout"), ("recovered", "scout")]


def test_what_begins_again_within_the_period_is_told_once_that_is_over() -> None:
    spans = [span(t, agentops__cost__amount=3.0) for t in (0, 50)]
    spans += [span(115, agentops__cost__amount=1.0), span(120, agentops__cost__amount=9.0)]
    notices = told(spans, (151, 160, 300), when="cost > 5 usd", over=100, every=100)
    assert [(notice.at, notice.state) for notice in notices] == [
        (50, "firing"), (115, "recovered"), (151, "firing"), (300, "recovered")
    ]  # fmt: skip


def test_rules_that_ask_for_the_same_are_each_told() -> None:
    """As one of a file, and one that the program adds: whom the second is to tell hears of it, and of its end."""
    told: list[tuple[Any, str, str, float]] = []
    rules = [from_keywords("tool failures > 0", over=60, then=then) for then in ("log", "event", "event")]
    engine = Engine(rules, lambda rule, notice: told.append((rule.then, notice.state, notice.id, notice.value)))
    engine.observe(span(1, "tool", "error"))
    engine.tick(100)
    assert [(*each[:2], each[3]) for each in told] == [  # those that are one rule, once
        (("log",), "firing", 1), (("event",), "firing", 1), (("log",), "recovered", 0), (("event",), "recovered", 0)
    ]  # fmt: skip
    assert told[0][2] == told[2][2] != told[1][2] == told[3][2]


def test_one_condition_over_two_lengths_has_two_ids() -> None:
    spans = [span(t, outcome="error") for t in range(1, 9)]
    short, long = (told(spans, when="error rate of model calls > 20 %", over=over) for over in (300, 3600))
    assert short[0].id != long[0].id


@pytest.mark.parametrize("error", ["LimitExceeded", "Paused", "BreakerOpen"])
def test_a_run_that_we_have_ended_is_no_failure(error: str) -> None:
    spans = [span(t, "agent", "error", error__type=f"agentops_sdk.errors.{error}") for t in range(1, 9)]
    assert not told(spans, when="error rate > 20 %")
    assert not told(spans, when="error rate of agents > 20 %")


@pytest.mark.parametrize("when", ["error rate of model calls > 20 %", "p50 latency > 10 s"])
def test_calls_that_were_not_made_are_no_sign_that_all_is_well(when: str) -> None:
    spans = [span(t, outcome="error", seconds=11) for t in range(1, 7)]
    spans += [span(t, outcome="error", seconds=0, error__type="agentops_sdk.errors.BreakerOpen") for t in range(7, 90)]
    assert states(told(spans, when=when)) == ["firing"]


class Unhashable:
    __hash__ = None  # type: ignore[assignment] # as a dataclass has it

    def __call__(self, notice: Notice) -> None: ...


def test_things_are_asked_apart_and_told_again_after_a_period() -> None:
    spans = [span(t, outcome="error", gen_ai__request__model=f"m{t % 2}") for t in range(0, 240, 2)]
    spans += [span(t, gen_ai__request__model="m1") for t in range(1, 240, 2)]
    notices = told(spans[:120], when="error rate > 20 %", per="model", over=60, every=120)
    assert [(notice.key, notice.state) for notice in notices] == [("m0", "firing"), ("m0", "firing")]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"when": "the moon is full"}, "when"), ({"when": "error rate > 20 apples"}, "when"),
     ({"when": "loop", "over": "a while"}, "over"), ({"when": "loop", "per": "galaxy"}, "per"),
     ({"when": "loop", "then": []}, "then"), ({"when": "loop", "then": "pigeon"}, "then"),
     ({"when": "loop", "then": "webhook:ftp://x"}, "then"),
     ({"when": "loop", "least": 0}, "least"), ({"when": "drift > 3 %"}, "when"),
     ({"when": "loop", "severity": "loud"}, "severity"),
     ({"when": "cost of gpt-4o > 5 usd"}, "when"), ({"when": "silence of scout"}, "when"),
     ({"when": "limit at 90 %"}, "when"), ({"when": "loop", "over": "5m"}, "over"),
     ({"when": "loop", "then": "webhook:http://[::1"}, "then"), ({"when": "loop", "then": Unhashable()}, "then")],
)  # fmt: skip
def test_what_cannot_work_is_told_where_it_is_written(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(agentops.ConfigError) as caught:
        agentops.alert(**arguments)
    assert caught.value.name == name


def test_a_file(tmp_path: Any) -> None:
    path = tmp_path / "alerts.toml"
    path.write_text(
        '[[alert]]\nname = "slow"\nwhen = "p99.5 latency of runs >= 2 minutes"\nover = "1 hour"\nthen = ["log"]\n'
    )
    (rule,) = from_file(path)
    assert (rule.percentile, rule.threshold, rule.over, rule.inclusive) == (99.5, 120, 3600, True)
    path.write_text('[[alert]]\nwhen = "loop"\nwhom = "me"\n')
    with pytest.raises(agentops.ConfigError, match="whom"):
        agentops.init(exporters=["memory"], alerts=str(path))


def test_what_a_day_costs_is_a_sum_of_all_its_calls() -> None:
    window = Window(from_keywords(when="cost > 400 usd", over="1 day"))
    for number in range(50_000):
        window.add(span(86_400.0 + number, agentops__cost__amount=0.01))
    assert window.value(86_400.0 + 50_000) == pytest.approx(500)
    assert window.value(86_400.0 * 2 + 25_000) == pytest.approx(250, rel=0.01)
    assert window.value(86_400.0 * 2 + 50_100) == 0
