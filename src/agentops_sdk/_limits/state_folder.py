"""What every process of a folder is to know at once: a small file for each fact, which all processes look at.

Never looked at on a thread of the program's, but where a call is refused all the same: there, to see whether it still
is to be.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentops_sdk.private_files import private_directory, replace_private

__all__ = ["StateFolder", "file_name"]

_OFTEN = 0.25  # seconds
_JUST_NOW = 2.0  # seconds in which another change may have left the folder's time as it was


def file_name(key: str) -> str:
    """What the file of a fact is called: no name of a user's is part of a path."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class StateFolder:
    """A folder of facts.

    Args:
        folder: where they are; made with the first one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looked_at = -_OFTEN
        self._seen = 0

    def put(self, key: str, fact: Mapping[str, Any]) -> None:
        """Have everybody know it, in place of what stood there.

        Raises:
            OSError: it cannot be written.
        """
        path = self._path(key)
        private_directory(path.parent)
        replace_private(path, json.dumps(fact).encode())

    def remove(self, key: str) -> bool:
        """It is no longer so; whether it stood here.

        Raises:
            OSError: its file cannot be removed.
        """
        try:
            self._path(key).unlink()
        except FileNotFoundError:
            return False
        return True

    def look(self) -> dict[str, dict[str, Any]] | None:
        """As :meth:`found`; ``None`` where nothing has changed, or it is too early to look again."""
        now = time.monotonic()
        if now - self._looked_at < _OFTEN:
            return None
        self._looked_at = now
        try:
            changed = self._folder.stat().st_mtime_ns
        except OSError:  # there is none, or a file stands where the directory should be
            changed = 0
        if changed == self._seen:
            return None
        if changed < (time.time() - _JUST_NOW) * 1e9:
            self._seen = changed
        return self.found()

    def found(self) -> dict[str, dict[str, Any]]:
        """All facts, by :func:`file_name`; files that are none of ours are passed over."""
        facts: dict[str, dict[str, Any]] = {}
        try:
            paths = [path for path in self._folder.iterdir() if path.suffix == ".json"]
        except OSError:
            return facts
        for path in paths:
            try:
                fact = json.loads(path.read_bytes())
            except (OSError, ValueError):
                continue
            if isinstance(fact, dict):
                facts[path.stem] = fact
        return facts

    def _path(self, key: str) -> Path:
        return self._folder / f"{file_name(key)}.json"
