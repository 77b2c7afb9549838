"""The cases of an experiment: from values, JSONL or CSV, with a version that says what they hold."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agentops_sdk.errors import ConfigError
from agentops_sdk.private_files import open_private

__all__ = ["Case", "cases_version", "load_cases", "save_cases"]

_OWN: Final = ("id", "expected", "metadata")


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        input: what the task is given.
        expected: what it should come to; ``None`` where nobody says.
        id: by which it is found again; a hash of input and expectation where none is given.
        metadata: anything else, such as what people thought of it.
    """

    input: Any
    expected: Any = None
    id: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; what is empty is left out."""
        pairs = {"id": self.id, "input": self.input, "expected": self.expected, "metadata": dict(self.metadata)}
        return {name: value for name, value in pairs.items() if name == "input" or value not in (None, "", {})}


def load_cases(source: str | os.PathLike[str] | Iterable[Any]) -> list[Case]:
    """Cases from a file (``.jsonl``, ``.json``, ``.csv``) or from values.

    A mapping has ``input``, ``expected``, ``id`` and ``metadata``; without ``input``, what else it holds is the input.
    Anything else is an input.

    Raises:
        ConfigError: there are none, two have one id, or the file cannot be read.
    """
    rows = _rows(Path(source)) if isinstance(source, str | os.PathLike) else source
    if isinstance(rows, Mapping) or not isinstance(rows, Iterable):
        raise ConfigError("cases", rows, "a file or a list of cases")
    cases = _with_ids([_case(row) for row in rows])
    if not cases:
        raise ConfigError("cases", str(source)[:200], "at least one case")
    return cases


def save_cases(cases: Iterable[Case], path: str | os.PathLike[str]) -> Path:
    """Write cases as JSONL, for their owner only."""
    file = Path(path)
    text = "".join(json.dumps(case.as_dict(), ensure_ascii=False, default=str) + "\n" for case in cases)
    descriptor = open_private(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        target.write(text)
    return file


def cases_version(cases: Iterable[Case]) -> str:
    """The version of cases by what they hold: 12 hexadecimal digits, whatever their order and their metadata."""
    parts = sorted(_canonical([case.id, case.input, case.expected]) for case in cases)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _rows(path: Path) -> list[Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise ConfigError("cases", str(path), f"a file that can be read ({type(error).__name__})") from None
    if path.suffix.lower() == ".csv":
        return [_of_csv(row) for row in csv.DictReader(text.splitlines(keepends=True))]
    if path.suffix.lower() == ".json":
        try:
            document = json.loads(text)
        except ValueError as error:
            raise ConfigError("cases", str(path), f"JSON: {error}") from None
        return document if isinstance(document, list) else [document]
    rows = []
    for number, line in enumerate(text.split("\n"), 1):  # a text may hold what else ends a line to Python
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise ConfigError("cases", f"{path}, line {number}", f"JSON: {error}") from None
    return rows


def _of_csv(row: Mapping[Any, Any]) -> dict[str, Any]:
    told = {str(name): value for name, value in row.items() if name is not None and value not in (None, "")}
    if isinstance(told.get("metadata"), str):
        try:
            told["metadata"] = json.loads(told["metadata"])
        except ValueError:
            told["metadata"] = {"metadata": told["metadata"]}
    return told


def _case(row: Any) -> Case:
    if isinstance(row, Case):
        return row
    if not isinstance(row, Mapping):
        return Case(row)
    metadata = row.get("metadata")
    rest = {name: value for name, value in row.items() if name not in (*_OWN, "input")}
    known = dict(metadata) if isinstance(metadata, Mapping) else {}
    given = str(row["id"]) if row.get("id") is not None else ""
    if "input" in row:
        return Case(row["input"], row.get("expected"), given, {**rest, **known})
    return Case(rest, row.get("expected"), given, known)


def _with_ids(cases: list[Case]) -> list[Case]:
    named = Counter(case.id for case in cases if case.id)
    twice = [name for name, count in named.items() if count > 1]
    if twice:
        raise ConfigError("cases", twice[0], "an id of its own for each case")
    seen: Counter[str] = Counter()
    result = []
    for case in cases:
        if case.id:
            result.append(case)
            continue
        own = hashlib.sha256(_canonical([case.input, case.expected]).encode()).hexdigest()[:12]
        seen[own] += 1
        result.append(Case(case.input, case.expected, own if seen[own] == 1 else f"{own}-{seen[own]}", case.metadata))
    return result
