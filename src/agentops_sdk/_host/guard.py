"""The guard: the only place that may swallow an error of ours.

Use it around our own work, never around the user's call, and never around a function whose
return value the user gets. It swallows :class:`Exception` only, counts by site, and logs the first
one of each site. The test suite sets ``reraise`` so that a swallowed bug is a red test.

The one exception: on a thread of our own it swallows ``BaseException`` too. ``SystemExit``,
``KeyboardInterrupt`` and ``CancelledError`` steer a program, and no program runs there; what raises
them is an exporter or a hook that we called, and it must not end the thread.

A function of the program's that we call (``on_limit``, an alert's, one that hides or prices) is called inside of
:class:`UserFunction`, so that what it raises is told as its error, and not as one of ours.
"""

from __future__ import annotations

import logging
from collections import Counter
from functools import cache
from types import TracebackType

from agentops_sdk._host.own_thread import on_own_thread

logger = logging.getLogger("agentops_sdk")

errors: Counter[str] = Counter()
"""Swallowed errors by site, for ``status()``."""

last_error: dict[str, str] = {}
"""The type of the last error of each site."""

reraise = False
"""Set by our own test suite only."""


class _Guard:
    """``with guard(site): ...`` swallows and counts whatever our own code raises inside."""

    __slots__ = ("site",)

    def __init__(self, site: str) -> None:
        self.site = site

    __enter__ = staticmethod(bool)
    """Nothing to do, done in C: no frame is made for it around every step of ours."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return kind is not None and self.takes(error)

    def takes(self, error: BaseException | None) -> bool:
        """Count what was raised; ``False`` where whoever caught it has to raise it again.

        For the few places that every call passes, where a ``with`` that nothing is raised in would cost too much::

            except BaseException as error:
                if not contained.takes(error):
                    raise
        """
        if reraise or not (issubclass(type(error), Exception) or on_own_thread()):
            return False
        note(self.site, error)
        return True


guard = cache(_Guard)
"""The guard of a site. It keeps nothing, so each site has one; sites are few and written in the code."""


class UserFunction:
    """``with UserFunction("on_limit"): function()`` says of what is raised inside whose error it is.

    Args:
        role: what the program has given the function for.
    """

    __slots__ = ("role",)

    def __init__(self, role: str) -> None:
        self.role = role

    __enter__ = staticmethod(bool)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            return
        inside = traceback.tb_next if traceback is not None else None  # nothing, where it is written in C
        place = ""
        if inside is not None:
            code = inside.tb_frame.f_code
            place = f" {code.co_qualname} ({code.co_filename}:{inside.tb_lineno})"
        error.__dict__[_PLACE] = f"the {self.role} function of your program{place}"


_PLACE = "_agentops_user_function"


def raised_by(error: BaseException | None) -> str | None:
    """The function of the program's that raised it, with the file and line; ``None`` where none did."""
    place = None if error is None else error.__dict__.get(_PLACE)
    return place if type(place) is str else None


def note(site: str, error: BaseException | None) -> None:
    """Count an error at ``site``; the first one is logged, with its traceback at debug level."""
    errors[site] += 1
    # The type's name only: a hostile ``__str__`` must not run here, and content must not reach a log.
    last_error[site] = type(error).__name__
    whose = raised_by(error)
    if whose is not None:
        last_error[site] += f", raised by {whose}"
    if errors[site] == 1 and whose is not None:
        logger.warning(
            "agentops_sdk: %s raised %s (at %s); what it was asked about goes on without it. "
            "Further ones are counted in agentops.status().",
            whose,
            type(error).__name__,
            site,
        )
        logger.debug("contained at %s", site, exc_info=error)
    elif errors[site] == 1:
        logger.warning(
            "agentops_sdk contained an internal error at %s (%s); your program is not affected. "
            "Further ones are counted in agentops.status().",
            site,
            type(error).__name__,
        )
        logger.debug("contained at %s", site, exc_info=error)
