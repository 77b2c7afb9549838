#!/usr/bin/env bash
# anthropic 2.14.0 makes OpenTelemetry spans of its own, without being asked, as soon as a program has a tracer provider.
# Their `gen_ai.usage.input_tokens` is the sum of three figures of the reply (input_tokens, cache_read_input_tokens,
# cache_creation_input_tokens), while the reply object that the program gets has `usage.input_tokens` without the two.
# And the request carries `traceparent` to the vendor, and whatever baggage is current with it.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'anthropic==2.14.0' 'opentelemetry-sdk==1.45.2'
"$home/venv/bin/python" -W ignore::DeprecationWarning - <<'PY'
import importlib.metadata
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import anthropic
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

USAGE = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2}
headers = []


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        headers.append({name.lower(): value for name, value in self.headers.items()})
        self.rfile.read(int(self.headers["content-length"]))
        body = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
                "content": [{"type": "text", "text": "Hello."}], "stop_reason": "end_turn", "usage": USAGE}
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
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)

client = anthropic.Anthropic(base_url=f"http://127.0.0.1:{server.server_port}", api_key="none")
token = context.attach(baggage.set_baggage("user", "somebody"))
reply = client.messages.create(model="claude-sonnet-4-5", max_tokens=10, messages=[{"role": "user", "content": "Hi"}])
context.detach(token)
server.shutdown()

(span,) = exporter.get_finished_spans()
print("anthropic", importlib.metadata.version("anthropic"))
print("scope:", span.instrumentation_scope.name, "| span:", span.name)
print("reply.usage.input_tokens:", reply.usage.input_tokens, "| span:", span.attributes["gen_ai.usage.input_tokens"])
print("sent to the vendor:", sorted({"traceparent", "baggage"} & headers[0].keys()))
assert span.instrumentation_scope.name.startswith("com.anthropic.sdk.python")
assert reply.usage.input_tokens == 10
assert span.attributes["gen_ai.usage.input_tokens"] == 15
assert {"traceparent", "baggage"} <= headers[0].keys()
assert headers[0]["baggage"] == "user=somebody"
PY
