"""Stands for the program that the SDK runs, as one that goes round: a model asks for a tool, again and again.

It keeps to what its hooks and interruptions say, and writes down what it does: ``rounds.py LOG ROUNDS``.
"""

from __future__ import annotations

import json
import select
import sys
from pathlib import Path
from typing import Any

from cli import COMMON, MODEL, assistant, result, say, use

log, rounds = Path(sys.argv[1]), int(sys.argv[2])
hooks: dict[str, list[str]] = {}
denied: set[str] = set()
questions: list[dict[str, Any]] = []
state = {"interrupted": False, "model": 0}


def did(what: str) -> None:
    with log.open("a") as file:
        file.write(what + "\n")


def heard() -> dict[str, Any]:
    """The next line that is no request to this program."""
    for line in sys.stdin:
        body: dict[str, Any] = json.loads(line)
        if body["type"] != "control_request":
            return body
        request = body["request"]
        if request["subtype"] == "initialize":
            for event, matchers in (request["hooks"] or {}).items():
                hooks[event] = [ident for matcher in matchers for ident in matcher["hookCallbackIds"]]
        if request["subtype"] == "interrupt":
            state["interrupted"] = True
            did("interrupted")
        response = {"subtype": "success", "request_id": body["request_id"], "response": {}}
        say({"type": "control_response", "response": response})
        if request["subtype"] == "interrupt":
            return {}
    raise SystemExit


def hook(event: str, ident: str, name: str, arguments: dict[str, Any], agent: str | None) -> bool:
    """Whether all of the program's hooks let it go on. A tool that one of them says no to is in ``denied``."""
    about = {"agent_id": "a1", "agent_type": agent} if agent else {}
    goes_on = True
    for callback in hooks.get(event, []):
        told = {"hook_event_name": event, "tool_name": name, "tool_input": arguments, "tool_use_id": ident, **about}
        request = {"subtype": "hook_callback", "callback_id": callback, "input": told, "tool_use_id": ident}
        say({"type": "control_request", "request_id": f"h-{event}-{ident}", "request": request})
        while (body := heard()).get("type") != "control_response":
            questions.append(body)
        answer = body["response"].get("response", {})
        goes_on = goes_on and answer.get("continue", True)
        if (answer.get("hookSpecificOutput") or {}).get("permissionDecision") == "deny":
            denied.add(ident)
    return goes_on


def model(*blocks: dict[str, Any], parent: str | None = None) -> None:
    state["model"] += 1
    did("model")
    assistant(f"m{state['model']}", *blocks, parent=parent)


def tool(ident: str, name: str, *, parent: str | None = None, **arguments: Any) -> bool:
    model(use(ident, name, **arguments), parent=parent)
    agent = "reader" if parent else None
    if not hook("PreToolUse", ident, name, arguments, agent):
        return False
    if ident in denied:
        result(ident, "denied", error=True, parent=parent)
        return True
    if not hooks and select.select([sys.stdin], [], [], 0.3)[0]:
        heard()
    if state["interrupted"]:
        return False
    if name == "Task":
        if not all(tool(f"{ident}-{n}", "Read", parent=ident, path=f"{n}.txt") for n in range(rounds)):
            return False
        model({"type": "text", "text": "Read."}, parent=ident)
    did(name)
    result(ident, f"result of {ident}", parent=parent)
    return hook("PostToolUse", ident, name, arguments, agent)


def deaf() -> None:
    """It is interrupted, and says more once somebody asks the next question: after anybody's patience."""
    model(use("d1", "Bash", command="ls"))
    did("Bash")
    result("d1", "a.txt")
    model(use("d2", "Bash", command="ls"))
    heard()
    questions.append(heard())
    model({"type": "text", "text": "Late."})


def answer(question: str) -> None:
    first = state["model"]
    say({"type": "system", "subtype": "init", **COMMON, "model": MODEL})
    state["interrupted"] = False
    name = "Task" if "delegate" in question else "Bash"
    arguments = {"subagent_type": "reader"} if name == "Task" else {"command": "ls"}
    count = 1 if name == "Task" else rounds
    if "siblings" in question:
        model(*(use(each, "Bash", command=each) for each in ("a", "b")))
        is_done = all(hook("PreToolUse", each, "Bash", {"command": each}, None) for each in ("a", "b"))
    elif "deaf" in question:
        is_done = False
        deaf()
    else:
        is_done = all(tool(f"t{first}-{number}", name, **arguments) for number in range(count))
    if is_done:
        model({"type": "text", "text": "Done."})
    say({"type": "result", "subtype": "success" if is_done else "error_during_execution", **COMMON, "duration_ms": 1,
         "duration_api_ms": 1, "is_error": False, "num_turns": 3, "result": "Done." if is_done else None,
         "total_cost_usd": 0.5, "usage": {"input_tokens": 99}})  # fmt: skip


while True:
    body = questions.pop(0) if questions else heard()
    if body.get("type") == "user":
        answer(str(body["message"]["content"]))
