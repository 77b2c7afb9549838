"""Checksums and compression: zlib's, or ISA-L's where it is installed (the extra ``speed``), ten times as fast.

Both write the same formats, and the same checksums; what one has written the other reads.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

from agentops_sdk.encryption import DamagedError

_zlib: Any = zlib
try:
    from isal import (
        isal_zlib as _zlib,  # here, and not with the first span: nothing is imported between it and the disk
    )
except ImportError:
    pass  # the extra is not installed

__all__ = ["IS_FAST", "crc32", "deflated", "gzipped", "is_packed", "size_of", "unpacked"]

IS_FAST: Final = _zlib is not zlib
"""Whether to compress takes less than to write what it saves to a disk, and to read it again."""

_LEVEL: Final = 1
"""At 3, zlib takes twice as long for prose and leaves a twentieth less. ISA-L at 1 leaves less than zlib does."""
_GZIP: Final = 31
"""The window of 32 KB, with the head and the end that gzip has."""
_MAGIC: Final = b"\x1f\x8b\x08"
"""How gzip begins; a request begins with the tag of its first field, or is empty."""
_LARGEST: Final = 256 * 1_048_576


def crc32(data: bytes) -> int:
    checksum: int = _zlib.crc32(data)
    return checksum


def deflated(data: bytes) -> bytes:
    packed: bytes = _zlib.compress(data, _LEVEL)
    return packed


def is_packed(data: bytes) -> bool:
    """Whether a request is compressed, as it may wait in a spool."""
    return data.startswith(_MAGIC)


def size_of(data: bytes) -> int:
    """Bytes of a request that may be compressed, without its compression: gzip tells them at its end."""
    return int.from_bytes(data[-4:], "little") if is_packed(data) else len(data)


def unpacked(data: bytes) -> bytes:
    """A request that may be compressed, without its compression.

    Raises:
        DamagedError: it is not whole, or larger than any that we write.
    """
    if not is_packed(data):
        return data
    unpack = zlib.decompressobj(_GZIP)
    try:
        whole: bytes = unpack.decompress(data, _LARGEST)
    except zlib.error as error:
        raise DamagedError(str(error)) from error
    if not unpack.eof:
        raise DamagedError("cut off")
    return whole


def gzipped(data: bytes) -> bytes:
    packed: bytes = _zlib.compress(data, _LEVEL, _GZIP)
    return packed
