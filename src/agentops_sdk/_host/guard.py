"""The guard: the only place that may swallow an error of ours.

Use it around our own work, never around the user's call, and never around a function whose
return value the user gets. It swallows :class:`Exception` only, counts by site, and logs the first
one of each site. The test suite sets ``reraise`` so that a swallowed bug is a red test.

The one exception: on a thread of our own it swallows ``BaseException`` too. ``SystemExit``,
``KeyboardInterrupt`` and ``CancelledError`` steer a program, and no program runs there; what raises
them is an exporter or a hook that we called, and it must not end the thread.
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
        if kind is None or reraise or not (issubclass(kind, Exception) or on_own_thread()):
            return False
        note(self.site, error)
        return True


guard = cache(_Guard)
"""The guard of a site. It keeps nothing, so each site has one; sites are few and written in the code."""


def note(site: str, error: BaseException | None) -> None:
    """Count an error of ours at ``site``; the first one is logged, with its traceback at debug level."""
    errors[site] += 1
    # The type's name only: a hostile ``__str__`` must not run here, and content must not reach a log.
    last_error[site] = type(error).__name__
    if errors[site] == 1:
        logger.warning(
            "agentops_sdk contained an internal error at %s (%s); your program is not affected. "
            "Further ones are counted in agentops.status().",
            site,
            type(error).__name__,
        )
        logger.debug("contained at %s", site, exc_info=error)
