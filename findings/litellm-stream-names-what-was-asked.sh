#!/usr/bin/env bash
# litellm 1.110.2: the same answer has another model when it is streamed, and may have usage that no server gave.
# Whole, `model` is what the server named. Streamed, each chunk names the alias that was asked for, whatever the server's
# chunks say. With stream_options={"include_usage": True} and a server that sends no usage, the last chunk has one that
# LiteLLM counted itself, with a cost, and nothing on it tells it from a server's.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'litellm==1.110.2'
cat >"$home/program.py" <<'PY'
import importlib.metadata
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no network for the price table
SERVED = "gpt-4o-mini-2024-07-18"


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if body.get("stream"):
            deltas = [({"role": "assistant", "content": "deep "}, None), ({"content": "blue"}, None), ({}, "stop")]
            chunks = [{"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": SERVED,
                       "choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in deltas]
            kind, data = "text/event-stream", b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks)
            data += b"data: [DONE]\n\n"
        else:
            message = {"role": "assistant", "content": "deep blue"}
            kind, data = "application/json", json.dumps(
                {"id": "c1", "object": "chat.completion", "created": 1, "model": SERVED,
                 "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}).encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()

import litellm

call = {"model": "openai/gpt-4o-mini", "api_key": "none", "api_base": f"http://127.0.0.1:{server.server_port}",
        "messages": [{"role": "user", "content": "Which colour?"}]}
print("litellm", importlib.metadata.version("litellm"))
print("whole:", litellm.completion(**call).model)
print("streamed:", *{chunk.model for chunk in litellm.completion(**call, stream=True)})
*_, last = litellm.completion(**call, stream=True, stream_options={"include_usage": True})
print("usage that no server sent:", last.usage.prompt_tokens > 0 and last.usage.completion_tokens > 0)
print("it says that it was counted here:", "estimat" in repr(last).lower() or "local" in repr(last).lower())
PY
"$home/venv/bin/python" "$home/program.py" 2>/dev/null | tee "$home/output"
diff - "$home/output" <<'EXPECTED'
litellm 1.110.2
whole: gpt-4o-mini-2024-07-18
streamed: gpt-4o-mini
usage that no server sent: True
it says that it was counted here: False
EXPECTED
