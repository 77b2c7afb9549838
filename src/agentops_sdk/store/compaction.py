"""A closed file of lines as Parquet, and back: every byte of it, checked before the one takes the other's place.

Each line stands whole in the column ``record``, with what the views ask of every span in columns beside it. Until the
packed file is whole, checked and on the disk, the original stays; where both are there, readers take the original, so
that a crash at any moment loses nothing and the next run finishes the work.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
from contextlib import nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, cast

from agentops_sdk.encryption import LINE
from agentops_sdk.errors import AgentOpsError
from agentops_sdk.private_files import open_private
from agentops_sdk.store.duckdb_dialect import columns_of_lines, lines_of, quoted
from agentops_sdk.store.run_rules import run_statements
from agentops_sdk.traces.formats import line_index
from agentops_sdk.traces.formats.parquet_lines import duckdb_cursor

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Packed", "pack", "packed_path", "restore"]

_BLOCK: Final = 1_048_576
_ROWS: Final = 20_000
_SUFFIX: Final = ".parquet"


class Packed(NamedTuple):
    """What became of one file; ``reason`` says why it was left as it is."""

    path: Path
    before: int
    after: int
    reason: str = ""


def packed_path(path: Path, digest: str, *, is_named_once: bool) -> Path:
    """Where the packed form of a file goes.

    Args:
        path: of the file, plain or compressed.
        digest: of its content.
        is_named_once: whether no other file will ever have this name. Else the digest is part of the new one's, so
            that what is written under the old name later is another file.
    """
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    name = plain.name if is_named_once else f"{plain.stem}.{digest[:8]}{plain.suffix}"
    return plain.with_name(name + _SUFFIX)


def pack(path: Path, *, is_named_once: bool = True) -> Packed:
    """Put Parquet in the place of a file of lines that nobody writes to.

    Raises:
        AgentOpsError: DuckDB is not installed.
        OSError: a file cannot be read or written.
    """
    duckdb = _duckdb()
    facts = path.stat()
    with tempfile.TemporaryDirectory(prefix="agentops-") as scratch:
        source = path
        if path.suffix == ".gz":
            source = Path(scratch) / "lines.jsonl"
            try:
                with gzip.open(path) as packed, source.open("wb") as plain:
                    shutil.copyfileobj(packed, plain, _BLOCK)
            except (OSError, EOFError) as error:
                return Packed(path, facts.st_size, facts.st_size, f"it cannot be unpacked: {error}")
        if _is_sealed(source):
            return Packed(path, facts.st_size, facts.st_size, "it is encrypted, and Parquet would not be")
        content = _digest(source)
        if content is None:
            return Packed(path, facts.st_size, facts.st_size, "it is empty, or no UTF-8 text")
        target = packed_path(path, content.digest, is_named_once=is_named_once)
        part = target.with_name(f"{target.name}.part")
        try:
            _write(source, part, path.name, content)
            same = hashlib.sha256()
            for block in _blocks(part, ends_with_newline=content.ends_with_newline):
                same.update(block)
        except duckdb.Error as error:
            part.unlink(missing_ok=True)
            return Packed(path, facts.st_size, facts.st_size, str(error).strip().partition("\n")[0])
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    now = path.stat()
    if same.hexdigest() != content.digest or (now.st_size, now.st_mtime_ns) != (facts.st_size, facts.st_mtime_ns):
        part.unlink(missing_ok=True)
        changed = now.st_size != facts.st_size
        reason = "it was written to meanwhile" if changed else "it would not come back byte for byte"
        return Packed(path, facts.st_size, facts.st_size, reason)
    _put(part, target, facts)
    line_index.forget(path)
    path.unlink()
    return Packed(target, facts.st_size, target.stat().st_size)


def restore(path: Path) -> Packed:
    """Put the lines in the place of a packed file, as they were: compressed where they had been.

    Raises:
        AgentOpsError: DuckDB is not installed.
        OSError: a file cannot be read or written.
    """
    _duckdb()
    facts = path.stat()
    told = _told(path)
    if "agentops.sha256" not in told:
        return Packed(path, facts.st_size, facts.st_size, "it was not made by agentops compact")
    target = path.with_name(told["agentops.name"])
    end = ".gz" if target.suffix == ".gz" else ""
    if target.exists():  # another file has got the name
        target = path.with_name(f"{path.stem}{end}")
    part = target.with_name(f"{target.name}.part")
    same = hashlib.sha256()
    try:
        with _private(part) as raw, _compressed(raw) if end else nullcontext(raw) as file:
            for block in _blocks(path, ends_with_newline=told["agentops.ends_with_newline"] == "true"):
                same.update(block)
                file.write(block)
        if same.hexdigest() != told["agentops.sha256"]:
            return Packed(path, facts.st_size, facts.st_size, "it is damaged: its lines are not those it was made of")
        _put(part, target, facts)
    finally:
        part.unlink(missing_ok=True)
    path.unlink()
    return Packed(target, facts.st_size, target.stat().st_size)


def _is_sealed(path: Path) -> bool:
    """Whether a line of a file is encrypted."""
    with path.open("rb") as file:
        return any(line.startswith(LINE) for line in file)


class _Content(NamedTuple):
    digest: str
    ends_with_newline: bool


def _digest(path: Path) -> _Content | None:
    """What identifies the bytes of a file; ``None`` where a column of text cannot hold them."""
    import codecs

    digest, decoder, last = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")(), b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            last = block[-1:]
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return None
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return _Content(digest.hexdigest(), last == b"\n") if last else None


def _write(source: Path, part: Path, name: str, content: _Content) -> None:
    told = {
        "agentops.name": name,
        "agentops.sha256": content.digest,
        "agentops.ends_with_newline": str(content.ends_with_newline).lower(),
    }
    listed = ", ".join(f"{quoted(key)}: {quoted(value)}" for key, value in told.items())
    with _private(part):
        pass
    with duckdb_cursor() as connection:
        connection.execute(f"CREATE TEMP TABLE stored AS {columns_of_lines(lines_of([str(source)]))}")
        for statement in run_statements("stored", "beside"):
            connection.execute(statement)
        connection.execute(
            f"COPY (SELECT stored.*, beside.* FROM stored POSITIONAL JOIN beside) TO {quoted(str(part))}"
            f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS}, USE_TMP_FILE false, KV_METADATA {{{listed}}})"
        )


def _blocks(path: Path, *, ends_with_newline: bool) -> Iterator[bytes]:
    """The bytes of the file that was packed."""
    with duckdb_cursor() as connection:
        cursor = connection.execute(f"SELECT record FROM read_parquet({quoted(str(path))})")
        rows = cursor.fetchmany(2_000)
        while rows:
            more = cursor.fetchmany(2_000)
            block = "\n".join(record or "" for (record,) in rows).encode()
            yield block + b"\n" if more or ends_with_newline else block
            rows = more


def _told(path: Path) -> dict[str, str]:
    with duckdb_cursor() as connection:
        rows = connection.execute(f"SELECT key, value FROM parquet_kv_metadata({quoted(str(path))})").fetchall()
    return {bytes(key).decode(): bytes(value).decode() for key, value in rows}


def _private(path: Path) -> BinaryIO:
    """A new file that only its owner can read, open for writing."""
    return os.fdopen(open_private(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb")


def _compressed(file: BinaryIO) -> BinaryIO:
    """As our own files are compressed: the same bytes for the same lines."""
    return cast("BinaryIO", gzip.GzipFile("", "wb", 6, file, 0))


def _put(part: Path, target: Path, facts: os.stat_result) -> None:
    """Give a whole file its name, once it is on the disk; its time is that of the one it replaces."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    os.utime(part, (facts.st_mtime, facts.st_mtime))
    part.replace(target)
    with suppress(OSError):  # Windows opens no directories
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _duckdb() -> Any:
    try:
        return import_module("duckdb")
    except ImportError:
        raise AgentOpsError('this needs DuckDB: pip install "agentops-recorder[duckdb]"') from None
