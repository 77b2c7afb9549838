"""``agentops compact``: closed files as Parquet, and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.cli._progress import progress
from agentops_sdk.cli._source import add_dir, followed, shown
from agentops_sdk.errors import TraceError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

HELP = "Pack closed trace files into Parquet, a seventh of their size and fast to query; --back unpacks. Extra: duckdb."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", metavar="FILE", nargs="*", help="files to pack (default: all closed ones of --dir)")
    parser.add_argument("--back", action="store_true", help="make the lines again that packed files were made of")
    parser.add_argument(
        "--content-max-days",
        type=float,
        metavar="N",
        help="take content out of what is older, packed or not (default: the setting's; 0 leaves it)",
    )
    add_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Pack or unpack; what was left as it is is said on stderr. 1 where it was named, or keeps content that is due."""
    from agentops_sdk.exporters.jsonl.run_files import claimed, is_own_name
    from agentops_sdk.store.compaction import pack, restore

    count = before = after = 0
    failed = not args.back and not args.files and not _expire(args)
    files = list(_files(args))
    for number, path in enumerate(files, 1):
        with claimed(path) as claim:
            if claim is None:
                reason = "it is in use" if path.exists() else ""
            else:
                with progress("unpacking" if args.back else "packing", f"{shown(path)} ({number:,} of {len(files):,})"):
                    done = restore(path) if args.back else pack(path, is_named_once=is_own_name(path))
                reason = done.reason
                if not reason:
                    count, before, after = count + 1, before + done.before, after + done.after
            if reason:
                failed = failed or bool(args.files)
                print(f"agentops: {shown(path)} is left as it is: {reason}", file=sys.stderr)
    what = "unpacked" if args.back else "packed"
    print(f"{count:,} file(s) {what}, {before / 1e6:,.1f} MB are {after / 1e6:,.1f} MB now")
    return 1 if failed else 0


def _expire(args: argparse.Namespace) -> bool:
    """What the programs that write here do with lines, for packed files as well; whether all could be opened."""
    from agentops_sdk.config import inspect
    from agentops_sdk.exporters.jsonl.content_expiry import expire

    days = inspect()[0].content_max_days if args.content_max_days is None else args.content_max_days
    place = followed(args)
    if days > 0 and place.is_dir():
        unopened: list[Path] = []
        done = expire(place, days * 86_400, packed=True, unopened=unopened)
        if done:
            print(f"content was taken out of {len(done):,} file(s)")
        for path in unopened:
            print(
                f"agentops: {shown(path)} keeps its content: it is damaged, or encrypted with a key that is not given",
                file=sys.stderr,
            )
        return not unopened
    return True


def _files(args: argparse.Namespace) -> Iterator[Path]:
    """The files to look at.

    Raises:
        TraceError: one that was named is not there.
    """
    if args.files:
        for name in args.files:
            if not Path(name).is_file():
                raise TraceError(f"{shown(Path(name))} is no file")
            yield Path(name)
        return
    place = followed(args)
    if not place.exists():
        raise TraceError(f"{shown(place)} does not exist")
    suffixes = (".jsonl.parquet",) if args.back else (".jsonl", ".jsonl.gz")
    yield from (
        sorted(path for path in place.rglob("*") if path.name.endswith(suffixes) and path.is_file())
        if (place.is_dir())
        else [place]
    )
