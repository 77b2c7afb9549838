"""Run the files of deploy/collector/rotel in rotel: a run of ours in, and what leaves for the backend looked at.

    python scripts/check_collector.py ROTEL-BINARY

The backends are stood in for by a server here, to which each file's address is turned; what is shown is the request
that the collector makes of our spans, not that the backend takes it.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_connection, socket
from tempfile import TemporaryDirectory

import agentops_sdk as agentops

FILES = Path(__file__).parents[1] / "deploy" / "collector" / "rotel"
# By file: which variable names the backend, what its requests' path and body or headers must hold.
EXPECTED = {
    "agent": ("ROTEL_OTLP_EXPORTER_ENDPOINT", "/v1/traces", "api-key"),
    "clickhouse": ("ROTEL_CLICKHOUSE_EXPORTER_ENDPOINT", "/", "otel_traces"),
    "datadog": ("ROTEL_DATADOG_EXPORTER_CUSTOM_ENDPOINT", "/api/v0.2/traces", "dd-api-key"),
    "aws": ("ROTEL_XRAY_EXPORTER_CUSTOM_ENDPOINT", "/TraceSegments", "look up"),
}


class Backend(BaseHTTPRequestHandler):
    """Takes everything and keeps what it was asked."""

    requests: list[tuple[str, str, bytes]] = []  # noqa: RUF012 - one server, one list

    def do_POST(self) -> None:
        """Keep it."""
        if self.headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
        # By what it is, not by what it is said to be: rotel's requests to X-Ray are plain and say gzip.
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        self.requests.append((self.path, str(self.headers).lower(), body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Say nothing."""


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def variables(name: str) -> dict[str, str]:
    lines = (FILES / f"{name}.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def run_through(rotel: str, name: str, backend: int) -> str:
    """What is wrong, or nothing."""
    address, path, sign = EXPECTED[name]
    port = free_port()
    told = variables(name) | {
        address: f"http://127.0.0.1:{backend}",
        "ROTEL_OTLP_HTTP_ENDPOINT": f"127.0.0.1:{port}",
        "ROTEL_OTLP_GRPC_ENDPOINT": f"127.0.0.1:{free_port()}",
        "ROTEL_BATCH_TIMEOUT": "100ms",
    }
    credentials = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    Backend.requests.clear()
    process = subprocess.Popen(
        [rotel, "start"], env={**os.environ, **credentials, **told}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        for _ in range(100):
            try:
                create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        with TemporaryDirectory() as folder:
            agentops.init(exporters=[f"otlp:http://127.0.0.1:{port}"], directory=folder, service_name="checked")
            with agentops.span("checked", kind="agent"), agentops.span("look up", kind="tool"):
                pass
            if not agentops.flush(30):
                return "our spans were not taken"
            agentops.shutdown()
        for _ in range(200):
            for where, headers, body in list(Backend.requests):
                if where.split("?")[0].rstrip("/") == path.rstrip("/") and sign in where + headers + body.decode(
                    "latin-1"
                ):
                    return ""
            time.sleep(0.1)
        return f"no request to {path} with {sign}; there were {[where for where, *_ in Backend.requests]}"
    finally:
        process.terminate()
        output = process.communicate(timeout=30)[0].decode(errors="replace")
        if "error" in output.lower() and not Backend.requests:
            print(output[-2000:])


def main(rotel: str) -> int:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wrong = {name: run_through(rotel, name, server.server_port) for name in EXPECTED}
    for name, sentence in wrong.items():
        print(f"{'FAILED' if sentence else 'ok'} rotel/{name}.env {sentence}".rstrip())
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
