"""Clients of both versions of the SDK, by one name for each way to reach a server; and a sink in memory."""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("mcp", reason="mcp is not installed")

ROOT = Path(__file__).parents[2]
TREES = Path(__file__).parent / "trees"


def version() -> int:
    """The SDK's major version."""
    import mcp

    return 2 if hasattr(mcp, "Client") else 1


@asynccontextmanager
async def in_process(server: Any, **callbacks: Any) -> AsyncIterator[Any]:
    """A client of a server in this process, over the handshake that both versions have."""
    import mcp
    from mcp.shared import memory

    if version() == 2:
        async with mcp.Client(server, mode="legacy", **callbacks) as client:
            yield client
        return
    async with memory.create_connected_server_and_client_session(server._mcp_server, **callbacks) as session:
        yield session


@asynccontextmanager
async def over_stdio(environment: dict[str, str]) -> AsyncIterator[Any]:
    """A client of a server that is started as a program."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    arguments = ["-m", "tests.mcp.server"]
    program = StdioServerParameters(command=sys.executable, args=arguments, cwd=str(ROOT), env=environment)
    async with stdio_client(program) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        yield session


@asynccontextmanager
async def over_http(url: str) -> AsyncIterator[Any]:
    """A session over streamable HTTP, before its handshake."""
    from mcp import ClientSession
    from mcp.client import streamable_http

    connect = getattr(streamable_http, "streamable_http_client", None) or streamable_http.streamablehttp_client
    limit = inspect.signature(ClientSession).parameters["read_timeout_seconds"].annotation
    seconds: Any = timedelta(seconds=30) if "timedelta" in str(limit) else 30
    async with connect(url) as streams, ClientSession(*streams[:2], read_timeout_seconds=seconds) as session:
        yield session


@pytest.fixture
def ended() -> Iterator[Callable[[], list[Any]]]:
    """What has been recorded, less the steps that the protocol needs."""
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], internal=False)

    def spans() -> list[Any]:
        assert agentops.flush()
        assert agentops.status().spans["open"] == 0
        return list(exporter.finished_spans())

    yield spans
    agentops.shutdown()
