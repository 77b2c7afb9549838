"""The JSONL sink: one line per span, one file per process run, whole lines only, readable by the owner only."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from agentops_sdk.config import Settings
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.from_otel import record_dict

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


class JsonlExporter:
    """Appends records to ``DIRECTORY/TIME-PID-RANDOM.jsonl``; the file is made with the first span.

    A batch leaves by one ``write`` on an ``O_APPEND`` descriptor: what the kernel has taken survives
    the death of the process.
    """

    inline = True

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory).expanduser()
        self.path: Path | None = None
        self._descriptor: int | None = None
        _check(self.directory)

    def export(self, spans: Sequence[ReadableSpan]) -> Any:
        from opentelemetry.sdk.trace.export import SpanExportResult

        lines = b"".join(orjson.dumps(record_dict(span), option=orjson.OPT_APPEND_NEWLINE) for span in spans)
        if self._descriptor is None:
            self._descriptor = self._open()
        view = memoryview(lines)
        while view:
            view = view[os.write(self._descriptor, view) :]
        return SpanExportResult.SUCCESS

    def _open(self) -> int:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        home = self.directory.parent if self.directory.name == "traces" else self.directory
        ignore = home / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        self.path = self.directory / f"{stamp}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def after_fork(self) -> None:
        """A child process writes a file of its own; the parent's descriptor stays the parent's."""
        self._descriptor, self.path = None, None

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True

    def shutdown(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def create(argument: str | None, settings: Settings) -> JsonlExporter:
    """``"jsonl"`` (below the setting ``directory``) or ``"jsonl:DIRECTORY"``."""
    return JsonlExporter(argument or Path(settings.directory) / "traces")


def _check(directory: Path) -> None:
    """A path that can never work is the user's mistake and is told at once."""
    for part in (directory, *directory.parents):
        if part.exists():
            if not part.is_dir():
                raise ConfigError("exporters", f"jsonl:{directory}", f"a directory; {part} is a file")
            if not os.access(part, os.W_OK | os.X_OK):
                raise ConfigError("exporters", f"jsonl:{directory}", f"a writable directory; {part} is not")
            return
