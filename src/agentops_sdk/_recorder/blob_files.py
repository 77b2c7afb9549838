"""Pictures, sound and documents of messages as files beside the traces, to which the message refers.

Consumer thread only. A file is named after what it holds: a picture that goes along with every call is kept once.
"""

from __future__ import annotations

import binascii
import hashlib
import os
import time
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from agentops_sdk import encryption, semconv
from agentops_sdk.config import Settings
from agentops_sdk.private_files import open_private, private_directory

__all__ = ["FOLDER", "BlobFiles"]

FOLDER: Final = "blobs"
_MESSAGES: Final = (semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES)
_OF_A_TOOL: Final = frozenset(("response", "server_tool_call_response"))
"""Members of a part that hold what a tool gave: parts again, or a structure of the provider's with one in it."""
_DEEPEST: Final = 6
_LEAST: Final = 1_024
"""Characters of content from which a file is worth it."""
_ENDINGS: Final = {
    "image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif", "audio/wav": ".wav",
    "audio/mpeg": ".mp3", "video/mp4": ".mp4", "application/pdf": ".pdf", "text/plain": ".txt",
}  # fmt: skip
_DAY: Final = 86_400.0
_LOOK_EVERY: Final = 500
"""Files that are written between two looks at what is too old or too much."""


class BlobFiles:
    """Takes blobs out of the messages of spans, into files of the folder ``blobs``."""

    def __init__(self, settings: Settings) -> None:
        self.folder = Path(settings.directory).expanduser().absolute() / FOLDER
        self._most = settings.traces_max_bytes
        self._days = min(settings.traces_max_days, settings.content_max_days or settings.traces_max_days)
        self._written = 0

    def take(self, attributes: dict[str, Any]) -> None:
        """Write every large blob of a span's messages, and put a reference where it was.

        What cannot be written stays where it is, and is cut to size like every value.
        """
        for name in _MESSAGES:
            value = attributes.get(name)
            if isinstance(value, str):
                if len(value) < _LEAST or '"blob"' not in value:
                    continue
                try:
                    value = orjson.loads(value)
                except orjson.JSONDecodeError:
                    continue
            if isinstance(value, list):
                attributes[name] = [self._message(message) for message in value]

    def _message(self, message: Any) -> Any:
        parts = message.get("parts") if isinstance(message, dict) else None
        if not isinstance(parts, list):
            return message
        return {**message, "parts": [self._part(part) for part in parts]}

    def _part(self, part: Any, depth: int = 0) -> Any:
        """A part with its blobs elsewhere: also those of what a tool gave, which stand inside of it."""
        if depth < _DEEPEST and isinstance(part, list):
            return [self._part(each, depth + 1) for each in part]
        if not isinstance(part, dict):
            return part
        if part.get("type") != "blob":
            inner = part.keys() & _OF_A_TOOL if not depth else part.keys()
            changed = {name: self._part(part[name], depth + 1) for name in inner} if depth < _DEEPEST else {}
            return {**part, **changed}
        content = part.get("content")
        if not isinstance(content, str) or len(content) < _LEAST or (depth and "modality" not in part):
            return part  # what a tool calls a blob need not be one of ours
        name = self._write(content, _ENDINGS.get(str(part.get("mime_type")), ""))
        if name is None:
            return part
        kept = {key: value for key, value in part.items() if key != "content"}
        return {**kept, "type": "uri", "uri": f"{FOLDER}/{name}"}

    def _write(self, content: str, ending: str) -> str | None:
        try:
            data = b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            data = content.encode("utf-8", "replace")
        cipher = encryption.active
        digest = hashlib.sha256(data).hexdigest() if cipher is None else cipher.name_of(data)
        path = self.folder / f"{digest}{ending}"
        try:
            if not path.exists():
                self._put(path, encryption.sealed(data))
            else:
                os.utime(path)  # what is in use is not old
        except OSError:
            return None
        return path.name

    def _put(self, path: Path, data: bytes) -> None:
        private_directory(self.folder)
        if self._written % _LOOK_EVERY == 0:
            self._delete_old()
        self._written += 1
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        descriptor = open_private(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    def _delete_old(self) -> None:
        """Files as old as traces, or their content, may become, and the oldest beyond what traces may take."""
        files = []
        for path in self.folder.iterdir():
            with suppress(OSError):
                about = path.stat()
                files.append((about.st_mtime, about.st_size, path))
        oldest, total = time.time() - self._days * _DAY, sum(size for _, size, _ in files)
        for modified, size, path in sorted(files):
            if modified >= oldest and total <= self._most:
                break
            with suppress(OSError):
                path.unlink()
            total -= size
