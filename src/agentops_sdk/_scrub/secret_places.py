"""Secrets that are told by the place they stand in: an argument, a command, what follows a name.

Long because it is a table: one row for each place. Where a name tells of it, add a row to :data:`_AFTER_NAMES`: what
follows the name. Where none does, add one to :data:`_PLACES`: what such a place begins with, and its form from there on.
"""
# ruff: noqa: E501 - a row of a table stands on a line

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import islice
from typing import Final

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk._scrub.secret_names import STRONG, kind_of_name
from agentops_sdk._scrub.secret_patterns import QUOTE
from agentops_sdk._scrub.secret_tokens import SECRET, Finding, around
from agentops_sdk._scrub.secret_values import is_quoted_secret, is_word_secret, looks_random, stands_for_another
from agentops_sdk._scrub.sign_scan import Hits, add_signs

__all__ = ["AFTER_WORD", "MOST", "after_name", "guarded", "opens", "places"]

_TEXT: Final = rf"(?P<q>{QUOTE})(?P<value>(?:(?!(?P=q))[^\n]){{3,512}})(?P=q)"
_GAP: Final = r"(?:\s|\\{1,31}[nrt]){0,24}"
_BREAK: Final = r"(?:\r?\n|\\{1,31}n)"
_WORD: Final = r"(?P<value>[^\s\"'`\\,;|&<>()]{4,256})"
_MAYBE_QUOTED: Final = r"(?:\\{0,31}[\"'])?" + _WORD

Judge = Callable[[str, str, str], bool]


def _quoted(value: str, name: str, kind: str) -> bool:
    return is_quoted_secret(value, name, kind)


def _strong(value: str, name: str, kind: str) -> bool:
    """Any value under a name that makes it one."""
    return kind in STRONG and is_quoted_secret(value, name, kind) and not kind_of_name(value)


def opens(value: str, _name: str, _kind: str) -> bool:
    """Where only a password can stand; a path, a variable or a switch is none."""
    return not stands_for_another(value, "") and value[0] not in "-/$%"


def guarded(value: str, name: str, kind: str) -> bool:
    """Letters and figures mixed, where a plain word may be any word."""
    mixed = any(sign.isdigit() for sign in value) and any(sign.isalpha() for sign in value)
    return mixed and " " not in value and is_word_secret(value, name, kind) and not kind_of_name(value)


def _mixed_case(value: str, name: str, kind: str) -> bool:
    """LOGIN PLAIN XOAUTH2 tells what a mail server takes."""
    return not value.isupper() and guarded(value, name, kind)


def _random(value: str, _name: str, _kind: str) -> bool:
    return looks_random(value) and len(value) >= 12


def _code(value: str, _name: str, _kind: str) -> bool:
    return 3 <= len(value) <= 10 and value.isdigit()


def _phrase(value: str, _name: str, _kind: str) -> bool:
    return len(value.split()) >= 12


AFTER_WORD: Final = rf"\s{{0,2}}[\"'*]{{0,3}}\s{{0,2}}(?:[:=：]|\\{{1,31}}uff1a)\s{{0,2}}[\"'`]?{_WORD}"


class _Place(NamedTuple):
    """A place that secrets stand in.

    Attributes:
        signs: what such a place begins with, in lower case, with ``~`` for a blank; nothing else in a text is
            looked at.
        pattern: the place from the sign on; its group ``value`` is the secret.
        judge: whether that value is one.
    """

    signs: tuple[str, ...]
    pattern: re.Pattern[str]
    judge: Judge


def _place(signs: str, pattern: str, judge: Judge = opens) -> _Place:
    return _Place(tuple(sign.replace("~", " ") for sign in signs.split()), lazy_pattern(pattern, re.IGNORECASE), judge)


class _After(NamedTuple):
    """What stands after a name.

    Attributes:
        firsts: characters that it begins with; any where there are none.
        holds: what the next thousand characters hold where it stands.
        pattern: its form; its group ``value`` is the secret.
        judge: whether that value is one.
    """

    firsts: str
    holds: str
    pattern: re.Pattern[str]
    judge: Judge


def _after(firsts: str, holds: str, pattern: str, judge: Judge) -> _After:
    return _After(firsts, holds, lazy_pattern(pattern, re.IGNORECASE), judge)


