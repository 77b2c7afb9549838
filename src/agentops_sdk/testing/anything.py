"""``ANY``: stands for a value that does not matter. As ``unittest.mock.ANY``, whose module costs much to import."""

from __future__ import annotations

from typing import Any, Final


class _Anything:
    """Equals everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]  # what equals everything cannot be looked up

    def __repr__(self) -> str:
        return "<ANY>"


ANY: Final[Any] = _Anything()
