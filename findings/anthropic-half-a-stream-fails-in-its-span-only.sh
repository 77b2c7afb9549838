#!/usr/bin/env bash
# anthropic 2.14.0: a stream that ends in the middle (a proxy that closes an idle connection in good order, say) raises nothing:
# not from `create(stream=True)`, nor from `stream()`, whose get_final_message() returns what came, without a stop reason,
# with the output tokens of the first event and, where a tool's arguments were under way, with what they can be guessed to be.
# The client does notice: the span that it makes by itself is an error. Whoever asks the program hears of a good call.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'anthropic==2.14.0' 'opentelemetry-sdk==1.45.2'
cat >"$home/program.py" <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

requests = 0
EVENTS = [
    {"type": "message_start", "message": {
        "id": "m", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": [], "stop_reason": None,
        "stop_sequence": None, "usage": {"input_tokens": 30, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "pay", "input": {}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"amount": 12'}},
]


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        global requests
        requests += 1
        self.rfile.read(int(self.headers["content-length"]))
        data = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in EVENTS).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
memory, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
client = anthropic.Anthropic(
    base_url=f"http://127.0.0.1:{server.server_port}", api_key="none", open_telemetry={"tracer_provider": provider})
call = {"model": "claude-haiku-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": "Pay what I owe."}]}


def span():
    (each,) = memory.get_finished_spans()
    memory.clear()
    return f"span {each.status.status_code.name}, error.type {each.attributes.get('error.type')}"


print("anthropic", anthropic.__version__)
print("create: events", len(list(client.messages.create(**call, stream=True))), "and an end |", span())
with client.messages.stream(**call) as stream:
    message = stream.get_final_message()
print("stream: pay", message.content[0].input, "stop reason", message.stop_reason, "output tokens", message.usage.output_tokens,
      "|", span())
print("requests", requests)
PY
"$home/venv/bin/python" "$home/program.py" 2>"$home/log" | tee "$home/output" || { cat "$home/log"; exit 1; }
diff - "$home/output" <<'EXPECTED'
anthropic 2.14.0
create: events 3 and an end | span ERROR, error.type api_error
stream: pay {'amount': 12} stop reason None output tokens 1 | span ERROR, error.type api_error
requests 2
EXPECTED
