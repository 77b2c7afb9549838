"""Secrets that take more than one pattern to find: in a table, a sentence, a protocol, an address, another script."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator
from typing import Final

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._scrub.secret_names import STRONG, kind_of_name
from agentops_sdk._scrub.secret_places import AFTER_WORD, MOST, guarded, opens
from agentops_sdk._scrub.secret_tokens import SECRET, Finding
from agentops_sdk._scrub.secret_values import is_quoted_secret, looks_random
from agentops_sdk._scrub.sign_scan import add_signs

__all__ = ["passages"]

_WORDS_OF_OTHER_SCRIPTS: Final = (
    "contraseña", "contraseñas", "hasło", "lösenord", "jelszó", "şifre", "пароль", "密码", "密碼", "パスワード",
    "비밀번호", "كلمة المرور", "סיסמה", "पासवर्ड", "mật khẩu",
)  # fmt: skip
_LETTERS_OF_OTHER_SCRIPTS: Final = sorted(
    {case for word in _WORDS_OF_OTHER_SCRIPTS for letter in [max(word)] for case in (letter, letter.upper())}
)
"""Of each word a letter that is not ASCII, in both cases."""
_OTHER_SCRIPTS: Final = lazy_pattern(f"(?:{'|'.join(_WORDS_OF_OTHER_SCRIPTS)})" + AFTER_WORD, re.IGNORECASE)
_ESCAPED_WORDS: Final = tuple(json.dumps(word)[1:-1].lower() for word in _WORDS_OF_OTHER_SCRIPTS)
_ESCAPED_SIGNS: Final = frozenset(word[word.index("\\u") : word.index("\\u") + 6] for word in _ESCAPED_WORDS)
_ESCAPED_SCRIPTS: Final = lazy_pattern(
    "(?:" + "|".join(word.replace("\\", r"\\{1,31}") for word in _ESCAPED_WORDS) + ")" + AFTER_WORD, re.IGNORECASE
)
_ESCAPE: Final = lazy_pattern(r"\\(?=u)")
_HOST_AND_PORT: Final = lazy_pattern(
    r"(?:[\w-]{1,40}\.){0,4}[\w-]{1,40}:[0-9]{2,5}\b|(?:tcp6?|udp|unix|cloudsql(?:-\w{1,20})?)\("
)
_NAME_AND_PASSWORD: Final = lazy_pattern(
    r"(?<![\w/@.:%-])[A-Za-z][\w.-]{0,40}:(?P<value>[^\s:@/\"'`<>(){},=]{4,100})\Z"
)
_SECRETS_SAID: Final = ("password", "passphrase", "passcode", "pin", "api key")
_SAID: Final = lazy_pattern(
    rf" (?:the|my|your|our|her|his|their|a) (?:[a-z]{{2,12}} )?(?:{'|'.join(_SECRETS_SAID)})"
    r"(?![A-Za-z0-9_-])(?! (?:of|for) (?:success|happiness))",
    re.IGNORECASE,
)
_HEADINGS: Final = ("password", "passwd", "passphrase", "api_key", "apikey", "api key", "client_secret", "secret_key")
_SEPARATORS: Final = lazy_pattern(r"[,;|\t]|\\{1,31}t")
_LINE_END: Final = lazy_pattern(r"\r?\n|\\{1,31}n|\Z")
_OPENS_TEXT: Final = lazy_pattern(r":\s?\\{0,31}\"")
_IN_CELL: Final = lazy_pattern(r"\s*\\{0,31}[\"`]?(?P<value>[^\"`\\\s]{1,200})")
_MOST_ROWS: Final = 500
_INSERT: Final = lazy_pattern(
    r"\bINSERT\s+INTO\s+[^\s(]{1,128}\s{0,8}\((?P<columns>[^()]{1,2000})\)\s{0,8}VALUES\s{0,8}", re.IGNORECASE
)
_ROW: Final = lazy_pattern(r"\((?P<row>[^()]{1,4000})\)\s{0,8},?\s{0,8}")
_SAYABLE: Final = ("pass", "key", "pin", "secret")
_PROTOCOL: Final = lazy_pattern(
    r"(?:PASS|AUTH)(?<![^\s>\"'`n]....)(?:[ \t](?P<mechanism>[A-Za-z][\w.@-]{1,64}))?[ \t](?P<value>[^\s\"'`\\]{4,512})"
    r"[ \t]*(?=\r?\n|\\{1,31}[rn]|\\{0,31}[\"'`]|\Z)"
)
_CODES: Final = lazy_pattern(
    r"(?:recovery|backup|scratch)[ _-]?codes?(?:\\{0,31}[\"'])?(?: is| are)?\s?[:=]?"
    r"(?=[^A-Za-z0-9]{1,16}[A-Za-z0-9]{4})",
    re.IGNORECASE,
)
_A_CODE: Final = lazy_pattern(
    r"(?:[\s,;\"'`\[*•-]|\\{1,31}[nrt\"']|[0-9]{1,2}[.)]\s){1,16}"
    r"(?P<value>(?=[A-Za-z -]{0,24}[0-9])"
    r"(?:[A-Za-z0-9]{4,8}(?:[ -][A-Za-z0-9]{4,8}){1,4}?|[a-z0-9]{8,12}|[A-Z0-9]{8,12}))"
    r"(?=[\s,;\"'`\].*]|\\|\Z)"
)
add_signs((*_ESCAPED_SIGNS, *_HEADINGS, *_SECRETS_SAID, "pass ", "auth ", "recovery", "backup", "insert into"))


def passages(text: str, low: str, stems: set[str], known: Container[str]) -> list[Finding]:
    """Every secret that a passage of the text tells.

    Args:
        text: what is searched.
        low: ``text`` in lower case, character for character.
        stems: the stems of names that the text has.
        known: tells which words ``low`` has.
    """
    findings: list[Finding] = []
    if not text.isascii() and any(letter in text for letter in _LETTERS_OF_OTHER_SCRIPTS):
        lower = text.lower()
        if any(word in lower for word in _WORDS_OF_OTHER_SCRIPTS):
            findings += _in_other_scripts(text, _OTHER_SCRIPTS)
    if "\\" in low and _ESCAPE.search(low) is not None and any(sign in known for sign in _ESCAPED_SIGNS):
        findings += _in_other_scripts(text, _ESCAPED_SCRIPTS)
    if "@" in text:
        findings += _in_addresses(text)
    if not stems.isdisjoint(_SAYABLE):
        if any(word in known for word in _SECRETS_SAID):
            findings += _said(text, low)
        if any(heading in known for heading in _HEADINGS):
            findings += _columns(text, low)
    if ("auth" in stems or "pass" in stems) and ("pass " in known or "auth " in known):
        findings += _protocols(text)
    if "recovery" in known or "backup" in known:
        findings += _recovery_codes(text)
    if "insert into" in known:
        findings += _inserted(text)
    return findings


def _protocols(text: str) -> Iterator[Finding]:
    """``PASS x`` after ``USER ann``, ``AUTH x``: lines of FTP, POP3, SMTP and Redis."""
    for sign in ("PASS ", "AUTH "):
        position = text.find(sign)
        for _ in range(MOST):
            if position < 0:
                break
            line = _PROTOCOL.match(text, position)
            if line is not None:
                value, mechanism = line["value"], line["mechanism"]
                before = text[max(0, position - 200) : position]
                is_login = "USER " in before or before.rstrip(" ").endswith(">")
                if (
                    looks_random(value)
                    or ((sign == "AUTH " or is_login) and guarded(value, "password", "password"))
                    or ("USER " in before and mechanism is None and opens(value, "", ""))
                ) and not (value.isupper() and mechanism):  # AUTH LOGIN XOAUTH2 tells what a server takes
                    yield Finding(*line.span("value"), SECRET)
            position = text.find(sign, position + 5)


def _recovery_codes(text: str) -> Iterator[Finding]:
    """Codes that open an account without its second factor, one or a list of them."""
    for head in _CODES.finditer(text):
        position = head.end()
        for _ in range(32):
            code = _A_CODE.match(text, position)
            if code is None:
                break
            yield Finding(*code.span("value"), SECRET)
            position = code.end()


def _in_other_scripts(text: str, pattern: re.Pattern[str]) -> Iterator[Finding]:
    for match in pattern.finditer(text):
        if guarded(match["value"], "password", "password"):
            yield Finding(*match.span("value"), SECRET)


def _in_addresses(text: str) -> Iterator[Finding]:
    """``user:…@proxy:8080`` and ``user:…@tcp(db:3306)``, without a scheme."""
    position = text.find("@")
    for _ in range(MOST):
        if position < 0:
            break
        if _HOST_AND_PORT.match(text, position + 1):
            before = _NAME_AND_PASSWORD.search(text[max(0, position - 150) : position])
            if before is not None and opens(before["value"], "", ""):
                yield Finding(position - len(before["value"]), position, SECRET)
        position = text.find("@", position + 1)


def _said(text: str, low: str) -> Iterator[Finding]:
    """``use x as the password``, ``x is my password``."""
    for verb in (" as", " is"):
        position = low.find(verb)
        for _ in range(MOST):
            if position < 0:
                break
            if _SAID.match(text, position + 3):
                end = position - (text[position - 1 : position] in ("'", '"', "`"))
                value = re.split(r"[\s\"'`\\(]", text[max(0, end - 200) : end])[-1]
                if value and len(value) < 200 and guarded(value, "password", "password"):
                    yield Finding(end - len(value), end, SECRET)
            position = low.find(verb, position + 3)


def _columns(text: str, low: str) -> Iterator[Finding]:
    """A table whose heading says what stands below: CSV, tabs, Markdown."""
    done = 0
    for heading in _HEADINGS:
        at = low.find(heading)
        for _ in range(32):
            if at < 0:
                break
            line = max(low.rfind("\n", 0, at), low.rfind("\\n", 0, at) + 1 if "\\n" in low else -1) + 1
            end = _LINE_END.search(text, at)
            if end is None or end.end() <= done or at - line > 500:
                break
            separator = _SEPARATORS.match(
                text, at + len(heading) + (text[at + len(heading) : at + len(heading) + 1] in ' "')
            )
            opened = list(_OPENS_TEXT.finditer(text, line, at))
            start = opened[-1].end() if opened else line
            before = text[start:at].rstrip(' "')
            separator = separator or _SEPARATORS.search(before[-2:])
            if separator is not None and end.end() > end.start():
                yield from _below(text, start, end, separator[0], heading)
                done = end.end()
            at = low.find(heading, end.end() or at + 1)


def _below(text: str, start: int, end: re.Match[str], separator: str, heading: str) -> Iterator[Finding]:
    titles = [cell.strip(' "*`').lower() for cell in text[start : end.start()].split(separator)]
    if heading not in titles:
        return
    column, position = titles.index(heading), end.end()
    for _ in range(_MOST_ROWS):
        stop = _LINE_END.search(text, position)
        cells = text[position : stop.start() if stop is not None else len(text)].split(separator)
        if len(cells) != len(titles):
            return
        offset = position + sum(len(cell) + len(separator) for cell in cells[:column])
        cell = _IN_CELL.match(text, offset)
        if (
            cell is not None
            and cell.end() <= offset + len(cells[column])
            and guarded(cell["value"], heading, "password")
        ):
            yield Finding(*cell.span("value"), SECRET)
        if stop is None or stop.end() >= len(text):
            return
        position = stop.end()


def _inserted(text: str) -> Iterator[Finding]:
    """``INSERT INTO users (name, password) VALUES ('ann', '…')``."""
    for match in _INSERT.finditer(text):
        columns = [kind_of_name(column.strip(" \"'`[]\\\n")) for column in match["columns"].split(",")]
        position = match.end()
        for _ in range(_MOST_ROWS):
            row = _ROW.match(text, position)
            if row is None:
                break
            offset = row.start("row")
            cells = row["row"].split(",")
            for kind, cell in zip(columns, cells, strict=False):
                quoted = re.search(r"'(?P<value>[^']{3,512})'", cell)
                if kind in STRONG and len(cells) == len(columns) and quoted and is_quoted_secret(quoted[1], "", kind):
                    yield Finding(offset + quoted.start("value"), offset + quoted.end("value"), SECRET)
                offset += len(cell) + 1
            position = row.end()
