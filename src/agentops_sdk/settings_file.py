"""Settings from files: the one that ``AGENTOPS_CONFIG`` names, and ``[tool.agentops]`` of ``./pyproject.toml``."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentops_sdk._named_tuple import NamedTuple

NAMED_BY = "AGENTOPS_CONFIG"
_LONGEST = 16 * 1_048_576


class SettingsFile(NamedTuple):
    """What a file says. ``problem`` is not empty if it says something that cannot be understood."""

    table: Mapping[str, Any] = {}
    problem: str = ""


def in_working_directory(*, unless_named: str = "") -> SettingsFile:
    """``[tool.agentops]`` of ``./pyproject.toml``; a file that does not mention us is nobody's problem here.

    Nor is the one that the user has named already: what it says holds, and is not told to be ignored.
    """
    if unless_named and _is_same(Path(os.path.expanduser(unless_named)), Path("pyproject.toml")):  # noqa: PTH111 - as below
        return SettingsFile()
    content = _content(Path("pyproject.toml"))
    return _parsed(content, "pyproject.toml") if content is not None and b"agentops" in content else SettingsFile()


def named(text: str) -> SettingsFile:
    """The file at a path that the user gave: ``[tool.agentops]`` where there is one, else its top level."""
    path = Path(os.path.expanduser(text))  # noqa: PTH111 - Path raises where nobody has that name
    content = _content(path)
    file = _parsed(content, path.name) if content is not None else SettingsFile(problem="no file that can be read")
    return SettingsFile(problem=f"{text!r}: {file.problem}; expected the path of a TOML file") if file.problem else file


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def _content(path: Path) -> bytes | None:
    try:
        if not path.is_file() or path.stat().st_size > _LONGEST:  # a pipe of that name would be waited for
            return None
        return path.read_bytes()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None


@functools.lru_cache(maxsize=1)  # a suite of tests begins as often as it has tests, each time with the same file
def _parsed(content: bytes, name: str) -> SettingsFile:
    import tomllib  # most programs have no such file

    try:
        document = tomllib.loads(content.decode())
    except (ValueError, RecursionError):
        return SettingsFile(problem="no TOML")
    tools: Any = document.get("tool", {})
    section: Any = tools.get("agentops") if isinstance(tools, dict) else None
    if section is None:
        section = {} if name == "pyproject.toml" else document
    return SettingsFile(section) if isinstance(section, dict) else SettingsFile(problem="no table [tool.agentops]")
