"""Keys that are known by their own form, wherever they stand: the rows of the table, private keys, JSON in base64.

Long because the two ways of looking, with signs that are known and without, find the same in the same order.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from operator import itemgetter
from typing import Final

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk._scrub.secret_rules import TOKENS, Token
from agentops_sdk._scrub.secret_values import decoded_text, is_credentials, stands_for_another
from agentops_sdk._scrub.sign_scan import Hits, add_signs

__all__ = ["SECRET", "Finding", "around", "private_keys", "tokens"]

SECRET: Final = "secret"  # noqa: S105 - the label of what has no kind of its own


class Finding(NamedTuple):
    """One secret: its place in the text, and the label of what it is."""

    start: int
    end: int
    label: str
    quote: str = ""
    """What has to stand around the mark where there was none: a number in JSON."""


_ENDS: Final = "_-."
"""What the beginning of a key ends with."""
_RARE: Final = "$~AJKWB"
"""Letters that the signs share, few and seldom: each costs a pass over the text at the speed of memchr. A sign that has
none of them is looked for as a whole, which takes longer."""
# A key goes on after its beginning: with a run of letters and figures, or (Discord's) with another dot.
_GOES_ON: Final = (
    r"(?=[A-Za-z0-9+/=_%$-]{10}|[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{20}|[a-z]\.[A-Za-z0-9_-]{20}|atlasv1\.|slack\.com/)"
)
_GOES_ON_AFTER: Final = lazy_pattern(_GOES_ON)
_DOTTED: Final = lazy_pattern(r"\.(?:[A-Za-z0-9_-]{27}|[A-Za-z0-9]{16}(?![A-Za-z0-9_-])|atlasv1\.|slack\.com/)")
_CREDENTIALS_IN_ADDRESS: Final = lazy_pattern(r"://(?=[^\s/\"'\\<>@]{1,300}@)")


class _Row(NamedTuple):
    """A row of the table with one of its signs."""

    sign: str
    token: Token
    order: tuple[int, int, int]
    """Of what is found at the same place, the first gives the label: by kind of search, group, and row."""
    anchor: int
    """Which letter of the sign is the place that decides the order within a group."""
    goes_on: bool


class _Table:
    """The rows of :data:`TOKENS` by how their signs are looked for."""

    def __init__(self) -> None:
        self.by_end: dict[str, list[tuple[str, Token]]] = {}
        self.by_sign: dict[str, list[Token]] = {}
        self.by_letter: dict[str, list[tuple[int, str, Token]]] = {}
        for token in TOKENS:
            for sign in token.signs:
                letter = next(filter(sign.__contains__, _RARE), "")
                if sign[-1] in _ENDS and len(sign) > 2 and not token.before[1]:
                    self.by_end.setdefault(sign[-3:], []).append((sign, token))
                elif letter or sign[0] == "-":
                    letter = letter or "-"
                    self.by_letter.setdefault(letter, []).append((sign.index(letter), sign, token))
                else:
                    self.by_sign.setdefault(sign, []).append(token)
        self.at_dots = [token for sign in (".", ".atlasv1.", ".slack.com/") for token in self.by_sign.pop(sign)]
        self.in_addresses = self.by_sign.pop("://")
        self.in_paths = self.by_sign.pop("hook")
        self.rows = self._rows()
        add_signs([*self.rows, "://"])

    # Patterns that begin with one letter, and no more, are looked for at the speed of memchr. They are made where
    # nothing tells all signs in one pass.

    @cached_property
    def ends(self) -> list[re.Pattern[str]]:
        return [lazy_pattern(re.escape(end) + _GOES_ON) for end in _ENDS]

    @cached_property
    def letters(self) -> list[tuple[str, re.Pattern[str], list[tuple[int, str, Token]]]]:
        return [
            (letter, _around_sign(letter, [(index, sign) for index, sign, _ in rows]), rows)
            for letter, rows in self.by_letter.items()
        ]

    def _rows(self) -> dict[str, list[_Row]]:
        """The same rows by their signs in lower case, each with what gives the order in which they are looked for."""
        rows: dict[str, list[_Row]] = {}

        def add(sign: str, token: Token, order: tuple[int, int, int], anchor: int, *, goes_on: bool = False) -> None:
            rows.setdefault(sign.lower(), []).append(_Row(sign, token, order, anchor, goes_on))

        for pairs in self.by_end.values():
            for number, (sign, token) in enumerate(pairs):
                add(sign, token, (0, _ENDS.index(sign[-1]), number), len(sign) - 1, goes_on=True)
        for group, letter_rows in enumerate(self.by_letter.values()):
            for number, (index, sign, token) in enumerate(letter_rows):
                add(sign, token, (1, group, number), index)
        for group, (sign, tokens) in enumerate(self.by_sign.items()):
            for number, token in enumerate(tokens):
                add(sign, token, (2, group, number), 0)
        for number, token in enumerate(self.in_paths):
            add("hook", token, (3, 0, number), 0)
        return rows


def _around_sign(letter: str, signs: list[tuple[int, str]]) -> re.Pattern[str]:
    """A pattern that finds ``letter`` wherever it belongs to one of ``signs``, and begins with nothing else."""
    return around(letter, {(re.escape(sign[: index + 1]), re.escape(sign[index + 1 :])) for index, sign in signs})


def around(letter: str, forms: set[tuple[str, str]]) -> re.Pattern[str]:
    """A pattern that finds ``letter`` between the patterns of one of ``forms``; what ends with it comes first."""
    either = "|".join(f"(?={tail})(?<={head})" for head, tail in sorted(forms))
    return lazy_pattern(f"{re.escape(letter)}(?:{either})")


_TABLE: Final = _Table()
_BY_SIGN, _IN_PATHS, _LAST = 2, 3, 1_000
_in_order = itemgetter(0, 1, 2, 3)


class _Search:
    """One search of one text for keys by their own form."""

    def __init__(self, text: str, low: str, inside: Callable[[str], bool], hits: Hits | None) -> None:
        self.text = text
        self.low = low
        self.inside = inside
        self.hits = hits

    def findings(self) -> Iterator[Finding]:
        places = self._each_place() if self.hits is None else self._hit_places(self.hits)
        for position, token in places:
            yield from self._at(position, token)

    def _hit_places(self, hits: Hits) -> Iterator[tuple[int, Token]]:
        """What :meth:`_each_place` gives, in the same order, from the signs that are known to be there."""
        text, in_address = self.text, "://" in hits
        places: list[tuple[int, int, int, int, int, Token]] = []
        for low_sign in hits:
            for sign, token, (kind, group, number), anchor, goes_on in _TABLE.rows.get(low_sign, ()):
                if kind == _IN_PATHS and not in_address:
                    continue
                in_any_case = kind == _BY_SIGN and sign.isalpha() and sign == low_sign
                places.extend(
                    (kind, group, start + anchor, number, start, token)
                    for start in hits[low_sign]
                    if (in_any_case or text.startswith(sign, start))
                    and (not goes_on or _GOES_ON_AFTER.match(text, start + len(sign)))
                )
        for dot in _DOTTED.finditer(text):
            at = dot.start()
            places += [(0, _ENDS.index("."), at, _LAST, at, token) for token in _TABLE.at_dots]
        if in_address:
            for address in _CREDENTIALS_IN_ADDRESS.finditer(text):
                at = address.start()
                places += [(_IN_PATHS, 1, at, _LAST, at, token) for token in _TABLE.in_addresses]
        places.sort(key=_in_order)
        for *_, position, token in places:
            yield position, token

    def _each_place(self) -> Iterator[tuple[int, Token]]:  # noqa: C901 - one table after the other
        text = self.text
        for pattern in _TABLE.ends:
            for end in pattern.finditer(text):
                position = end.start()
                for sign, token in _TABLE.by_end.get(text[max(0, position - 2) : position + 1], ()):
                    start = position + 1 - len(sign)
                    if start >= 0 and text.startswith(sign, start):
                        yield start, token
                if text[position] == "." and _DOTTED.match(text, position):
                    for token in _TABLE.at_dots:
                        yield position, token
        for first, pattern, rows in _TABLE.letters:
            if first not in text:
                continue
            for letter in pattern.finditer(text):
                for offset, sign, token in rows:
                    start = letter.start() - offset
                    if start >= 0 and text.startswith(sign, start):
                        yield start, token
        for sign, tokens in _TABLE.by_sign.items():
            within = self.low if sign.isalpha() else text
            if sign in within:
                yield from self._each(sign, tokens, within)
        if "://" in text:
            yield from self._each("hook", _TABLE.in_paths, text)
            for address in _CREDENTIALS_IN_ADDRESS.finditer(text):
                for token in _TABLE.in_addresses:
                    yield address.start(), token

    def _each(self, sign: str, tokens: list[Token], text: str) -> Iterator[tuple[int, Token]]:
        position = text.find(sign)
        while position >= 0:
            for token in tokens:
                yield position, token
            position = text.find(sign, position + len(sign))

    def _at(self, position: int, token: Token) -> Iterator[Finding]:
        """A key whose sign stands at ``place``."""
        least, most = token.before
        for start in range(position - least, max(position - most, 0) - 1, -1):
            match = token.pattern.match(self.text, start)
            if match is not None:
                if self._is_one(match, token):
                    yield Finding(*match.span(token.group), token.label)
                return

    def _is_one(self, match: re.Match[str], token: Token) -> bool:
        if token.label == "url-password":
            return not stands_for_another(match[1], "")
        if token.label == "basic-credentials":
            return is_credentials(match[1])
        if token.label == "encoded-secret":
            decoded = decoded_text(match[0])
            return decoded is not None and self.inside(decoded)
        return True


def tokens(text: str, low: str, inside: Callable[[str], bool], hits: Hits | None = None) -> Iterator[Finding]:
    """Every key in ``text``; ``low`` is it in lower case, ``inside`` says whether a decoded text holds a secret."""
    yield from _Search(text, low, inside, hits).findings()
    if hits is None or not hits.keys().isdisjoint(_SETTINGS_LOW):
        yield from _settings(text, inside)


def _in_base64(name: str) -> Iterator[str]:
    """What every text in base64 holds that has ``name`` in it: one form for each way in which threes of bytes fall."""
    for before in range(3):
        encoded = base64.b64encode(b"\n" * before + name.encode()).decode().rstrip("=")
        # Letters that the bytes around have a part in differ from text to text.
        yield encoded[(0, 2, 3)[before] : (before + len(name)) * 8 // 6]


_SETTINGS: Final = [sign for name in ("PASSWORD=", "SECRET", "_KEY=", "TOKEN=") for sign in _in_base64(name)]
_SETTINGS_LOW: Final = frozenset(map(str.lower, _SETTINGS))
add_signs(_SETTINGS_LOW)


@cache
def _settings_letters() -> list[re.Pattern[str]]:
    by_letter: dict[str, list[tuple[int, str]]] = {letter: [] for letter in "VU9W"}
    for sign in _SETTINGS:
        letter = next(filter(sign.__contains__, by_letter))
        by_letter[letter].append((sign.index(letter), sign))
    return [_around_sign(letter, signs) for letter, signs in by_letter.items() if signs]


_BASE64_BACK: Final = lazy_pattern(r"[A-Za-z0-9+/]{0,65536}+")
_BASE64: Final = lazy_pattern(r"[A-Za-z0-9+/]{0,65536}+={0,2}")


def _settings(text: str, inside: Callable[[str], bool]) -> Iterator[Finding]:
    """A file of settings in base64."""
    for pattern in _settings_letters():
        covered = 0
        for letter in pattern.finditer(text):
            if letter.start() < covered:
                continue
            back = _BASE64_BACK.match(text[max(covered, letter.start() - 65_536) : letter.start()][::-1])
            start = letter.start() - (back.end() if back is not None else 0)
            run = _BASE64.match(text, start)
            if run is None:
                continue
            covered = run.end()
            decoded = decoded_text(run[0])
            if decoded is not None and inside(decoded):
                yield Finding(start, covered, "encoded-secret")


_BEGIN: Final = lazy_pattern(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END: Final = lazy_pattern(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_LONGEST_KEY: Final = 32_768
# Between the lines of a key that is a list of strings; JSON around it stays whole.
_BETWEEN_TEXTS: Final = lazy_pattern(r"\\{0,31}[\"']\s{0,8},?\s{0,40}(?:\\n)?\s{0,40}\\{0,31}[\"']")
_BODY: Final = lazy_pattern(r"(?:[^-\"'\\]|\\[^\"']|-(?!----))*+")


def private_keys(text: str) -> Iterator[Finding]:
    begin = _BEGIN.search(text)
    end = _END.search(text)
    while begin is not None:
        while end is not None and end.start() < begin.end():
            end = _END.search(text, end.end())
        if end is None or end.start() > begin.end() + _LONGEST_KEY:
            body = _BODY.match(text, begin.end())
            stop = body.end() if body is not None else begin.end()
        else:
            stop = end.end()
        start = begin.start()
        for gap in _BETWEEN_TEXTS.finditer(text, begin.end(), stop):
            yield Finding(start, gap.start(), "private-key")
            start = gap.end()
        yield Finding(start, stop, "private-key")
        begin = _BEGIN.search(text, stop)
