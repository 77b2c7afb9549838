"""Replaces personal data in attributes, as the setting ``pii`` asks: by kinds with checked digits, and by functions.

Structure stays: texts are looked at, in JSON the strings of it, and whole numbers that the user has given. What
the conventions give words and ids of their own is left alone. Functions, the user's or Presidio's, run on a thread of
their own within a time; where one fails, the text is withheld. Long because all forms of a value, from a number to JSON
within JSON, are walked in one place.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import pii_rules, semconv
from agentops_sdk._host.guard import UserFunction
from agentops_sdk._scrub.bounded_call import BoundedCall, Failure
from agentops_sdk._scrub.yielded_pieces import scrub_together
from agentops_sdk._snapshot.json_text import is_json
from agentops_sdk.config import log_once
from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from agentops_sdk.config import Settings

__all__ = ["WITHHELD", "PersonalData", "pseudonym"]

WITHHELD: Final = "[withheld:pii]"

_STRUCTURE: Final = frozenset((
    semconv.KIND, semconv.OUTCOME, semconv.OPERATION_NAME, semconv.TOOL_TYPE, semconv.PROVIDER_NAME,
    semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL, semconv.RESPONSE_ID, semconv.REQUEST_PREVIOUS_RESPONSE_ID,
    semconv.TOOL_CALL_ID, semconv.RESPONSE_FINISH_REASONS, semconv.RESPONSE_STATUS, semconv.OUTPUT_TYPE,
    semconv.SERVER_ADDRESS, semconv.ERROR_TYPE, semconv.EXCEPTION_TYPE, semconv.PROMPT_FINGERPRINT,
    semconv.FEEDBACK_TRACE_ID, semconv.FEEDBACK_SPAN_ID, semconv.GRAPH_CHECKPOINT_ID, semconv.GRAPH_RESUMED_FROM,
    semconv.LINK_TYPE, semconv.REQUEST_ID, semconv.TRUNCATED, semconv.ALTERED, semconv.INVALID, semconv.FRAMEWORK,
    semconv.HTTP_REQUEST_METHOD, semconv.OPENAI_SYSTEM_FINGERPRINT, semconv.DECISION_BY, semconv.COST_CURRENCY,
    semconv.COST_SOURCE, semconv.COST_VERSION, semconv.USAGE_SOURCE, semconv.JSONRPC_REQUEST_ID, semconv.PROCESS_PID,
))  # fmt: skip
"""Attributes whose values are words and ids of the conventions, of vendors or ours."""
_FIGURES: Final = ("gen_ai.", "agentops.")
"""How names begin whose numbers are ours or the conventions': tokens, times, costs. They are never looked at."""
_OF_USERS: Final = (semconv.METADATA_PREFIX, semconv.PROMPT_VARIABLE_PREFIX)
_FEWEST_DIGITS: Final = 1_000_000
_NAMES: Final = frozenset((
    semconv.AGENT_NAME, semconv.AGENT_ID, semconv.TOOL_NAME, semconv.WORKFLOW_NAME, semconv.SERVICE_NAME,
    semconv.DATA_SOURCE_ID, semconv.GUARDRAIL_NAME, semconv.DECISION_NAME,
))  # fmt: skip
"""What tells spans apart; kept where texts are withheld."""
_SENT: Final = frozenset((semconv.SESSION_ID, semconv.USER_ID, semconv.CONVERSATION_ID, semconv.AGENT_NAME,
                          semconv.AGENT_ID))  # fmt: skip
_OWN_KEY: Final = secrets.token_bytes(32)
_USERS: Final = frozenset((semconv.USER_ID, "enduser.id", "user.hash", "langfuse.user.id"))
_SCALAR: Final = re.compile(r'"((?:[^"\\]++|\\.)*+)"(\s*:)?|(?<![\w.])-?\d{7,}(?:\.0)?(?![\w.])', re.DOTALL)
"""A string of JSON, and whether it is a name; or a whole number that could be somebody's."""
_DIGIT: Final = re.compile("[0-9]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_AT: Final = re.compile(r"@|%40|[\[(]at[\])]")
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\-.]+")
_PSEUDONYM: Final = re.compile(r"\[user:[0-9a-f]{16}\]")
_BLOT: Final = "\0"
_DEEPEST: Final = 4
_NEAR: Final = 48
_SHORT: Final = 64
_MOST_CLEAN: Final = 4_096


def pseudonym(key: bytes, kind: str, text: str) -> str:
    """What takes the place of ``text``: the same for the same text and key, and of no use to who lacks the key."""
    plain = text.strip().casefold()
    plain = plain if kind in ("user", "email") else re.sub(r"[\s().\-/:]+", "", plain)
    return f"[{kind}:{hmac.new(key, plain.encode('utf-8', 'surrogatepass'), hashlib.sha256).hexdigest()[:16]}]"


