"""One name for one thing: what is public is listed once; names of before work, or say what they are called now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import agentops_sdk as agentops
from agentops_sdk.spans import span
from agentops_sdk.track import task

PAGES = Path(__file__).parents[1]
ANOTHER_SPELLING = re.compile(r"agentops\.(trace|operation)\b")


def test_other_spellings_work_and_are_not_listed() -> None:
    assert {"trace", "operation"}.isdisjoint(agentops.__all__)
    assert {"trace", "operation"}.isdisjoint(dir(agentops))

    @agentops.operation
    def step() -> None: ...

    with agentops.testing.capture() as traces, agentops.trace("block", kind="tool"):
        step()
    assert [(each.name, each.kind) for each in traces.spans] == [("execute_tool block", "tool"), ("step", "task")]
    assert agentops.trace is span
    assert agentops.operation is task


def test_pages_and_examples_use_the_one_name() -> None:
    pages = [PAGES / "README.md", *PAGES.glob("docs/**/*.md"), *PAGES.glob("examples/**/*.py")]
    assert len(pages) > 20
    assert [str(page) for page in pages if ANOTHER_SPELLING.search(page.read_text(encoding="utf-8"))] == []


def test_there_is_one_public_cost() -> None:
    assert agentops.traces.Cost(1) + agentops.traces.Cost(1) == agentops.traces.Cost(2)
    assert agentops.prices.Price(None, None).amount is None
    with pytest.raises(AttributeError, match="'Cost': it is called 'Price' now"):
        agentops.prices.Cost  # noqa: B018 - asking is the test
    with pytest.raises(AttributeError, match=r"no attribute 'Costs'$"):
        agentops.prices.Costs  # noqa: B018 - asking is the test
