#!/usr/bin/env bash
# rotel 0.0.1a15, its exporter to AWS X-Ray: requests carry `content-encoding: gzip` and a body that is plain JSON. Whoever
# goes by the header cannot read them. (The name of the exporter is `aws-xray`.)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'rotel==0.0.1a15' opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
"$home/venv/bin/python" - <<'PY'
import importlib.metadata
import os
import queue
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import rotel
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

requests = queue.Queue()


class Backend(BaseHTTPRequestHandler):
    def do_POST(self):
        requests.put((self.headers.get("content-encoding"), self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
threading.Thread(target=server.serve_forever, daemon=True).start()
with socket.socket() as probe, socket.socket() as other:
    probe.bind(("127.0.0.1", 0))
    other.bind(("127.0.0.1", 0))
    port, grpc = probe.getsockname()[1], other.getsockname()[1]
told = {
    "ROTEL_OTLP_HTTP_ENDPOINT": f"127.0.0.1:{port}", "ROTEL_OTLP_GRPC_ENDPOINT": f"127.0.0.1:{grpc}",
    "ROTEL_EXPORTER": "aws-xray", "ROTEL_XRAY_EXPORTER_CUSTOM_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
    "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "ROTEL_BATCH_TIMEOUT": "100ms",
}  # fmt: skip
binary = Path(rotel.__file__).with_name("rotel-agent")
collector = subprocess.Popen([binary, "start"], env={**os.environ, **told}, stdout=subprocess.DEVNULL)
try:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"http://127.0.0.1:{port}/v1/traces")))
    provider.get_tracer("t").start_span("one").end()
    encoding, body = requests.get(timeout=30)
finally:
    collector.terminate()
    collector.wait(30)
print("rotel", importlib.metadata.version("rotel"), "| content-encoding:", encoding, "| body begins:", body[:24])
assert encoding == "gzip"
assert body[:1] == b"{"
PY
