#!/usr/bin/env bash
# opentelemetry-instrumentation-openai 0.62.4 (OpenLLMetry): a call of OpenAI's Responses API has its span only where the answer
# was completed. One that was cut off at max_output_tokens, and one that failed, are paid for and leave no span at all, nor
# is one left open: tokens, cost and every failure of this kind are missing from the trace. Streamed, the same answers have one.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'opentelemetry-instrumentation-openai==0.62.4' 'openai==3.57.0' 'opentelemetry-sdk==1.45.2'
cat >"$home/program.py" <<'PY'
import importlib.metadata
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

MORE = {"completed": {}, "incomplete": {"incomplete_details": {"reason": "max_output_tokens"}},
        "failed": {"error": {"code": "server_error", "message": "The model failed."}}}


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, usage = asked["input"], {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150}
        text = {"type": "output_text", "text": "deep bl", "annotations": []}
        said = {"type": "message", "id": "m", "role": "assistant", "status": status, "content": [text]}
        response = {"id": f"r_{status}", "object": "response", "created_at": 1, "status": status, "model": "gpt-4o-mini",
                    "output": [said], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], **MORE[status],
                    "usage": {**usage, "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}}
        kind, data = "application/json", json.dumps(response).encode()
        if asked.get("stream"):
            name = f"response.{status}"
            event = {"type": name, "sequence_number": 0, "response": response}
            kind, data = "text/event-stream", f"event: {name}\ndata: {json.dumps(event)}\n\n".encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


class Count(SpanProcessor):
    started, ended = 0, []

    def on_start(self, span, parent_context=None):
        self.started += 1

    def on_end(self, span):
        self.ended.append(span.attributes.get("gen_ai.usage.total_tokens"))


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
count, provider = Count(), TracerProvider()
provider.add_span_processor(count)
OpenAIInstrumentor().instrument(tracer_provider=provider)
client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none")
print("opentelemetry-instrumentation-openai", importlib.metadata.version("opentelemetry-instrumentation-openai"))
for stream in (False, True):
    for status in MORE:
        count.started, count.ended = 0, []
        reply = client.responses.create(model="gpt-4o-mini", input=status, stream=stream)
        if stream:
            reply = list(reply)[-1].response
        print(f"{'streamed' if stream else 'whole'}, {reply.status}: {reply.usage.total_tokens} tokens |",
              f"spans begun {count.started}, ended {len(count.ended)}, tokens on them {count.ended}")
PY
"$home/venv/bin/python" "$home/program.py" 2>"$home/log" | tee "$home/output" || { cat "$home/log"; exit 1; }
diff - "$home/output" <<'EXPECTED'
opentelemetry-instrumentation-openai 0.62.4
whole, completed: 150 tokens | spans begun 1, ended 1, tokens on them [150]
whole, incomplete: 150 tokens | spans begun 0, ended 0, tokens on them []
whole, failed: 150 tokens | spans begun 0, ended 0, tokens on them []
streamed, completed: 150 tokens | spans begun 1, ended 1, tokens on them [150]
streamed, incomplete: 150 tokens | spans begun 1, ended 1, tokens on them [150]
streamed, failed: 150 tokens | spans begun 1, ended 1, tokens on them [150]
EXPECTED
