"""Replace secrets in attribute values: keys, tokens, passwords, and whatever the user's patterns match.

Runs on the consumer thread, before any sink sees a span. Every pattern takes linear time: runs are
bounded or possessive, and a match can start only where a run starts. Text that was valid JSON stays so.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from agentops_sdk import semconv
from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

__all__ = ["Redactor"]

_SHORTEST: Final = 8
"""No secret worth replacing fits in fewer characters together with what gives it away."""

# Not inside a word; but the n of an escaped line end, as JSON writes it, is not part of a word.
_START: Final = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt]))"


class _Rule(NamedTuple):
    label: str
    signs: tuple[str, ...]
    """The text is searched only if one of these occurs in it."""
    pattern: re.Pattern[str]
    group: int = 0
    """The part that is replaced."""


def _rule(label: str, signs: str, pattern: str, group: int = 0) -> _Rule:
    return _Rule(label, tuple(signs.split()), re.compile(pattern), group)


_RULES: Final = (
    # The body may hold escaped line ends; a quote ends it, so that JSON around it stays whole.
    _rule("private-key", "-----BEGIN", r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
          r"(?:[^-\"\\]|\\[^\"]|-(?!----))*+(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?"),
    _rule("anthropic-key", "sk-ant-", _START + r"sk-ant-[A-Za-z0-9_-]{16,}"),
    _rule("openai-key", "sk-", _START + r"sk-(?=[A-Za-z_-]{0,80}[0-9])[A-Za-z0-9_-]{20,}"),
    _rule("aws-key", "IA", r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _rule("google-key", "AIza ya29. GOCSPX-",
          r"AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[0-9A-Za-z_-]{20,}"),
    _rule("github-token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
          r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}"),
    _rule("gitlab-token", "glpat-", r"glpat-[A-Za-z0-9_-]{20,}"),
    _rule("slack-token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp- hooks.slack.com",
          r"xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/[A-Za-z0-9/]{20,}"),
    _rule("stripe-key", "k_live_ k_test_ whsec_", r"[srp]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{20,}"),
    _rule("huggingface-token", "hf_", _START + r"hf_[A-Za-z0-9]{30,}"),
    _rule("provider-key", "gsk_ xai- pplx- r8_ npm_ SG. pypi-",
          _START + r"(?:gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{40,}|pplx-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{36,}"
          r"|npm_[A-Za-z0-9]{36}|SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,}|pypi-[A-Za-z0-9_-]{50,})"),
    _rule("telegram-token", ":AA", r"(?<![A-Za-z0-9])(?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])"),
    _rule("jwt", "eyJ", _START + r"eyJ[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]*+"),
    _rule("url-password", "://", r"://[^\s/:@\"'\\<>]{0,100}:([^\s/@\"'\\<>]{1,200})@", 1),
    _rule("bearer-token", "earer EARER",
          _START + r"(?i:bearer)\s{1,3}(?=[A-Za-z._~+/=-]{0,120}[0-9])([A-Za-z0-9._~+/=-]{16,})", 1),
    _rule("basic-credentials", "asic ASIC", _START + r"(?i:basic)\s{1,3}([A-Za-z0-9+/]{8,}+={0,2})", 1),
)  # fmt: skip

# Looking for one sign takes a pass over the text. Signs that end alike share one: the text is split there,
# and the ends of its pieces are looked at.
_SHARED: Final = tuple(
    (
        end,
        tuple({sign[:-1].rpartition(end)[2] for rule in _RULES for sign in rule.signs if sign.endswith(end)}),
        tuple((sign, place) for place, rule in enumerate(_RULES) for sign in rule.signs if sign.endswith(end)),
    )
    for end in "-_"
)
_ALONE: Final = tuple(
    (sign, place) for place, rule in enumerate(_RULES) for sign in rule.signs if not sign.endswith(("-", "_"))
)

_NAMES: Final = (
    r"(?i:passw(?:or)?d|passphrase|(?<![a-z])pwd|secret(?:[_-]?(?:access[_-]?)?key)?|api[_-]?key|private[_-]?key"
    r"|(?:account|shared[_-]?access)[_-]?key"
    r"|(?:access|auth|refresh|id|session|bearer)[_-]?token|authorization)"
)
_NAME_SIGNS: Final = ("passw", "passphrase", "pwd", "secret", "authorization")
_NAME_ENDS: Final = {
    end: tuple(first + between for first in firsts for between in ("", "_", "-"))
    for end, firsts in (
        ("key", ("api", "private", "account", "access")),
        ("token", ("access", "auth", "refresh", "id", "session", "bearer")),
    )
}
_PAIR: Final = re.compile(
    _NAMES
    # name": "value", with the same quote, however deeply escaped, around both
    + r"(?:(?P<quote>\\{0,8}[\"'])\s{0,4}[:=]\s{0,4}(?:(?P=quote)(?P<member>(?:(?!(?P=quote))[^\n]){1,4096})(?P=quote)"
    r"|(?P<figure>[0-9.]{4,40})(?=[,}\s]))"
    # name = "value"
    r"|\s{0,4}[:=]\s{0,4}(?P<mark>\\{0,8}[\"'])(?P<quoted>(?:(?!(?P=mark))[^\n]){1,4096})(?P=mark)"
    # name=value
    r"|=(?P<tight>[^\s\"'\\,;&(){}\[\]<>]{4,512}+)(?![(\[{<])"
    # name: value
    r"|\s{0,4}[:=]\s{1,4}(?P<loose>(?=[^\s\"'\\,;&(){}\[\]<>]{0,60}[0-9])[^\s\"'\\,;&(){}\[\]<>]{6,512}+)"
    r"(?![(\[{<]))"
)
_PLACEHOLDER: Final = re.compile(
    r"\$|\{|<|%|/|\*+$|\.\.\.|…|\[redacted|\[REDACTED|(?i:bearer |basic |none$|null$|true$|false$)"
)
_ATTRIBUTE_NAME: Final = re.compile(r"(?:^|[._-])" + _NAMES + r"$")


# Their values are words of ours or the conventions', on every span; nobody's secret.
_OURS: Final = frozenset((semconv.KIND, semconv.OUTCOME, semconv.OPERATION_NAME, semconv.TOOL_TYPE))
_MOST_NAMES: Final = 4_096


class Redactor:
    """Finds secrets in the attributes of spans and events, and in status messages.

    Args:
        patterns: further regular expressions; each match is replaced whole by ``[redacted:custom]``.

    Raises:
        ConfigError: a pattern is not a regular expression.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._custom: list[re.Pattern[str]] = []
        self._names: dict[str, bool] = {}
        for pattern in patterns:
            try:
                self._custom.append(re.compile(pattern))
            except (re.error, TypeError):
                raise ConfigError("redact_patterns", pattern, "regular expressions") from None

    def redact(self, attributes: MutableMapping[str, Any]) -> int:
        """Replace secrets in ``attributes`` in place; the number of replacements.

        Strings and sequences of strings are searched. An attribute whose own name says that it is a
        secret (``http.request.header.authorization``) is replaced whole.
        """
        total = 0
        for name, value in list(attributes.items()):
            if name in _OURS:
                continue
            if type(value) is str:
                if self._is_secret(name) and value and not value.startswith("[redacted"):
                    attributes[name], count = "[redacted:secret]", 1
                else:
                    cleaned, count = self.text(value)
                    if count:
                        attributes[name] = cleaned
                total += count
            elif isinstance(value, tuple | list) and any(type(item) is str for item in value):
                pairs = [self.text(item) if type(item) is str else (item, 0) for item in value]
                count = sum(found for _, found in pairs)
                if not count and self._is_secret(name) and not str(value[0]).startswith("[redacted"):
                    pairs, count = [("[redacted:secret]", 1)], 1
                if count:
                    attributes[name] = tuple(item for item, _ in pairs)
                    total += count
        return total

    def _is_secret(self, name: str) -> bool:
        known = self._names.get(name)
        if known is None:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            known = self._names[name] = _ATTRIBUTE_NAME.search(name) is not None
        return known

    def text(self, text: str) -> tuple[str, int]:
        """``text`` without its secrets, and how many there were."""
        if len(text) < _SHORTEST and not self._custom:
            return text, 0
        cleaned, count = self._plain(text)
        if count and text[:1] in '{["' and not _is_json(cleaned) and _is_json(text):
            # A match ran over an escape. Rare enough to take the JSON apart and put it together again.
            return self._inside(text)
        return cleaned, count

    def _plain(self, text: str) -> tuple[str, int]:
        total = 0
        found = {place for sign, place in _ALONE if sign in text}
        for end, firsts, signs in _SHARED:
            if _joined(text, end, firsts):
                found.update(place for sign, place in signs if sign in text)
        for place in sorted(found):
            rule = _RULES[place]
            replace = _Replacement(f"[redacted:{rule.label}]", rule.group)
            text = rule.pattern.sub(replace, text)
            total += replace.count
        folded = text.lower()
        if any(sign in folded for sign in _NAME_SIGNS) or any(_joined(folded, *ends) for ends in _NAME_ENDS.items()):
            pair = _Pair()
            text = _PAIR.sub(pair, text)
            total += pair.count
        for custom in self._custom:
            text, count = custom.subn("[redacted:custom]", text)
            total += count
        return text, total

    def _inside(self, text: str) -> tuple[str, int]:
        total = 0

        def clean(value: Any, name: str = "") -> Any:
            nonlocal total
            if isinstance(value, list):
                return [clean(item) for item in value]
            if isinstance(value, dict):
                return {clean(key): clean(item, key) for key, item in value.items()}
            if value is None or isinstance(value, bool):
                return value
            if _ATTRIBUTE_NAME.search(name) and value != "":
                total += 1
                return "[redacted:secret]"
            if isinstance(value, str):
                value, count = self.text(value)
                total += count
            return value

        cleaned = orjson.dumps(clean(orjson.loads(text))).decode()
        return cleaned, total


