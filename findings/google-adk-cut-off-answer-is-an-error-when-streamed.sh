#!/usr/bin/env bash
# google-adk 2.13.0: of one and the same answer of Gemini, cut off at its limit of tokens or withheld for safety, the events of a
# run say different things. Not streamed, `error_code` is empty and the answer is there like any other. Streamed
# (StreamingMode.SSE) the last event has the finish reason as its `error_code`. Its tokens are told once for each piece, as
# they stood then, and again on that last event, which repeats the whole: their sum is 460 for 180.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'google-adk==2.13.0'
cat >"$home/program.py" <<'PY'
import asyncio
import importlib.metadata
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ["GOOGLE_API_KEY"] = "none"

from google.adk.agents import Agent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models.google_llm import Gemini
from google.adk.runners import InMemoryRunner
from google.genai import types

reason = ""


def piece(text, usage, **end):
    content = {"role": "model", "parts": [{"text": text}]}
    return {"candidates": [{"content": content, **end}], "modelVersion": "gemini-2.5-flash", "usageMetadata": usage}


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        begun = {"promptTokenCount": 100, "totalTokenCount": 100}
        usage = {"promptTokenCount": 100, "candidatesTokenCount": 80, "totalTokenCount": 180}
        kind, data = "application/json", json.dumps(piece("deep blue", usage, finishReason=reason))
        if "stream" in self.path:
            kind, pieces = "text/event-stream", [piece("deep ", begun), piece("blue", usage, finishReason=reason)]
            data = "".join(f"data: {json.dumps(each)}\r\n\r\n" for each in pieces)
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data.encode())

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
model = Gemini(model="gemini-2.5-flash", base_url=f"http://127.0.0.1:{server.server_port}")
runner = InMemoryRunner(Agent(name="clerk", model=model), app_name="shop")


async def events(mode):
    session = await runner.session_service.create_session(app_name="shop", user_id="u")
    asked = types.Content(role="user", parts=[types.Part(text="Which colour?")])
    run = runner.run_async(
        user_id="u", session_id=session.id, new_message=asked, run_config=RunConfig(streaming_mode=mode))
    return [event async for event in run]


print("google-adk", importlib.metadata.version("google-adk"))
for reason in ("STOP", "MAX_TOKENS", "SAFETY"):
    for mode in (StreamingMode.NONE, StreamingMode.SSE):
        told = asyncio.run(events(mode))
        last = told[-1]
        print(f"{reason}, {mode.name}: last event {last.content.parts[0].text!r} {last.finish_reason.name}, error_code",
              f"{last.error_code} | tokens told:", [event.usage_metadata.total_token_count for event in told])
PY
"$home/venv/bin/python" -W ignore "$home/program.py" 2>"$home/log" | tee "$home/output" || { cat "$home/log"; exit 1; }
diff - "$home/output" <<'EXPECTED'
google-adk 2.13.0
STOP, NONE: last event 'deep blue' STOP, error_code None | tokens told: [180]
STOP, SSE: last event 'deep blue' STOP, error_code None | tokens told: [100, 180, 180]
MAX_TOKENS, NONE: last event 'deep blue' MAX_TOKENS, error_code None | tokens told: [180]
MAX_TOKENS, SSE: last event 'deep blue' MAX_TOKENS, error_code MAX_TOKENS | tokens told: [100, 180, 180]
SAFETY, NONE: last event 'deep blue' SAFETY, error_code None | tokens told: [180]
SAFETY, SSE: last event 'deep blue' SAFETY, error_code SAFETY | tokens told: [100, 180, 180]
EXPECTED
