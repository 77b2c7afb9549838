"""``agentops tokenizers fetch``: puts the encodings on disk with which tokens are counted."""

from __future__ import annotations

import argparse

from agentops_sdk._usage import encodings

HELP = "Fetch or list the tokenizer files used to count tokens that a provider does not report."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``fetch`` uses the network; ``list`` only looks at the disk."""
    parser.add_argument(
        "action", choices=("fetch", "list"), help="fetch: download missing files; list: show which are present"
    )


def run(args: argparse.Namespace) -> int:
    if args.action == "fetch":
        for name, path in encodings.fetch().items():
            print(f"{name}  {path}")
        return 0
    for name in encodings.ENCODINGS:
        print(f"{name}  {encodings.cached_file(name) if encodings.is_cached(name) else 'not fetched'}")
    return 0
