#!/usr/bin/env bash
# dspy 3.4.1 calls models through an engine of its own by default: a request to an OpenAI-shaped server passes neither
# the openai client, nor LiteLLM, nor httpx, requests, urllib3 or aiohttp, so that no instrumentation of these sees it.
# With engine="litellm" the same call loads LiteLLM and passes httpx.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'dspy==3.4.1'
cat >"$home/program.py" <<'PY'
import importlib.metadata
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

engine = sys.argv[1]
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no network for the price table
os.environ.pop("OPENAI_BASE_URL", None)
requests = []


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        requests.append((self.path, self.headers.get("user-agent", "")))
        self.rfile.read(int(self.headers["content-length"]))
        message = {"role": "assistant", "content": "[[ ## answer ## ]]\nblue\n\n[[ ## completed ## ]]"}
        body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}}
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()

import dspy

passed = set()


def watch(module, owner, name):
    try:
        cls = getattr(__import__(module, fromlist=["_"]), owner)
    except ImportError:
        return
    original = getattr(cls, name)

    def method(self, *args, **kwargs):
        passed.add(module)
        return original(self, *args, **kwargs)

    setattr(cls, name, method)


watch("httpx", "HTTPTransport", "handle_request")
watch("httpx2", "HTTPTransport", "handle_request")
watch("requests.adapters", "HTTPAdapter", "send")
watch("urllib3", "HTTPConnectionPool", "urlopen")
watch("aiohttp", "ClientSession", "_request")

how = {} if engine == "default" else {"engine": engine}
lm = dspy.LM("openai/gpt-4o-mini", api_base=f"http://127.0.0.1:{server.server_port}/v1", api_key="none", cache=False, **how)
with dspy.context(lm=lm):
    answer = dspy.Predict("question -> answer")(question="What colour is the sky?").answer
server.shutdown()
print(f"dspy {importlib.metadata.version('dspy')}, engine {engine}: {len(requests)} request(s), answer {answer!r},",
      f"HTTP libraries passed: {sorted(passed) or 'none'}, litellm loaded: {'litellm' in sys.modules}")
assert len(requests) == 1
if engine == "default":
    assert not passed
    assert "litellm" not in sys.modules
else:
    assert "httpx" in passed
    assert "litellm" in sys.modules
PY
"$home/venv/bin/python" "$home/program.py" default
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'litellm==1.110.2'
"$home/venv/bin/python" "$home/program.py" litellm