# What stands right after the name; where it cannot be told from one character, what the text has somewhere.
_AFTER_NAMES: Final = (
    # password=str("…"), api_key = ("…"), api_key{"…"}
    _after(
        "\"' \t\r\n:={",
        "",
        r"[\"']?(?:\s{0,2}(?::=|=>|[:=])\s{0,2}(?:new )?(?:str|bytes|bytearray|Secret(?:Str|String|Bytes)?|Some|"
        r"String(?:::from)?|std::string|\[\]byte|(?:base64\.)?(?:urlsafe_)?b64decode|unquote|Buffer\.from|atob|Password)?\(|\{)"
        rf"{_GAP}[bru]?{_TEXT}",
        _strong,
    ),
    # get_by_label("Password").fill("…")
    _after(
        "\"'`\\&%",
        ").",
        rf"{QUOTE}(?:\s{{0,2}},[^()\n]{{0,60}})?\)\.(?:fill|type|send_?keys|press_?sequentially|setValue)\(\s{{0,8}}{_TEXT}",
        _strong,
    ),
    _after("\"' \t\r\n", "-", rf"[\"']?\s+-Value\s+{_TEXT}", _strong),
    # <password><![CDATA[…]]>, <key>password</key><value>…</value>
    _after("", "><![", r"[^<>\n]{0,80}><!\[CDATA\[(?P<value>[^\]]{4,512})\]\]>", _quoted),
    _after("<", "", rf"</\w{{1,12}}>{_GAP}<(?:value|string|val|data)>(?P<value>[^<>]{{4,512}})</", _strong),
    _after(" ", "", rf" (?:I|we|you|they) (?:[a-z]{{2,8}} )?[a-z]{{2,8}} is[ :]{{1,3}}[\"'`]?{_WORD}", guarded),
    # "Invalid API key provided: …"
    _after(" ", "", rf" (?:provided|supplied|given|used)\b[ :]{{1,3}}[\"'`]?{_WORD}", guarded),
    # api_key\n  Input should be … [input_value='…']
    _after("\r\n\\", "_value=", rf"{_BREAK}\s{{1,4}}(?:(?!input_value)[^\n]){{0,300}}input_value={_TEXT}", _quoted),
    _after(
        "",
        "```",
        rf"[^\n:\\]{{0,40}}:?[*_]{{0,3}}{_BREAK}{{1,2}}```\w{{0,12}}{_BREAK}(?P<value>[^\s\\`]{{4,512}}){_BREAK}```",
        guarded,
    ),
    _after(" .", "...", rf" ?\.{{3,80}} ?{_WORD}", guarded),
)
_CREDENTIALS: Final = lazy_pattern(rf"[: ]{{1,3}}[\w.@-]{{2,64}} ?[:/] ?{_WORD}")
_DEFINE: Final = lazy_pattern(rf"\s+{_TEXT}")
_DEFAULT: Final = lazy_pattern(r":[-=]?(?P<value>[^}\s\"'$]{4,128})\}")
_ARGUMENT: Final = lazy_pattern(rf"{QUOTE}\s{{0,2}},\s{{0,8}}[bru]?{_TEXT}")
_SETTER: Final = lazy_pattern(
    r"(?:env|property|setdefault|setitem|\bset|\bput|\badd|header)\(\s{0,8}[bru]?\\{0,31}[\"']\Z", re.IGNORECASE
)
_OPENED: Final = lazy_pattern(r"[(\[]\s{0,8}[bru]?\\{0,31}[\"'][#.]?\Z")

