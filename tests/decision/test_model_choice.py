"""The one writer of a model's choice: nothing was decided that was not said to its end."""

from __future__ import annotations

from typing import Any

import pytest

from agentops_sdk.integration import ended_by_model, model_choice

TOOLS = [{"name": "search", "description": "Look it up"}, {"name": "buy"}]
TEXT = {"type": "text", "content": "It is"}
CALL = {"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": "x"}}
TORN = {**CALL, "name": "buy", "arguments": '{"what": "a'}
BEGUN = {**CALL, "arguments": ""}
REFUSAL = {"type": "refusal", "content": "No."}
THOUGHT = {"type": "reasoning", "content": "Hm."}


@pytest.mark.parametrize(
    ("said", "finished", "chosen"),
    [
        ([], False, None),
        ([TEXT], False, None),
        ([THOUGHT], False, None),
        ([REFUSAL], False, None),
        ([TORN], False, None),
        ([BEGUN], False, None),
        ([{**CALL, "arguments": None}], False, None),
        ([{**CALL, "arguments": 12}], False, None),
        ([CALL], False, "search"),
        ([CALL, TORN], False, "search"),
        ([TEXT, CALL], False, "search"),
        ([], True, None),
        ([THOUGHT], True, None),
        ([TEXT], True, "answer"),
        ([TORN], True, None),
        ([CALL, TORN], True, "search"),
        ([CALL, {**CALL, "name": "buy"}], True, '["search","buy"]'),
        ([REFUSAL], True, "refusal"),
    ],
)
def test_what_was_chosen(said: list[dict[str, Any]], finished: bool, chosen: str | None) -> None:
    attributes = model_choice(TOOLS, said, finished=finished)
    assert attributes.get("agentops.decision.chosen") == chosen
    assert bool(attributes) == (chosen is not None)


def test_options_reasons_and_marks() -> None:
    free = model_choice(TOOLS, [TEXT, CALL], finished=True)
    assert free["agentops.decision.options"] == [*TOOLS, {"name": "answer"}]
    assert free["agentops.decision.reason"] == "It is"
    assert free["agentops.decision.by"] == "model"
    assert "agentops.decision.forced" not in free
    forced = model_choice(TOOLS, [THOUGHT, TEXT, CALL], finished=True, forced=True)
    assert forced["agentops.decision.options"] == TOOLS
    assert forced["agentops.decision.reason"] == "Hm."
    assert forced["agentops.decision.forced"] is True
    assert "agentops.decision.reason" not in model_choice(TOOLS, [TEXT], finished=True)
    unlisted = model_choice(TOOLS, [{**CALL, "name": "steal"}], finished=True)
    assert unlisted["agentops.decision.unlisted"] is True


def test_no_tools_no_choice_but_to_refuse() -> None:
    assert model_choice([], [TEXT], finished=True) == {}
    assert model_choice(TOOLS, [TEXT], finished=True, forbidden=True) == {}
    refused = model_choice([], [REFUSAL], finished=True)
    assert refused["agentops.decision.name"] == "answer or refuse"
    assert (refused["agentops.decision.chosen"], refused["agentops.decision.reason"]) == ("refusal", "No.")


def test_who_ended_a_reply() -> None:
    assert all(map(ended_by_model, ("stop", "length", "tool_calls", "end_turn", "max_tokens", "STOP", "eos")))
    assert not any(map(ended_by_model, (None, "", "content_filter", "SAFETY", "error", "abort", "refusal")))
