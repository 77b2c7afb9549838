#!/usr/bin/env bash
# mlflow-tracing 3.17.2, the package for recording without the rest of MLflow: after `mlflow.openai.autolog()` a call of OpenAI
# leaves no trace. The code that starts a span uses a class that only the whole package imports; the error is a warning in the
# log, with no traceback, and the call works as before. A function under `@mlflow.trace` around it is not sent either.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'mlflow-tracing==3.17.2' 'openai==3.57.0'
"$home/venv/bin/python" - 2>"$home/log" <<'PY' || { cat "$home/log"; exit 1; }
import importlib.metadata
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

seen = []
ANSWER = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        seen.append(self.path)
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
os.environ.update(MLFLOW_TRACKING_URI=address, MLFLOW_EXPERIMENT_ID="0", MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false")

import mlflow
import openai

mlflow.openai.autolog()
client = openai.OpenAI(api_key="none", base_url=f"{address}/v1", max_retries=0)


@mlflow.trace
def clerk(question):
    messages = [{"role": "user", "content": question}]
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0].message.content


answer = clerk("Is there tea?")
print("mlflow-tracing", importlib.metadata.version("mlflow-tracing"), "| answer:", answer)
print("requests:", seen)
sys.stderr.flush()
assert answer == "Yes."
assert seen == ["/v1/chat/completions"]
PY
grep -o "Failed to start span[^.]*is not defined" "$home/log" | sort | uniq -c
grep -q "Failed to start span .*is not defined" "$home/log"
