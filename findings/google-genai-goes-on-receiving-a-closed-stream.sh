#!/usr/bin/env bash
# google-genai 3.6.1: a stream that is left early is closed by the synchronous client at once: the server cannot send the
# next piece. The asynchronous one's aclose() returns, and the connection stays open: the server goes on sending, and the
# model goes on answering, until the event loop ends. Whoever counts what a program was sent cannot rely on aclose().
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'google-genai==3.6.1'
"$home/venv/bin/python" - 2>"$home/log" <<'PY' || { cat "$home/log"; exit 1; }
import asyncio
import importlib.metadata
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google import genai
from google.genai import types

PIECES = 40
sent = 0


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        global sent
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        content = {"role": "model", "parts": [{"text": "word "}]}
        try:
            for sent in range(1, PIECES + 1):
                self.wfile.write(f"data: {json.dumps({'candidates': [{'content': content}]})}\n\n".encode())
                time.sleep(0.05)
        except OSError:  # nobody is there any more
            pass

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
options = types.HttpOptions(base_url=f"http://127.0.0.1:{server.server_port}")
client = genai.Client(api_key="none", http_options=options)
asked = {"model": "gemini-2.5-flash", "contents": "Hi"}


def left():
    stream = client.models.generate_content_stream(**asked)
    next(stream)
    stream.close()
    time.sleep(PIECES * 0.06)
    return sent


async def left_async():
    stream = await client.aio.models.generate_content_stream(**asked)
    await anext(stream)
    await stream.aclose()
    await asyncio.sleep(PIECES * 0.06)
    return sent


first, second = left(), asyncio.run(left_async())
print("google-genai", importlib.metadata.version("google-genai"))
print(f"pieces sent of {PIECES}, after close(): {first}, after aclose(): {second}")
assert first < 10
assert second == PIECES
PY
