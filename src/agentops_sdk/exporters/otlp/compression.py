"""Checksums and compression: zlib's, or ISA-L's where it is installed (the extra ``speed``), ten times as fast.

Both write the same formats, and the same checksums; what one has written the other reads.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

_zlib: Any = zlib
try:
    from isal import (
        isal_zlib as _zlib,  # here, and not with the first span: nothing is imported between it and the disk
    )
except ImportError:
    pass  # the extra is not installed

__all__ = ["crc32", "deflated", "gzipped"]

_LEVEL: Final = 1
"""At 3, zlib takes twice as long for prose and leaves a twentieth less. ISA-L at 1 leaves less than zlib does."""
_GZIP: Final = 31
"""The window of 32 KB, with the head and the end that gzip has."""


def crc32(data: bytes) -> int:
    checksum: int = _zlib.crc32(data)
    return checksum


def deflated(data: bytes) -> bytes:
    packed: bytes = _zlib.compress(data, _LEVEL)
    return packed


def gzipped(data: bytes) -> bytes:
    packed: bytes = _zlib.compress(data, _LEVEL, _GZIP)
    return packed
