#!/usr/bin/env bash
# langchain-core 1.8.3: `tool_calls` of a message chunk holds calls with arguments that the model has not finished
# writing. They are completed by guess (open strings and objects are closed, nothing at all becomes {}) and are not
# marked: `invalid_tool_calls` stays empty. Of a stream that was cut in the middle, the sum of its chunks looks like
# a whole call with a wrong amount.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'langchain-core==1.8.3'
"$home/venv/bin/python" - <<'PY'
import importlib.metadata

from langchain_core.messages import AIMessageChunk

print("langchain-core", importlib.metadata.version("langchain-core"))


def streamed(*pieces):
    total = None
    for number, piece in enumerate(pieces):
        call = {"name": "pay" if number == 0 else None, "args": piece, "id": "call_1" if number == 0 else None,
                "index": 0, "type": "tool_call_chunk"}
        chunk = AIMessageChunk(content="", tool_call_chunks=[call])
        total = chunk if total is None else total + chunk
    return total


for pieces, guess in [
    (["{\"amount\": 12", "50, \"to\": \"Ann\"}"], {"amount": 1250, "to": "Ann"}),
    (["{\"amount\": 12"], {"amount": 12}),
    (["{\"amount\": 12", "50, \"to\": \"An"], {"amount": 1250, "to": "An"}),
    ([""], {}),
]:
    message = streamed(*pieces)
    print(repr("".join(pieces)), "->", message.tool_calls[0]["args"], "invalid:", message.invalid_tool_calls)
    assert message.tool_calls[0]["args"] == guess
    assert message.invalid_tool_calls == []
PY
