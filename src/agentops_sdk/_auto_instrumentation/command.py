"""The command line of a program, the environment it is started in, and the start itself."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from agentops_sdk.errors import ConfigError
from agentops_sdk.setting_sources import PROGRAM_NAME

__all__ = ["command", "environment", "program_name", "replace_process"]

FOLDER = str(Path(__file__).parent.absolute())
_DEAF = "IES"
"""Options by which Python does not look into ``PYTHONPATH``, or for a ``sitecustomize``."""
_WITH_VALUE = "WX"
_LAST = "cm"
"""Options after whose value the program's own arguments begin."""


def command(words: Sequence[str]) -> list[str]:
    """What is to be started: a Python file, Python's own options (``-m module``, ``-c code``), or a command.

    Raises:
        ConfigError: there is no such file or command, or the options keep Python from finding us.
    """
    program = words[0]
    if program.startswith("-"):
        _insist_on_hearing(words)
        return [sys.executable, *words]
    path = Path(program)
    if path.is_file() and path.suffix in (".py", ".pyc", ".pyz", ".zip"):
        return [sys.executable, *words]
    if (found := _executable(program)) is not None:
        return [found, *words[1:]]
    if path.is_file() or (path / "__main__.py").is_file():
        return [sys.executable, *words]
    raise ConfigError("program", program, "a Python file, -m MODULE, or a command that is installed")


def _executable(program: str) -> str | None:
    """A command of this environment, else of ``PATH``."""
    if os.path.dirname(program):  # noqa: PTH120 - Path drops the ./ that says it is one
        return shutil.which(program)
    beside = os.pathsep.join(dict.fromkeys((sysconfig.get_path("scripts"), str(Path(sys.executable).parent))))
    return shutil.which(program, path=beside) or shutil.which(program)


def _insist_on_hearing(words: Sequence[str]) -> None:
    for option in _python_options(words).letters:
        deaf = next((letter for letter in option if letter in _DEAF), None)
        if deaf is not None:
            raise ConfigError(
                "program",
                f"-{option}",
                f"no -{deaf}, with which Python reads no PYTHONPATH; call agentops_sdk.init() in the program instead",
            )


class _PythonOptions(NamedTuple):
    """What stands before the program's own arguments, where that begins with an option."""

    letters: list[str]
    """Of each word, without values."""
    last: str
    """The letter of ``_LAST`` among them, else an empty text."""
    program: str
    """The module, the code, the file or ``-``."""


def _python_options(words: Sequence[str]) -> _PythonOptions:
    letters: list[str] = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word in ("-", "--") or word.startswith("--"):
            return _PythonOptions(letters, "", word)
        option = word[1:]
        end = next((place for place, letter in enumerate(option) if letter in _WITH_VALUE + _LAST), len(option))
        letters.append(option[:end])
        if end < len(option):
            value = option[end + 1 :] or next(rest, "")
            if option[end] in _LAST:
                return _PythonOptions(letters, option[end], value)
    return _PythonOptions(letters, "", "")


def program_name(words: Sequence[str]) -> str:
    """What the service is called where nothing else says it, in processes too that have no script of their own."""
    program = words[0]
    if program.startswith("-"):
        options = _python_options(words)
        if options.last == "m":
            return options.program.removesuffix(".__main__") or "python"
        program = "" if options.last or options.program.startswith("-") else options.program
    return (program and Path(program).absolute().name.removesuffix(".py")) or "python"


def environment(words: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` with our folder at the head of ``PYTHONPATH``, and the program's name."""
    others = [entry for entry in environ.get("PYTHONPATH", "").split(os.pathsep) if entry != FOLDER]
    path = os.pathsep.join([FOLDER, *others]) if others != [""] else FOLDER
    return {**environ, "PYTHONPATH": path, PROGRAM_NAME: program_name(words)}


def replace_process(arguments: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Become the program: its process id, its exit code and its signals are its own.

    Raises:
        OSError: it cannot be started.
    """
    if os.name == "nt":  # there exec returns at once, and the shell would not wait
        sys.exit(subprocess.run(arguments, env=environ, check=False).returncode)  # noqa: S603 - it is what this command is for
    # Python ignores these, and what is ignored is inherited.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execve(arguments[0], list(arguments), environ)  # noqa: S606 - it is what this command is for
