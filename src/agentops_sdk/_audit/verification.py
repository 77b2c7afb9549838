"""Whether an audit log is whole: what was changed, cut or put elsewhere, and where; and what it cannot tell."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk._audit.chain import GENESIS, TORN, canonical, digest, files, head_of, lines_of

if TYPE_CHECKING:
    from agentops_sdk._audit.signature import Signer

__all__ = ["Verification", "verify"]

_MOST: Final = 1_000


@dataclass
class Verification:
    """What a look at a log found.

    Attributes:
        records: how many there are.
        last: number and hash of the last one.
        faults: a sentence for each thing that is wrong, with its place.
        limits: what the log by itself cannot show.
    """

    records: int = 0
    signed: int = 0
    last: tuple[int, str] = (0, GENESIS)
    faults: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong, as far as can be told."""
        return not self.faults


class _Walk:
    def __init__(self, signer: Signer | None) -> None:
        self.result = Verification()
        self.signer = signer
        self.number, self.previous = 0, GENESIS
        self.hashes: dict[int, str] = {}
        self.unsigned_tail = 0
        self._torn: tuple[str, bytes] | None = None
        self._is_cut = False

    def fault(self, place: str, what: str) -> None:
        if len(self.result.faults) < _MOST:
            self.result.faults.append(f"{place}: {what}")

    def line(self, place: str, line: bytes, whole: bool) -> None:
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        usable = isinstance(record, dict) and type(record.get("seq")) is int and isinstance(record.get("hash"), str)
        if not usable or not whole:
            self.end()
            self._torn, self._is_cut = (place, line), not whole
            return
        self._settle(record)
        self._record(place, line, record)

    def _settle(self, record: dict[str, Any]) -> None:
        """A line that is no record was torn if the record behind it says so; else somebody has damaged it."""
        if self._torn is None:
            return
        line = self._torn[1]
        told = record.get("changes") if record.get("action") == TORN else None
        same = isinstance(told, dict) and told.get("sha256") == hashlib.sha256(line).hexdigest()
        if same and digest(record) == record["hash"]:
            self._torn = None
        else:
            self.end()

    def end(self) -> None:
        if self._torn is not None:
            self.fault(self._torn[0], "no whole record: it was changed, or cut")
            self._torn = None

    def _record(self, place: str, line: bytes, record: dict[str, Any]) -> None:
        seq = record["seq"]
        self.result.records += 1
        if digest(record) != record["hash"] or canonical(record) != line:
            self.fault(place, f"record {seq} was changed")
        elif seq == self.number + 1 and record.get("prev") != self.previous:
            self.fault(place, f"record {seq} does not follow the one before it: one of them was exchanged")
        if seq > self.number + 1:
            missing = (
                f"record {self.number + 1} is"
                if seq == self.number + 2
                else f"records {self.number + 1} to {seq - 1} are"
            )
            self.fault(place, f"{missing} missing before record {seq}")
        elif seq <= self.number:
            self.fault(place, f"record {seq} stands behind record {self.number}: it was moved, or repeated")
        self._signature(place, record)
        self.hashes[seq] = record["hash"]
        self.number, self.previous = max(self.number, seq), record["hash"]

    def _signature(self, place: str, record: dict[str, Any]) -> None:
        signature = record.get("signature")
        if signature is None:
            self.unsigned_tail += 1
            return
        self.result.signed += 1
        self.unsigned_tail = 0
        if self.signer is not None and not self.signer.verify(record["hash"], signature):
            self.fault(place, f"the signature of record {record['seq']} is not of this key")


def verify(folder: Path, signer: Signer | None = None, anchor: tuple[int, str] | None = None) -> Verification:
    """Look at every record of a log.

    Args:
        folder: ``audit`` below the directory of the traces.
        signer: has the key, to check signatures.
        anchor: number and hash of a record that were kept elsewhere.

    Raises:
        OSError: a file cannot be read.
    """
    walk = _Walk(signer)
    expected = 1
    for path in files(folder):
        if int(path.stem) != expected:
            walk.fault(path.name, f"file {expected:06d}.jsonl is missing before it")
        expected = int(path.stem) + 1
        for number, line, whole in lines_of(path):
            walk.line(f"{path.name}:{number}", line, whole)
    if not walk._is_cut:  # noqa: SLF001 - of this module
        walk.end()  # a writer that was killed leaves no end of a line
    torn, walk._torn = walk._torn, None  # noqa: SLF001 - of this module
    result = walk.result
    result.last = walk.number, walk.previous
    _head(walk, folder)
    if anchor is not None:
        _anchor(walk, "anchor", *anchor)
    _limits(walk, torn is not None, anchored=anchor is not None)
    return result


def _anchor(walk: _Walk, name: str, seq: int, digest_: str) -> None:
    if seq > walk.number:
        walk.fault("end", f"the {name} knows record {seq}, and the log ends with record {walk.number}: it was cut")
    elif walk.hashes.get(seq) != digest_:
        walk.fault("end", f"record {seq} is not the one that the {name} knows")


def _head(walk: _Walk, folder: Path) -> None:
    head = head_of(folder)
    if head is None:
        if walk.result.records:
            walk.fault("head", "missing, or cannot be read: whether records are missing at the end cannot be told")
        return
    _anchor(walk, "head", head["seq"], str(head.get("hash")))
    signature = head.get("signature")
    if walk.signer is not None and walk.result.signed:
        text = f"head {head['seq']} {head.get('hash')}"
        if signature is None or not walk.signer.verify(text, signature):
            walk.fault("head", "its signature is not of this key")


def _limits(walk: _Walk, torn: bool, *, anchored: bool) -> None:
    limits = walk.result.limits
    if torn:
        limits.append(
            "the last line is torn: a writer was killed within it, or it was cut; the next writer will say so"
        )
    if walk.signer is not None and walk.result.records and not walk.result.signed:
        walk.fault("signatures", "a key is given, and no record is signed: the log may have been written anew")
    elif not walk.result.signed:
        limits.append("no record is signed: whoever can write the files can write the whole log anew")
    elif walk.signer is None:
        limits.append(f"{walk.result.signed} signatures were not checked: no --key")
    if walk.unsigned_tail and walk.result.signed:
        unsigned = f"nothing vouches for the last {walk.unsigned_tail} record(s): they are not signed"
        if walk.signer is None:
            limits.append(unsigned)
        else:  # an old state of the folder, with its head, can be had by who has no key, and be added to
            walk.fault("end", unsigned)
    if not anchored:
        limits.append(
            "an older state of the whole folder, put in place of the newer one, cannot be told from it: keep "
            "`agentops audit head` elsewhere and give it to --anchor"
        )
