"""What a backend refused: kept beside the spool with the reason, within bounds, to be looked at or sent again."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from agentops_sdk.exporters.otlp_segment import Piece, Segment, frame
from agentops_sdk.exporters.spool_folder import REFUSED, private_directory

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["set_aside"]


def set_aside(spool: Path, piece: Piece, reason: str, *, max_bytes: int) -> None:
    """Write one refused request as a segment and a JSON file with ``reason``; the oldest ones make room.

    Raises:
        OSError: it cannot be written.
    """
    place = spool / REFUSED
    private_directory(place)
    name = f"{time.time_ns():020d}-{os.getpid()}"
    segment = Segment(place / f"{name}.seg")
    segment.append(frame(piece.payload, piece.spans), piece.spans)
    segment.close()
    descriptor = os.open(place / f"{name}.json", os.O_CREAT | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"reason": reason[:2000], "spans": piece.spans, "time": time.time()}, file)
    total = 0
    for old in sorted(place.glob("*.seg"), reverse=True):
        total += old.stat().st_size
        if total > max_bytes:
            old.unlink(missing_ok=True)
            old.with_suffix(".json").unlink(missing_ok=True)
