"""``agentops audit``: look through the audit log, and see whether it is whole."""

from __future__ import annotations

import json
import re
import sys
import time
from typing import TYPE_CHECKING

from agentops_sdk.cli._source import add_dir, base_directory, shown
from agentops_sdk.errors import ConfigError, TraceError
from agentops_sdk.traces.display.terminal_text import line as safe

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

HELP = "Show the audit log, or verify that nothing in it was changed, cut or moved."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("what", nargs="?", default="show", choices=("show", "verify", "head"), help="default: show")
    parser.add_argument(
        "--key", metavar="SOURCE", help="where the key of the signatures is kept: env:NAME or file:PATH"
    )
    parser.add_argument("--anchor", metavar="SEQ:HASH", help="what `agentops audit head` printed, kept elsewhere")
    parser.add_argument("--json", action="store_true", help="print records, or what was found, as JSON")
    add_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Print; verify returns 1 where something is wrong."""
    folder = base_directory(args) / "audit"
    if not folder.is_dir() or not any(folder.glob("*.jsonl")):  # an empty one is not whole: nothing is there
        raise TraceError(f"no audit log in {shown(folder)}")
    if args.what == "verify":
        return _verify(args, folder)
    if args.what == "head":
        return _head(folder)
    from agentops_sdk._audit.chain import records_of

    for record in records_of(folder):
        if args.json:
            print(json.dumps(record))
        else:
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.get("time") or 0))
            about = json.dumps(record.get("changes"))
            print(safe(f"{record.get('seq'):>6}  {at}  {record.get('action')} by {record.get('by')}: {about}"))
    return 0


def _verify(args: argparse.Namespace, folder: Path) -> int:
    from agentops_sdk._audit.signature import signer_of
    from agentops_sdk._audit.verification import verify
    from agentops_sdk.config import inspect
    from agentops_sdk.key_source import key_source

    source = key_source(args.key, "--key") if args.key else inspect()[0].audit_key
    found = verify(folder, signer_of(source), _anchor(args.anchor))
    if args.json:
        print(json.dumps({"intact": found.intact, "records": found.records, "signed": found.signed,
                          "last": {"seq": found.last[0], "hash": found.last[1]}, "faults": found.faults,
                          "limits": found.limits}))  # fmt: skip
        return 0 if found.intact else 1
    for fault in found.faults:
        print(safe(fault))
    for limit in found.limits:
        print(f"note: {limit}", file=sys.stderr)
    verdict = "whole" if found.intact else f"NOT whole: {len(found.faults)} fault(s)"
    print(f"{found.records} records, {found.signed} signed, the last is {found.last[0]}:{found.last[1]}: {verdict}")
    return 0 if found.intact else 1


def _head(folder: Path) -> int:
    from agentops_sdk._audit.verification import verify

    print(":".join(map(str, verify(folder).last)))
    return 0


def _anchor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+):([0-9a-f]{64})", text.strip())
    if match is None:
        raise ConfigError("--anchor", text, "what `agentops audit head` printed: a number, a colon and 64 digits")
    return int(match[1]), match[2]
