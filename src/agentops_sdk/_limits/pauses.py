"""The kill switch: what is paused makes no further model or tool call until it is resumed."""

from __future__ import annotations

from typing import Any

from agentops_sdk import semconv
from agentops_sdk._capture.call import Call
from agentops_sdk._capture.contribution import Contribution
from agentops_sdk._capture.decision_attributes import decision_attributes, options_json
from agentops_sdk._host import admission
from agentops_sdk.errors import Paused

__all__ = ["ALL", "ask", "pause", "paused", "resume"]

ALL = ""
"""Stands for every agent, and for what runs in none."""
_KINDS = frozenset(("llm", "embedding", "tool", "retriever", "agent"))
_CHOICES = options_json(("allow", "refuse"))[1]

paused: dict[str, str] = {}
"""Why, by the agent's name."""


def pause(agent: str, reason: str) -> None:
    """Refuse what the agent does next."""
    paused[agent] = reason
    admission.add(ask)


def resume(agent: str) -> bool:
    """Let it go on; whether it was paused."""
    was_paused = paused.pop(agent, None) is not None
    if not paused:
        admission.remove(ask)
    return was_paused


def ask(live: Any) -> Paused | None:
    """What to raise in place of the work of ``live``; ``None`` where it may begin. Caller's thread."""
    call = getattr(live, "call", live)
    if type(call) is Contribution:
        call = call.operation
    if type(call) is not Call or call.kind not in _KINDS:
        return None
    agent = _paused_around(call)
    if agent is None:
        return None
    reason = paused.get(agent, "")
    about = f"agent {agent} is paused" if agent else "everything is paused"
    text = f"{about}: {reason}" if reason else about
    call.update(decision_attributes("refuse", name="pause", options=_CHOICES, reason=text, by="human"))
    return Paused(text, agent=agent or None, reason=reason, trace_id=call.trace_id)


def _paused_around(call: Call) -> str | None:
    """The agent, among those that the call is a part of, that is paused."""
    if ALL in paused:
        return ALL
    around: Call | None = call
    while around is not None:
        name = around.span.attributes.get(semconv.AGENT_NAME)
        if name in paused:
            return str(name)
        around = around.around
    return None
