#!/usr/bin/env bash
# mcp 2.3.0 makes OpenTelemetry spans of its own. With a server in the same process the client makes none: only the
# server's spans arise. And a client that does nothing but call one tool sends requests that nobody wrote: a
# `server/discover` with the connection, and a `tools/list` with the first call.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check 'mcp==2.3.0' 'opentelemetry-sdk==1.45.2'
"$home/venv/bin/python" - <<'PY'
import asyncio
import importlib.metadata

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)

from mcp import Client
from mcp.server import MCPServer

server = MCPServer("adder")


@server.tool()
def add(a: int, b: int) -> int:
    return a + b


async def main():
    async with Client(server) as client:
        result = await client.call_tool("add", {"a": 1, "b": 2})
        assert not result.is_error


asyncio.run(main())
spans = [(span.kind.name, span.name) for span in exporter.get_finished_spans()]
print("mcp", importlib.metadata.version("mcp"))
for kind, name in spans:
    print(f"  {kind} {name}")
assert not [name for kind, name in spans if kind == "CLIENT"], spans
assert ("SERVER", "tools/call add") in spans
assert {"server/discover", "tools/list"} <= {name for _, name in spans}, spans
PY
