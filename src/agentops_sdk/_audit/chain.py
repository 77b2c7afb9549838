"""Records that hold each other: each has the hash of the one before, and a writer's signature where there is a key.

::

    <directory>/audit/000001.jsonl …   records, oldest first; a file that has grown is left and a new one begun
    <directory>/audit/head             sequence number and hash of the last record, signed as well
    <directory>/audit/lock             held for the moment of an append, by one process at a time

A process that is killed within its one write leaves a torn line behind. The next writer leaves it where it is and says
so in a record of its own, with the hash of what it found: the log is only ever added to.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk._host.guard import guard
from agentops_sdk.private_files import open_private, private_directory, replace_private, try_lock, unlock

if TYPE_CHECKING:
    from agentops_sdk._audit.signature import Signer

__all__ = ["GENESIS", "TORN", "append", "canonical", "digest", "files", "head_of", "lines_of", "records_of", "sealed"]

GENESIS: Final = "0" * 64
TORN: Final = "torn line"
_FILE_BYTES: Final = 8 * 1_048_576
_LARGEST: Final = 65_536
_PATIENCE: Final = 2.0  # seconds


def canonical(record: dict[str, Any]) -> bytes:
    """The one way to write a record."""
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()


def digest(record: dict[str, Any]) -> str:
    """The hash of a record, its predecessor's among what is hashed, but not its own and its signature."""
    return hashlib.sha256(canonical({k: v for k, v in record.items() if k not in ("hash", "signature")})).hexdigest()


def sealed(entry: dict[str, Any], number: int, previous: str, signer: Signer | None) -> dict[str, Any]:
    """An entry as the record that stands at its place of the chain."""
    record = {**entry, "seq": number, "prev": previous}
    record["hash"] = digest(record)
    if signer is not None:
        record["signature"] = signer.sign(record["hash"])
    return record


def files(folder: Path) -> list[Path]:
    """The files of a log, oldest first."""
    return sorted(path for path in folder.glob("*.jsonl") if path.stem.isdigit())


def append(
    folder: Path, entries: list[dict[str, Any]], signer: Signer | None, file_bytes: int = _FILE_BYTES
) -> list[dict[str, Any]]:
    """Add entries at the end, in one write each; the records as they stand there now.

    Args:
        folder: of the log; made when needed.
        entries: what to add.
        signer: signs them.
        file_bytes: a file that is longer is left for a new one.

    Raises:
        OSError: nothing more could be added; or another process has held the log for two seconds.
    """
    private_directory(folder)
    with _alone(folder):
        return [_append(folder, entry, signer, file_bytes) for entry in entries]


def _append(folder: Path, entry: dict[str, Any], signer: Signer | None, file_bytes: int) -> dict[str, Any]:
    known = files(folder)
    path = known[-1] if known else folder / "000001.jsonl"
    number, previous, torn = _end_of(known)
    if torn:
        note = {"time": time.time(), "pid": os.getpid(), "action": TORN, "by": "the next writer",
                "changes": {"bytes": len(torn), "sha256": hashlib.sha256(torn).hexdigest()}}  # fmt: skip
        record = sealed(note, number + 1, previous, signer)
        _write(path, b"\n" + canonical(record) + b"\n")
        number, previous = record["seq"], record["hash"]
    elif known and path.stat().st_size >= file_bytes:
        path = folder / f"{int(path.stem) + 1:06d}.jsonl"
    record = sealed(entry, number + 1, previous, signer)
    line = canonical(record) + b"\n"
    if len(line) > _LARGEST:
        kept = {"left_out": f"{len(line):,} bytes", "sha256": hashlib.sha256(line).hexdigest()}
        record = sealed({**entry, "changes": kept}, number + 1, previous, signer)
        line = canonical(record) + b"\n"
    _write(path, line)
    _write_head(folder, record, signer)
    return record


def _write(path: Path, line: bytes) -> None:
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        if os.write(descriptor, line) != len(line):  # what is there of it is torn, and the next writer says so
            raise OSError(28, "no space left for a whole record", str(path))
    finally:
        os.close(descriptor)


def _write_head(folder: Path, record: dict[str, Any], signer: Signer | None) -> None:
    head: dict[str, Any] = {"seq": record["seq"], "hash": record["hash"]}
    if signer is not None:
        head["signature"] = signer.sign(f"head {head['seq']} {head['hash']}")
    replace_private(folder / "head", canonical(head) + b"\n")


def head_of(folder: Path) -> dict[str, Any] | None:
    """What ``head`` says, where it can be read."""
    try:
        head = json.loads((folder / "head").read_bytes())
    except (OSError, ValueError):
        return None
    return head if isinstance(head, dict) and isinstance(head.get("seq"), int) else None


def _end_of(known: list[Path]) -> tuple[int, str, bytes]:
    """Number and hash of the last whole record, and what was left behind it by a writer that was killed."""
    for path in reversed(known):
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 2 * _LARGEST))
            lines = file.read().split(b"\n")
        torn = lines.pop()
        for line in reversed(lines):
            with guard("audit.end"):
                try:
                    record = json.loads(line)
                    return int(record["seq"]), str(record["hash"]), torn
                except (ValueError, KeyError, TypeError):
                    continue  # a torn line that somebody has told of, or one that was damaged
        if torn:
            return 0, GENESIS, torn
    return 0, GENESIS, b""


class _alone:  # noqa: N801 - reads as a statement
    """The log is ours for the length of a block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor = -1

    def __enter__(self) -> None:
        self._descriptor = open_private(self._folder / "lock", os.O_RDWR | os.O_CREAT)
        until = time.monotonic() + _PATIENCE
        try:
            while not try_lock(self._descriptor):
                if time.monotonic() > until:
                    os.close(self._descriptor)
                    raise OSError(11, "another process holds the audit log", str(self._folder))
                time.sleep(0.002)
        except OSError as error:
            if error.errno == 11:
                raise  # a file system without locks: one process at a time is then for the user to see to

    def __exit__(self, *_: object) -> None:
        unlock(self._descriptor)
        os.close(self._descriptor)


def lines_of(path: Path) -> Iterator[tuple[int, bytes, bool]]:
    """Lines of a file with their numbers, and whether each is whole.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            yield number, line.removesuffix(b"\n"), line.endswith(b"\n")


def records_of(folder: Path) -> Iterator[dict[str, Any]]:
    """Every record of a log that can be read, in the order of its files; whether it is whole is another question.

    Raises:
        OSError: a file cannot be read.
    """
    for path in files(folder):
        for _, line, _ in lines_of(path):
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and type(record.get("seq")) is int:
                yield record
