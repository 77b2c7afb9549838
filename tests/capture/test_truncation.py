"""One setting bounds every value, one mark shows where something was cut, and only what was cut is listed as cut."""

from __future__ import annotations

import json
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk._scrub.policy import Policy
from agentops_sdk._snapshot.text import CUT, CutText
from agentops_sdk.config import resolve
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration import snapshot

LONG = "word " * 4_000


def started(**settings: Any) -> MemoryExporter:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], **settings)
    return exporter


def only(exporter: MemoryExporter) -> Any:
    agentops.flush()
    (span,) = exporter.finished_spans()
    return span


@agentops.task
def echo(value: Any) -> Any:
    return value


@agentops.task
def stream(value: Any) -> Any:
    for _ in range(40):
        yield value


def record_everything() -> None:
    with agentops.decision("d", inputs=LONG, options=["a"]) as made:
        made.choose("a", reason=LONG, evidence=[LONG], rejected={"b": LONG})
        span = agentops.current_span()
        span.set("text", LONG)
        span.set("json", json.dumps({"a": LONG, "rows": [LONG] * 30}))
        span.set("structure", {"a": [LONG]})
        span.set("texts", [LONG, LONG])
        span.set("numbers", list(range(10_000)))


EXPECTED_CUT = {
    "agentops.decision.inputs", "agentops.decision.reason", "agentops.decision.evidence",
    "agentops.decision.rejected", "text", "json", "structure", "texts", "numbers",
}  # fmt: skip


def test_the_setting_binds_every_value_downwards() -> None:
    exporter = started(max_value_bytes=2_000)
    record_everything()
    attributes = only(exporter).attributes
    assert set(attributes["agentops.truncated"]) == EXPECTED_CUT
    for name in EXPECTED_CUT:
        assert len(attributes[name].encode()) <= 2_000
        assert CUT in attributes[name], name
    json.loads(attributes["json"])
    json.loads(attributes["texts"])
    json.loads(attributes["numbers"])


def test_the_setting_binds_every_value_upwards() -> None:
    global LONG
    kept, LONG = LONG, "word " * 20_000
    try:
        exporter = started(max_value_bytes=10_000_000)
        record_everything()
        attributes = only(exporter).attributes
        assert "agentops.truncated" not in attributes
        assert json.loads(attributes["agentops.decision.inputs"]) == LONG
        assert json.loads(snapshot(LONG)) == LONG  # what integrations call
    finally:
        LONG = kept


def test_results_of_functions_and_streams() -> None:
    exporter = started(max_value_bytes=2_000)
    echo(LONG)
    list(stream("x" * 90))
    agentops.flush()
    whole, pieces = exporter.finished_spans()
    assert set(whole.attributes["agentops.truncated"]) == {"agentops.input", "agentops.output"}
    assert pieces.attributes["agentops.truncated"] == ["agentops.output"]
    assert CUT in pieces.attributes["agentops.output"]


@pytest.mark.parametrize("text", ["…[+120 chars]", "see …[+3 items] there", '"…[+more than fits]"', "…[truncated]"])
def test_a_text_of_the_users_that_holds_the_mark_was_not_cut(text: str) -> None:
    exporter = started()
    echo({"shown": text, "rows": [text]})
    span = only(exporter)
    assert "agentops.truncated" not in span.attributes
    assert json.loads(span.attributes["agentops.output"])["shown"] == text


@pytest.mark.parametrize("rows", [9_990, 10_100])
def test_members_beyond_those_that_are_kept(rows: int) -> None:
    """A function's values are counted where its span is completed; they are cut as any other snapshot is."""
    exporter = started()
    value = ["ab"] * rows
    assert 20_000 < len(json.dumps(value, separators=(",", ":"))) < 65_536
    echo(value)
    span = only(exporter)
    for name, whole in (("agentops.input", {"value": value}), ("agentops.output", value)):
        assert span.attributes[name] == snapshot(whole).decode()
    is_cut = rows > 10_000
    assert [CUT in span.attributes[name] for name in ("agentops.input", "agentops.output")] == [is_cut, is_cut]
    names = ["agentops.input", "agentops.output"] if is_cut else None
    assert span.attributes.get("agentops.truncated") == names


def test_events_and_messages_of_errors() -> None:
    exporter = started(max_value_bytes=2_000)
    with pytest.raises(ValueError, match="word"), agentops.span("x") as span:
        span.event("e", {"long": LONG})
        raise ValueError(LONG)
    (event, error) = only(exporter).events
    assert event.attributes["agentops.truncated"] == ["long"]
    assert CUT in event.attributes["long"]
    assert CUT in error.attributes["exception.message"]
    assert CUT in only(exporter).status.description


def test_many_options_and_choices_are_cut_visibly() -> None:
    exporter = started()
    agentops.decide("d", [str(number) for number in range(300)], options=[str(number) for number in range(300)])
    attributes = only(exporter).attributes
    assert json.loads(attributes["agentops.decision.options"])[-1] == {"name": "…[+100 items]"}
    assert CUT in json.loads(attributes["agentops.decision.chosen"])[-1]


def test_a_conversation_keeps_its_first_and_last_messages_around_the_mark() -> None:
    messages = json.dumps([{"role": "user", "content": f"message {number} " + "x" * 40} for number in range(500)])
    kept = Policy(resolve({"max_value_bytes": 4_000})).apply({"gen_ai.input.messages": messages})
    parsed = json.loads(kept["gen_ai.input.messages"])
    assert parsed[0]["content"].startswith("message 0 ")
    assert parsed[-1]["content"].startswith("message 499 ")
    assert [each for each in parsed if isinstance(each, str) and CUT in each]


def test_what_leaves_is_plain_text() -> None:
    kept = Policy(resolve({})).apply({"a": CutText("x…[+1 chars]")})
    assert type(kept["a"]) is str
    assert kept["agentops.truncated"] == ["a"]
