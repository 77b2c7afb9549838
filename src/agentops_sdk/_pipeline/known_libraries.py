"""Libraries that models are called and agents are built with, and that nobody here captures: told, not passed over."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

# Import name and distribution. One that has an integration is not looked at, so a row may stay when one comes.
from agentops_sdk._lazy_pattern import lazy_pattern

LIBRARIES = {
    "a2a": "a2a-sdk",
    "agent_framework": "agent-framework-core",
    "agents": "openai-agents",
    "ag2": "ag2",
    "agno": "agno",
    "ai21": "ai21",
    "anthropic": "anthropic",
    "autogen_core": "autogen-core",
    "aws_sdk_bedrock_runtime": "aws-sdk-bedrock-runtime",
    "azure.ai.inference": "azure-ai-inference",
    "browser_use": "browser-use",
    "cerebras.cloud.sdk": "cerebras-cloud-sdk",
    "chromadb": "chromadb",
    "claude_agent_sdk": "claude-agent-sdk",
    "cohere": "cohere",
    "crewai": "crewai",
    "dspy": "dspy",
    "fireworks": "fireworks-ai",
    "google.adk": "google-adk",
    "google.genai": "google-genai",
    "google.generativeai": "google-generativeai",
    "guardrails": "guardrails-ai",
    "groq": "groq",
    "haystack": "haystack-ai",
    "ibm_watsonx_ai": "ibm-watsonx-ai",
    "langchain_core": "langchain-core",
    "lancedb": "lancedb",
    "letta_client": "letta-client",
    "livekit.agents": "livekit-agents",
    "litellm": "litellm",
    "llama_index.core": "llama-index-core",
    "mcp": "mcp",
    "mem0": "mem0ai",
    "mistralai": "mistralai",
    "nemoguardrails": "nemoguardrails",
    "ollama": "ollama",
    "openai": "openai",
    "perplexity": "perplexityai",
    "qdrant_client": "qdrant-client",
    "pinecone": "pinecone",
    "pipecat": "pipecat-ai",
    "pydantic_ai": "pydantic-ai-slim",
    "pymilvus": "pymilvus",
    "replicate": "replicate",
    "semantic_kernel": "semantic-kernel",
    "smolagents": "smolagents",
    "strands": "strands-agents",
    "together": "together",
    "typesafe": "typesafe-sdk",
    "vertexai": "google-cloud-aiplatform",
    "weaviate": "weaviate-client",
    "voyageai": "voyageai",
    "writerai": "writer-sdk",
    "xai_sdk": "xai-sdk",
}

THROUGH_CLIENTS = {"instructor": "instructor"}
"""Libraries around the clients that a program gives them, whose calls are captured by these."""

_VERSION = lazy_pattern(r"^Version:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)


def imported(integrations: Iterable[tuple[str, Callable[[], bool]]]) -> dict[str, str]:
    """Version by import name of the libraries that the program has imported, less those that are captured.

    Args:
        integrations: the target of each, and what tells whether it captures. That looks for the library on disk, which
            for all of them would take longer than the rest of ``init()``: it is asked of those that are imported.
    """
    here = {name for name in LIBRARIES if sys.modules.get(name) is not None}
    rows = [(name, captures) for target, captures in integrations for name in here if _is_inside(target, name)]
    here -= {name for name, captures in rows if captures()}
    return _versions({name for name in here if not _is_another_module(name)})


def installed(captured: Iterable[str]) -> dict[str, str]:
    """The same of all that are installed."""
    return _versions(set(LIBRARIES) - _rows(captured))


def through_clients() -> dict[str, str]:
    """The same of those whose calls are captured by the clients that they ask through."""
    return {name: version for name, owner in THROUGH_CLIENTS.items() if (version := _version(owner)) is not None}


def _rows(captured: Iterable[str]) -> set[str]:
    """The rows of what is captured."""
    targets = set(captured)
    return {name for name in LIBRARIES if any(_is_inside(target, name) for target in targets)}


def _is_inside(target: str, name: str) -> bool:
    """Whether an integration is of this library: its target may lie inside of the library's package."""
    return f"{target}.".startswith(f"{name}.")


def _is_another_module(name: str) -> bool:
    """Whether what was imported under this name lies elsewhere than the installed library of that name does."""
    import importlib.metadata

    file = getattr(sys.modules[name], "__file__", None)
    with suppress(importlib.metadata.PackageNotFoundError, OSError):
        library = Path(str(importlib.metadata.distribution(LIBRARIES[name]).locate_file(name.replace(".", "/"))))
        return file is not None and library.is_dir() and not Path(file).resolve().is_relative_to(library.resolve())
    return False


def _versions(names: Iterable[str]) -> dict[str, str]:
    versions = {name: _version(LIBRARIES[name]) for name in sorted(names)}
    if getattr(sys, "frozen", False):  # a frozen program may have left out what its libraries say of themselves
        versions = {name: version or "of unknown version" for name, version in versions.items()}
    # A module of that name without the distribution is the program's own.
    return {name: version for name, version in versions.items() if version is not None}


@functools.cache
def _version(distribution: str) -> str | None:
    return version_of(distribution)


def version_of(distribution: str) -> str | None:
    """The installed version; ``None`` where it is not installed.

    Read from the head of its metadata: the whole of it holds the project's description, and takes 2 ms to parse.
    """
    import importlib.metadata

    try:
        installed = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    version = _VERSION.search((installed.read_text("METADATA") or "").partition("\n\n")[0])
    return version[1] if version is not None else installed.version
