"""What a name says of its value: a password, a key, a token, or nothing that needs hiding."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._scrub.secret_rules import (
    ENDINGS,
    FOLLOWERS,
    NAMES,
    NOT_SECRET_TOKENS,
    QUALIFIED_KEYS,
    QUALIFIED_PASSES,
    SECRET_AUTHS,
    SECRET_PINS,
    SECRET_TOKENS,
)

__all__ = ["STRONG", "kind_of_name", "words_of"]

STRONG: Final = frozenset(("password", "key", "secret", "token"))
"""What names say whose values are secrets whatever they look like, unless they are plainly none."""

_WORD: Final = lazy_pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST: Final = 128


@lru_cache(maxsize=8_192)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case: of ``dbPass``, ``DB_PASS``, ``db-pass`` and ``db pass`` alike."""
    return tuple(word.lower() for word in _WORD.findall(name[-_LONGEST:]))


@lru_cache(maxsize=8_192)
def kind_of_name(name: str) -> str:
    """What a name says of its value, or ``""`` where that is no secret.

    Returns:
        ``password``, ``key``, ``secret`` or ``token``, whose values are secrets whatever they look like;
        ``qualified token``, ``bare token``, ``pass``, ``pin``, ``auth``, ``authorization``, ``cookie`` or
        ``signature``, where the value has to look like one.
    """
    parts = list(words_of(name))
    while parts and (parts[-1].isdigit() or (len(parts) > 1 and parts[-1] in FOLLOWERS)):
        parts.pop()
    if not parts:
        return ""
    last, before = parts[-1], parts[-2] if len(parts) > 1 else ""
    if last not in NAMES and last.endswith("s") and last not in ("pins", "auths", "sigs") and last[-2:] != "ss":
        last = last[:-1]  # passwords, api_keys, credentials
        if last == "token":
            return "token" if before in SECRET_TOKENS else ""  # tokens are what models are counted in
    if (last, before) in (("word", "pass"), ("phrase", "pass"), ("code", "pin")):
        return "pin" if before == "pin" else "password"
    qualified = _QUALIFIED.get(last)
    return qualified(before) if qualified is not None else NAMES.get(last, "") or _of_one_word(last)


def _token(before: str) -> str:
    if before in NOT_SECRET_TOKENS:
        return ""
    return "token" if before in SECRET_TOKENS else "qualified token" if before else "bare token"


_QUALIFIED: Final[dict[str, Callable[[str], str]]] = {
    "key": lambda before: "key" if before in QUALIFIED_KEYS else "",
    "token": _token,
    "pass": lambda before: "password" if before in QUALIFIED_PASSES else "pass",
    "pat": lambda before: "qualified token" if before else "",
    "pin": lambda before: "pin" if not before or before in SECRET_PINS else "",
    "auth": lambda before: "auth" if not before or before in SECRET_AUTHS else "",
    "verifier": lambda before: "key" if before == "code" else "",
    "community": lambda before: "key" if before == "snmp" else "",
    "signature": lambda before: "signature" if before in ("", "amz", "goog", "x") else "",
}
"""Last words whose meaning hangs on the word before them."""


def _of_one_word(word: str) -> str:
    for ending in ENDINGS:
        if word.endswith(ending):
            return NAMES[ending]
    return "password" if word.endswith("pass") and word[:-4] in QUALIFIED_PASSES else ""
