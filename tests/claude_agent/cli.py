"""Stands for the program that the SDK runs: the same protocol on its standard input and output, by a script.

What it says, and when, is as the real one says it (2.1.206): a message comes when one block of a reply has ended, with
the usage that the reply began with; the pieces, where they are asked for, have the usage that it ends with.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

USAGE = {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 1}
OUTPUT_TOKENS = 5
MODEL = os.environ.get("TOLD_MODEL", "claude-sonnet-4-5")
COMMON = {"session_id": "s1", "uuid": "u"}
PIECES = "--include-partial-messages" in sys.argv


def say(body: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(body) + "\n")
    sys.stdout.flush()


def piece(parent: str | None, kind: str, **event: Any) -> None:
    if PIECES:
        say({"type": "stream_event", **COMMON, "parent_tool_use_id": parent, "event": {"type": kind, **event}})


def assistant(identity: str, *blocks: dict[str, Any], parent: str | None = None, cut: bool = False) -> None:
    """One message for each block; each repeats the usage. A reply that is cut off goes on until :func:`stopped`."""
    message = {"id": identity, "model": MODEL, "role": "assistant"}
    piece(parent, "message_start", message={**message, "content": [], "usage": USAGE})
    for number, block in enumerate(blocks):
        piece(parent, "content_block_start", index=number, content_block={"type": block["type"]})
        if cut:
            return
        body = {**message, "content": [block], "stop_reason": None, "usage": USAGE}
        about = {**COMMON, "uuid": f"{identity}-{number}"}
        say({"type": "assistant", **about, "parent_tool_use_id": parent, "message": body})
        piece(parent, "content_block_stop", index=number)
    reason = "tool_use" if blocks[-1]["type"] == "tool_use" else "end_turn"
    stopped(parent, reason, OUTPUT_TOKENS)


def stopped(parent: str | None, reason: str | None, output: int) -> None:
    piece(parent, "message_delta", delta={"stop_reason": reason}, usage={"output_tokens": output})
    piece(parent, "message_stop")


def use(identity: str, name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": identity, "name": name, "input": arguments}


def result(identity: str, text: str, *, error: bool = False, parent: str | None = None) -> None:
    block = {"type": "tool_result", "tool_use_id": identity, "content": text, "is_error": error}
    say({"type": "user", **COMMON, "parent_tool_use_id": parent, "message": {"role": "user", "content": [block]}})


def allowed(identity: str, name: str, arguments: dict[str, Any]) -> bool:
    request = {"subtype": "can_use_tool", "tool_name": name, "input": arguments, "tool_use_id": identity}
    say({"type": "control_request", "request_id": "p1", "request": request})
    for line in sys.stdin:
        body = json.loads(line)
        if body.get("type") == "control_response":
            return bool(body["response"]["response"]["behavior"] == "allow")
    return False


def answer() -> None:
    assistant("m1", {"type": "text", "text": "I look."}, use("t1", "Bash", command="ls"))
    if allowed("t1", "Bash", {"command": "ls"}):
        result("t1", "a.txt")
    else:
        result("t1", "not allowed", error=True)
    assistant("m2", use("t2", "Task", subagent_type="reader", prompt="Read it."))
    assistant("m3", use("t3", "Read", path="a.txt"), use("t4", "Read", path="b.txt"), parent="t2")
    result("t3", "secret words", parent="t2")
    result("t4", "no such file", error=True, parent="t2")
    assistant("m4", {"type": "text", "text": "Read."}, parent="t2")
    result("t2", "Read.")
    assistant("m5", {"type": "text", "text": "Done."})
    over(subtype="success", is_error=False, result="Done.", total_cost_usd=0.5, usage={"output_tokens": 25})


def over(**told: Any) -> None:
    say({"type": "result", **COMMON, "duration_ms": 1, "duration_api_ms": 1, "num_turns": 3, **told})


def wait_in_words() -> None:
    assistant("m1", {"type": "text", "text": "I look."}, cut=True)
    until_interrupted()
    stopped(None, None, 1)
    over(subtype="error_during_execution", is_error=True, terminal_reason="aborted_streaming")


def wait_in_a_tool() -> None:
    assistant("m1", use("t1", "Bash", command="sleep 60"))
    until_interrupted()
    result("t1", "The user doesn't want to proceed with this tool use.", error=True)
    over(subtype="error_during_execution", is_error=True, terminal_reason="aborted_tools")


def until_interrupted() -> None:
    for line in sys.stdin:
        body = json.loads(line)
        if body.get("request", {}).get("subtype") == "interrupt":
            say({"type": "control_response", "response": {"subtype": "success", "request_id": body["request_id"]}})
            return
    sys.exit()


ANSWERS = {"Wait in words.": wait_in_words, "Wait in a tool.": wait_in_a_tool}


def main() -> None:
    for line in sys.stdin:
        body = json.loads(line)
        if body.get("type") == "control_request":
            response = {"subtype": "success", "request_id": body["request_id"], "response": {"commands": []}}
            say({"type": "control_response", "response": response})
        elif body.get("type") == "user":
            ANSWERS.get(body["message"]["content"], answer)()


if __name__ == "__main__":
    main()