def _joined(text: str, end: str, firsts: tuple[str, ...]) -> bool:
    """Whether ``end`` follows one of ``firsts`` anywhere in ``text``."""
    return end in text and any(piece.endswith(firsts) for piece in text.split(end)[:-1])


class _Replacement:
    """Replaces one group of each match and counts."""

    __slots__ = ("count", "group", "mark")

    def __init__(self, mark: str, group: int) -> None:
        self.mark, self.group, self.count = mark, group, 0

    def __call__(self, match: re.Match[str]) -> str:
        if self.mark == "[redacted:basic-credentials]" and not _is_credentials(match[1]):
            return match[0]
        if self.group and match[self.group].startswith("[redacted"):
            return match[0]
        self.count += 1
        if not self.group:
            return self.mark
        start, end = match.start(self.group) - match.start(), match.end(self.group) - match.start()
        return match[0][:start] + self.mark + match[0][end:]


class _Pair:
    """Replaces the value of ``name: value`` unless it is code or a placeholder."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        value = match[kind]
        whole = match[0]
        if _PLACEHOLDER.match(value) or (kind in ("tight", "loose") and _looks_like_code(value)):
            return whole
        self.count += 1
        start, end = match.start(kind) - match.start(), match.end(kind) - match.start()
        mark = f"{match['quote']}[redacted:secret]{match['quote']}" if kind == "figure" else "[redacted:secret]"
        return whole[:start] + mark + whole[end:]


def _looks_like_code(value: str) -> bool:
    """``settings.password``, ``None``, ``args.key``: a name, not a secret."""
    return "." in value and value.replace(".", "a").replace("_", "a").isidentifier()


def _is_credentials(text: str) -> bool:
    try:
        return b":" in base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
