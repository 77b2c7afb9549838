"""What was used in a window that outlives the process: a file of lines, which every process of the folder adds to.

Never touched on a thread of the program's. A line has the time, who wrote it, what it is counted for (as a hash: no
name of a user is written) and the amount. Each length of a window has a file of its own; those before the last one
are of no interest to anybody and go.
"""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk.private_files import open_private, private_directory

if TYPE_CHECKING:
    from agentops_sdk.limit_rules import Rule

__all__ = ["Use", "WindowFile", "counted", "does_count", "hashed"]


class Use(NamedTuple):
    """What somebody has used: ``at`` in seconds since the epoch, ``key`` as :func:`hashed` gives it."""

    at: float
    key: str
    amount: float


def does_count(use: Use, since: float) -> bool:
    """Whether what is written there was used since then.

    What is damaged must neither lift the limit (NaN, less than nothing) nor close it for good (infinity).
    """
    return since < use.at < math.inf and 0 <= use.amount < math.inf


def hashed(key: str | None) -> str:
    """What stands in a file for what is counted together."""
    return "-" if key is None else hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def counted(rule: Rule) -> str:
    """A name for what the rule counts, whatever it allows of it."""
    what = f"{rule.measure} {rule.tool} {rule.currency} / {rule.per} / {rule.window}"
    return hashlib.sha256(what.encode()).hexdigest()[:16]


class WindowFile:
    """The files of one limit.

    Args:
        folder: where they are.
        rule: the limit; what it counts names the files, so that another amount goes on with what was used.
        offsets: how far each file has been read, by name.
    """

    def __init__(self, folder: Path, rule: Rule, offsets: dict[str, int] | None = None) -> None:
        self._folder = folder
        self._rule = rule
        self._name = counted(rule)
        self._length = rule.window or 0.0
        self._writer = os.urandom(8).hex()
        self._offsets = offsets or {}
        self._swept = -1

    def of_child(self) -> WindowFile:
        """The same in a forked child, which has read what this one has."""
        return WindowFile(self._folder, self._rule, dict(self._offsets))

    def _path(self, index: int) -> Path:
        return self._folder / f"{self._name}.{index}.log"

    def add(self, uses: Sequence[Use]) -> None:
        """Write what this process has used: one line each, all in one write."""
        index = int(time.time() // self._length)
        lines = "".join(f"{use.at:.3f} {self._writer} {use.key} {use.amount:.12g}\n" for use in uses)
        path = self._path(index)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            handle = open_private(path, flags)
        except FileNotFoundError:
            private_directory(path.parent)
            handle = open_private(path, flags)
        try:
            os.write(handle, lines.encode())
        finally:
            os.close(handle)
        if index != self._swept:
            self._swept = index
            self._sweep(index)

    def read(self) -> Iterator[Use]:
        """What others have used, and this program before it was started again, that was not read before."""
        now = time.time()
        index = int(now // self._length)
        paths = (self._path(index - 1), self._path(index))
        self._offsets = {path.name: self._offsets[path.name] for path in paths if path.name in self._offsets}
        for path in paths:
            try:
                with path.open("rb") as file:
                    offset = self._offsets.get(path.name, 0)
                    if offset > os.fstat(file.fileno()).st_size:  # another file: somebody has removed the first
                        offset = 0
                    file.seek(offset)
                    data = file.read()
            except FileNotFoundError:
                continue
            whole = data[: data.rfind(b"\n") + 1]  # the last line may still be being written
            self._offsets[path.name] = offset + len(whole)
            for line in whole.decode("ascii", "replace").splitlines():
                use = self._use(line, now - self._length)
                if use is not None:
                    yield use

    def _use(self, line: str, since: float) -> Use | None:
        parts = line.split(" ")
        if len(parts) != 4 or parts[1] == self._writer:
            return None
        try:
            use = Use(float(parts[0]), parts[2], float(parts[3]))
        except ValueError:
            return None
        return use if does_count(use, since) else None

    def _sweep(self, index: int) -> None:
        for path in self._folder.glob(f"{self._name}.*.log"):
            number = path.name.split(".")[1]
            if number.isdigit() and int(number) < index - 1:
                path.unlink(missing_ok=True)
