"""A test in which a request to a model was refused: its report begins with why, and says where the program asked."""

from __future__ import annotations

import linecache
import sysconfig
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from agentops_sdk.testing.refusals import NetworkModelError, ReplayError

_REFUSALS: Final = (NetworkModelError, ReplayError)
_MOST_EXCEPTIONS: Final = 100
_MOST_FRAMES: Final = 10
_INSTALLED: Final = frozenset(("site-packages", "dist-packages"))
_STANDARD_LIBRARY: Final = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}


def refusal_in(error: BaseException) -> BaseException | None:
    """The refusal that an exception is, was caused by, followed on, or has in its group."""
    waiting, seen = [error], 0
    while waiting and seen < _MOST_EXCEPTIONS:
        one = waiting.pop()
        seen += 1
        if isinstance(one, _REFUSALS):
            return one
        waiting += [other for other in (one.__context__, one.__cause__) if other is not None]
        if isinstance(one, BaseExceptionGroup):
            waiting += reversed(one.exceptions)
    return None


def as_failure(error: BaseException) -> BaseException | None:
    """What stands for a refusal where only failures are expected; None where ``error`` is neither one nor a group."""
    if not isinstance(error, (*_REFUSALS, BaseExceptionGroup)):
        return None
    refusal = refusal_in(error)
    return None if refusal is None else pytest.fail.Exception(str(refusal), pytrace=False)


def put_first(
    item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport, problems: Sequence[str]
) -> None:
    """Rewrite a failed test's report: the refusal, the program's own frames, then whatever else failed.

    Args:
        problems: what was refused in the test, also where the program swallowed it.
    """
    error = call.excinfo.value if call.excinfo is not None else None
    if error is None:
        return
    refusal = refusal_in(error)
    if refusal is None:
        if not problems:
            return
        refusal = _raised("\n".join(problems))
    representation = pytest.ExceptionInfo.from_exception(refusal).getrepr(style="value", chain=False)
    if not item.config.getoption("fulltrace", default=False):
        if frames := list(_frames(item, refusal)):
            representation.addsection("asked for at", "\n".join(frames))
        if refusal_in(error) is None:
            representation.addsection("then the test failed", report.longreprtext)
    else:
        representation.addsection("in full", report.longreprtext)
    report.longrepr = representation


def _raised(message: str) -> BaseException:
    """An error for what the program swallowed."""
    try:
        raise ReplayError(message)
    except ReplayError as error:
        return error


def _frames(item: pytest.Item, error: BaseException) -> Iterator[str]:
    """Where the program was, outermost first; without clients, the standard library and ourselves."""
    own = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__) if _is_own(frame)]
    for code, line in own[-_MOST_FRAMES:]:
        path, base = Path(code.co_filename), item.config.invocation_params.dir
        yield f"{path.relative_to(base) if path.is_relative_to(base) else path}:{line}: in {code.co_name}"
        if source := linecache.getline(code.co_filename, line).strip():
            yield f"    {source}"


def _is_own(frame: FrameType) -> bool:
    path = Path(frame.f_code.co_filename)
    return (
        path.is_absolute()
        and not _INSTALLED.intersection(path.parts)
        and not any(path.is_relative_to(library) for library in _STANDARD_LIBRARY)
        and not str(frame.f_globals.get("__name__")).startswith(("agentops_sdk.", "agentops_integrations."))
    )
