"""Pauses of every process that writes to one folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentops_sdk._limits.state_folder import StateFolder

__all__ = ["PauseFolder"]


class PauseFolder:
    """The folder ``paused`` below the directory of a program.

    Args:
        directory: where the program's traces are.
    """

    def __init__(self, directory: Path) -> None:
        self._state = StateFolder(directory / "paused")

    def pause(self, agent: str, reason: str) -> None:
        """Have the agent paused wherever it runs.

        Raises:
            OSError: it cannot be written.
        """
        self._state.put(agent, {"agent": agent, "reason": reason, "since": time.time()})

    def resume(self, agent: str) -> bool:
        """Let it go on; whether it was paused here.

        Raises:
            OSError: its file cannot be removed.
        """
        return self._state.remove(agent)

    def look(self) -> dict[str, str] | None:
        """What is paused, as :meth:`found`; ``None`` where nothing has changed, or it is too early to look again."""
        facts = self._state.look()
        return None if facts is None else _reasons(facts)

    def found(self) -> dict[str, str]:
        """Why what is paused is, by the agent's name."""
        return _reasons(self._state.found())


def _reasons(facts: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {fact["agent"]: str(fact.get("reason", "")) for fact in facts.values() if isinstance(fact.get("agent"), str)}
