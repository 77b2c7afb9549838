"""The kill switch: what is paused makes no further model or tool call until it is resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._capture.call import Call
from agentops_sdk._capture.contribution import Contribution
from agentops_sdk._capture.decision_attributes import decision_attributes, options_json
from agentops_sdk._host import admission
from agentops_sdk._host.guard import guard
from agentops_sdk._limits.pause_folder import PauseFolder
from agentops_sdk.errors import Paused

__all__ = ["ALL", "ask", "look", "of_folder", "pause", "paused", "resume", "share", "why"]

ALL = ""
"""Stands for every agent, and for what runs in none."""
_KINDS = frozenset(("llm", "embedding", "tool", "retriever", "agent"))
_CHOICES = options_json(("allow", "refuse"))[1]

paused: dict[str, str] = {}
"""Why, by the agent's name: what this process has paused."""
_elsewhere: dict[str, str] = {}
"""The same, of the folder that it shares with others."""
_folder: PauseFolder | None = None


def why() -> dict[str, str]:
    """Why, by the name of each agent that is paused here."""
    return {**_elsewhere, **paused}


def pause(agent: str, reason: str) -> None:
    """Refuse what the agent does next."""
    paused[agent] = reason
    admission.add(ask)


def resume(agent: str) -> bool:
    """Let it go on, where nobody else has paused it; whether it was paused."""
    was_paused = paused.pop(agent, None) is not None
    _settle()
    return was_paused


def share(directory: Path | None) -> None:
    """Look from now on at what is paused by this folder; ``None``: by none."""
    global _folder
    _folder = None if directory is None else PauseFolder(directory)
    of_folder({} if _folder is None else _folder.found())


def look() -> None:
    """Take in what others have paused, every so often."""
    if _folder is not None and (reasons := _folder.look()) is not None:
        of_folder(reasons)


def of_folder(reasons: dict[str, str]) -> None:
    """This is what is paused by the folder now."""
    global _elsewhere
    _elsewhere = reasons
    _settle()


def _settle() -> None:
    if paused or _elsewhere:
        admission.add(ask)
    else:
        admission.remove(ask)


def ask(live: Any) -> Paused | None:
    """What to raise in place of the work of ``live``; ``None`` where it may begin. Caller's thread."""
    call = getattr(live, "call", live)
    if type(call) is Contribution:
        call = call.operation
    if type(call) is not Call or call.kind not in _KINDS or getattr(live, "is_made", False):
        return None
    agent = _paused_around(call)
    if agent is not None and agent not in paused:  # it is stopped anyhow: whether it still is to be may be looked up
        with guard("pauses.look"):
            look()
        agent = _paused_around(call)
    if agent is None:
        return None
    reason = why().get(agent, "")
    about = f"agent {agent} is paused" if agent else "everything is paused"
    text = f"{about}: {reason}" if reason else about
    call.update(decision_attributes("refuse", name="pause", options=_CHOICES, reason=text, by="human"))
    return Paused(text, agent=agent or None, reason=reason, trace_id=call.trace_id)


def _paused_around(call: Call) -> str | None:
    """The agent, among those that the call is a part of, that is paused."""
    names = {*paused, *_elsewhere}
    if ALL in names:
        return ALL
    around: Call | None = call
    while around is not None:
        name = around.span.attributes.get(semconv.AGENT_NAME)
        if name in names:
            return str(name)
        around = around.around
    return None
