"""Decisions read back: what followed from each, the story they tell, and loops."""

from __future__ import annotations

import json

from agentops_sdk import semconv
from agentops_sdk.traces import Trace
from agentops_sdk.traces.decisions.narrative import story
from agentops_sdk.traces.figures.loops import loops

from .samples import span


def asked(
    parent, at: float, chosen: list[str], *, ids: list[str] = (), reason: str | None = None, forced: bool = False
):
    parts = [
        {"type": "tool_call", "id": one, "name": name, "arguments": {}} for one, name in zip(ids, chosen, strict=False)
    ]
    attributes = {
        semconv.OPERATION_NAME: "chat",
        semconv.RESPONSE_MODEL: "gpt-4o",
        semconv.DECISION_NAME: "tool choice",
        semconv.DECISION_OPTIONS: json.dumps([{"name": "search"}, {"name": "buy"}, {"name": "answer"}]),
        semconv.DECISION_CHOSEN: chosen,
        semconv.DECISION_BY: "model",
        semconv.OUTPUT_MESSAGES: json.dumps([{"role": "assistant", "parts": parts}]),
    }
    if reason:
        attributes[semconv.DECISION_REASON] = reason
    if forced:
        attributes[semconv.DECISION_FORCED] = True
    return span("chat gpt-4o", attributes, parent=parent, at=at)


def tool(parent, name: str, at: float, call_id: str | None = None, arguments: str = "{}", **more):
    attributes = {
        semconv.OPERATION_NAME: "execute_tool",
        semconv.TOOL_NAME: name,
        semconv.TOOL_CALL_ARGUMENTS: arguments,
    }
    if call_id:
        attributes[semconv.TOOL_CALL_ID] = call_id
    return span(f"execute_tool {name}", attributes, parent=parent, at=at, took=50, **more)


def agent(name: str, parent=None, at: float = 0, took: float = 5000):
    return span(
        f"invoke_agent {name}",
        {semconv.OPERATION_NAME: "invoke_agent", semconv.AGENT_NAME: name},
        parent=parent, at=at, took=took,
    )  # fmt: skip


def test_a_tool_follows_from_the_call_that_asked_for_it() -> None:
    top = agent("shopper")
    first = asked(top, 100, ["search"], ids=["call_1"], reason="I must look first")
    second = asked(top, 400, ["search", "buy"], ids=["call_2", "call_3"])
    last = asked(top, 900, ["answer"])
    one = tool(top, "search", 250, "call_1", '{"q": 1}')
    late = tool(top, "search", 550, "call_2", '{"q": 2}')
    failed = tool(top, "buy", 650, "call_3", status="error", status_message="sold out")
    trace = Trace([top, first, second, last, one, late, failed])
    assert [[after.span_id for after in made.followed_by] for made in trace.decisions] == [
        [one.span_id],
        [late.span_id, failed.span_id],
        [],
    ]
    assert story(trace) == [
        "The model gpt-4o called search, not buy. Why: I must look first. It worked (50 ms).",
        ("The model called search and buy. search worked (50 ms); buy failed (50 ms): sold out."),
        "The model answered without calling search or buy.",
    ]


def test_without_ids_the_name_and_the_next_decision_settle_it() -> None:
    top = agent("shopper")
    first, second = asked(top, 100, ["search"]), asked(top, 400, ["search"], forced=True)
    one, two = tool(top, "search", 250), tool(top, "search", 550)
    trace = Trace([top, first, second, one, two])
    assert [made.followed_by for made in trace.decisions] == [(one,), (two,)]
    assert story(trace)[1].startswith("The model had to call search. It worked")


def test_a_stated_decision_and_what_it_led_to() -> None:
    top = agent("desk")
    stated = span(
        "decision route",
        {
            semconv.KIND: "decision",
            semconv.DECISION_NAME: "route",
            semconv.DECISION_OPTIONS: '[{"name": "refund"}, {"name": "escalate", "description": "to a person"}]',
            semconv.DECISION_CHOSEN: ["refund"],
            semconv.DECISION_REASON: "small amount",
            semconv.DECISION_CONFIDENCE: 0.82,
            semconv.DECISION_POLICY: "under-20",
        },
        parent=top,
        at=10,
        took=1,
    )
    unmade = span("decision idle", {semconv.KIND: "decision", semconv.DECISION_NAME: "idle"}, parent=top, at=300)
    refund = span("refund", {semconv.KIND: "task"}, parent=top, at=20)
    below = tool(refund, "refund", 30)
    trace = Trace([top, stated, unmade, refund, below])
    made, not_made = trace.decisions
    assert made.followed_by == (refund,)
    assert made.descriptions == {"escalate": "to a person"}
    assert not not_made.made
    assert story(trace) == [
        ("The rule under-20 chose refund for 'route', not escalate (82% sure). Why: small amount. It worked (100 ms)."),
        "The program left 'idle' undecided.",
    ]


def test_loops_are_pointed_out_and_retries_are_not() -> None:
    top = agent("a")
    same = [tool(top, "search", at, arguments=text) for at, text in ((0, '{"a":1,"b":2}'), (100, '{"b": 2, "a": 1}'))]
    other = tool(top, "search", 200, arguments='{"a":2}')
    retry = [tool(top, "load", 300, status="error"), tool(top, "load", 400)]
    trace = Trace([top, *same, other, *retry])
    (loop,) = loops(trace)
    assert (loop.kind, loop.name, len(loop.spans)) == ("tool", "search", 2)
    assert story(trace) == ["Going round: tool search was called 2 times with the same arguments."]
    assert "loop: tool search was called 2 times with the same arguments" in trace.tree(width=80)


def test_agents_that_take_turns_are_a_loop() -> None:
    top = span("team", {semconv.KIND: "workflow"}, took=9000)
    turns = [agent(name, top, at=100 * place, took=50) for place, name in enumerate("xabababc")]
    (loop,) = loops(Trace([top, *turns]))
    assert loop.name == "a and b"
    assert len(loop.spans) == 6
    assert not loops(Trace([top, *[agent(name, top, at=100 * place, took=5) for place, name in enumerate("abcabc")]]))


def test_agents_in_nodes_of_a_graph_take_turns_as_well() -> None:
    top = span("team", {semconv.KIND: "workflow"}, took=9000)
    nodes = [span(name, {semconv.KIND: "task"}, parent=top, at=100 * place) for place, name in enumerate("abab")]
    (loop,) = loops(Trace([top, *nodes, *[agent(node.name, node, at=100 * n, took=5) for n, node in enumerate(nodes)]]))
    assert (loop.name, len(loop.spans)) == ("a and b", 4)
