"""Test data that lies beside the checkout: recorded exchanges, and the schemas of the conventions.

It is too large to be part of the project. Without it, the tests that need it are skipped, or leave a check out, and
say so; where ``CI`` is set, it is an error.
"""

from __future__ import annotations

import os
from pathlib import Path

AS_STARTED = dict(os.environ)
"""The environment of this run before :mod:`tests.conftest` took the certificates away: for what goes to an index."""

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared(name: str) -> Path | None:
    """The folder ``../shared/NAME``, or None where it is missing.

    Raises:
        FileNotFoundError: it is missing, and ``CI`` is set.
    """
    folder = SHARED / name
    if folder.is_dir():
        return folder
    if os.environ.get("CI"):
        raise FileNotFoundError(f"{folder} is missing: where CI is set, the tests that need it must run")
    return None
