"""What has been told and fires, on disk: who is started again tells nothing twice, and tells the end of what fired."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from agentops_sdk._host.guard import guard
from agentops_sdk.encryption import opened, sealed
from agentops_sdk.private_files import private_directory, replace_private
from agentops_sdk.traces.process_identity import is_alive, this_process

__all__ = ["OFTEN", "Told", "ToldFile", "name_here"]

OFTEN: Final = 30.0
"""Seconds after which the file is written anew, also where nothing has changed: its time shows that somebody lives."""
_process = os.urandom(4).hex()
"""Two processes may share a folder and a pid: one in each of two containers."""
_FORGOTTEN = 7 * 86_400.0  # seconds after which it may be told again, whatever its period


class Told(NamedTuple):
    """What was told last of one rule asked of one thing.

    Attributes:
        at: when, in seconds since the epoch; 0 where nothing was told yet, of what tells silence.
        firing: whether it fires since.
        key: what the rule was asked of; empty for a user or a session, whose names are not written.
        last: when something of it was last seen.
        trace_id: of the run that spoke for it.
    """

    at: float
    firing: bool
    key: str = ""
    last: float = 0.0
    trace_id: str = ""


class ToldFile:
    """Facts by the ids of notices, and the file that holds them.

    Args:
        path: of the file; ``None`` remembers nothing.
        service: the program's name, where the file is one of a process.

    Attributes:
        told: what was told of each, kept up to date by whoever tells.
        looked: when whoever wrote the file last did; 0 where nobody has.
    """

    def __init__(self, path: Path | None, service: str = "") -> None:
        self.path = path
        self.told: dict[str, Told] = {}
        self.looked = 0.0
        self._service = service
        self._kept: tuple[float, dict[str, Told]] = (0.0, {})

    def read(self) -> None:
        """Take in what the file holds.

        Raises:
            OSError: it cannot be read.
            ValueError: it holds something else.
        """
        if self.path is not None and self.path.exists():
            self._take(_fact(self.path))

    def adopt(self) -> None:
        """Take in what processes of the same program have left that are gone: whoever renames a file has it."""
        if self.path is None:
            return
        for path in sorted(self.path.parent.glob("told-*")):
            with guard("alerts.told"):
                fact = _fact(path)
                if fact.get("service") != self._service:
                    continue
                if path != self.path:
                    if is_alive(fact.get("process") or {}, None, path.stat().st_mtime_ns):
                        continue
                    own = path.with_name(f"{self.path.name}.{os.urandom(4).hex()}")
                    try:
                        path.rename(own)
                    except OSError:
                        continue  # somebody else was first
                    self._take(fact)
                    self.keep()
                    own.unlink(missing_ok=True)
                else:  # of this process, before its last shutdown
                    self._take(fact)

    def keep(self, now: float | None = None) -> None:
        """Write it down, where something has changed or it is a while ago.

        Raises:
            OSError: it cannot be written.
        """
        now = time.time() if now is None else now
        told = dict(self.told)  # a copy at once: another thread may be telling
        if self.path is None or (self._kept[1] == told and now - self._kept[0] < OFTEN):
            return
        for number, each in list(told.items()):
            if not each.firing and now - max(each.at, each.last) > _FORGOTTEN:
                del told[number], self.told[number]
        if not told and self._service and not self._kept[1]:
            return  # a process of which there is nothing to remember
        self._kept = now, told
        private_directory(self.path.parent)
        fact = {"looked": now, "service": self._service, "process": this_process(), "told": told}
        replace_private(self.path, sealed(json.dumps(fact).encode()))

    def _take(self, fact: Mapping[str, Any]) -> None:
        """Of what two have told, the last counts."""
        self.looked = max(self.looked, float(fact["looked"]))
        for number, (at, firing, *more) in fact["told"].items():
            each = Told(float(at), firing is True, *more)
            known = self.told.get(number)
            if known is None or (each.at, each.last) > (known.at, known.last):
                self.told[str(number)] = each


def name_here() -> str:
    """The name of the file of this process."""
    return f"told-{os.getpid()}-{_process}"


def _fact(path: Path) -> dict[str, Any]:
    fact = json.loads(opened(path.read_bytes()))
    if not isinstance(fact, dict) or not isinstance(fact.get("told"), dict) or "looked" not in fact:
        raise ValueError(path.name)
    return fact
