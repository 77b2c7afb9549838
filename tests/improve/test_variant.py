"""A variant: sticky, in its shares, recorded on what runs below it, and compared."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.cli import main

HALVES = {"short": 0.5, "long": 0.5}


def test_it_is_sticky_everywhere_and_keeps_to_its_shares() -> None:
    chosen = [agentops.variant("prompt", {"a": 0.1, "b": 0.9, "c": 0}, by=f"user {number}") for number in range(2_000)]
    assert 140 < Counter(chosen)["a"] < 260
    assert set(chosen) == {"a", "b"}
    program = """
import agentops_sdk as a
print(*[a.variant('prompt', {'b': 9, 'a': 1}, by=f'user {n}') for n in range(9)])
"""
    told = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert told == chosen[:9], "another process, shares written otherwise"
    other = [agentops.variant("model", {"a": 0.1, "b": 0.9}, by=f"user {number}") for number in range(2_000)]
    assert 1_700 > sum(one == two == "b" for one, two in zip(chosen, other, strict=True)) > 1_540, (
        "tests are independent"
    )
    more = [agentops.variant("prompt", {"a": 0.2, "b": 0.8}, by=f"user {number}") for number in range(2_000)]
    assert not [one for one, two in zip(chosen, more, strict=True) if (one, two) == ("a", "b")], "nobody leaves a"


def test_spans_carry_it_decisions_tell_it_and_faces_compare_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    agentops.init(exporters=["jsonl"], integrations=[], variant="canary")

    @agentops.agent
    def answer(user: str) -> str:
        with agentops.context(user_id=user):
            choice = agentops.variant("prompt", HALVES)
            assert agentops.variant("prompt", HALVES) == choice
            with agentops.span("gpt", kind="llm"):
                pass
        return choice

    chosen = Counter(answer(f"user {number}") for number in range(12))
    with agentops.span("unmarked"):
        pass
    agentops.shutdown()
    assert main(["stats", "--by", "variant", "--json"]) == 0
    rows = {row["key"]: row["calls"] for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rows == {"canary": 12, "prompt=short": chosen["short"], "prompt=long": chosen["long"]}
    assert main(["compare", "variant=prompt=short", "variant=prompt=long", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] == {"a": chosen["short"], "b": chosen["long"]}
    assert told["decisions"] == []  # the one by which the sides were chosen differs for sure
    assert main(["compare", "kind=agent", "name=unmarked", "--json"]) == 0
    assert {row["decision"] for row in json.loads(capsys.readouterr().out)["decisions"]} == {"variant prompt"}
    trace = agentops.traces.load("./.agentops/traces").where(agent="answer").latest
    (decision,) = trace.decisions
    assert (decision.name, decision.by, list(decision.options)) == (
        "variant prompt",
        "code",
        ["short", "long"],
    )
    assert trace.root.attributes["agentops.variant"][0] == "canary"


def test_it_ends_with_its_span_and_a_block_marks_what_is_in_it() -> None:
    with agentops.testing.capture() as traces:
        with agentops.span("one"):
            agentops.variant("prompt", HALVES, by="ada")
        with agentops.span("two"):
            pass
        agentops.variant("prompt", HALVES, by="ada")
        with agentops.span("three"):
            pass
        with agentops.variant("prompt", HALVES, by="ada") as choice, agentops.span("four"):
            pass
        with agentops.span("five"):
            pass
        seen: list[Any] = []
        thread = threading.Thread(target=lambda: seen.append(agentops.variant("prompt", HALVES, by="ada")))
        thread.start()
        thread.join()
    marked = {each.name: each.attributes.get("agentops.variant") for each in traces.spans if each.kind == "task"}
    assert marked == {
        "one": [f"prompt={choice}"],
        "two": None,
        "three": None,
        "four": [f"prompt={choice}"],
        "five": None,
    }
    assert seen == [choice]
    assert type(pickle.loads(pickle.dumps(choice))) is str


@pytest.mark.parametrize("options", [{}, [], {"a": -1}, {"a": 0}, {"a": "much"}, "short", {1: 1}, {"a": float("nan")}])
def test_options_that_cannot_work_are_named(options: Any) -> None:
    with pytest.raises(agentops.ConfigError, match="options"):
        agentops.variant("prompt", options, by="ada")
