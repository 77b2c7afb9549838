"""What was changed while the program runs, by whom: one line of a file each, the last ones in memory, and the log."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agentops_sdk._host.guard import guard, logger
from agentops_sdk.addresses import without_secrets

__all__ = ["last", "record"]

_MOST = 100
last: Final[deque[dict[str, Any]]] = deque(maxlen=_MOST)
"""The last records, oldest first."""


def record(action: str, by: str, changes: Mapping[str, Any], folder: Path | None) -> None:
    """Write down one change. Guarded: what cannot be written is still in the log.

    Args:
        action: ``configure``, ``pause`` or ``resume``.
        by: who asked for it: ``configure()``, or an address.
        changes: by name what it was before and is now.
        folder: of the file; ``None`` writes none.
    """
    with guard("audit.record"):
        shown = {name: _shown(value) for name, value in changes.items()}
        entry = {"time": time.time(), "pid": os.getpid(), "action": action, "by": by, "changes": shown}
        last.append(entry)
        logger.info("agentops_sdk: %s by %s: %s", action, by, json.dumps(shown))
        if folder is None:
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / "audit.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, json.dumps(entry).encode() + b"\n")
        finally:
            os.close(descriptor)


def _shown(value: Any) -> Any:
    """Plain values without secrets; anything else by the name of its type."""
    if isinstance(value, tuple | list):
        return [_shown(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _shown(item) for name, item in value.items()}
    if value is None or isinstance(value, bool | int | float):
        return value
    return without_secrets(value) if isinstance(value, str) else type(value).__name__
