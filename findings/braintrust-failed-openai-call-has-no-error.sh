#!/usr/bin/env bash
# braintrust 0.48.1: a call through `wrap_openai` that the server refuses reaches Braintrust as a span with no error and no output,
# and so does a stream that breaks off and a reply that the client could not parse: chat and Responses alike. The wrapper ends
# the span without looking at the exception; that of `embeddings`, in the same package, does. Nothing but the missing output
# tells a failed call from a good one, and a filter or an alert on errors finds none.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'braintrust==0.48.1' 'openai==3.57.0'
cat >"$home/program.py" <<'PY'
import importlib.metadata
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

arrived = []  # what Braintrust's server is sent
CUT = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
       "choices": [{"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": '{"colour": "deep'}}],
       "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}}
BROKEN = 'data: {"error": {"message": "The model is overloaded.", "type": "server_error"}}\n\n'


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        status, kind, data = 200, "application/json", "{}"
        if self.path.endswith("/login"):
            data = json.dumps({"org_info": [{"id": "o", "name": "o", "api_url": address, "proxy_url": address}]})
        elif self.path == "/v1/project":
            data = json.dumps({"id": "p", "org_id": "o", "name": "p"})
        elif self.path == "/logs3":
            arrived.extend(json.loads(body)["rows"])
        elif self.path.startswith("/openai/"):
            asked = json.loads(body)
            if asked.get("stream"):
                kind, data = "text/event-stream", BROKEN
            elif asked.get("response_format"):
                data = json.dumps(CUT)
            else:
                status, data = 400, json.dumps({"error": {"message": "no such model"}})
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data.encode())

    do_GET = do_POST

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
os.environ.update(BRAINTRUST_APP_URL=address, BRAINTRUST_API_URL=address, BRAINTRUST_API_KEY="none")

import braintrust
import openai
from pydantic import BaseModel


class Sky(BaseModel):
    colour: str


logger = braintrust.init_logger(project="p")
client = braintrust.wrap_openai(openai.OpenAI(base_url=f"{address}/openai/v1", api_key="none", max_retries=0))
asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Which colour?"}]}
print("braintrust", importlib.metadata.version("braintrust"))
for name, call in {
    "chat, refused": lambda: client.chat.completions.create(**asked),
    "chat, stream broken off": lambda: list(client.chat.completions.create(**asked, stream=True)),
    "chat, not parsed": lambda: client.chat.completions.parse(**asked, response_format=Sky),
    "responses, refused": lambda: client.responses.create(model="gpt-4o-mini", input="Which colour?"),
    "embeddings, refused": lambda: client.embeddings.create(model="text-embedding-3-small", input="blue"),
}.items():
    arrived.clear()
    try:
        call()
        seen = "nothing"
    except openai.OpenAIError as error:
        seen = type(error).__name__
    logger.flush()
    span = {name: value for row in arrived for name, value in row.items()}  # its beginning and its end may come apart
    assert len({row["span_id"] for row in arrived}) == 1 and span["metrics"]["end"]
    print(f"{name}: the program got {seen} | span has error: {bool(span.get('error'))}, output: {bool(span.get('output'))}")
PY
"$home/venv/bin/python" "$home/program.py" 2>"$home/log" | tee "$home/output" || { cat "$home/log"; exit 1; }
diff - "$home/output" <<'EXPECTED'
braintrust 0.48.1
chat, refused: the program got BadRequestError | span has error: False, output: False
chat, stream broken off: the program got APIError | span has error: False, output: False
chat, not parsed: the program got LengthFinishReasonError | span has error: False, output: False
responses, refused: the program got BadRequestError | span has error: False, output: False
embeddings, refused: the program got BadRequestError | span has error: True, output: False
EXPECTED
