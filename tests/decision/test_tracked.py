"""Functions that decide: what they return is the choice."""

from __future__ import annotations

import asyncio
import json

import pytest

import agentops_sdk as agentops


def test_what_it_returns_is_the_choice(spans) -> None:
    @agentops.track(kind="decision", options=["refund", {"name": "escalate", "description": "to a person"}])
    def route(amount: int) -> str:
        return "refund" if amount < 20 else "escalate"

    assert [route(3), route(30)] == ["refund", "escalate"]
    cheap, dear = spans()
    assert cheap["_name"].startswith("decision ")
    assert [cheap["agentops.decision.chosen"], dear["agentops.decision.chosen"]] == ["refund", "escalate"]
    assert json.loads(cheap["agentops.decision.options"])[1] == {"name": "escalate", "description": "to a person"}
    assert json.loads(cheap["agentops.decision.inputs"]) == {"amount": 3}
    assert "agentops.output" not in cheap


def test_coroutines_choices_off_the_list_several_and_none(spans) -> None:
    @agentops.track(kind="decision", name="tier", options=("gold", "silver"))
    async def tier(given: object) -> object:
        await asyncio.sleep(0)
        return given

    async def main() -> None:
        for given in ("gold", "bronze", ["gold", "silver"], None):
            assert await tier(given) == given

    asyncio.run(main())
    plain, off, both, none = spans()
    assert plain["_name"] == "decision tier"
    assert "agentops.decision.unlisted" not in plain
    assert off["agentops.decision.unlisted"] is True
    assert both["agentops.decision.chosen"] == '["gold","silver"]'
    assert none["agentops.outcome"] == "abandoned"
    assert "agentops.decision.chosen" not in none


def test_the_hooks_and_switches_of_track_hold(spans) -> None:
    @agentops.track(kind="decision", process_output=lambda result: result["tier"], ignore=["secret"])
    def shown(secret: str) -> dict:
        return {"tier": "gold", "owner": "Ann"}

    @agentops.track(kind="decision", capture_output=False, capture_input=False)
    def hidden(name: str) -> str:
        return name

    shown("x")
    hidden("Ann")
    one, two = spans()
    assert one["agentops.decision.chosen"] == "gold"
    assert "agentops.decision.inputs" not in one
    assert not {"agentops.decision.chosen", "agentops.decision.inputs"} & set(two)


def test_an_exception_is_the_outcome(spans) -> None:
    @agentops.track(kind="decision", options=["a"])
    def fails() -> str:
        raise KeyError("k")

    with pytest.raises(KeyError):
        fails()
    (span,) = spans()
    assert span["agentops.outcome"] == "error"


def test_options_belong_to_decisions() -> None:
    for bad in ({"options": ["a"]}, {"kind": "decision", "options": "ab"}, {"kind": "decision", "options": 3}):
        with pytest.raises(agentops.ConfigError):
            agentops.track(**bad)
