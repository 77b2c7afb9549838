"""What was used in a window that outlives the process: a file of lines, which every process of the folder adds to.

Never touched on a thread of the program's. A line has the time, who wrote it and as which of theirs, what it is counted
for (as a hash: no name of a user is written) and the amount; one that says what an earlier one came to has the number
of that as well, and is passed over by versions that know of none. Each length of a window has a file of its own; those
before the last one are of no interest to anybody and go.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk._limits.store_link import StoreLostError
from agentops_sdk._limits.window_line import Line, counted
from agentops_sdk.private_files import open_private, private_directory

if TYPE_CHECKING:
    from agentops_sdk._limits.limit_ledger import Ledger
    from agentops_sdk.limit_rules import Rule

__all__ = ["WindowFile", "WindowFolder"]

_END = " \n"
"""Stands before what is written: a line that somebody has written in part, on a full disk, is none that can be read."""


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
        self._offsets = self._read_to = offsets or {}
        self._swept = -1

    def of_child(self) -> WindowFile:
        """The same in a forked child, which has read what this one has."""
        return WindowFile(self._folder, self._rule, dict(self._offsets))

    def _path(self, index: int) -> Path:
        return self._folder / f"{self._name}.{index}.log"

    def add(self, lines: Sequence[Line]) -> None:
        """Write what this process tells: all in one write.

        Raises:
            OSError: it cannot be written; part of it may have been.
        """
        index = int(time.time() // self._length)
        text = _END + "".join(map(_written, lines))
        path = self._path(index)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            handle = open_private(path, flags)
        except FileNotFoundError:
            private_directory(path.parent)
            handle = open_private(path, flags)
        try:
            if os.write(handle, text.encode()) < len(text):
                raise OSError(errno.ENOSPC, "not all of it was written")
        finally:
            os.close(handle)
        if index != self._swept:
            self._swept = index
            self._sweep(index)

    def read(self) -> list[Line]:
        """What was told by anybody, and this program before it was started again, that was not read before.

        Raises:
            OSError: it cannot be read.
        """
        index = int(time.time() // self._length)
        paths = (self._path(index - 1), self._path(index))
        self._read_to = {path.name: self._offsets[path.name] for path in paths if path.name in self._offsets}
        lines: list[Line] = []
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
            self._read_to[path.name] = offset + len(whole)
            lines += filter(None, map(_read, whole.decode("ascii", "replace").splitlines()))
        return lines

    def go_on(self) -> None:
        """What was read has been counted."""
        self._offsets = self._read_to

    def _sweep(self, index: int) -> None:
        for path in self._folder.glob(f"{self._name}.*.log"):
            number = path.name.split(".")[1]
            if number.isdigit() and int(number) < index - 1:
                path.unlink(missing_ok=True)


def _written(line: Line) -> str:
    of = f" {line.of}" if line.of else ""
    number = f"{line.number}c{line.most:.12g}" if line.most else line.number
    return f"{line.at:.3f} {line.by}.{number} {line.key} {line.amount:.12g}{of}\n"


def _read(text: str) -> Line | None:
    parts = text.split(" ")
    if not 4 <= len(parts) <= 5:
        return None
    by, _, number = parts[1].partition(".")
    try:
        turn, _, most = number.partition("c")
        return Line(float(parts[0]), by, int(turn or 0), parts[2], float(parts[3]), int(*parts[4:]), float(most or 0))
    except ValueError:
        return None


class WindowFolder:
    """The files of some limits."""

    def __init__(self, files: Mapping[Ledger, WindowFile]) -> None:
        self._files = files

    def exchange(self, told: Mapping[Ledger, Sequence[Line]]) -> Iterator[tuple[Ledger, Sequence[Line]]]:
        """Write, then read."""
        try:
            for ledger, lines in told.items():
                if lines:
                    self._files[ledger].add(lines)
            for ledger, file in self._files.items():
                yield ledger, file.read()
                file.go_on()  # only now: a child that is forked goes on there
        except OSError as error:
            raise StoreLostError(f"the folder cannot be used ({type(error).__name__})") from error

    def of_child(self, heirs: Mapping[Ledger, Ledger]) -> WindowFolder:
        """With files that have been read as far."""
        return WindowFolder({heirs[ledger]: file.of_child() for ledger, file in self._files.items()})
