"""A refund agent and its tests: what it calls, decides, costs, and what it must never do.

Run it with ``pytest examples/test_refund_agent.py``: no key and no network, since what the model
answered is recorded in ``replays/`` beside this file. To make it yours, copy it, replace the agent,
and record your own model once with ``pytest --agentops-record``.
"""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

import agentops_sdk as agentops
from agentops_sdk.testing import ANY, CapturedTraces

# --- the agent: yours lives in a module of its own ----------------------------------------------

ORDERS = {"A1": {"total": 20, "delivered": True}, "B2": {"total": 900, "delivered": True}}
LIMIT = 100


@agentops.tool
def look_up_order(order_id: str) -> dict[str, Any]:
    """The total of an order, and whether it was delivered."""
    return ORDERS[order_id]


@agentops.tool
def refund(order_id: str, amount: int) -> str:
    """Pay an amount back."""
    return f"refunded ${amount} for {order_id}"


@agentops.tool
def escalate(order_id: str, reason: str) -> str:
    """Hand the case to a person."""
    return f"a person looks at {order_id}: {reason}"


def schema(name: str, **parameters: str) -> Any:
    """A tool as the model is told of it."""
    properties = {parameter: {"type": kind} for parameter, kind in parameters.items()}
    function = {"name": name, "parameters": {"type": "object", "properties": properties}}
    return {"type": "function", "function": function}


@agentops.agent
def support(question: str) -> str:
    """Answer a customer who wants money back."""
    with openai.OpenAI() as client:
        messages: list[Any] = [
            {"role": "system", "content": "Look up the order, then say what to do. You cannot pay anything yourself."},
            {"role": "user", "content": question},
        ]
        reply = client.chat.completions.create(
            model="gpt-4o-mini", messages=messages, tools=[schema("look_up_order", order_id="string")]
        ).choices[0]
        if not reply.message.tool_calls:
            return reply.message.content or ""
        call: Any = reply.message.tool_calls[0]
        order_id = json.loads(call.function.arguments)["order_id"]
        try:
            order = look_up_order(order_id)
        except KeyError:
            return f"I cannot find the order {order_id}."

        with agentops.decision("route", options=["refund", "escalate"], inputs=order, by="code") as route:
            if order["total"] <= LIMIT:
                route.choose("refund", reason="within the limit")
                done = refund(order_id, order["total"])
            else:
                route.choose("escalate", reason=f"more than ${LIMIT}")
                done = escalate(order_id, f"${order['total']} is more than ${LIMIT}")
        messages += [reply.message, {"role": "tool", "tool_call_id": call.id, "content": done}]
        answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0]
        return answer.message.content or ""


# --- its tests ----------------------------------------------------------------------------------

pytestmark = [pytest.mark.agentops_replay, pytest.mark.agentops(max_cost=0.01, max_llm_calls=2)]


def test_a_small_order_is_refunded(traces: CapturedTraces) -> None:
    answer = support("My order A1 arrived broken, I want my money back.")

    assert "$20" in answer
    traces.assert_tools(["look_up_order", "refund"], ordered=True)
    traces.assert_tool_called("refund", args={"order_id": "A1", "amount": 20}, times=1)
    traces.assert_decision("route", chosen="refund", reason="within the limit")
    traces.assert_no_errors()


def test_a_large_order_goes_to_a_person(traces: CapturedTraces) -> None:
    support("I want my money back for B2.")

    traces.assert_no_tool_called("refund")
    traces.assert_tool_called("escalate", args={"order_id": "B2", "reason": ANY})
    traces.assert_path("support > look_up_order > route > escalate")


def test_an_unknown_order_is_told_so(traces: CapturedTraces) -> None:
    assert support("Refund my order Z9, please.") == "I cannot find the order Z9."

    assert traces.tool_calls("look_up_order").one().outcome == "error"
    traces.assert_no_tool_called("refund", "escalate")


def test_chatting_pays_nobody(traces: CapturedTraces) -> None:
    assert support("Hello!")

    traces.assert_no_tool_called()
    traces.assert_llm_calls(1)
    assert traces.cost < 0.001


def test_the_whole_run(traces: CapturedTraces) -> None:
    support("My order A1 arrived broken, I want my money back.")

    traces.assert_tree(
        """
        agent support
          llm gpt-4o-mini
          tool look_up_order
          decision route
            tool refund
          llm gpt-4o-mini
        """
    )
    traces.assert_no_secrets()
    traces.assert_no_loops()
