"""What begins as Python starts below ``agentops run``: what ``init()`` without arguments does."""

from __future__ import annotations

import sys

from agentops_sdk._host.guard import guard

__all__ = ["begin"]

_NO_PROGRAMS = ("from multiprocessing.resource_tracker import",)
"""What Python starts beside a program, and no code of a user's runs in."""


def begin() -> None:
    """Start recording, unless something has begun it already. The program's own ``init()`` begins anew."""
    if any(argument.startswith(_NO_PROGRAMS) for argument in sys.orig_argv):
        return
    with guard("auto_instrumentation.begin"):
        from agentops_sdk._pipeline import process_runtime
        from agentops_sdk.config import resolve

        if process_runtime.settings_in_force() is None:
            process_runtime.begin(resolve({}), implied=True)
