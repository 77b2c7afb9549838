"""Signatures of the audit log: HMAC-SHA256 by a shared key, or Ed25519 by a private one that readers need not have."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any, Protocol

from agentops_sdk._version import DISTRIBUTION
from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    from agentops_sdk.key_source import KeySource

__all__ = ["Signer", "signer_of"]


class Signer(Protocol):
    """Signs texts, and tells whether a signature is its own."""

    def sign(self, text: str) -> str: ...

    def verify(self, text: str, signature: str) -> bool: ...


class _Hmac:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, text: str) -> str:
        return "hmac-sha256:" + hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def verify(self, text: str, signature: str) -> bool:
        return hmac.compare_digest(self.sign(text).encode(), str(signature).encode())


class _Ed25519:
    def __init__(self, pem: bytes) -> None:
        try:
            from cryptography.hazmat.primitives import serialization
        except ImportError:
            raise ConfigError("key", "Ed25519", f'pip install "{DISTRIBUTION}[encryption]"') from None
        self._private: Any = None
        try:
            if b"PRIVATE KEY" in pem:
                self._private = serialization.load_pem_private_key(pem, password=None)
                self._public: Any = self._private.public_key()
            else:
                self._public = serialization.load_pem_public_key(pem)
        except (ValueError, TypeError):
            raise ConfigError("key", "…", "an Ed25519 key in PEM, without a password") from None
        if "Ed25519" not in type(self._public).__name__:
            raise ConfigError("key", type(self._public).__name__, "an Ed25519 key in PEM")

    def sign(self, text: str) -> str:
        if self._private is None:
            raise ConfigError("key", "a public key", "a private one, to sign with")
        return "ed25519:" + base64.b64encode(self._private.sign(text.encode())).decode()

    def verify(self, text: str, signature: str) -> bool:
        from cryptography.exceptions import InvalidSignature

        kind, _, encoded = str(signature).partition(":")
        try:
            self._public.verify(base64.b64decode(encoded, validate=True), text.encode())
        except (InvalidSignature, ValueError):
            return False
        return kind == "ed25519"


def signer_of(source: KeySource | None) -> Signer | None:
    """Who signs by the key that is kept there: Ed25519 where it is PEM, else HMAC; ``None`` where there is none.

    Raises:
        ConfigError: it cannot be read, or is no such key, or ``cryptography`` is missing.
    """
    if source is None:
        return None
    key = source.read()
    return _Ed25519(key) if key.lstrip().startswith(b"-----BEGIN") else _Hmac(key)
