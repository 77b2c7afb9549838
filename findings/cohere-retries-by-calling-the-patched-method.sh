#!/usr/bin/env bash
# cohere 7.3.1: the method that every request of the client passes, cohere.core.http_client.HttpClient.request, tries again by
# calling itself through the instance. Whoever wraps it sees one chat that was answered at the third attempt as three
# calls, nested in each other, each of which returns the same good response.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'cohere==7.3.1'
"$home/venv/bin/python" - <<'PY'
import importlib.metadata
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cohere
import cohere.core.http_client as http_client

requests = []


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        requests.append(self.path)
        self.rfile.read(int(self.headers["content-length"]))
        busy = len(requests) < 3
        message = {"role": "assistant", "content": [{"type": "text", "text": "Hello."}]}
        data = json.dumps({} if busy else {"id": "1", "finish_reason": "COMPLETE", "message": message}).encode()
        self.send_response(503 if busy else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
depth, seen, original = [0], [], http_client.HttpClient.request


def wrapper(self, *args, **kwargs):
    depth[0] += 1
    try:
        response = original(self, *args, **kwargs)
        seen.append((depth[0], response.status_code))
        return response
    finally:
        depth[0] -= 1


http_client.HttpClient.request = wrapper
client = cohere.ClientV2(api_key="none", base_url=f"http://127.0.0.1:{server.server_port}")
reply = client.chat(model="command-a-03-2025", messages=[{"role": "user", "content": "Hi"}])
print("cohere", importlib.metadata.version("cohere"), "| answer:", reply.message.content[0].text)
print("requests:", len(requests), "| calls of the method (depth, status):", seen)
assert len(requests) == 3
assert seen == [(3, 200), (2, 200), (1, 200)]
PY
