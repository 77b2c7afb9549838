"""What may leave room 2: the content switch, the size limit, valid attribute types, and scrubbing, in that order.

Long: one gate, and each rule that anything passes in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

import orjson

from agentops_sdk import semconv
from agentops_sdk._host.guard import guard
from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._scrub.redact import SAMPLE, SHORT, Redactor
from agentops_sdk._scrub.yielded_pieces import has_pieces, scrub_together
from agentops_sdk._snapshot.json_text import json_text
from agentops_sdk._snapshot.snapshot import Limits, snapshot, text_of
from agentops_sdk._snapshot.text import CUT, CutText, clip, encodable
from agentops_sdk._snapshot.walker import number_form
from agentops_sdk.config import Settings
from agentops_sdk.content_rules import ContentRule, captures, parse

if TYPE_CHECKING:
    from agentops_sdk._scrub.personal_data import PersonalData

_INT64 = range(-(2**63), 2**63)
_LISTS = (list, tuple)
_JSON = (dict, list)
_FIGURES = (bool, float)
_FEW = 8  # words of one value: why a reply ended, which tools were called
_SURROGATES = lazy_pattern("[\ud800-\udfff]")
_WITHHELD = "[redaction failed]"


class Policy:
    """Applies the settings on content to attributes; runs on the consumer thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._limits = Limits(bytes=settings.max_value_bytes)
        self._redactor = Redactor(patterns=settings.redact_patterns) if settings.redact else None
        self.personal_data = _personal_data(settings)
        self._rules = _content_rules(settings)
        self.holds_event_content = settings.event_content and not settings.capture_content
        """Whether content stands on events alone."""
        self.redactions = 0
        self._known: AbstractSet[str] = frozenset()
        """Short texts in which nothing is to be looked for any more."""
        if self._redactor is not None and self.personal_data is None:
            self._known = self._redactor.clean

    @property
    def withheld(self) -> dict[str, int]:
        """How often texts were withheld because a function for personal data failed, by the reason."""
        return dict(self.personal_data.failures) if self.personal_data is not None else {}

    @cached_property
    def withholding(self) -> Policy:
        """The same where nobody can wait for functions of others: what they should look at is left out."""
        if self.personal_data is None or not self.personal_data.functions:
            return self
        policy = Policy(self.settings)
        policy.personal_data = _personal_data(self.settings, withholds=True)
        return policy

    def captures(self, attributes: Mapping[str, Any], trace_id: int) -> bool:
        """Whether content is recorded of the span that has these attributes, and of its events."""
        content = self.settings.records_content
        return content and (not self._rules or captures(self._rules, attributes, trace_id))

    def event_content(self, attributes: dict[str, Any], events: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        """Content that stands on events alone: taken off a span's attributes, and off those of its own events."""
        if not self.holds_event_content:
            return {}
        aside = {name: attributes.pop(name) for name in semconv.CONTENT.intersection(attributes)}
        explained = [fields for fields in events if semconv.EVALUATION_EXPLANATION in fields]
        if len(explained) == 1:  # of several it would not be known whose it is
            aside[semconv.EVALUATION_EXPLANATION] = explained[0][semconv.EVALUATION_EXPLANATION]
        for fields in events:
            for name in semconv.CONTENT.intersection(fields):
                del fields[name]
        return aside

    def apply(self, attributes: Mapping[str, Any], content: bool | None = None) -> dict[str, Any]:
        """Attributes as they may be written: a new dict, OpenTelemetry's value types only.

        Args:
            attributes: of a span, an event, a link or the resource.
            content: whether content is recorded; as the settings say where it is not told.
        """
        content = self.settings.capture_content if content is None else content
        most = self._limits.bytes
        kept: dict[str, Any] = {}
        cut: list[str] = []
        altered: list[str] = []
        left: dict[str, None] = {}
        """The names of what is to be searched."""
        redactor, settled, clean = self._searches(attributes)
        for name, value in attributes.items():
            if type(name) is str and name in settled and (content or name not in semconv.CONTENT):
                kind = type(value)
                if (  # most values are figures, short, or were searched before
                    (size := len(value)) <= most
                    and value.isascii()
                    and ((value in clean or settled[name]) if size <= SHORT else redactor.was_searched(value))
                    if kind is str
                    else kind in _FIGURES or (kind is int and value in _INT64)
                ):
                    kept[name] = value
                    continue
                if (
                    kind is list
                    and len(value) <= _FEW
                    and name not in semconv.STRUCTURED
                    and _are_known(value, clean, most)
                ):
                    kept[name] = value.copy()
                    continue
            elif type(name) is not str or not name.isascii():
                name = encodable(name) if type(name) is str else str.__str__(text_of(name))
            if value is not None and (content or name not in semconv.CONTENT):
                kept[name] = self._fit(name, value, cut, altered)
                left[name] = None
        for marked, names in ((semconv.TRUNCATED, cut), (semconv.ALTERED, altered)):
            if names:
                kept[marked] = _names(kept.get(marked), names)
                left[marked] = None
        return self._scrubbed(kept, left) if left or not settled else kept

    def _fit(self, name: str, value: Any, cut: list[str], altered: list[str]) -> Any:
        """``value`` as one of OpenTelemetry's types, as long as it may be; lists are told what was done to it."""
        kind = type(value)
        if kind in _JSON and name in semconv.STRUCTURED:
            value = _encoded(value)
            kind = type(value)
        if (len(value) <= self._limits.bytes and value.isascii()) if kind is str else kind in _FIGURES:
            return value
        if kind is not str:
            if _has_large_int(value):
                altered.append(name)
            value = self._valid(value)
        if isinstance(value, str):
            value = _clip(value, self._limits.bytes)
            if type(value) is CutText:
                cut.append(name)
                value = str.__str__(value)
        return value

    def _searches(self, attributes: Mapping[str, Any]) -> tuple[Any, Mapping[str, bool], AbstractSet[str]]:
        """What looks for secrets, and which names and texts it need not look at any more."""
        redactor = self._redactor
        if redactor is None or self.personal_data is not None or has_pieces(attributes):
            return redactor, {}, frozenset()
        return redactor, redactor.settled, redactor.clean

    def keep_texts(self, *, on: bool, more: bool = True) -> None:
        """Whether texts are compared with those that were searched before, and kept: while a slice of spans is.

        Once there are no ``more`` slices none of them stays: it is a user's.
        """
        if (redactor := self._redactor) is not None:
            redactor.kept = redactor.texts if on else None
            if not more and redactor.texts:
                redactor.forget_texts()

    @property
    def leaves_alone(self) -> bool:
        """Whether a span that holds nothing to be taken out may leave as it is, by :meth:`lets_pass`."""
        looks = self._redactor is not None and self.personal_data is None
        return looks and self.settings.capture_content and not self._rules

    def announces_nothing(self, name: str) -> bool:
        """Whether an attribute's name holds no secret, and does not say that its value is one."""
        return self._redactor is not None and self._redactor.announces_nothing(name)

    def lets_pass(self, attributes: Mapping[str, Any], names: Iterable[str]) -> bool:
        """Whether these attributes' values may leave as they are: texts that fit, in ASCII, without a secret; figures.

        For names that announce nothing, where the policy leaves alone. What does not pass has lost nothing.
        """
        most, known = self._limits.bytes, self._known
        redactor: Any = self._redactor
        kept = redactor.kept or {}
        for name in names:
            value = attributes[name]
            kind = type(value)
            if kind is not str:
                if kind is bool or (value in _INT64 if kind is int else kind is float and isfinite(value)):
                    continue
                return False
            size = len(value)
            if size > most or not value.isascii():
                return False
            if (
                value in known
                if size <= SHORT
                else kept.get((size, value[(half := size // 2) : half + SAMPLE])) == value
            ):
                continue  # most values were searched before
            passes = False
            with guard("policy.redact"):
                passes = redactor.holds_nothing(value)
            if not passes:
                return False
        return True

    def text(self, value: str | None) -> str | None:
        """One text (a status message), limited and scrubbed."""
        if value is None or (  # short, plain, and known to hold nothing: names of spans come again and again
            value in self._known and value.isascii() and len(value) <= self._limits.bytes
        ):
            return value
        return str(self._scrubbed({"": str.__str__(_clip(value, self._limits.bytes))})[""])

    def name(self, value: str) -> str:
        """The name of an event: scrubbed as well, but nothing for functions that look for personal data in texts."""
        shown = str.__str__(_clip(value, self._limits.bytes))
        with guard("policy.name"):
            if self._redactor is not None:
                shown, _ = self._redactor.text(shown)
            return self.personal_data.name(shown)[0] if self.personal_data is not None else shown
        return _WITHHELD

    def _scrubbed(self, attributes: dict[str, Any], left: Iterable[str] | None = None) -> dict[str, Any]:
        """Without secrets, and without personal data; ``left``: where no secrets are known not to be."""
        if self._redactor is None and self.personal_data is None:
            return attributes
        scrubbed = False
        with guard("policy.redact"):
            if self._redactor is not None:
                if has_pieces(attributes):
                    self.redactions += scrub_together(attributes, self._redactor.text)
                self.redactions += self._redactor.redact(attributes, left)
            if self.personal_data is not None:
                self.redactions += self.personal_data.scrub(attributes)
            scrubbed = True
        if scrubbed:
            return attributes
        # Failing open would write an unscrubbed secret.
        return {name: value if type(value) in (bool, int, float) else _WITHHELD for name, value in attributes.items()}

    def _valid(self, value: Any) -> Any:
        """``value``, neither a text nor a float nor a truth value, as one of OpenTelemetry's types."""
        kind = type(value)
        if kind is int:
            return value if value in _INT64 else str(number_form(value))
        if kind in _LISTS:
            first = type(value[0]) if value else str
            if first in (str, bool, int, float) and all(type(item) is first for item in value):
                room = self._limits.bytes
                if first is str:
                    if sum(map(len, value)) * 4 <= room:
                        return [encodable(item) for item in value]
                elif len(value) * 8 <= room and (first is not int or all(item in _INT64 for item in value)):
                    return list(value)
                if first is str and sum(len(encodable(item).encode()) for item in value) <= room:
                    return [encodable(item) for item in value]
        if kind is CutText:
            return value
        return snapshot(value, limits=self._limits).decode()


def _content_rules(settings: Settings) -> list[ContentRule]:
    return [parse(rule) for rule in settings.content_rules]


def _personal_data(settings: Settings, *, withholds: bool = False) -> PersonalData | None:
    if not settings.pii and not settings.hash_user_id:
        return None
    from agentops_sdk._scrub.personal_data import PersonalData

    return PersonalData(settings, withholds=withholds)


def _encoded(value: Any) -> Any:
    """A structure's JSON text, or the structure where it is not of plain values only."""
    try:
        return json_text(value)
    except TypeError:
        return value


def _has_large_int(value: Any) -> bool:
    """Whether it is, or directly holds, a number that OTLP has no room for."""
    return any(type(item) is int and item not in _INT64 for item in (value if type(value) in _LISTS else (value,)))


def _are_known(words: list[Any], clean: AbstractSet[str], most: int) -> bool:
    """Whether they are short texts in ASCII that were searched before, and fit."""
    known = [type(word) is str and word in clean and word.isascii() for word in words]
    return all(known) and sum(map(len, words)) <= most


def _names(known: Any, more: list[str]) -> list[str]:
    return sorted({*(known if type(known) in _LISTS else ()), *more})


def _clip(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` bytes of UTF-8; JSON stays JSON."""
    if text[:1] in ("[", "{", '"') and not text.isascii():
        text = _SURROGATES.sub(_escaped, text) if type(text) is str else text
    if text[:1] in ("[", "{") and len(text) * 4 > limit and len(text.encode("utf-8", "replace")) > limit:
        try:
            return _clip_json(orjson.loads(str.__str__(text)), limit)
        except ValueError:
            pass  # looked like JSON, is not
    return clip(text, limit)


def _escaped(surrogate: re.Match[str]) -> str:
    """A text in JSON is escaped twice, so that whoever reads it gets what other texts have."""
    return f"\\\\u{ord(surrogate[0]):04x}"


def _clip_json(value: Any, limit: int) -> CutText:
    """The document with its strings cut ever shorter, then its lists, until it fits."""
    longest = limit // 2
    while longest >= 16:
        text = orjson.dumps(_shortened(value, longest, items=longest)).decode()
        if len(text.encode()) <= limit:
            return CutText(text)
        longest //= 4
    left_out: Any = CUT + "more than fits]"
    if isinstance(value, list) and value:
        left_out = [_in_place_of(value[0], left_out)]
    return CutText(orjson.dumps(left_out).decode())


def _shortened(value: Any, longest: int, items: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= longest else f"{value[:longest]}{CUT}{len(value) - longest} chars]"
    if isinstance(value, list):
        if len(value) <= items:
            return [_shortened(item, longest, items) for item in value]
        # The first and the last tell most: of a chat, the task and the newest turns.
        first, last = value[: items // 2], value[-(items - items // 2) :]
        left_out = _in_place_of(value[items // 2], f"{CUT}{len(value) - items} items]")
        return [*(_shortened(item, longest, items) for item in first), left_out,
                *(_shortened(item, longest, items) for item in last)]  # fmt: skip
    if isinstance(value, dict):
        return {name: _shortened(item, longest, items) for name, item in value.items()}
    return value


def _in_place_of(item: Any, words: str) -> Any:
    """What says that items of a list are left out, in the form that the conventions' schemas give such an item."""
    if not isinstance(item, dict):
        return words
    if "parts" in item:
        return {"role": str(item.get("role", "user")), "parts": [{"type": "text", "content": words}]}
    if item.get("type") == "function":
        return {"type": "function", "name": words}
    if "type" in item:
        return {"type": "text", "content": words}
    if "content" in item and "role" not in item:  # documents, records of a memory
        return {"content": words}
    return words
