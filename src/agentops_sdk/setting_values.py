"""What a setting's value may be: parsers from keywords and environment strings, each with its "expected …"."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Parser = Callable[[Any], Any]


class WrongValueError(Exception):
    """Raised by a parser; the message completes "expected …"."""


def flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("1", "true", "yes", "on"):
        return True
    if isinstance(value, str) and value.strip().lower() in ("0", "false", "no", "off"):
        return False
    raise WrongValueError("true or false (1, yes, on / 0, no, off)")


def whole(least: int) -> Parser:
    def parse(value: Any) -> int:
        try:
            amount = int(value) if isinstance(value, str) else value
        except ValueError:
            amount = None
        if isinstance(amount, bool) or not isinstance(amount, int) or amount < least:
            raise WrongValueError(f"a whole number of at least {least}")
        return amount

    return parse


def number(least: float, most: float = math.inf) -> Parser:
    wanted = f"a number of at least {least:g}" if most == math.inf else f"a number from {least:g} to {most:g}"

    def parse(value: Any) -> float:
        try:
            amount = float(value) if isinstance(value, str) else value
        except ValueError:
            amount = None
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not least <= amount <= most:
            raise WrongValueError(wanted)
        return float(amount)

    return parse


def above_zero(value: Any) -> float:
    wanted = "a number above 0"
    try:
        amount: float = number(0)(value)
    except WrongValueError:
        raise WrongValueError(wanted) from None
    if amount == 0:
        raise WrongValueError(wanted)
    return amount


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise WrongValueError("a text that is not empty")
    return value.strip()


def path(value: Any) -> str:
    if not isinstance(value, str | os.PathLike) or not str(value).strip() or "\0" in str(value):
        raise WrongValueError("a path")
    return str(value)


def choice(*accepted: str) -> Parser:
    def parse(value: Any) -> str:
        if not isinstance(value, str) or value.strip().lower() not in accepted:
            raise WrongValueError("one of " + ", ".join(accepted))
        return value.strip().lower()

    return parse


def names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise WrongValueError("a list of names, or names separated by commas")
    return tuple(value)


def patterns(value: Any) -> tuple[str, ...]:
    given = names(value)
    for pattern in given:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError):
            raise WrongValueError("regular expressions") from None
    return given


def exporters(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, Sequence):
        value = [value]
    for item in value:
        if not isinstance(item, str) and not callable(getattr(item, "export", None)):
            raise WrongValueError(
                'a list of SpanExporter instances or strings such as "jsonl", "otlp:http://host:4318"'
            )
    return tuple(value)


def table(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if not all(sign for _, sign, _ in pairs):
            raise WrongValueError("name=value pairs separated by commas")
        return {name.strip(): given.strip() for name, _, given in pairs}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise WrongValueError("a mapping of names to values")
    return dict(value)
