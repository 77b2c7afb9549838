"""What every assertion says when it fails, word for word: the messages are the product.

The expected texts are in ``messages/``; ``AGENTOPS_UPDATE=1`` writes them anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.traces.samples import agent, chat, message, span, tool

from agentops_sdk import semconv
from agentops_sdk.errors import ConfigError
from agentops_sdk.testing import ANY, CapturedTrace, CapturedTraces
from agentops_sdk.testing.plugin.budget import Budget
from agentops_sdk.testing.records import as_elements

FOLDER = Path(__file__).parent / "messages"


def called(name: str, parent: Any, given: Any, result: Any = None, **more: Any) -> Any:
    attributes = {semconv.TOOL_CALL_ARGUMENTS: json.dumps(given)} | more.pop("attributes", {})
    if result is not None:
        attributes[semconv.TOOL_CALL_RESULT] = json.dumps(result)
    return tool(name, parent, attributes, **more)


def refund() -> CapturedTrace:
    """A support agent that looks twice, decides, fails once, and answers."""
    top = agent("support", took=3400)
    asks = {"type": "tool_call", "id": "c1", "name": "lookup", "arguments": {"order": "A1"}}
    ships = {"type": "tool_call", "id": "c2", "name": "ship", "arguments": {}}
    output = [{"role": "assistant", "parts": [asks, ships], "finish_reason": "tool_call"}]
    spans = [
        chat(top, at=10, took=820, attributes={semconv.OUTPUT_MESSAGES: json.dumps(output)}),
        called("lookup", top, {"order": "A1", "deep": False}, {"total": 20}, at=900),
        called("lookup", top, {"order": "A1", "deep": False}, {"total": 20}, at=1010),
        span(
            "decision route",
            {
                semconv.KIND: "decision",
                semconv.DECISION_NAME: "route",
                semconv.DECISION_OPTIONS: '["refund", "escalate"]',
                semconv.DECISION_CHOSEN: '["escalate"]',
                semconv.DECISION_REASON: "over the limit",
                semconv.DECISION_BY: "code",
            },
            parent=top,
            at=1200,
            took=1,
        ),
        called("refund", top, {"order": "A1", "amount": 20}, at=1300, status="error", status_message="no such order",
               attributes={semconv.ERROR_TYPE: "KeyError"}),
        inner := agent("writer", top, at=1500, took=1500),
        chat(inner, at=1510, took=1400, model="my-own-model", tokens=None, cost=None,
             attributes={semconv.COST_UNKNOWN_REASON: "no price for my-own-model"}),
        span("post", parent=inner, at=2920, took=20, attributes={"note": "key [redacted:openai-key] left out"}),
        top,
    ]  # fmt: skip
    return CapturedTrace(as_elements(spans))


def dear() -> CapturedTrace:
    """Three model calls, all priced."""
    top = agent("writer", took=3000)
    said = {semconv.OUTPUT_MESSAGES: json.dumps([message("assistant", "Fine.")])}
    calls = [
        chat(top, at=n * 1000, took=n * 300 + 300, tokens=(n * 1000 + 1000, 50), cost=0.01 * (n + 1), attributes=said)
        for n in range(3)
    ]
    return CapturedTrace(as_elements([top, *calls]))


CASES: dict[str, Callable[[], Any]] = {
    "tool never called": lambda: refund().assert_tool_called("serch"),
    "tool misspelled": lambda: refund().assert_tool_called("lokup"),
    "tool asked for but not run": lambda: refund().assert_tool_called("ship"),
    "tool name of an agent": lambda: refund().assert_tool_called("writer"),
    "tool called with other args": lambda: refund().assert_tool_called("refund", args={"order": "A2", "amount": ANY}),
    "tool called without an arg": lambda: refund().assert_tool_called("lookup", args={"order": "A1", "fast": True}),
    "tool returned something else": lambda: refund().assert_tool_called("lookup", result={"total": 30}),
    "tool called too often": lambda: refund().assert_tool_called("lookup", times=1),
    "tool called too rarely": lambda: refund().assert_tool_called("refund", times=3),
    "tool called too rarely with args": lambda: refund().assert_tool_called("lookup", args={"order": "A1"}, times=3),
    "tool called before": lambda: refund().assert_tool_called("refund", before="lookup"),
    "tool called after": lambda: refund().assert_tool_called("lookup", after="refund"),
    "tool called before nothing": lambda: refund().assert_tool_called("lookup", before="refnd"),
    "tools in order": lambda: refund().assert_tools(["lookup", "refund"], ordered=True),
    "tools in order, one missing": lambda: refund().assert_tools(["lookup", "lookup", "refund", "mail"], ordered=True),
    "tools in order, others allowed": lambda: refund().assert_tools(["refund", "lookup"], ordered=True, exact=False),
    "tools in any order": lambda: refund().assert_tools(["refund", "lookup", "mail"]),
    "tools, others allowed": lambda: refund().assert_tools(["mail", "refunt"], exact=False),
    "no tool called": lambda: refund().assert_no_tool_called(),
    "no such tool called": lambda: refund().assert_no_tool_called("refund", "mail"),
    "llm calls exactly": lambda: refund().assert_llm_calls(1),
    "llm calls at most": lambda: dear().assert_llm_calls(max=2),
    "llm calls between": lambda: dear().assert_llm_calls(min=5, max=6),
    "llm calls of a model": lambda: refund().assert_llm_calls(2, model="gpt-5*"),
    "decision otherwise": lambda: refund().assert_decision("route", chosen="refund"),
    "decision by somebody else": lambda: refund().assert_decision("route", chosen="escalate", by="human"),
    "decision for another reason": lambda: refund().assert_decision("route", reason="fraud"),
    "decision not made": lambda: refund().assert_decision("rout"),
    "no decision at all": lambda: dear().assert_decision("route"),
    "cost too high": lambda: dear().assert_cost_below(0.01),
    "cost unknown": lambda: refund().assert_cost_below(0.01),
    "tokens too many": lambda: dear().assert_tokens_below(5_000),
    "tokens unknown": lambda: refund().assert_tokens_below(5_000),
    "duration too long": lambda: refund().assert_duration_below(2),
    "errors": lambda: refund().assert_no_errors(),
    "loops": lambda: refund().assert_no_loops(),
    "secrets": lambda: refund().assert_no_secrets(),
    "path of a step not after": lambda: refund().assert_path("support > refund > lookup"),
    "path of a step not inside": lambda: refund().assert_path("support > writer / refund"),
    "path of an unknown step": lambda: refund().assert_path("support > lokup > refund"),
    "tree of another span": lambda: refund().assert_tree(
        """
        support
          llm *
          lookup
          refund
          ...
        """
    ),
    "tree with a span missing": lambda: dear().assert_tree(
        """
        agent writer
          llm gpt-4o-mini
          llm gpt-4o-mini
          llm gpt-4o-mini
          tool mail
        """
    ),
    "tree with a span too many": lambda: dear().assert_tree(
        """
        writer
          gpt-4o-mini
          gpt-4o-mini
        """
    ),
    "tree of another outcome": lambda: refund().assert_tree(
        """
        support
          ...
          refund [ok]
          ...
        """
    ),
    "one of none": lambda: CapturedTraces.of([]).one(),
    "one of several": lambda: CapturedTraces.of([*dear(), *other()]).one(),
    "several traces, one marked": lambda: CapturedTraces.of([*dear(), *other()]).assert_no_tool_called(),
    "spans one of several": lambda: refund().tool_calls.one(),
    "budget of model calls": lambda: budget(max_llm_calls=2),
    "budget of cost": lambda: budget(max_cost=0.05),
    "budget of tokens": lambda: budget(max_tokens=100),
    "budget of time": lambda: budget(max_duration=1),
    "a long trace": lambda: long().assert_no_tool_called("needle"),
}


def other() -> CapturedTrace:
    top = agent("other", took=10, trace_id="0" * 31 + "1")
    return CapturedTrace(as_elements([top, called("mail", top, {}, trace_id=top.trace_id)]))


def long() -> CapturedTrace:
    top = agent("busy", took=100_000)
    calls = [called("needle" if n == 300 else "hay", top, {"n": n}, at=n) for n in range(500)]
    return CapturedTrace(as_elements([top, *calls]))


def budget(**limits: Any) -> None:
    failed = Budget.of(limits).exceeded(CapturedTraces.of(dear()))
    assert failed is not None
    raise failed


@pytest.mark.parametrize("name", CASES)
def test_message(name: str) -> None:
    with pytest.raises(AssertionError) as caught:
        CASES[name]()
    file = FOLDER / f"{name.replace(' ', '-').replace(',', '')}.txt"
    if os.environ.get("AGENTOPS_UPDATE"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(f"{caught.value}\n", encoding="utf-8")
    assert f"{caught.value}\n" == file.read_text(encoding="utf-8")


def test_no_message_is_left_over() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == {name.replace(" ", "-").replace(",", "") for name in CASES}


def test_what_holds_passes() -> None:
    trace = refund()
    assert trace.assert_tool_called("refund", args={"amount": ANY}, times=1, after="lookup").outcome == "error"
    trace.assert_tool_called("look*", times=2, before="refund", result={"total": 20})
    trace.assert_tools(["refund", "lookup", "lookup"])
    trace.assert_tools(["lookup", "lookup", "refund"], ordered=True)
    trace.assert_tools(["lookup", "refund"], ordered=True, exact=False)
    trace.assert_tools(["refund"], exact=False)
    trace.assert_no_tool_called("mail")
    trace.assert_llm_calls(2)
    trace.assert_llm_calls(min=1, max=2)
    trace.assert_llm_calls(1, model="my-*")
    assert trace.assert_decision("route", chosen="escalate", by="code", reason="limit").options == (
        "refund",
        "escalate",
    )
    trace.assert_decision("route", chosen=["escalate"])
    trace.assert_duration_below(4)
    trace.assert_path("support > lookup > refund > writer / my-own-model")
    trace.assert_path("support / writer / post")
    dear().assert_cost_below(0.07)
    dear().assert_tokens_below(10_000)
    dear().assert_no_errors()
    dear().assert_no_loops()
    dear().assert_no_secrets()
    dear().assert_no_tool_called()
    trace.assert_tree(
        """
        support
          llm gpt-*
          tool lookup
          lookup
          decision route
          refund [error]
          agent writer ...
        """
    )
    trace.assert_tree("support ...")
    trace.assert_tree("support\n  ...\n  decision route\n  ...\n  agent writer\n    ...\n    post")
    CapturedTraces.of([*dear(), *other()]).assert_tree("other\n  mail")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: dear().assert_tool_called("x", times=0), "at least 1; for never, use assert_no_tool_called"),
        (lambda: dear().assert_path("a > > b"), "names separated by"),
        (lambda: dear().assert_tree(""), "at least one line"),
        (lambda: dear().assert_tree("a\n    b\n  c"), "the indentation of a line above"),
        (lambda: Budget.of({"max_cost": "cheap"}), "expected a number"),
    ],
)
def test_a_mistake_in_the_test_itself_is_told_apart(wrong: Callable[[], Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        wrong()
