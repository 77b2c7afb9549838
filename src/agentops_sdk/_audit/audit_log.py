"""What was done, and by whom: the last records in memory, all of them in the log and in the chain of a folder."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk._host.guard import guard, logger
from agentops_sdk.addresses import without_secrets
from agentops_sdk.key_source import KeySource

if TYPE_CHECKING:
    from agentops_sdk._audit.signature import Signer

__all__ = ["FOLDER", "last", "login", "lost", "record", "scrubbed"]

FOLDER: Final = "audit"
_MOST = 100
_MOST_WAITING = 1_000
last: Final[deque[dict[str, Any]]] = deque(maxlen=_MOST)
"""The last records, oldest first."""
_waiting: Final[dict[Path, deque[dict[str, Any]]]] = {}
"""What could not be written yet. Each thread takes what waits for itself: nothing is written twice, or waited for."""
_signers: Final[dict[int, tuple[KeySource, Signer | None]]] = {}
scrub: Callable[[str], str] | None = None
"""Replaces secrets, and personal data where that is asked for: by the settings of what runs, once something does."""
_IDS: Final = frozenset(("trace_id", "span_id", "sha256"))
"""What is a random number or a hash of ours; no rule is asked of it."""
_FEWEST_DIGITS: Final = 1_000_000
"""A number with fewer digits is nobody's card or telephone."""
lost = 0
"""Records that could be written nowhere but to the log."""


def login() -> str:
    """Who is at the terminal, for what a command does."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name is known
        return "somebody"


def scrubbed(text: str) -> str:
    """A text as it may be written down: without secrets, and without personal data where that is asked for."""
    global scrub
    if scrub is None:
        from agentops_sdk._scrub.policy import Policy
        from agentops_sdk.config import inspect

        scrub = Policy(inspect()[0]).name
    return scrub(without_secrets(text))


def record(
    action: str, by: str, changes: Mapping[str, Any], folder: Path | None, key: KeySource | None = None
) -> dict[str, Any] | None:
    """Write down one event. Guarded: what cannot be written is in the log, and is tried again with the next one.

    Args:
        action: what was done: ``configure``, ``pause``, ``erase`` …
        by: who did it, or asked for it.
        changes: by name what it was before and is now, or what there is to know of it.
        folder: the directory of the traces; ``None`` writes no file.
        key: signs the record.

    Returns:
        the record as it stands in the chain, or ``None`` where it does not.
    """
    global lost
    with guard("audit.record"):
        shown = {scrubbed(name): value if name in _IDS else _shown(value, name) for name, value in changes.items()}
        entry = {"time": time.time(), "pid": os.getpid(), "action": action, "by": scrubbed(by), "changes": shown}
        last.append(entry)
        logger.info("agentops_sdk: %s by %s: %s", action, entry["by"], json.dumps(shown))
        if folder is None:
            return None
        from agentops_sdk._audit.chain import append

        waiting = _waiting.setdefault(folder, deque())
        entries = [*_taken(waiting), entry]
        try:
            records = append(folder / FOLDER, entries, _signer(key))
        except OSError:
            waiting.extend(entries)
            while len(waiting) > _MOST_WAITING:
                waiting.popleft()
                lost += 1
            raise
        logger.info("agentops_sdk: audit head %d:%s", records[-1]["seq"], records[-1]["hash"])
        return records[-1]
    return None


def _taken(waiting: deque[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    while True:
        try:
            yield waiting.popleft()
        except IndexError:
            return


def _signer(key: KeySource | None) -> Signer | None:
    """Who signs; nobody where the key cannot be had: a record without a signature is better than none."""
    if key is None:
        return None
    known = _signers.get(id(key))
    if known is None:
        from agentops_sdk._audit.signature import signer_of
        from agentops_sdk.config import log_once
        from agentops_sdk.errors import ConfigError

        signer: Signer | None = None
        try:
            signer = signer_of(key)
        except ConfigError as error:
            log_once(f"the audit log is not signed: {error}")
            return None
        known = _signers[id(key)] = key, signer
    return known[1]


def _shown(value: Any, name: str) -> Any:
    """Plain values, :func:`scrubbed`, numbers with the name that says whose; others by the name of their type."""
    if isinstance(value, tuple | list):
        return [_shown(item, name) for item in value]
    if isinstance(value, dict):
        return {scrubbed(str(key)): _shown(item, str(key)) for key, item in value.items()}
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if abs(value) < _FEWEST_DIGITS:
            return value
        text = f"{name}: {value}"
        return value if (after := scrubbed(text)) == text else after.removeprefix(f"{name}: ")
    if isinstance(value, KeySource):
        return value.shown
    return scrubbed(value) if isinstance(value, str) else type(value).__name__
