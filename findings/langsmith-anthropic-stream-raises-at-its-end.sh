#!/usr/bin/env bash
# langsmith 0.15.1 with anthropic 2.14.0, each the newest: a client under `wrap_anthropic` hands over every event of a stream and
# then, instead of the end, raises TypeError into the program's own loop: what puts the events together calls a function of
# anthropic that asks for one more argument since. Of the run, which went well, the server is told the beginning and no end.
# A call that is not streamed works. Nothing of langsmith says which anthropic it fits.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'langsmith==0.15.1' 'anthropic==2.14.0'
"$home/venv/bin/python" -m pip check
cat >"$home/program.py" <<'PY'
import importlib.metadata
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

told = []  # what the server of LangSmith is told of runs
MESSAGE = {"id": "m", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "stop_sequence": None,
           "usage": {"input_tokens": 3, "output_tokens": 1}}
TEXT = {"type": "text", "text": "blue"}
EVENTS = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "blue"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
    {"type": "message_stop"},
]


class Server(BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        kind, data = "application/json", b"{}"
        if self.path.startswith("/runs"):
            told.append(self.command)
        elif self.path == "/v1/messages":
            data = json.dumps({**MESSAGE, "content": [TEXT], "stop_reason": "end_turn"}).encode()
            if json.loads(body).get("stream"):
                kind = "text/event-stream"
                data = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in EVENTS).encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
os.environ.update(LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT=address, LANGSMITH_API_KEY="none")

import anthropic
import langsmith
from langsmith.wrappers import wrap_anthropic

tracer = langsmith.Client(api_url=address, api_key="none", auto_batch_tracing=False)
client = wrap_anthropic(anthropic.Anthropic(base_url=address, api_key="none"), tracing_extra={"client": tracer})
call = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Which colour?"}]}
print("langsmith", importlib.metadata.version("langsmith"), "| anthropic", importlib.metadata.version("anthropic"))
print("whole:", client.messages.create(**call).content[0].text, "| told of the run:", *told)
for how in ("create", "stream"):
    told.clear()
    received = []
    try:
        if how == "create":
            for event in client.messages.create(**call, stream=True):
                received.append(event.type)
        else:
            with client.messages.stream(**call) as stream:
                for event in stream:
                    received.append(event.type)
        end = "ended"
    except TypeError as error:
        end = f"raised TypeError ({str(error).partition(': ')[2]})"
    print(f"{how}: last event {received[-1]}, then {end} | told of the run:", *told)
PY
"$home/venv/bin/python" "$home/program.py" 2>"$home/log" | tee "$home/output" || { cat "$home/log"; exit 1; }
diff - "$home/output" <<'EXPECTED'
langsmith 0.15.1 | anthropic 2.14.0
whole: blue | told of the run: POST PATCH
create: last event message_stop, then raised TypeError ('json_bufs') | told of the run: POST
stream: last event message_stop, then raised TypeError ('json_bufs') | told of the run: POST
EXPECTED
