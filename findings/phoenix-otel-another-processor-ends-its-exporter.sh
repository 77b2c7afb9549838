#!/usr/bin/env bash
# arize-phoenix-otel 0.17.2: `register()` returns a provider of OpenTelemetry whose `add_span_processor` takes out and shuts down
# the exporter that `register` made, where OpenTelemetry's adds one more. Any library that adds a processor to the program's
# provider, as the API is meant, silences Phoenix: no span arrives, and nothing says so at that moment.
# `replace_default_processor=False`, which no other provider knows, keeps it.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'arize-phoenix-otel==0.17.2' 'opentelemetry-sdk==1.45.1'
"$home/venv/bin/python" - 2>"$home/log" <<'PY' || { cat "$home/log"; exit 1; }
import importlib.metadata
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.sdk.trace import SpanProcessor
from phoenix.otel import register

arrived = []


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        arrived.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()


def sent(**how):
    provider = register(
        endpoint=f"http://127.0.0.1:{server.server_port}/v1/traces", protocol="http/protobuf",
        set_global_tracer_provider=False, verbose=False,
    )
    if how.pop("add", True):
        provider.add_span_processor(SpanProcessor(), **how)
    arrived.clear()
    with provider.get_tracer("shop").start_as_current_span("question"):
        pass
    provider.shutdown()
    return len(arrived)


alone, beside, kept = sent(add=False), sent(), sent(replace_default_processor=False)
print("arize-phoenix-otel", importlib.metadata.version("arize-phoenix-otel"))
print("requests at Phoenix: alone", alone, "| with one more processor", beside, "| with replace_default_processor=False", kept)
assert (alone, beside, kept) == (1, 0, 1)
PY
