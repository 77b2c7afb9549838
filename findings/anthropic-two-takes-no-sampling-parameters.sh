#!/usr/bin/env bash
# anthropic 2.14.0: `messages.create`, `stream`, `parse` and `count_tokens`, plain and beta, have no temperature, top_p or
# top_k any more, nor have the types of a request: a program that gave temperature=0 ends with a TypeError of its own before
# anything is sent. The server's request still has the field: given as extra_body={"temperature": 0} it is sent, which is
# the way langchain-anthropic 1.7.10 sends the one that its users give. Whoever records these parameters from the call's
# keywords finds none: they stand in extra_body, or in the body that was sent.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'anthropic==2.14.0' 'langchain-anthropic==1.7.10'
cat >"$home/program.py" <<'PY'
import inspect
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
from langchain_anthropic import ChatAnthropic

SAMPLING = {"temperature", "top_p", "top_k"}
bodies = []


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        answer = {"id": "m", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "stop_reason": "end_turn",
                  "stop_sequence": None, "content": [{"type": "text", "text": "blue"}],
                  "usage": {"input_tokens": 3, "output_tokens": 1}}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
client = anthropic.Anthropic(api_key="none", base_url=address, max_retries=0)
methods = [getattr(place, name) for place in (client.messages, client.beta.messages)
           for name in ("create", "stream", "parse", "count_tokens")]
print("anthropic", anthropic.__version__)
print("methods that name a sampling parameter:",
      sum(bool(SAMPLING & set(inspect.signature(method).parameters)) for method in methods), "of", len(methods))
call = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Which colour?"}]}
try:
    client.messages.create(**call, temperature=0)
except TypeError as error:
    print("temperature=0:", type(error).__name__, "after", len(bodies), "requests")
client.messages.create(**call, extra_body={"temperature": 0})
print("by extra_body: sent", bodies[-1].get("temperature"))
ChatAnthropic(model="claude-haiku-4-5", api_key="none", base_url=address, temperature=0.5, max_retries=0).invoke("Which?")
print("by langchain-anthropic: sent", bodies[-1].get("temperature"))
PY
"$home/venv/bin/python" "$home/program.py" | tee "$home/output"
diff - "$home/output" <<'EXPECTED'
anthropic 2.14.0
methods that name a sampling parameter: 0 of 8
temperature=0: TypeError after 0 requests
by extra_body: sent 0
by langchain-anthropic: sent 0.5
EXPECTED
