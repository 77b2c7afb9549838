"""Replace secrets in attribute values: keys, tokens, passwords, and whatever the user's patterns match.

Runs on the consumer thread, before any sink sees a span. What a secret looks like stands in
:mod:`~agentops_sdk._scrub.secret_rules`, how it is found in :mod:`~agentops_sdk._scrub.secret_search`.
Text that was valid JSON stays so. Long because what was looked at before, and need not be again, is
remembered where it is looked at.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk._scrub.secret_names import STRONG, kind_of_name
from agentops_sdk._scrub.secret_search import Finding, TooMuchError, search
from agentops_sdk._scrub.secret_values import is_quoted_secret, is_word_secret, stands_for_another
from agentops_sdk._snapshot.json_text import is_json
from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping, Sequence

__all__ = ["OURS", "SAMPLE", "SHORT", "Redactor", "is_secret_name"]

_SHORTEST: Final = 7
"""No secret worth replacing fits in fewer characters together with what gives it away."""
_DEEPEST: Final = 3
"""Texts that are encoded in texts."""
_MARK: Final = "[redacted:secret]"

# Their values are words of ours or the conventions', on every span; nobody's secret.
OURS: Final = frozenset((semconv.KIND, semconv.OUTCOME, semconv.OPERATION_NAME, semconv.TOOL_TYPE))
_MOST_NAMES: Final = 4_096
SHORT: Final = 64
"""Characters. Short texts, such as names of models, are the same on span after span: one look is enough."""
_NO_TEXT: Final = (bool, int, float)
_ROOM: Final = 1_048_576
"""Characters of texts that are kept to compare others with."""
SAMPLE: Final = 24
"""Characters from the middle of a text, by which those it may be the same as are found."""


def is_secret_name(name: str) -> bool:
    """Whether the value of an attribute, header or parameter of that name is a secret, whatever it looks like."""
    return kind_of_name(name) in _WHOLE


_WHOLE: Final = STRONG | {"authorization", "cookie"}


class Redactor:
    """Finds secrets in the attributes of spans and events, and in status messages.

    Args:
        patterns: further regular expressions; each match is replaced whole by ``[redacted:custom]``.

    Raises:
        ConfigError: a pattern is not a regular expression.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._custom: list[re.Pattern[str]] = []
        self._names: dict[str, tuple[str, str]] = {}
        self.settled: dict[str, bool] = dict.fromkeys(OURS, True)
        """Names in ASCII that hold nothing and announce no secret: whether their values are words of ours."""
        self.clean: set[str] = set()
        """Short texts that were searched and hold nothing."""
        self._clean_hashes: set[tuple[int, int]] = set()
        self.texts: dict[tuple[int, str], str] = {}
        """Long texts that hold nothing, to compare others with: the latest, as far as there is room.

        The same text comes again and again: as a result and as the next argument, as the prompt of every call.
        """
        self.kept: dict[tuple[int, str], str] | None = None
        """The same while texts are compared and kept, else ``None``."""
        self.room = _ROOM
        """Characters for which there is room among them."""
        for pattern in patterns:
            try:
                self._custom.append(re.compile(pattern))
            except (re.error, TypeError):
                raise ConfigError("redact_patterns", pattern, "regular expressions") from None

    def redact(self, attributes: MutableMapping[str, Any], among: Iterable[str] | None = None) -> int:
        """Replace secrets in ``attributes`` in place; the number of replacements.

        Strings and sequences of strings are searched, and so are the names. An attribute whose own name says
        that it is a secret (``http.request.header.authorization``) is replaced whole.

        Args:
            attributes: any.
            among: the names of those that are to be looked at; of all where it is not told.
        """
        total, names, clean = 0, self._names, self.clean
        for name in list(attributes) if among is None else among:
            if name in OURS:
                continue
            value = attributes[name]
            shown, kind = names.get(name) or self._name(name)
            if shown != name:
                del attributes[name]
                attributes[shown] = value
                total += 1
            if not kind and (
                (len(value) <= SHORT and value in clean) if type(value) is str else type(value) in _NO_TEXT
            ):
                continue
            cleaned, count = self._value(value, shown, kind)
            if count:
                attributes[shown] = cleaned
                total += count
        return total

    def was_searched(self, text: str) -> bool:
        """Whether it is a text that was searched a moment ago and holds nothing: it is compared as a whole."""
        kept = self.kept  # asked once: joined to a program's provider, others scrub while a slice comes to its end
        return kept is not None and kept.get((len(text), text[len(text) // 2 : len(text) // 2 + SAMPLE])) == text

    def announces_nothing(self, name: str) -> bool:
        """Whether a name, in ASCII, holds no secret, and does not say that its value is one."""
        self._name(name)
        return name in self.settled

    def holds_nothing(self, text: str) -> bool:
        """Whether there is no secret in the value of an attribute whose name announces none."""
        return self._value(text, "", "")[1] == 0

    def text(self, text: str, depth: int = 0) -> tuple[str, int]:
        """``text`` without its secrets, and how many there were.

        Args:
            text: any text.
            depth: in how many others it stands in an encoded form.
        """
        if len(text) < _SHORTEST and not self._custom:
            return text, 0
        if len(text) <= SHORT or depth:  # what stands deeper is not looked at as closely
            return self._searched(text, depth)
        kept, half = self.kept, len(text) // 2
        if kept is not None and kept.get((len(text), text[half : half + SAMPLE])) == text:
            return text, 0
        # Of more texts than are kept it is known what they hash to: 64 bits, by a key that nobody is told. It takes a
        # third of a digest's time, and does not give up the interpreter's lock in the middle of a span.
        mark = len(text), hash(text)
        if mark in self._clean_hashes:
            self._keep(text)
            return text, 0
        cleaned, count = self._searched(text, depth)
        if not count:
            if len(self._clean_hashes) >= _MOST_NAMES:
                self._clean_hashes.clear()
            self._clean_hashes.add(mark)
            self._keep(text)
        return cleaned, count

    def forget_texts(self) -> None:
        """Keep none of them."""
        self.texts.clear()
        self.room = _ROOM

    def _keep(self, text: str) -> None:
        kept, size = self.kept, len(text)
        if kept is None or size > _ROOM:
            return
        if size > self.room:
            self.forget_texts()
        kept[size, text[size // 2 : size // 2 + SAMPLE]] = text
        self.room -= size

    def _searched(self, text: str, depth: int) -> tuple[str, int]:
        try:
            findings = search(text, partial(self._holds_secret, depth))
        except TooMuchError:
            return _MARK, 1
        cleaned, count = _replaced(text, findings) if findings else text, len(findings)
        for custom in self._custom:
            cleaned, matches = custom.subn("[redacted:custom]", cleaned)
            count += matches
        if count and text[:1] in ("{", "[", '"') and not is_json(cleaned) and is_json(text):
            # A match ran over an escape. Rare enough to take the JSON apart and put it together again.
            return self._inside(text, depth)
        return cleaned, count

    def pieces(self, pieces: Sequence[str]) -> tuple[list[str], int]:
        """The pieces that a text came in, without the secrets that it shows when they are put together."""
        text = "".join(pieces)
        try:
            findings = search(text, partial(self._holds_secret, 0))
        except TooMuchError:
            return [_MARK, *[""] * (len(pieces) - 1)], 1
        if any(custom.search(_replaced(text, findings)) for custom in self._custom):
            cleaned, count = self.text(text)
            return [cleaned, *[""] * (len(pieces) - 1)], count
        if not findings:
            return list(pieces), 0
        return _split(pieces, findings), len(findings)

    def _name(self, name: str) -> tuple[str, str]:
        """A name without secrets, and the kind of value that it announces."""
        known = self._names.get(name)
        if known is None:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
                self.settled = dict.fromkeys(OURS, True)
            cleaned, count = self.text(name)
            known = self._names[name] = (cleaned if count else name, kind_of_name(name))
            if known == (name, "") and name.isascii():
                self.settled[name] = False
        return known

    def _value(self, value: Any, name: str, kind: str) -> tuple[Any, int]:
        if type(value) is str:
            if kind and self._is_whole_secret(value, name, kind):
                return _MARK, 1
            return self._word(value)
        if kind in STRONG and type(value) in (int, float):
            return _MARK, 1
        if isinstance(value, tuple | list) and any(type(item) is str for item in value):
            if kind and any(type(item) is str and self._is_whole_secret(item, name, kind) for item in value):
                return (_MARK,), 1
            if any("-----BEGIN" in item for item in value if type(item) is str):
                lines, count = self.pieces([f"{item}\n" for item in value])
                return tuple(line.removesuffix("\n") for line in lines), count
            pairs = [self._word(item) if type(item) is str else (item, 0) for item in value]
            return tuple(item for item, _ in pairs), sum(count for _, count in pairs)
        return value, 0

    def _word(self, text: str) -> tuple[str, int]:
        """As :meth:`text`; a short one that holds nothing is known from then on."""
        cleaned, count = self.text(text)
        if not count and len(text) <= SHORT:
            if len(self.clean) >= _MOST_NAMES:
                self.clean.clear()
            self.clean.add(text)
        return cleaned, count

    def _is_whole_secret(self, value: str, name: str, kind: str) -> bool:
        if not value or value.startswith("[redacted"):
            return False
        if kind in _WHOLE:
            return True
        return is_quoted_secret(value, name, kind) or is_word_secret(value, name, kind)

    def _holds_secret(self, depth: int, text: str) -> bool:
        """Whether a text that another one holds in an encoded form has a secret in it."""
        return depth < _DEEPEST and self.text(text, depth + 1)[1] > 0

    def _inside(self, text: str, depth: int) -> tuple[str, int]:
        total = 0

        def clean(value: Any, name: str = "") -> Any:
            nonlocal total
            if isinstance(value, list):
                return [clean(item, name) for item in value]
            if isinstance(value, dict):
                return {clean(key): clean(item, key) for key, item in value.items()}
            if value is None or isinstance(value, bool):
                return value
            kind = kind_of_name(name) if name else ""
            shown = value if isinstance(value, str) else str(value)
            if kind in STRONG and shown and not stands_for_another(shown, name):
                total += 1
                return _MARK
            if isinstance(value, str):
                value, count = self.text(value, depth)
                total += count
            return value

        return json.dumps(clean(json.loads(text)), ensure_ascii=False), total


def _replaced(text: str, findings: Sequence[Finding]) -> str:
    if not findings:
        return text
    parts: list[str] = []
    position = 0
    for finding in findings:
        parts += text[position : finding.start], f"{finding.quote}[redacted:{finding.label}]{finding.quote}"
        position = finding.end
    return "".join((*parts, text[position:]))


def _split(pieces: Sequence[str], findings: Sequence[Finding]) -> list[str]:
    """Each piece without its part of the findings; the mark stands where the finding begins."""
    cleaned: list[str] = []
    offset = 0
    waiting = list(findings)
    for piece in pieces:
        end = offset + len(piece)
        kept: list[str] = []
        position = offset
        while waiting and waiting[0].start < end:
            finding = waiting[0]
            if finding.start >= offset:
                kept += (
                    piece[position - offset : finding.start - offset],
                    f"{finding.quote}[redacted:{finding.label}]{finding.quote}",
                )
            position = min(finding.end, end)
            if finding.end > end:
                break
            waiting.pop(0)
        kept.append(piece[position - offset :])
        cleaned.append("".join(kept))
        offset = end
    return cleaned
