#!/usr/bin/env bash
# openinference-instrumentation-openai 0.1.66: a stream of OpenAI's Responses API that ends with `response.incomplete` (cut off at
# max_output_tokens) or `response.failed` has a span with status OK and neither tokens nor output: only what comes with
# `response.completed` is read. The same three answers, not streamed, have their tokens. So the longest answers, which are the
# ones that are cut off, are missing from the sums of those who stream, and a failure is a success.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'openinference-instrumentation-openai==0.1.66' 'openai==3.57.0' 'opentelemetry-sdk==1.45.2'
cat >"$home/program.py" <<'PY'
import importlib.metadata
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

MORE = {"completed": {}, "incomplete": {"incomplete_details": {"reason": "max_output_tokens"}},
        "failed": {"error": {"code": "server_error", "message": "The model failed."}}}


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status = asked["input"]
        text = {"type": "output_text", "text": "deep bl", "annotations": []}
        said = {"type": "message", "id": "m", "role": "assistant", "status": status, "content": [text]}
        usage = {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150,
                 "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        whole = {"id": "r", "object": "response", "created_at": 1, "status": status, "model": "gpt-4o-mini", "output": [said],
                 "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": usage, **MORE[status]}
        begun = {**whole, "status": "in_progress", "output": [], "usage": None, "error": None, "incomplete_details": None}
        kind, data = "application/json", json.dumps(whole)
        if asked.get("stream"):
            kind = "text/event-stream"
            data = "".join(
                f"event: {name}\ndata: {json.dumps({'type': name, 'sequence_number': number, 'response': response})}\n\n"
                for number, (name, response) in enumerate([("response.created", begun), (f"response.{status}", whole)]))
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data.encode())

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
memory, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
OpenAIInstrumentor().instrument(tracer_provider=provider)
client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none")
print("openinference-instrumentation-openai", importlib.metadata.version("openinference-instrumentation-openai"))
for status in MORE:
    for stream in (False, True):
        reply = client.responses.create(model="gpt-4o-mini", input=status, stream=stream)
        if stream:
            reply = list(reply)[-1].response
        assert (reply.status, reply.usage.total_tokens) == (status, 150)
        (span,) = memory.get_finished_spans()
        memory.clear()
        print(f"{status}, {'streamed' if stream else 'whole'}: span {span.status.status_code.name},",
              "tokens", span.attributes.get("llm.token_count.total"), "| output:", "output.value" in span.attributes)
PY
"$home/venv/bin/python" "$home/program.py" 2>"$home/log" | tee "$home/output" || { cat "$home/log"; exit 1; }
diff - "$home/output" <<'EXPECTED'
openinference-instrumentation-openai 0.1.66
completed, whole: span OK, tokens 150 | output: True
completed, streamed: span OK, tokens 150 | output: True
incomplete, whole: span OK, tokens 150 | output: True
incomplete, streamed: span OK, tokens None | output: False
failed, whole: span OK, tokens 150 | output: True
failed, streamed: span OK, tokens None | output: False
EXPECTED
