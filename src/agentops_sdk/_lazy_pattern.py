"""Regular expressions that are compiled when they are first used: most texts have no sign of most secrets."""

from __future__ import annotations

import re
from typing import Any, cast

__all__ = ["LazyPattern", "lazy_pattern"]


class LazyPattern:
    """An ``re.Pattern`` in all that is asked of it; each method is looked up once."""

    def __init__(self, expression: str, flags: int) -> None:
        self._expression, self._flags = expression, flags
        self._compiled: re.Pattern[str] | None = None

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.compiled(), name)
        self.__dict__[name] = value
        return value

    def compiled(self) -> re.Pattern[str]:
        if self._compiled is None:
            self._compiled = re.compile(self._expression, self._flags)
        return self._compiled


def lazy_pattern(expression: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern for ``expression``, which costs nothing until it is used; a mistake in it shows only then."""
    return cast("re.Pattern[str]", LazyPattern(expression, flags))
