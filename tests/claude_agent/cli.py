"""Stands for the program that the SDK runs: the same protocol on its standard input and output, by a script."""

from __future__ import annotations

import json
import sys
from typing import Any

USAGE = {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 5}
COMMON = {"session_id": "s1", "uuid": "u"}


def say(body: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(body) + "\n")
    sys.stdout.flush()


def assistant(identity: str, *blocks: dict[str, Any], parent: str | None = None) -> None:
    """One message for each block, as the real one does; each repeats the usage."""
    for number, block in enumerate(blocks):
        message = {"id": identity, "model": "claude-sonnet-4-5", "role": "assistant", "content": [block]}
        uuid = f"{identity}-{number}"
        say(
            {
                "type": "assistant",
                **COMMON,
                "uuid": uuid,
                "parent_tool_use_id": parent,
                "message": {**message, "usage": USAGE},
            }
        )


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
    say({"type": "result", "subtype": "success", **COMMON, "duration_ms": 1, "duration_api_ms": 1, "is_error": False,
         "num_turns": 3, "result": "Done.", "total_cost_usd": 0.5, "usage": {"input_tokens": 99}})  # fmt: skip


def main() -> None:
    for line in sys.stdin:
        body = json.loads(line)
        if body.get("type") == "control_request":
            response = {"subtype": "success", "request_id": body["request_id"], "response": {"commands": []}}
            say({"type": "control_response", "response": response})
        elif body.get("type") == "user":
            answer()


if __name__ == "__main__":
    main()
