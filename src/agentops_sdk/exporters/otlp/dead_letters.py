"""What a backend refused: kept beside the spool with the reason, within bounds, to be tried again or looked at."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Final

from agentops_sdk.encryption import sealed_line
from agentops_sdk.exporters.otlp.run_directory import REFUSED
from agentops_sdk.exporters.otlp.segment import Piece, Segment, frame
from agentops_sdk.private_files import open_private, private_directory

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["due", "set_aside"]

_FIRST_PAUSE: Final = 10.0
_MOST_TRIES: Final = 5


def set_aside(spool: Path, piece: Piece, reason: str, *, tries: int, max_bytes: int) -> str:
    """Write one refused request as a segment and a JSON file with ``reason``; the oldest ones make room.

    Args:
        tries: how often it was refused while the backend took others; with 0 it is tried again as soon as it does.

    Returns:
        The name of the segment.

    Raises:
        OSError: it cannot be written.
    """
    folder = spool / REFUSED
    private_directory(folder)
    name = f"{time.time_ns():020d}-{os.getpid()}-{os.urandom(2).hex()}"
    words = sealed_line(reason[:2000].encode()).decode().rstrip("\n")  # a backend may quote what it refuses
    facts = {"reason": words, "spans": piece.spans, "time": time.time(), "tries": tries}
    descriptor = open_private(folder / f"{name}.json", os.O_CREAT | os.O_WRONLY)
    with os.fdopen(descriptor, "w") as file:
        json.dump(facts, file)
    segment = Segment(folder / f"{name}.seg")
    segment.append(frame(piece.payload, piece.spans), piece.spans)
    segment.close()
    total = 0
    for old in sorted(folder.glob("*.seg"), reverse=True):
        total += old.stat().st_size
        if total > max_bytes:
            old.unlink(missing_ok=True)
            old.with_suffix(".json").unlink(missing_ok=True)
    return f"{name}.seg"


def due(spool: Path) -> tuple[Path, int] | None:
    """The oldest request that may be tried again now and how often it was; ``None`` if there is none."""
    for path in sorted((spool / REFUSED).glob("*.seg")):
        try:
            facts = json.loads(path.with_suffix(".json").read_text())
            tries, since = int(facts.get("tries", 1)), float(facts["time"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # for a person to look at
        pause = _FIRST_PAUSE * 4 ** (tries - 1) if tries > 0 else 0.0
        if tries < _MOST_TRIES and time.time() - since >= pause:
            return path, max(tries, 0)
    return None
