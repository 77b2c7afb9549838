"""Encryption at rest: each line of a file, and each piece in one, is sealed by itself with AES-256-GCM.

What is sealed begins with a head: a magic number, the id of its key, the salt of its writer, a nonce. A writer, that is
a process since it began to seal, draws a salt of 16 random bytes and derives a key of its own from it (HKDF with
SHA-256); each piece has a nonce of 12 random bytes besides. After a fork, and after a million pieces, the salt is drawn
anew. So two writers with one key never share what a nonce must be unique under, and one that is copied together with
its memory does not go on with the same nonces. The head is authenticated with the rest.

In files of lines a piece is ``sealed:`` and the same in base64: a file can be appended to line by line, one that a
killed process has left ends in a torn line like any other, and lines can be left out without a look at the others.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
import struct
import time
from base64 import b64encode
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.config import Settings, inspect, warn_once
from agentops_sdk.errors import ConfigError, TraceError
from agentops_sdk.key_source import KeySource, key_source

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "EVENT",
    "LINE",
    "Cipher",
    "DamagedError",
    "SealedError",
    "cipher_of",
    "is_sealed",
    "opened",
    "opened_line",
    "read_with",
    "sealed",
    "sealed_by_reader",
    "sealed_line",
    "wanted",
]

LINE: Final = b"sealed:"
"""How a sealed line begins."""
EVENT: Final = b"sealed:e:"
_SPAN: Final = b"sealed:s:"
_MAGIC: Final = b"\x89AO1"
_HEAD: Final = struct.Struct(">4s4s16s")
_NONCE: Final = 12
_TAG: Final = 16
_KEY: Final = 32
_MOST_SEALED: Final = 1_000_000
"""Pieces under one salt: with so few, two of the random nonces are the same in one of 10**17 cases."""
_MOST_READ: Final = 1_024
_LOOK_AGAIN: Final = 1.0
_HOW: Final = "AGENTOPS_ENCRYPTION_KEY_SOURCE=env:NAME or file:PATH, --encryption-key, or load(…, key=…)"


class SealedError(TraceError):
    """Something is encrypted by a key that is not here."""


class DamagedError(ValueError):
    """What was sealed has changed since, or is not all there."""


class Cipher:
    """Seals with the first of its keys, and opens with any.

    Args:
        keys: of 32 bytes each.

    Raises:
        ConfigError: the library ``cryptography`` is not installed.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        try:
            self._aesgcm: Any = import_module("cryptography.hazmat.primitives.ciphers.aead").AESGCM
            self._hkdf: Any = import_module("cryptography.hazmat.primitives.kdf.hkdf").HKDF
            self._sha256: Any = import_module("cryptography.hazmat.primitives.hashes").SHA256
        except ImportError:
            expected = 'the library cryptography: pip install "agentops-recorder[encryption]"'
            raise ConfigError("encryption_key", "…", expected) from None
        self._keys = {_id_of(key): key for key in reversed(keys)}
        self._first = keys[0]
        self._readers: dict[bytes, Any] = {}
        self._pid = self._left = 0

    @property
    def key_id(self) -> str:
        """The id of the key that seals: 8 hexadecimal digits of a hash of it."""
        return _id_of(self._first).hex()

    def __repr__(self) -> str:
        return f"<cipher with the keys {', '.join(sorted(key_id.hex() for key_id in self._keys))}>"

    def seal(self, data: bytes) -> bytes:
        """``data``, sealed."""
        if self._left <= 0 or self._pid != os.getpid():
            self._begin_anew()
        self._left -= 1
        head, aead = self._writer
        nonce = os.urandom(_NONCE)
        return head + nonce + bytes(aead.encrypt(nonce, data, head))

    def has_key_of(self, data: bytes) -> bool:
        """Whether it was sealed with a key that is here."""
        return data[4:8] in self._keys

    def open(self, data: bytes) -> bytes:
        """What was sealed.

        Raises:
            SealedError: by a key that is not among those here.
            DamagedError: it is not as it was sealed.
        """
        head, nonce = data[: _HEAD.size], data[_HEAD.size : _HEAD.size + _NONCE]
        aead = self._readers.get(head)
        if aead is None:
            _, key_id, salt = _HEAD.unpack(head)
            if key_id not in self._keys:
                raise SealedError(_missing(key_id))
            if len(self._readers) >= _MOST_READ:
                self._readers.clear()
            aead = self._readers[head] = self._derived(self._keys[key_id], salt)
        try:
            return bytes(aead.decrypt(nonce, data[_HEAD.size + _NONCE :], head))
        except Exception as error:
            raise DamagedError("it has changed since it was sealed") from error

    def name_of(self, data: bytes) -> str:
        """A name for what ``data`` is: the same for the same, and nothing to who lacks the key."""
        key = hashlib.sha256(b"agentops name" + self._first).digest()
        return hmac.new(key, data, hashlib.sha256).hexdigest()

    def _begin_anew(self) -> None:
        salt = os.urandom(16)
        head = _HEAD.pack(_MAGIC, _id_of(self._first), salt)
        self._writer = head, self._derived(self._first, salt)
        self._pid, self._left = os.getpid(), _MOST_SEALED

    def _derived(self, key: bytes, salt: bytes) -> Any:
        derive = self._hkdf(algorithm=self._sha256(), length=_KEY, salt=salt, info=b"agentops at rest")
        return self._aesgcm(derive.derive(key))


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(b"agentops key id" + key).digest()[:4]