class PersonalData:
    """Finds and replaces personal data by one set of settings.

    Args:
        settings: what is looked for.
        withholds: functions are not asked: all free text is withheld in their place.
    """

    def __init__(self, settings: Settings, *, withholds: bool = False) -> None:
        self.modes: dict[str, str] = {}
        self.functions: list[Callable[[str], str]] = []
        for entry in settings.pii:
            if isinstance(entry, str) and not entry.startswith(pii_rules.PRESIDIO):
                kind, mode = pii_rules.parts(entry)
                self.modes[kind] = mode
            else:
                from agentops_sdk._scrub.presidio import function_of

                default = pii_rules.parts(entry)[1] if isinstance(entry, str) else pii_rules.MODES[0]
                self.functions.append(function_of(entry, partial(self.replacement, default=default)))
        self._rules = [
            (rule, pii_rules.compiled(rule), pii_rules.near(rule))
            for rule in pii_rules.RULES
            if rule.name in self.modes
        ]
        self._letters = any(rule.letters for rule, _, _ in self._rules)
        self._hashes_users = settings.hash_user_id
        self._source = settings.pii_key
        self._key: bytes | None = None
        self._withholds = withholds and bool(self.functions)
        self._bounded = BoundedCall(settings.pii_timeout) if self.functions else None
        self._clean: set[str] = set()
        self._asks = threading.local()
        self.failures: dict[str, int] = {}
        """Why texts were withheld, counted."""

    def scrub(self, attributes: MutableMapping[str, Any]) -> int:
        """Replace what is found in place; the number of replacements."""
        if self._bounded is None:
            return self._scrub(attributes)
        if not self._withholds:
            copied = dict(attributes)
            try:
                count: int = self._bounded.run(lambda: self._scrub(copied))
            except Failure as failure:
                reason = str(failure)
                self.failures[reason] = self.failures.get(reason, 0) + 1
                if failure.function is not None:
                    log_once(f"{failure.function} raised {reason}: the text is withheld. Others are counted.")
            else:
                attributes.clear()
                attributes.update(copied)
                return count
        return self._withhold(attributes)

    def baggage(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """What may be sent along with a request: on the caller's thread, so no function is asked."""
        sent = dict(attributes)
        if self.functions:  # whatever they would find in free texts
            sent = {name: value for name, value in sent.items() if name in _SENT}
        self._scrub(sent, by_functions=False)
        return sent

    def name(self, text: str) -> tuple[str, int]:
        """The same for what is structure: patterns look at it, and no function."""
        return self._find(text, "")

    # --- attributes ------------------------------------------------------------------------------

    def _scrub(self, attributes: MutableMapping[str, Any], *, by_functions: bool = True) -> int:
        self._asks.functions = self.functions if by_functions else []
        total = 0
        if semconv.STREAM_CHUNKS in attributes:
            total = scrub_together(attributes, lambda text: self._text(text, "", 1))
        for name, value in list(attributes.items()):
            if name in _STRUCTURE:
                continue
            if name in _USERS and self._hashes_users:
                if value is not None and not (isinstance(value, str) and _PSEUDONYM.fullmatch(value)):
                    attributes[name] = pseudonym(self.key, "user", value if isinstance(value, str) else str(value))
                    total += 1
                continue
            shown, renamed = self._find(name, "")
            if renamed:
                del attributes[name]
                attributes[shown] = value
                total += 1
            cleaned: Any
            before = f"{_spaced(name.rpartition('.')[2])}: "
            if isinstance(value, str):
                cleaned, count = self._text(value, before, 0)
            elif _is_of_users(name, value):
                cleaned, count = self._numbers(value, before)
            elif isinstance(value, list | tuple) and any(isinstance(item, str) for item in value):
                pairs = [self._text(item, "", 0) if isinstance(item, str) else (item, 0) for item in value]
                cleaned, count = [item for item, _ in pairs], sum(count for _, count in pairs)
            else:
                continue
            if count:
                attributes[shown] = cleaned
                total += count
        return total

    def _text(self, text: str, before: str, depth: int) -> tuple[str, int]:
        """``text``, in JSON its strings one by one; ``before`` is what stands in front of it."""
        if text in self._clean and not before.strip(": "):
            return text, 0
        if depth < _DEEPEST and text[:1] in ("{", "[", '"') and is_json(text):
            return self._json(text, depth + 1)
        cleaned, count = self._leaf(text, before)
        if not count and len(text) <= _SHORT:
            if len(self._clean) >= _MOST_CLEAN:
                self._clean.clear()
            self._clean.add(text)
        return cleaned, count

    def _json(self, text: str, depth: int) -> tuple[str, int]:
        """Each string of it by itself; all else stays as it is, byte for byte."""
        total = 0
        key = ""

        def replace(match: re.Match[str]) -> str:
            nonlocal total, key
            token = match[0]
            if match[1] is None:
                found, count = self._number(token, key)
                total += count
                return json.dumps(found) if count else token
            inner: str = json.loads(f'"{match[1]}"', strict=False) if "\\" in token else match[1]
            if match[2]:  # a name is structure: patterns look at it, and no function
                cleaned, count = self._find(inner, "")
                key = f"{_spaced(inner)}: "
            else:
                cleaned, count = self._text(inner, key, depth)
            total += count
            if not count:
                return token
            return json.dumps(cleaned, ensure_ascii=_SURROGATE.search(cleaned) is not None) + (match[2] or "")

        return _SCALAR.sub(replace, text), total

    def _numbers(self, value: Any, before: str) -> tuple[Any, int]:
        """A number, or several: those of one attribute are of one type, so where one goes all become texts."""
        if not isinstance(value, list | tuple):
            return self._number(str(value), before)
        pairs = [self._number(str(item), before) for item in value]
        return [text for text, _ in pairs], sum(count for _, count in pairs)

    def _number(self, digits: str, before: str) -> tuple[str, int]:
        """A whole number: a card by its own digits, anything else where the words before it say what it is."""
        digits = digits.removesuffix(".0")  # as tables give numbers back in which one is missing
        found, count = self._find(digits, before) if before else (digits, 0)
        if count == 0 and "card" in self.modes:
            found, count = self._find(digits, "", only="card")
        return found, count

    def _leaf(self, text: str, before: str) -> tuple[str, int]:
        cleaned, count = self._find(text, before)
        for function in self._asks.functions:
            with UserFunction("pii"):
                after = function(cleaned)
            if not isinstance(after, str):
                raise TypeError("a function for pii returns a text")
            count += after != cleaned
            cleaned = after
        return cleaned, count

    # --- one text --------------------------------------------------------------------------------

    def _find(self, text: str, before: str, only: str = "") -> tuple[str, int]:
        digits = _DIGIT.search(text) is not None
        if len(text) < 6 or not (digits or self._letters):
            return text, 0
        findings: list[tuple[int, int, str]] = []
        rest = text  # with blots where something was found: what stands beside it is no part of it
        for rule, pattern, near in self._rules:
            if (only and rule.name != only) or not (_AT.search(text) if rule.letters else digits):
                continue
            match = pattern.search(rest)
            while match is not None:
                start, end = match.start(), match.end() if rule.check is None else rule.check(match)
                position = match.end()
                if end <= start:  # a match that fails its check may hide one that begins within it
                    position = start + 1
                elif near is None or near.search(before + text[max(0, start - _NEAR) : start]):
                    findings.append((start, end, rule.name))
                    rest = f"{rest[:start]}{_BLOT * (end - start)}{rest[end:]}"
                    position = end
                match = pattern.search(rest, position)
        if not findings:
            return text, 0
        shown: list[str] = []
        position = 0
        for start, end, kind in sorted(findings):
            shown += text[position:start], self.replacement(kind, text[start:end])
            position = end
        return "".join((*shown, text[position:])), len(findings)

    def replacement(self, kind: str, text: str, default: str = "redact") -> str:
        """What takes the place of a finding."""
        mode = self.modes.get(kind, default)
        if mode == "drop":
            return ""
        if mode == "hash":
            return pseudonym(self.key, kind, text)
        if mode == "last4":
            plain = [letter for letter in text if letter.isalnum()]
            if len(plain) >= 8:
                return f"[{kind}:…{''.join(plain[-4:])}]"
        return f"[redacted:{kind}]"

    def _withhold(self, attributes: MutableMapping[str, Any]) -> int:
        """Whatever is free text goes, in place of what a function should have looked at; names are looked at by us."""
        count = self._scrub(attributes, by_functions=False)
        for name, value in attributes.items():
            texts = isinstance(value, str) or (isinstance(value, list | tuple) and any(type(i) is str for i in value))
            if texts and name not in _STRUCTURE and name not in _NAMES and not _PSEUDONYM.fullmatch(str(value)):
                attributes[name] = WITHHELD
                count += 1
        return count

    @property
    def key(self) -> bytes:
        """The key of hashes; where none is set, one of this process alone."""
        if self._key is None:
            try:
                self._key = self._source.read()
            except ConfigError:
                self._key = _OWN_KEY
                log_once(
                    f"no key for the hashes of personal data ({self._source.shown}): one of this process alone is "
                    "used, and equal texts of two processes have different hashes"
                )
        return self._key


def _is_of_users(name: str, value: Any) -> bool:
    """Whether an attribute holds numbers that the user has given, and that have enough digits to be somebody's."""
    if name.startswith(_FIGURES) and not name.startswith(_OF_USERS) and name not in semconv.CONTENT:
        return False
    items = value if isinstance(value, list | tuple) else (value,)
    return any(type(item) in (int, float) and abs(item) >= _FEWEST_DIGITS for item in items)


def _spaced(name: str) -> str:
    """A name in words: ``customerPhone_number`` as ``customer Phone number``."""
    return _WORDS.sub(" ", name)
