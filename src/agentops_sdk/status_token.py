"""The token of the status pages: one that was given, else one that is made at random and kept where its user can read.

It lies in the folder of the traces as ``status-token``, for its owner only, and is the same for all processes of the
folder, so that Prometheus can be told once where it is. Whoever deletes the file has a new one made with the next
request. A program that writes no files has one in memory, for as long as it runs.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from agentops_sdk.config import warn_once
from agentops_sdk.errors import ConfigError
from agentops_sdk.private_files import open_private, private_directory

__all__ = ["FILE", "TOKEN_VARIABLE", "checked_token", "kept_token"]

TOKEN_VARIABLE: Final = "AGENTOPS_STATUS_TOKEN"  # noqa: S105 - a name, no token
FILE: Final = "status-token"
_LONGEST: Final = 4_096
_here = ""


def checked_token(token: str | None) -> str | None:
    """The token that was given, else that of the environment.

    Raises:
        ConfigError: it is no text, or holds what no header can; it is not shown.
    """
    if token is None:
        token = os.environ.get(TOKEN_VARIABLE, "").strip() or None
    if token is not None and not _fits(token):
        raise ConfigError("token", "…", "a string of printable ASCII characters without spaces")
    return token


def kept_token(folder: Path | None) -> str:
    """The token that is kept in a folder, made where there is none.

    Where it cannot be kept, or what stands there is not for its owner alone, that is warned of once, and only who has
    the token of this process (``StatusServer.token``) reads the pages.

    Args:
        folder: of the traces; ``None`` for a program that writes no files.
    """
    global _here
    _here = _here or secrets.token_urlsafe(32)
    if folder is None:
        return _here
    path = folder / FILE
    try:
        try:
            return _read(path)
        except FileNotFoundError:
            _write(path, _here)
        return _read(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        warn_once(
            f"{path}: {reason}; expected a file that its owner alone may read, with a token for the status pages. "
            f"Only {TOKEN_VARIABLE}, serve_status(token=…) and StatusServer.token tell it now."
        )
        return _here


def _fits(token: object) -> bool:
    return isinstance(token, str) and token != "" and all("!" <= letter <= "~" for letter in token)


def _read(path: Path) -> str:
    # A link could lead to a file that somebody else knows; a pipe could hold up who opens it.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise ValueError("it is no file")
        if hasattr(os, "geteuid") and (about.st_uid != os.geteuid() or about.st_mode & 0o077):
            raise ValueError("others than its owner may read it, or it is somebody else's")
        token = file.read(_LONGEST).decode("ascii", "replace").strip()
    if not _fits(token):
        raise ValueError("it holds no token")
    return token


def _write(path: Path, token: str) -> None:
    """A whole file or none; where another process was faster, its own stays."""
    private_directory(path.parent)
    part = path.with_name(f".{FILE}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with os.fdopen(open_private(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w") as file:
            file.write(token + "\n")
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink(missing_ok=True)
