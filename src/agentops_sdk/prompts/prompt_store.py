"""Where prompts are kept: a folder for each, a file for each version, and which version each label names.

``NAME.md`` beside the folder is a version too: what people edit by hand. ``labels.json`` holds for each label the
versions that it has named, the last one being the one it names now: that is what is rolled back.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agentops_sdk.encryption import SealedError, opened, sealed
from agentops_sdk.errors import ConfigError, TraceError
from agentops_sdk.private_files import private_directory, replace_private

__all__ = ["PromptStore", "checked_name", "version_of"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SUFFIXES: Final = (".md", ".txt", ".prompt", ".json")
_LABELS: Final = "labels.json"


def version_of(template: str) -> str:
    """The version of a template by what it holds: 12 hexadecimal digits."""
    return hashlib.sha256(template.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def checked_name(name: Any) -> str:
    """The name of a prompt.

    Raises:
        ConfigError: it is none.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError("name", name, "letters, digits, dots, dashes and underscores, at most 100")
    return name


class PromptStore:
    """The prompts of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """The prompts that are kept."""
        if not self.folder.is_dir():
            return []
        found = {entry.name if entry.is_dir() else entry.stem for entry in self.folder.iterdir()
                 if entry.is_dir() or entry.suffix in _SUFFIXES}  # fmt: skip
        return sorted(name for name in found if _NAME.fullmatch(name))

    def versions(self, name: str) -> dict[str, str]:
        """Templates by their version, oldest first by when their file was written; the one beside the folder last."""
        folder = self.folder / checked_name(name)
        files = (
            [path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.name != _LABELS]
            if folder.is_dir()
            else []
        )
        files.sort(key=lambda path: (path.stat().st_mtime_ns, path.name))
        files += [path for suffix in _SUFFIXES if (path := self.folder / f"{name}{suffix}").is_file()]
        templates = [_read(path) for path in files]
        return {version_of(template): template for template in templates}

    def labels(self, name: str) -> dict[str, list[str]]:
        """For each label the versions that it has named, the last being the one of now."""
        try:
            told = json.loads((self.folder / checked_name(name) / _LABELS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        known = told.items() if isinstance(told, dict) else ()
        return {
            str(label): [str(each) for each in history]
            for label, history in known
            if isinstance(history, list) and history
        }

    def find(self, name: str, wanted: str) -> str:
        """The version that a label, ``latest``, or the beginning of a version names.

        Raises:
            TraceError: there is none, or several.
        """
        versions, labels = self.versions(name), self.labels(name)
        if wanted in labels:
            return labels[wanted][-1]
        if wanted == "latest" and versions:
            return list(versions)[-1]
        matching = [version for version in versions if version.startswith(wanted)] if wanted else []
        if len(matching) != 1:
            if not versions:
                raise TraceError(f"no prompt {name} in {self.folder}")
            known = ", ".join((*versions, *labels))
            raise TraceError(f"prompt {name}: {len(matching)} versions or labels match {wanted!r}, of {known}")
        return matching[0]

    def keep(self, name: str, template: str, *, seals: bool = False) -> None:
        """Keep a version; one that is there already stays as it is.

        Args:
            name: of the prompt.
            template: its text.
            seals: whether the file is encrypted where the process encrypts what it writes.
        """
        folder = self.folder / checked_name(name)
        path = folder / f"{version_of(template)}.md"
        if path.exists():
            return
        private_directory(folder)
        content = template.encode("utf-8", "surrogatepass")
        replace_private(path, sealed(content) if seals else content)

    def label(self, name: str, wanted: str, label: str) -> str:
        """Have a label name a version; returns that.

        Raises:
            ConfigError: the label is no word.
            TraceError: there is no such version.
        """
        if not _NAME.fullmatch(label) or label == "latest":
            raise ConfigError("label", label, "a word of letters, digits, dots, dashes and underscores, but latest")
        version = self.find(name, wanted)
        labels = self.labels(name)
        history = labels.setdefault(label, [])
        if not history or history[-1] != version:
            history.append(version)
        self._write(name, labels)
        return version

    def roll_back(self, name: str, label: str) -> str:
        """Have a label name the version that it named before; returns that.

        Raises:
            TraceError: it named none before.
        """
        labels = self.labels(name)
        history = labels.get(label, [])
        if len(history) < 2:
            raise TraceError(f"prompt {name}: {label} has named no version before")
        history.pop()
        self._write(name, labels)
        return history[-1]

    def _write(self, name: str, labels: Mapping[str, list[str]]) -> None:
        folder = self.folder / name
        private_directory(folder)
        replace_private(folder / _LABELS, json.dumps(labels, indent=2).encode() + b"\n")


def _read(path: Path) -> str:
    try:
        return opened(path.read_bytes()).decode("utf-8-sig").replace("\r\n", "\n")
    except SealedError as error:
        raise SealedError(f"prompt {path} is {error}") from None
    except (OSError, ValueError) as error:
        raise TraceError(f"prompt {path} cannot be read: {type(error).__name__}") from None
