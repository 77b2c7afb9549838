"""Passwords on command lines that only a program's own letter tells: ``curl -u``, ``mysql -p``, ``redis-cli -a``."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._scrub.secret_tokens import SECRET, Finding
from agentops_sdk._scrub.secret_values import stands_for_another

__all__ = ["switches"]

_SWITCH: Final = lazy_pattern(
    r"-(?:-user|-proxy-user|[uaU](?![a-z-])|u(?=[\w.-]{1,64}:\S)|p(?![a-z-]*[ =\"'\\\n]|[a-z-]*\Z)|p(?![a-z-]))"
    r"(?<![A-Za-z0-9_-]-[upaU])(?<![A-Za-z0-9_-]--user)"
)
_NAME_AND_PASSWORD: Final = lazy_pattern(
    r"(?:\\{0,31}[\"'],?\s{0,4}\\{0,31}|[ =]{0,3})(?:\\{0,31}[\"'])?"
    r"[^\s:\"'\\,;|&]{1,64}:(?P<value>[^\s\"'\\,;|&]{3,128})"
)
_PASSWORD_OF_PROGRAM: Final = lazy_pattern(
    r"(?:\\{0,31}[\"'],?\s{0,4}\\{0,31}|[ =]{0,3})(?:\\{0,31}[\"'])?(?P<value>[^\s\"'\\,;|&-][^\s\"'\\,;|&]{3,128})"
)
_PROGRAMS: Final = {
    "u": lazy_pattern(r"\b(?:curl|http|https|httpie|wget|xh)\b"),
    "user": lazy_pattern(r"\b(?:curl|wget)\b"),
    "proxy": lazy_pattern(r"\bcurl\b"),
    "U": lazy_pattern(r"\bcurl\b"),
    "p": lazy_pattern(
        r"\b(?:sshpass|mysql|mysqldump|mysqladmin|mariadb|docker|podman|helm|mongo|mongosh|mongodump|twine|smbclient|rabbitmqadmin)\b"
    ),
    "a": lazy_pattern(r"\bredis-cli\b|\bhttpie?\b"),
}


def switches(text: str) -> Iterator[Finding]:
    programs: dict[str, list[int]] = {}
    for switch in _SWITCH.finditer(text):
        letter = switch[0].lstrip("-").partition("-")[0]
        starts = programs.get(letter)
        if starts is None:
            starts = programs[letter] = [program.start() for program in _PROGRAMS[letter].finditer(text)]
        before = bisect_left(starts, switch.start())
        if not before:
            continue
        line_start = max(text.rfind("\n", 0, switch.start()), switch.start() - 400, 0)
        if starts[before - 1] < line_start:
            continue
        form = (
            _PASSWORD_OF_PROGRAM
            if letter == "p" or (letter == "a" and "redis" in text[line_start : switch.start()])
            else _NAME_AND_PASSWORD
        )
        match = form.match(text, switch.end())
        if match is not None and not stands_for_another(match["value"], "") and (
            form is _NAME_AND_PASSWORD or (not match["value"].isdigit() and "/" not in match["value"]
            and not re.fullmatch(r"[0-9]+:[0-9:]+", match["value"]))):  # fmt: skip
            yield Finding(*match.span("value"), SECRET)