_PLACES: Final = (
    _place(
        "auth=( auth( authentication(",
        rf"(?:auth\s{{0,2}}=\s{{0,2}}\(|auth(?:entication)?\()\s{{0,8}}{QUOTE}[^\"'\\\n]{{1,64}}{QUOTE}\s{{0,2}},\s{{0,8}}{_TEXT}",
    ),
    _place(
        "fernet( aes.new( hmac.new( serializer( openai( anthropic( groq( signer(",
        rf"(?:Fernet|AES\.new|hmac\.new|\w{{0,40}}Serializer|\w{{0,40}}Signer|OpenAI|Anthropic|Groq)\(\s{{0,8}}[bru]?{_TEXT}",
        _random,
    ),
    _place(
        "jwt.encode( jwt.decode(",
        rf"jwt\.(?:en|de)code\(\s{{0,8}}[^()\n]{{1,300}}?,\s{{0,8}}(?:key\s?=\s?)?[bru]?{_TEXT}",
        guarded,
    ),
    _place("login(", rf"login\(\s{{0,8}}{QUOTE}[^\"'\\\n]{{1,64}}{QUOTE}\s{{0,2}},\s{{0,8}}{_TEXT}", guarded),
    _place("requirepass", rf"requirepass\s+{_MAYBE_QUOTED}"),
    _place("masterauth", rf"masterauth\s+{_MAYBE_QUOTED}"),
    _place("wifi:", r"WIFI:[^\n]{0,80}?;P:(?P<value>[^;\n]{4,64});"),
    _place("my key", rf"my key(?: is|:)\s{{1,3}}[\"'`]?{_WORD}", _random),
    _place("convertto-securestring", rf"ConvertTo-SecureString\s+(?:-String\s+)?{_TEXT}"),
    _place("identified", rf"IDENTIFIED\s+(?:WITH\s+\S+\s+)?BY\s+(?:PASSWORD\s+)?{_TEXT}"),
    _place("jdbc:oracle", r"jdbc:oracle:\w+:[\w$]{1,64}/(?P<value>[^\s@/\"']{3,128})@"),
    _place("digest", r"Digest\s[^\n]{0,600}?\bresponse=\\{0,31}\"(?P<value>[0-9a-f]{32,64})"),
    _place("aws4-hmac", r"AWS4-HMAC-SHA256\s[^\n]{0,600}?\bSignature=(?P<value>[0-9a-f]{64})"),
    _place("net~user net1~user", rf"net1?\s+user\s+[\w.-]{{1,64}}\s+(?!/){_MAYBE_QUOTED}\s+/add\b"),
    _place("net~use", rf"net\s+use\s[^\n]{{0,200}}?\\\S{{1,200}}\s+(?!/){_MAYBE_QUOTED}\s+/user:"),
    _place(
        "login",
        r"(?:(?<=vault )|(?<=doppler )|(?<=infisical )|(?<=wandb )|(?<=huggingface-cli )|(?<=railway ))login\s+(?:--\S+\s+)?" + _WORD,
        _random,
    ),
    _place("login", rf"(?-i:LOGIN) \S{{1,64}} {_WORD}", _mixed_case),
    _place(
        "sess",
        r"(?:(?<=php)sessid|(?<=j)sessionid|(?<=net_)sessionid|(?<=asp)sessionid[a-z]{0,8}|(?<=[a-z]_)session(?==)|(?<![a-z_.-])sessionid(?==))"
        rf"(?:\\{{0,31}}[\"'])?\s?[:=]\s?{_MAYBE_QUOTED}",
        _random,
    ),
    _place("connect.sid", rf"connect\.sid(?:\\{{0,31}}[\"'])?\s?[:=]\s?{_MAYBE_QUOTED}", _random),
    _place(
        "code otp passcode",
        r"(?:code|otp|passcode)(?:\\{0,31}[\"'])?(?: code)?(?: is|\s?[:=])?\s{0,2}(?:\\{0,31}[\"'])?(?P<value>[0-9]{4,10})\b(?![.:/-][0-9])",
        _code,
    ),
    _place("cvv cvc", r"cv[vc]2?(?:\\{0,31}[\"'])?(?: is|\s?[:=])\s{0,2}(?:\\{0,31}[\"'])?(?P<value>[0-9]{3,4})\b", _code),
    _place(
        "mnemonic seed recovery",
        r"(?:mnemonic|(?:seed|recovery|secret)[ _-]?(?:phrase|words))(?:\\{0,31}[\"'])?(?: is)?\s{0,2}[:=]?\s{0,2}(?:\\{0,31}[\"'])?"
        r"(?P<value>[a-z]{3,8}(?: [a-z]{3,8}){11,24})",
        _phrase,
    ),
    _place("jwt bearer", rf"(?:jwt|bearer)(?:\\{{0,31}}[\"'])?\s{{0,2}}[:=]\s{{0,2}}(?:\\{{0,31}}[\"'])?{_WORD}", _random),
    _place(
        "kennwort contrase mot~de~passe senha",
        r"(?:kennwort|contraseñas?|contrasena|mot de passe|senha)" + AFTER_WORD,
        guarded,
    ),
)  # fmt: skip
_COMMANDS: Final = (
    _place("curl", r"curl\b[^\n|;]{0,400}?\s-[A-Za-z]{1,6}u\s{0,2}(?:\\{0,31}[\"'])?[^\s:\"'$\\]{1,64}:(?P<value>[^\s\"'\\$]{3,128})"),
    _place("curl wget", r"(?:curl|wget)\b[^\n|;]{0,400}?\s(?:-b|--cookie)[ =]{1,2}(?:\\{0,31}[\"'])?[\w.-]{1,64}=(?P<value>[^\s\"'\\]{6,4096})"),
    _place("http xh", r"(?:https?|xh)\s(?:[^\n|;]{0,200}?\s)?(?:-a|--auth)[ =](?:\\{0,31}[\"'])?[^\s:\"'$\\]{1,64}:(?P<value>[^\s\"'\\$]{3,128})"),
    _place("zip unzip", rf"(?:un)?zip\s(?:[^\n|;]{{0,120}}?\s)?(?-i:-P)\s{{0,2}}{_MAYBE_QUOTED}"),
    _place("7z", r"7za?\s(?:[^\n|;]{0,200}?\s)?-p(?:\\{0,31}[\"'])?" + _WORD),
    _place("openssl", rf"openssl\s[^\n|;]{{0,200}}?\s-(?:k|passin|passout|pass)\s(?:pass:)?{_MAYBE_QUOTED}", guarded),
    _place("snmpget snmpset snmpwalk snmpbulk snmptable", rf"snmp[a-z]{{3,12}}\s[^\n|;]{{0,120}}?(?-i:-c)\s{{0,2}}{_MAYBE_QUOTED}", guarded),
    _place("az", rf"az\s+login\s[^\n|;]{{0,300}}?\s-p\s{_MAYBE_QUOTED}"),
    _place("htpasswd", rf"htpasswd\s+-\w{{0,6}}b\w{{0,6}}\s+\S{{1,200}}\s+\S{{1,64}}\s+{_MAYBE_QUOTED}"),
    _place("smbclient rpcclient smbget", r"(?:smbclient|rpcclient|smbget)\s[^\n|;]{0,200}?-U\s{0,2}[\"']?[\w.\\-]{1,64}%" + _WORD),
    _place("ssh-keygen", rf"ssh-keygen\s(?:[^\n|;]{{0,200}}?\s)?-[NP]\s{_MAYBE_QUOTED}"),
    _place("echo", rf"echo\s+(?:-n\s+)?(?:\\{{0,31}}[\"'])?{_WORD}"
           r"(?:\\{0,31}[\"'])?\s*\|\s*(?:sudo\s[^\n|]{0,60}?-S\b|[^\n|]{0,200}--password-stdin)"),
)  # fmt: skip
"""They all have a switch, so a text without one is not searched for them."""
MOST: Final = 256
"""How often a sign is looked at in one text."""
_ONE_TIME: Final = lazy_pattern(
    r"(?:one[ _-]?time|verification|security|login|2fa|mfa|authentication|door|access)[ _-]?(?:pass)?\Z|\A\Z",
    re.IGNORECASE,
)


