"""The errors with which a request to a model is refused.

Loaded together with the package: a class that is not loaded yet could not stand in an ``except`` clause.
"""

from __future__ import annotations

__all__ = ["NetworkModelError", "ReplayError"]


class NetworkModelError(BaseException):
    """A model outside of loopback would have been called.

    Not an ``Exception`` on purpose: clients retry those, and agents fall back on them; neither may
    hide that a test was about to spend money.
    """


class ReplayError(BaseException):
    """A request is not in the recording, or a recorded exchange was not requested.

    Not an ``Exception`` on purpose: clients retry those and turn them into connection errors, and
    agents fall back on them.
    """
