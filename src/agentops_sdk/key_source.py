"""Where a key comes from: the environment, a file or a function; it is read when it is needed and never shown."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from agentops_sdk.errors import ConfigError

__all__ = ["FORM", "NO_KEY", "KeySource", "key_source"]

FORM: Final = 'env:NAME, file:PATH, bytes, or a function that returns bytes; such as "env:AGENTOPS_PII_KEY"'


class KeySource:
    """A key by where it is kept.

    Its text, in logs and in ``status()``, says where and nothing of the key.
    """

    __slots__ = ("_read", "shown")

    def __init__(self, shown: str, read: Callable[[], Any]) -> None:
        self.shown = shown
        self._read = read

    def read(self) -> bytes:
        """The key as it stands there now. Text in base64 or in hexadecimal digits is decoded by who needs bytes.

        Raises:
            ConfigError: there is none, or it is no text and no bytes; what it is stays unsaid.
        """
        try:
            value = self._read()
        except Exception as error:  # noqa: BLE001 - the user's own function, or a file; told, without what it said
            raise ConfigError("key", self.shown, f"a key that can be read ({type(error).__name__})") from None
        if isinstance(value, str):
            value = value.strip().encode()
        if not isinstance(value, bytes | bytearray) or not value:
            raise ConfigError("key", self.shown, "a key that is not empty")
        return bytes(value)

    def raw(self, length: int) -> bytes:
        """The key as ``length`` bytes: as it is, from hexadecimal digits, or from base64.

        Raises:
            ConfigError: it has another length.
        """
        value = self.read()
        key = value if len(value) == length else _decoded(value.strip(), length)
        if key is None:
            raise ConfigError("key", self.shown, f"a key of {length} bytes, in base64 or hexadecimal digits")
        return key

    def several(self, length: int) -> list[bytes]:
        """One key, or several with blanks, commas or newlines between them, as :meth:`raw` understands each.

        Raises:
            ConfigError: one of them has another length.
        """
        value = self.read()
        keys = (
            [value]
            if len(value) == length
            else [_decoded(part, length) for part in re.split(rb"[\s,]+", value.strip())]
        )
        known = [key for key in keys if key is not None]
        if len(known) != len(keys):
            expected = (
                f"a key of {length} bytes, in base64 or hexadecimal digits; or several, the first of which writes"
            )
            raise ConfigError("key", self.shown, expected)
        return known

    def __repr__(self) -> str:
        return f"<key from {self.shown}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeySource) and other.shown == self.shown and self._same(other)

    def _same(self, other: KeySource) -> bool:
        return self.shown.partition(":")[0] in ("env", "file") or other._read is self._read

    __hash__ = None  # type: ignore[assignment] # a source is compared, and is no key of a table


def _decoded(text: bytes, length: int) -> bytes | None:
    if len(text) == 2 * length and re.fullmatch(rb"[0-9a-fA-F]+", text):
        return bytes.fromhex(text.decode())
    try:
        decoded = base64.b64decode(
            text.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(text) % 4), validate=True
        )
    except (binascii.Error, ValueError):
        return None
    return decoded if len(decoded) == length else None


NO_KEY: Final = KeySource("nowhere", bytes)
"""Of a key that somebody has asked for in a way that cannot be read."""


def key_source(value: Any, name: str = "key") -> KeySource:
    """A source from a setting.

    Raises:
        ConfigError: it is no source; a key that stands where its source should is not shown.
    """
    if isinstance(value, KeySource):
        return value
    if isinstance(value, bytes | bytearray):
        kept = bytes(value)
        return KeySource("bytes", lambda: kept)
    if isinstance(value, str):
        kind, _, where = value.strip().partition(":")
        if kind == "env" and where:
            return KeySource(f"env:{where}", lambda: os.environ.get(where, ""))
        if kind == "file" and where:
            path = Path(where).expanduser().absolute()
            return KeySource(f"file:{path}", path.read_bytes)
    elif callable(value):
        return KeySource("function", value)
    raise ConfigError(name, "…", FORM)