def after_name(text: str, start: int, end: int, name: str, kind: str) -> Iterator[Finding]:
    """The value that a name, which stands from ``start`` to ``end``, has in a place other than beside it."""
    before = text[max(0, start - 40) : start]
    special: tuple[re.Pattern[str], Judge] | None = None
    if before.endswith("${"):
        special = _DEFAULT, _strong
    elif before.rstrip().endswith(("#define", "setx")):
        special = _DEFINE, _strong
    elif name.lower() in ("credentials", "creds"):
        special = _CREDENTIALS, guarded
    if special is not None:
        yield from _judged(text, end, name, kind, *special)
        return
    first = text[end : end + 1]
    for row in _AFTER_NAMES:
        if (not row.firsts or (first and first in row.firsts)) and (
            not row.holds or text.find(row.holds, end, end + 1_000) >= 0
        ):
            findings = list(_judged(text, end, name, kind, row.pattern, row.judge))
            if findings:
                yield from findings
                return
    if first in _QUOTES and before[-1:] in _QUOTES and ("(" in before or "[" in before):
        if _SETTER.search(before):
            yield from _judged(text, end, name, kind, _ARGUMENT, _strong)
        elif _OPENED.search(before):
            yield from _judged(text, end, name, kind, _ARGUMENT, guarded)


_QUOTES: Final = frozenset("\"'`\\&%#.")


def _judged(text: str, end: int, name: str, kind: str, pattern: re.Pattern[str], judge: Judge) -> Iterator[Finding]:
    match = pattern.match(text, end)
    if match is not None:
        value = match["value"].rstrip(".:!?*")
        if value and judge(value, name, kind):
            yield Finding(match.start("value"), match.start("value") + len(value), SECRET)


_A_SWITCH: Final = lazy_pattern(r"-(?<=[\s\"'\\n]-)-?[A-Za-z]")
_LETTERS: Final = "(jvkxz7"
"""Seldom letters; signs that have the same one are looked for together, where that is faster than one after the other."""


