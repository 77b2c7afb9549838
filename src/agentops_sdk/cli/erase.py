"""``agentops erase``: take somebody's data out of everything below the directory."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._source import add_dir, base_directory, shown
from agentops_sdk.errors import ConfigError, TraceError
from agentops_sdk.traces.display.terminal_text import block
from agentops_sdk.traces.display.terminal_text import line as safe

if TYPE_CHECKING:
    import argparse

    from agentops_sdk.erasure.erase import Subject

HELP = "Erase every trace of a user or a session, or one trace, from trace files and spools, also of a running program."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--user", metavar="ID", help="a user's id; found by its hash as well, where the key is set")
    whose.add_argument("--session", metavar="ID", help="of a session or conversation")
    whose.add_argument("--trace", metavar="ID", help="of a trace, 32 hexadecimal digits")
    parser.add_argument("--yes", action="store_true", help="do it; without this, only show what would go")
    add_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Show what would go, or erase it; 1 either way where something of it could not be reached."""
    from agentops_sdk.erasure.erase import Erasure, clickhouse_statement

    base = base_directory(args)
    if not base.is_dir():
        raise TraceError(f"{shown(base)} is no directory")
    work = Erasure(base, subject(args))
    work.look()
    if args.yes:
        work.erase()
    verb = "erased" if args.yes else "would be erased"
    for path, count in work.lines.items():
        print(safe(f"{path}: {count} line(s) {verb}"))
    for path, count in work.spans.items():
        print(safe(f"{path}: {count} waiting span(s) {verb}"))
    if work.blobs:
        print(f"{len(work.blobs)} file(s) with contents of messages {verb}")
    total = sum(work.lines.values()) + sum(work.spans.values())
    print(f"{len(work.trace_ids)} trace(s), {total} span(s) {verb}")
    for sentence in work.remains:
        print(f"agentops: not reached: {safe(sentence)}")
    print("agentops: not reached: what was sent to a backend. In ClickHouse, as the OpenTelemetry Collector fills it:")
    print(block(clickhouse_statement(work.subject, work.trace_ids)))  # to be run: never cut
    if not args.yes:
        print("agentops: nothing was changed; --yes erases", file=sys.stderr)
        return 1 if work.remains else 0
    tell("erase", args, base, {"traces": len(work.trace_ids), "spans": total, "not_reached": len(work.remains)})
    return 1 if work.remains else 0


def subject(args: argparse.Namespace) -> Subject:
    """Whose data was asked for.

    Raises:
        ConfigError: the id is empty, or of a trace is none.
    """
    from agentops_sdk.erasure.erase import Subject

    if args.trace is not None:
        trace_id = args.trace.strip().lower()
        if len(trace_id) != 32 or set(trace_id) - set("0123456789abcdef"):
            raise ConfigError("--trace", args.trace, "the whole id of a trace, 32 hexadecimal digits")
        return Subject(traces=frozenset((trace_id,)))
    if args.session is not None:
        return Subject(sessions=frozenset((_some("--session", args.session),)))
    return Subject(users=frozenset(ids_of_user(args.user)))


def ids_of_user(user: str) -> list[str]:
    """The id itself, and its hashes where the key of hashes is set: as a user's, and as any kind of ``pii``.

    Raises:
        ConfigError: it is empty.
    """
    from agentops_sdk._scrub.personal_data import pseudonym
    from agentops_sdk.config import inspect
    from agentops_sdk.pii_rules import RULES

    _some("--user", user)
    try:
        key = inspect()[0].pii_key.read()
    except ConfigError:
        return [user]
    return [user, *(pseudonym(key, kind, user) for kind in dict.fromkeys(("user", *(rule.name for rule in RULES))))]


def _some(option: str, text: str) -> str:
    """An id that names somebody: an empty one, as of a variable that is not set, would be of everybody unnamed."""
    if not text.strip():
        raise ConfigError(option, text, "an id that is not empty")
    return text


def tell(action: str, args: argparse.Namespace, base: Path, about: dict[str, Any]) -> None:
    """Write into the audit log what was done, with a hash of the id in its place."""
    from agentops_sdk._audit import audit_log
    from agentops_sdk.config import inspect

    kind = next((name for name in ("user", "session", "trace") if getattr(args, name, None)), "")
    asked = getattr(args, kind, "") if kind else ""
    ids = asked if isinstance(asked, str) else ",".join(map(str, asked))
    mark = hashlib.sha256(ids.encode()).hexdigest()[:16]
    about = {"of": kind, "sha256": mark, **about}
    audit_log.record(action, audit_log.login(), about, base.absolute(), inspect()[0].audit_key)
