"""What may leave room 2: the content switch, the size limit, valid attribute types, and scrubbing, in that order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from agentops_sdk import semconv
from agentops_sdk._capture.content import CUT, snapshot
from agentops_sdk._capture.guard import guard
from agentops_sdk._capture.redact import Redactor
from agentops_sdk.config import Settings

CONTENT = frozenset(
    (
        semconv.INPUT_MESSAGES,
        semconv.OUTPUT_MESSAGES,
        semconv.SYSTEM_INSTRUCTIONS,
        semconv.TOOL_CALL_ARGUMENTS,
        semconv.TOOL_CALL_RESULT,
        semconv.RETRIEVAL_QUERY,
        semconv.RETRIEVAL_DOCUMENTS,
        semconv.INPUT,
        semconv.OUTPUT,
        semconv.DECISION_REASON,
        semconv.DECISION_EVIDENCE,
        semconv.DECISION_INPUTS,
        semconv.DECISION_REJECTED,
        semconv.HANDOFF_REASON,
        semconv.EVALUATION_EXPLANATION,
        semconv.INTERRUPTS,
        semconv.GRAPH_CHANGES,
    )
)
"""Attributes that hold what people or models wrote; left out when ``capture_content`` is off."""

_INT64 = range(-(2**63), 2**63)
_WITHHELD = "[redaction failed]"


class Policy:
    """Applies the settings on content to attributes; runs on the consumer thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._redactor = Redactor(patterns=settings.redact_patterns) if settings.redact else None
        self.redactions = 0

    def apply(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Attributes as they may be written: a new dict, OpenTelemetry's value types only."""
        settings = self.settings
        kept: dict[str, Any] = {}
        cut: list[str] = []
        for name, value in attributes.items():
            if value is None or (name in CONTENT and not settings.capture_content):
                continue
            value = _valid(value)
            if type(value) is str and len(value) * 4 > settings.max_value_bytes:
                short = _clip(value, settings.max_value_bytes)
                if short is not value:
                    cut.append(name)
                value = short
            if name in CONTENT and type(value) is str and CUT in value:
                cut.append(name)  # by the snapshot
            kept[str(name)] = value
        if cut:
            kept[semconv.TRUNCATED] = sorted(set(cut))
        return self._scrubbed(kept)

    def text(self, value: str | None) -> str | None:
        """One text (a status message), limited and scrubbed."""
        if value is None:
            return None
        return str(self._scrubbed({"": _clip(value, self.settings.max_value_bytes)})[""])

    def _scrubbed(self, attributes: dict[str, Any]) -> dict[str, Any]:
        if self._redactor is None:
            return attributes
        scrubbed = False
        with guard("policy.redact"):
            self.redactions += self._redactor.redact(attributes)
            scrubbed = True
        if scrubbed:
            return attributes
        # Failing open would write an unscrubbed secret.
        return {name: value if type(value) in (bool, int, float) else _WITHHELD for name, value in attributes.items()}


def _valid(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is bool or kind is float:
        return value
    if kind is int:
        return value if value in _INT64 else str(value)
    if kind in (list, tuple) and value:
        first = type(value[0])
        if first in (str, bool, int, float) and all(type(item) is first for item in value):
            return list(value)
    if kind in (list, tuple) and not value:
        return []
    return snapshot(value).decode()


def _clip(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` bytes of UTF-8; JSON stays JSON."""
    if len(text) <= limit and len(raw := text.encode("utf-8", "replace")) <= limit:
        return text if raw.isascii() or b"\xef\xbf\xbd" not in raw else raw.decode()
    if text[:1] in "[{":
        try:
            return _clip_json(orjson.loads(text), limit)
        except ValueError:
            pass  # looked like JSON, is not
    note_text = "…[truncated]"
    return text.encode("utf-8", "replace")[: limit - len(note_text.encode())].decode("utf-8", "ignore") + note_text


def _clip_json(value: Any, limit: int) -> str:
    """The document with its strings cut ever shorter, then its lists, until it fits."""
    longest = limit // 2
    while longest >= 16:
        text = orjson.dumps(_shortened(value, longest, items=longest)).decode()
        if len(text.encode()) <= limit:
            return text
        longest //= 4
    return orjson.dumps("…[truncated]").decode()


def _shortened(value: Any, longest: int, items: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= longest else value[:longest] + "…[truncated]"
    if isinstance(value, list):
        if len(value) > items:  # the first and the last tell most: of a chat, the task and the newest turns
            value = value[: items // 2] + value[-(items - items // 2) :]
        return [_shortened(item, longest, items) for item in value]
    if isinstance(value, dict):
        return {name: _shortened(item, longest, items) for name, item in value.items()}
    return value
