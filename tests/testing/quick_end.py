"""A plugin for the test runs of our tests: they end without the interpreter's last cleaning-up.

Taking down the classes of a model client takes a third of a second, in each of some hundred runs. Whatever is
registered with ``atexit`` has run by then: this plugin is loaded first, so its own end comes last.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

import pytest


def pytest_collection_finish() -> None:
    gc.freeze()  # and so does looking through them, again and again, at the end of a session


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    _end.status = int(exitstatus)


class _End:
    status: int | None = None  # unknown of a run that never began

    def __call__(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        if self.status is not None:
            os._exit(self.status)


_end = _End()
atexit.register(_end)
