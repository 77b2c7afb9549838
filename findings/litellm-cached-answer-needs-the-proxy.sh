#!/usr/bin/env bash
# litellm 1.110.2, as pip installs it: with a local cache, the first completion is answered by the model; the second, which
# the cache has, raises ModuleNotFoundError: fastapi. What a cached answer passes is installed by litellm[proxy] only.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'litellm==1.110.2'
LITELLM_LOCAL_MODEL_COST_MAP=True "$home/venv/bin/python" - 2>"$home/log" <<'PY' || { cat "$home/log"; exit 1; }
import importlib.metadata
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import litellm

asked = 0


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        global asked
        asked += 1
        self.rfile.read(int(self.headers["content-length"]))
        message = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        reply = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [message], "usage": usage}
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
where = {"api_base": f"http://127.0.0.1:{server.server_port}/v1", "api_key": "none", "caching": True}
litellm.cache = litellm.Cache(type="local")


def question(text):
    return {"model": "openai/m", "messages": [{"role": "user", "content": text}], **where}


first = litellm.completion(**question("one")).choices[0].message.content
try:
    second = litellm.completion(**question("one")).choices[0].message.content
except ModuleNotFoundError as error:
    second = repr(error)


print("litellm", importlib.metadata.version("litellm"))
print("completion:", first, "| again:", second)
print("requests:", asked)
assert first == "Hello."
assert "No module named 'fastapi'" in second
assert asked == 1
PY