def _missing(key_id: bytes) -> str:
    return f"encrypted with the key {key_id.hex()}, which is not given; give it by {_HOW}"


def cipher_of(source: KeySource) -> Cipher:
    """The cipher of a source's keys.

    Raises:
        ConfigError: the library is missing, or there is no key of the right length.
    """
    return Cipher(source.several(_KEY))


# --- of this process --------------------------------------------------------------------------------

active: Cipher | None = None
"""What is written in this process is sealed by it; ``None``: nothing is."""
_given: Cipher | None = None
_named: Cipher | None = None
_looked_at = float("-inf")


def wanted(settings: Settings) -> tuple[Cipher | None, bool]:
    """The cipher that settings ask for, and whether one is asked for that cannot be had.

    Raises:
        ConfigError: it cannot be had, and the program itself asks for it. Where the environment or a file does, it is
            said in a warning.
    """
    source = settings.encryption_key
    if source is None:
        return None, False
    try:
        return cipher_of(source), False
    except ConfigError as error:
        if not settings.deployed("encryption_key"):
            raise ConfigError("encryption_key", source.shown, error.expected) from None
        warn_once(
            f"encryption_key: {source.shown}; expected {error.expected}. Nothing can be encrypted, so of every "
            "operation only its kind, times, outcome, agent, model and usage are recorded."
        )
        return None, True


def seal_with(cipher: Cipher | None) -> None:
    """What is written from now on is sealed, or is not. What was written with it stays readable in this process."""
    global active, _given
    active = cipher
    _given = cipher or _given


def read_with(key: Any) -> None:
    """Read with a key, too.

    Args:
        key: where it is kept: ``env:NAME``, ``file:PATH``, bytes, or a function that returns bytes.

    Raises:
        ConfigError: it is no key, or the library is missing.
    """
    global _given
    _given = cipher_of(key_source(key, "key"))


def _of_settings() -> Cipher | None:
    """The cipher that the environment or a file names: looked for where no other opens, and again after a while."""
    global _looked_at, _named
    if time.monotonic() - _looked_at > _LOOK_AGAIN:
        _looked_at = time.monotonic()
        source = inspect()[0].encryption_key
        try:
            _named = None if source is None else cipher_of(source)
        except ConfigError as error:
            raise SealedError(f"encrypted, and the key cannot be had: {error}") from None
    return _named


def is_sealed(data: bytes) -> bool:
    """Whether it is a sealed line, or a sealed piece."""
    return data.startswith((LINE, _MAGIC))


def sealed(data: bytes) -> bytes:
    """A piece as it goes to the disk: sealed where that was asked for, else as it is."""
    return data if active is None else active.seal(data)


def sealed_by_reader(data: bytes) -> bytes:
    """Sealed by the cipher that reads here: for what a reader keeps of what is encrypted.

    Raises:
        SealedError: there is none.
    """
    cipher = _given or active or _of_settings()
    if cipher is None:
        raise SealedError("encrypted, and there is no key")
    return cipher.seal(data)


def opened(data: bytes) -> bytes:
    """A piece as it was before :func:`sealed`.

    Raises:
        SealedError: by a key that is not here.
        DamagedError: it is not as it was sealed.
    """
    return _opened(data) if data.startswith(_MAGIC) else data


def _opened(data: bytes) -> bytes:
    if len(data) < _HEAD.size + _NONCE + _TAG or not data.startswith(_MAGIC):
        raise DamagedError("cut off")
    for cipher in (_given, active, _named):
        if cipher is not None and cipher.has_key_of(data):
            return cipher.open(data)
    if (late := _of_settings()) is not None:
        return late.open(data)
    raise SealedError(_missing(data[4:8]))


def sealed_line(line: bytes, begin: bytes = _SPAN) -> bytes:
    """A line, with its newline, as it goes to the disk. What was sealed before stays so."""
    if active is None or line.startswith(LINE):
        return line
    return begin + b64encode(active.seal(line)) + b"\n"


def opened_line(line: bytes) -> bytes:
    """A line as it was before :func:`sealed_line`; one that is not sealed as it is.

    Raises:
        SealedError: by a key that is not here.
        DamagedError: it is not as it was sealed, or cut off.
    """
    if not line.startswith(LINE):
        return line
    try:
        data = binascii.a2b_base64(line[len(_SPAN) :].strip(), strict_mode=True)
    except binascii.Error as error:
        raise DamagedError("cut off") from error
    return _opened(data)
