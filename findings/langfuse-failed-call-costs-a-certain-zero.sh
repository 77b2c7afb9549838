#!/usr/bin/env bash
# langfuse 5.0.4, its drop-in client of OpenAI: a call that the server refuses is written with a cost of 0 for input, output and
# in total, although nothing is known of it; and every call, also this one, with parameters that the program never set
# (temperature 1, max_tokens "Infinity", ...). Sums over failed calls look complete, and a default cannot be told from a choice.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'langfuse==5.0.4' 'openai==3.57.0'
"$home/venv/bin/python" - 2>"$home/log" <<'PY' || { cat "$home/log"; exit 1; }
import importlib.metadata
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = b'{"error": {"message": "no such model"}}'
        self.send_response(400)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"

from langfuse import Langfuse

memory, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
Langfuse(public_key="pk", secret_key="sk", base_url=address, tracer_provider=provider)

from langfuse.openai import openai

client = openai.OpenAI(api_key="none", base_url=f"{address}/v1", max_retries=0)
try:
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello!"}])
except openai.BadRequestError:
    pass
(span,) = memory.get_finished_spans()
cost = json.loads(span.attributes["langfuse.observation.cost_details"])
parameters = json.loads(span.attributes["langfuse.observation.model.parameters"])
print("langfuse", importlib.metadata.version("langfuse"), "| level:", span.attributes["langfuse.observation.level"])
print("cost:", cost)
print("parameters:", parameters)
assert span.attributes["langfuse.observation.level"] == "ERROR"
assert cost == {"input": 0, "output": 0, "total": 0}
assert parameters["temperature"] == 1 and parameters["max_tokens"] == "Infinity"
PY
