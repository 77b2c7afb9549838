"""A model server on loopback that answers by script, and the spans that left the building."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel, Reply, ToolCall

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytest.importorskip("langgraph", reason="langgraph is not installed")
pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")

os.environ.setdefault("LANGSMITH_TRACING", "false")


@pytest.fixture
def memory() -> Iterator[MemoryExporter]:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=["langchain", "openai"])
    yield exporter
    agentops.shutdown()


@pytest.fixture
def spans(memory: MemoryExporter) -> Callable[[], tuple[Any, ...]]:
    def ended() -> tuple[Any, ...]:
        assert agentops.flush()
        return memory.finished_spans()

    return ended


def echo(request: dict[str, Any]) -> Reply:
    """Answers with what it was asked last."""
    return Reply(text=f"You said: {request['messages'][-1]['content']}")


@pytest.fixture
def server() -> Iterator[LocalModel]:
    with LocalModel(echo) as running:
        yield running


@pytest.fixture
async def chat(server: LocalModel) -> AsyncIterator[Callable[..., Any]]:
    """Makes a ``ChatOpenAI`` whose answers are decided by a script; without one it echoes."""
    import openai

    client = openai.DefaultAsyncHttpxClient()  # the one that langchain-openai shares would outlive the event loop

    def make(script: Callable[[dict[str, Any]], Reply] | None = None, **options: Any) -> Any:
        from langchain_openai import ChatOpenAI

        if script is not None:
            server.script = script
        options = {"model": "gpt-4o-mini", "max_retries": 0, **options}
        return ChatOpenAI(base_url=server.base_url, api_key="local", http_async_client=client, **options)

    yield make
    await client.aclose()


TREES = Path(__file__).parent / "trees"
OLDEST = importlib.metadata.version("langgraph").startswith("1.0.")
"""The oldest supported versions make a few steps of their own; ``trees/oldest`` holds what differs there."""


@pytest.fixture
def matches() -> Callable[[str, str], None]:
    """Compares a tree with the one in ``trees/``; ``AGENTOPS_UPDATE_TREES=1`` writes it instead."""

    def compare(name: str, made: str) -> None:
        file = TREES / f"{name}.txt"
        if OLDEST and ((TREES / "oldest" / file.name).exists() or os.environ.get("AGENTOPS_UPDATE_TREES")):
            file = TREES / "oldest" / file.name
        if os.environ.get("AGENTOPS_UPDATE_TREES"):
            file.write_text(made)
        assert made == file.read_text()

    return compare


__all__ = ["Reply", "ToolCall"]
