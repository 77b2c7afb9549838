#!/usr/bin/env bash
# cerebras-cloud-sdk 1.91.0: making a client sends `GET /v1/tcp_warming` with the API key to the server, before anything is
# asked of it, and waits for the answer. The asynchronous client does so as well, in its constructor, which is no
# coroutine: made inside of an event loop, it holds the loop for as long as the server takes.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'cerebras-cloud-sdk==1.91.0'
"$home/venv/bin/python" - <<'PY'
import importlib.metadata
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import asyncio
import time

from cerebras.cloud.sdk import AsyncCerebras, Cerebras

requests = []


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.5)
        requests.append((self.command, self.path, self.headers["Authorization"]))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
print("cerebras-cloud-sdk", importlib.metadata.version("cerebras-cloud-sdk"))
Cerebras(base_url=address, api_key="none")
print("after the client was made:", requests)
assert requests == [("GET", "/v1/tcp_warming", "Bearer none")]


async def program():
    turns = []

    async def other():
        while True:
            turns.append(len(requests))
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await asyncio.sleep(0)
    before = len(turns)
    AsyncCerebras(base_url=address, api_key="none")
    during = len(turns) - before
    task.cancel()
    return during


print("turns of the loop while the asynchronous client was made:", asyncio.run(program()))
assert len(requests) == 2
PY