class _Signs:
    """The rows of a table by what tells that a text may have one of them."""

    def __init__(self, rows: tuple[_Place, ...]) -> None:
        self.by_stem: dict[str, list[tuple[str, _Place]]] = {}
        self.by_letter: dict[str, list[tuple[str, _Place]]] = {}
        self.others: list[tuple[str, _Place]] = []
        for row in rows:
            for sign in row.signs:
                stem = next(
                    (stem for stem in ("auth", "pass") if stem in sign and "(" not in sign and "passe" not in sign), ""
                )
                letter = next(filter(sign.__contains__, _LETTERS), "")
                if stem:
                    self.by_stem.setdefault(stem, []).append((sign, row))
                elif letter:
                    self.by_letter.setdefault(letter, []).append((sign, row))
                else:
                    self.others.append((sign, row))
        self._signs = frozenset(sign for row in rows for sign in row.signs)
        add_signs(self._signs)

    @cached_property
    def _letters(self) -> list[tuple[str, re.Pattern[str], list[tuple[str, _Place]]]]:
        """Made where nothing tells all signs in one pass."""
        return [
            (letter, _any_of(letter, {sign for sign, _ in pairs}), pairs) for letter, pairs in self.by_letter.items()
        ]

    def rows(self, low: str, stems: set[str], hits: Hits | None) -> Iterator[tuple[str, _Place]]:
        """Each row that ``low`` may hold, with its sign."""
        if hits is not None:
            if hits.keys().isdisjoint(self._signs):
                return
            for stem, rows in self.by_stem.items():
                if stem in stems:
                    yield from (row for row in rows if row[0] in hits)
            for rows in (*self.by_letter.values(), self.others):
                yield from (row for row in rows if row[0] in hits)
            return
        for stem, rows in self.by_stem.items():
            if stem in stems:
                yield from (row for row in rows if row[0] in low)
        for letter, pattern, rows in self._letters:
            if letter in low and pattern.search(low) is not None:
                yield from (row for row in rows if row[0] in low)
        for row in self.others:
            if row[0] in low:
                yield row


def _any_of(letter: str, signs: set[str]) -> re.Pattern[str]:
    sides = {(sign[: sign.index(letter) + 1], sign[sign.index(letter) + 1 :]) for sign in signs}
    return around(letter, {(re.escape(head), re.escape(tail)) for head, tail in sides})


_OF_PLACES: Final = _Signs(_PLACES)
_OF_COMMANDS: Final = _Signs(_COMMANDS)


def places(text: str, low: str, stems: set[str], hits: Hits | None = None) -> list[Finding]:
    """Every secret that the place it stands in tells.

    Args:
        text: what is searched.
        low: ``text`` in lower case, character for character.
        stems: the stems of names that the text has.
        hits: the signs that ``low`` has, where they are known.
    """
    rows = list(_OF_PLACES.rows(low, stems, hits))
    commands = list(_OF_COMMANDS.rows(low, stems, hits)) if "-" in low else []
    if commands and _A_SWITCH.search(text) is not None:
        rows += commands
    return [finding for sign, row in rows for finding in _at_sign(text, low, sign, row, hits)]


def _at_sign(text: str, low: str, sign: str, row: _Place, hits: Hits | None) -> Iterator[Finding]:
    for position in islice(_each(low, sign, hits), MOST):
        if not text[position - 1 : position].isalnum() or sign[-1] == "(" or sign == "sess":
            match = row.pattern.match(text, position)
            if match is not None:
                value = match["value"].rstrip(".:!?*")
                is_one = value and row.judge(value, "password", "password")
                if is_one and (row.judge is not _code or _is_code_of_one_use(text, position, sign)):
                    yield Finding(match.start("value"), match.start("value") + len(value), SECRET)


def _each(low: str, sign: str, hits: Hits | None) -> Iterator[int]:
    """Where ``sign`` stands; of places that overlap, the first."""
    end = 0
    if hits is not None:
        for position in hits[sign]:
            if position >= end:
                yield position
                end = position + len(sign)
        return
    while (position := low.find(sign, end)) >= 0:
        yield position
        end = position + len(sign)


def _is_code_of_one_use(text: str, position: int, sign: str) -> bool:
    """A ``code`` may be anything; a verification code and an ``otp`` open something."""
    return sign != "code" or bool(_ONE_TIME.search(text[max(0, position - 20) : position] or " "))
