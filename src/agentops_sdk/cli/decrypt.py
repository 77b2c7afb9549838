"""``agentops decrypt``: one encrypted file as it was, for other tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.private_files import open_private

if TYPE_CHECKING:
    import argparse

HELP = "Decrypt one file, of traces or a blob, for other tools."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", metavar="FILE", help="a trace file, plain or compressed, or a file of blobs/")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it (default: stdout)")
    parser.add_argument("--encryption-key", metavar="SOURCE", help="env:NAME or file:PATH (default: the setting's)")


def run(args: argparse.Namespace) -> int:
    """Write it.

    Raises:
        TraceError: it is encrypted by another key, or has changed since.
        OSError: it cannot be read, or written.
    """
    from agentops_sdk.encryption import DamagedError, is_sealed, opened, opened_line
    from agentops_sdk.errors import TraceError
    from agentops_sdk.traces.formats.lines import opened as opened_file

    _, source, _ = opened_file(Path(args.file))
    with source:
        data = source.read()
    try:
        pieces = [opened(data)] if is_sealed(data[:4]) else list(map(opened_line, data.splitlines(keepends=True)))
    except DamagedError as error:
        raise TraceError(f"{args.file}: {error}") from None
    if args.output is None:
        sys.stdout.flush()
        sys.stdout.buffer.writelines(pieces)
        return 0
    with open(args.output, "wb", opener=open_private) as file:
        file.writelines(pieces)
    return 0
