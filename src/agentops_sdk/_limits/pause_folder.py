"""Pauses of every process that writes to one folder: a small file for each of them, which all processes look at.

Never looked at on a thread of the program's, but where a call is refused all the same: there, to see whether it still
is to be.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

__all__ = ["PauseFolder"]

_OFTEN = 0.25  # seconds
_JUST_NOW = 2.0  # seconds in which another change may have left the folder's time as it was


class PauseFolder:
    """The folder ``paused`` below the directory of a program.

    Args:
        directory: where the program's traces are.
    """

    def __init__(self, directory: Path) -> None:
        self._folder = directory / "paused"
        self._looked_at = -_OFTEN
        self._seen = 0

    def pause(self, agent: str, reason: str) -> None:
        """Have the agent paused wherever it runs.

        Raises:
            OSError: it cannot be written.
        """
        path = self._path(agent)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.urandom(4).hex()}")
        new.write_text(json.dumps({"agent": agent, "reason": reason, "since": time.time()}))
        new.replace(path)

    def resume(self, agent: str) -> bool:
        """Let it go on; whether it was paused here.

        Raises:
            OSError: its file cannot be removed.
        """
        try:
            self._path(agent).unlink()
        except FileNotFoundError:
            return False
        return True

    def look(self) -> dict[str, str] | None:
        """What is paused, as :meth:`found`; ``None`` where nothing has changed, or it is too early to look again."""
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

    def found(self) -> dict[str, str]:
        """Why what is paused is, by the agent's name; files that are none of ours are passed over."""
        reasons: dict[str, str] = {}
        try:
            paths = [path for path in self._folder.iterdir() if path.suffix == ".json"]
        except OSError:
            return reasons
        for path in paths:
            try:
                said = json.loads(path.read_bytes())
                if isinstance(said["agent"], str):
                    reasons[said["agent"]] = str(said.get("reason", ""))
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return reasons

    def _path(self, agent: str) -> Path:
        return self._folder / f"{hashlib.sha256(agent.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}.json"
