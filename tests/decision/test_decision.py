"""Stated decisions as they leave: options, choice, reason, who decided, and how it ended."""

from __future__ import annotations

import asyncio
import enum
import json
import threading
from dataclasses import dataclass

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter


def test_a_choice_with_all_that_led_to_it(spans) -> None:
    with agentops.decision(
        "route_ticket", options=["refund", {"name": "escalate", "description": "to a person"}], inputs={"amount": 12}
    ) as d:
        d.choose(
            "refund", reason="small amount", confidence=0.82, evidence=["policy 4"], scores={"refund": 0.9},
            rejected={"escalate": "not needed"}, by="code", by_name="router", policy="under-20",
        )  # fmt: skip
    (span,) = spans()
    assert span["_name"] == "decision route_ticket"
    assert json.loads(span["agentops.decision.options"]) == [
        {"name": "refund"},
        {"name": "escalate", "description": "to a person"},
    ]
    assert span["agentops.decision.chosen"] == "refund"
    assert span["agentops.decision.confidence"] == 0.82
    assert json.loads(span["agentops.decision.evidence"]) == ["policy 4"]
    assert json.loads(span["agentops.decision.inputs"]) == {"amount": 12}
    assert json.loads(span["agentops.decision.rejected"]) == {"escalate": "not needed"}
    assert (span["agentops.decision.by"], span["agentops.decision.by.name"]) == ("code", "router")
    assert span["agentops.outcome"] == "ok"
    assert "agentops.decision.unlisted" not in span


def test_a_choice_off_the_list_is_marked_and_an_unmade_one_is_abandoned(spans) -> None:
    agentops.decide("colour", "green", options=["red", "blue"])
    with agentops.decision("never"):
        pass
    off, unmade = spans()
    assert off["agentops.decision.unlisted"] is True
    assert unmade["agentops.outcome"] == "abandoned"
    assert "agentops.decision.chosen" not in unmade


class Way(enum.Enum):
    LEFT = "left"
    RIGHT = "right"


@dataclass
class Plan:
    name: str
    description: str


def test_options_of_every_form(spans) -> None:
    def worker() -> None: ...

    plan = Plan("careful", "slowly")
    agentops.decide("way", Way.LEFT, options=list(Way))
    agentops.decide("who", worker, options=[worker, print])
    agentops.decide("plan", plan, options=[plan, 3])
    agentops.decide("several", ["a", "b"], options=["a", "b", "c"])
    chosen = [span["agentops.decision.chosen"] for span in spans()]
    assert chosen == ["left", "worker", "careful", '["a","b"]']


def test_async_nested_and_from_threads(spans) -> None:
    async def main() -> None:
        async with agentops.decision("outer", options=["x"]) as d:
            agentops.decide("inner", "y")
            d.choose("x")

    asyncio.run(main())
    thread = threading.Thread(target=lambda: agentops.decide("threaded", 1, options=[1, 2]))
    thread.start()
    thread.join()
    assert [span["agentops.decision.name"] for span in spans()] == ["inner", "outer", "threaded"]


def test_an_exception_passes_and_is_the_outcome(spans) -> None:
    with pytest.raises(KeyError), agentops.decision("risky", options=["a"]) as d:
        d.choose("a")
        raise KeyError("k")
    (span,) = spans()
    assert span["agentops.outcome"] == "error"
    assert span["agentops.decision.chosen"] == "a"


def test_content_switch_leaves_the_choice_and_drops_the_words(tmp_path) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], capture_content=False)
    agentops.decide("d", "a", options=["a"], reason="because", inputs="secret words", evidence="more")
    agentops.flush()
    (span,) = exporter.finished_spans()
    assert span.attributes["agentops.decision.chosen"] == "a"
    assert not {"agentops.decision.reason", "agentops.decision.inputs", "agentops.decision.evidence"} & set(
        span.attributes
    )


@pytest.mark.parametrize("odd", [{"by": "ghost"}, {"confidence": 2}, {"options": "abc"}])
def test_what_cannot_be_is_kept_and_marked(odd: dict, spans) -> None:
    assert agentops.decide("d", "a", **odd) == "a"
    (span,) = spans()
    assert span["agentops.invalid"] == list(odd)
    kept = {"by": "ghost", "confidence": 2.0, "options": '[{"name":"abc"}]'}
    (argument,) = odd
    assert span[f"agentops.decision.{argument}"] == kept[argument]


def test_nothing_is_recorded_before_init() -> None:
    assert agentops.decide("d", "a", options=["a"], reason="r") == "a"
