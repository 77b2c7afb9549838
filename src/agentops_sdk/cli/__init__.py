"""The command ``agentops``: one file per subcommand, found by looking into this folder.

A subcommand's module has ``HELP`` (one sentence), ``add_arguments(parser)`` and ``run(args) -> int``. One with
``PROGRAM_ONLY`` gets the words behind its name as they are, as ``args.program``.
Exit codes: 0 fine, 1 nothing found or something not readable (what could be read is in the answer), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from agentops_sdk.errors import AgentOpsError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code and never raises for a user's mistake."""
    parser = argparse.ArgumentParser(
        prog="agentops", description="What your agents did, why, and what it cost.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the versions a bug report needs, and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    names, words = _commands(), sys.argv[1:] if argv is None else argv
    for name in words[:1] if words and words[0] in names else names:  # of the other commands nothing is loaded
        module = import_module(f"{__name__}.{name}")
        if words[:1] == [name] and getattr(module, "PROGRAM_ONLY", False):
            return _finish(module.run, argparse.Namespace(program=list(words[1:])))
        command = commands.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    try:
        args = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has printed why
        return stop.code if isinstance(stop.code, int) else 2
    return _finish(args.run, args)


def _finish(run: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    """Run a command; its exit code, whatever becomes of it."""
    if sys.stdout is None:  # closed by `>&-`
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
    _survive_any_encoding()
    try:
        _take_key(args)
        code = run(args) or int(bool(getattr(args, "not_read", ())))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has left (`| head`): be quiet, also when Python flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a closed folder, a full disk behind `>`
        from agentops_sdk.traces.display.terminal_text import line

        what = f"cannot use {line(str(error.filename))}" if error.filename is not None else "cannot write"
        print(f"agentops: {what}: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ConfigError as error:
        print(f"agentops: {error}", file=sys.stderr)
        return 2
    except AgentOpsError as error:
        print(f"agentops: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _take_key(args: argparse.Namespace) -> None:
    """What is encrypted is read, and written, with the key that was named, else with that of the settings.

    Raises:
        ConfigError: it was named, and cannot be had.
    """
    from agentops_sdk.config import may_be_set

    named = getattr(args, "encryption_key", None)
    if named is None and not may_be_set("encryption_key"):
        return
    from agentops_sdk import encryption
    from agentops_sdk.config import inspect
    from agentops_sdk.key_source import key_source

    source = inspect()[0].encryption_key if named is None else key_source(named, "--encryption-key")
    if source is not None:
        encryption.seal_with(encryption.cipher_of(source))


class _Version(argparse.Action):
    """``--version``: one line, looked up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import platform
        from importlib.metadata import version

        from agentops_sdk._version import DISTRIBUTION, VERSION

        python = f"{platform.python_implementation()} {platform.python_version()}"
        print(f"{DISTRIBUTION} {VERSION}, {python}, OpenTelemetry {version('opentelemetry-sdk')}")
        parser.exit()


def _commands() -> list[str]:
    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


def _survive_any_encoding() -> None:
    """A character that the terminal's encoding lacks is escaped, never an exception."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
