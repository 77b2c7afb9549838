"""Finds a tiktoken encoding that is already on disk; fetches one only when asked. Never the network on its own.

tiktoken downloads an encoding on its first use, without a time-out. So the file that it would read is
looked for, and its hash verified, before tiktoken is asked for anything.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from agentops_sdk.errors import AgentOpsError

ENCODINGS = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}
"""The encodings of every OpenAI model in service, and the SHA-256 of their files."""

_URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
_CL100K = ("gpt-4-", "gpt-3.5", "gpt-35", "text-embedding-", "davinci-002", "babbage-002", "ft:gpt-3.5", "ft:gpt-4-")
_O200K = ("gpt-", "chatgpt-", "o1", "o3", "o4", "codex-", "computer-use", "ft:gpt-", "ft:o")


def name_for(model: str) -> str | None:
    """The encoding of a model of OpenAI's, or None for anybody else's."""
    name = model.lower().rpartition("/")[2]
    if name == "gpt-4" or name.startswith(_CL100K):
        return "cl100k_base"
    return "o200k_base" if name.startswith(_O200K) else None


def cached_file(name: str) -> Path | None:
    """Where tiktoken keeps this encoding; None if its cache is switched off."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR")
    if folder is None:
        folder = os.environ.get("DATA_GYM_CACHE_DIR")
    if folder is None:
        folder = str(Path(tempfile.gettempdir()) / "data-gym-cache")
    if not folder:
        return None
    return Path(folder) / hashlib.sha1(_URL.format(name).encode(), usedforsecurity=False).hexdigest()


def is_cached(name: str) -> bool:
    """Whether the right file is there; a damaged one counts as missing."""
    path = cached_file(name)
    if name not in ENCODINGS or path is None or not path.is_file():
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == ENCODINGS[name]


def loaded(name: str) -> Any | None:
    """The tiktoken encoding, or None where it is not cached or tiktoken is not installed."""
    path = cached_file(name)
    try:
        stamp = path.stat().st_mtime_ns if path is not None else 0
        return _loaded(name, str(path), stamp) if stamp else None
    except (OSError, ImportError):
        return None


@functools.lru_cache(maxsize=8)
def _loaded(name: str, path: str, stamp: int) -> Any | None:
    """Kept per file and its time, so that an encoding fetched later is found and none is hashed twice."""
    if not is_cached(name):
        return None
    import tiktoken

    return tiktoken.get_encoding(name)


def fetch(names: tuple[str, ...] = tuple(ENCODINGS)) -> dict[str, Path]:
    """Download what is missing into tiktoken's cache; returns where each encoding is.

    Raises:
        AgentOpsError: an encoding could not be fetched, or is not what it should be.
    """
    return {name: _fetched(name) for name in names}


def _fetched(name: str) -> Path:
    path = cached_file(name)
    if path is None:
        raise AgentOpsError("tiktoken's cache is switched off: TIKTOKEN_CACHE_DIR is empty")
    if is_cached(name):
        return path
    import httpx2

    url = _URL.format(name)
    try:
        reply = httpx2.get(url, timeout=httpx2.Timeout(60, connect=10), follow_redirects=True).raise_for_status()
    except httpx2.HTTPError as error:
        raise AgentOpsError(f"{name} could not be fetched from {url}: {type(error).__name__}: {error}") from None
    if hashlib.sha256(reply.content).hexdigest() != ENCODINGS[name]:
        raise AgentOpsError(f"what {url} sent is not {name}: its SHA-256 is wrong")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: another process may be reading.
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(reply.content)
    Path(file.name).replace(path)
    return path
