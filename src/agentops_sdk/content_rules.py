"""For whom content is recorded: rules such as ``off agent=billing`` or ``on 10% tenant=acme-*``; the first fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from agentops_sdk import semconv
from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk.errors import ConfigError

__all__ = ["FORM", "ContentRule", "captures", "from_setting"]

FORM: Final = (
    'rules such as "off agent=billing", "on tenant=acme-*", "on 10%", "off": on or off, a share of the traces, and '
    "what a span must say (agent, tenant, user, session, model, tool, tag, or an attribute)"
)
_NAMES: Final = {
    "agent": (semconv.AGENT_NAME,),
    "tenant": (f"{semconv.METADATA_PREFIX}tenant", "tenant.id", "tenant"),
    "user": (semconv.USER_ID,),
    "session": (semconv.SESSION_ID,),
    "model": (semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL),
    "tool": (semconv.TOOL_NAME,),
    "tag": (semconv.TAGS,),
}
_RULE: Final = lazy_pattern(r"(on|off)((?:\s+[^\s=]+=\S+|\s+\d+(?:\.\d+)?%)*)", re.IGNORECASE)


class ContentRule(NamedTuple):
    """One rule, read.

    Attributes:
        captures: what it says.
        share: of the traces, from 0 to 1, told by their ids: a trace is in it whole or not at all.
        conditions: attributes, one of which must match a pattern; all of these must hold.
    """

    captures: bool
    share: float
    conditions: tuple[tuple[tuple[str, ...], str], ...]

    def fits(self, attributes: Mapping[str, Any], trace_id: int) -> bool:
        """Whether it speaks of a span."""
        if self.share < 1.0 and (trace_id >> 64) >= round(self.share * 2**64):
            return False
        return all(
            any(fnmatchcase(text, pattern) for name in names for text in _texts(attributes.get(name)))
            for names, pattern in self.conditions
        )


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]


def parse(text: str) -> ContentRule:
    """One rule from its text.

    Raises:
        ConfigError: it is none.
    """
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise ConfigError("content_rules", text, FORM)
    share, conditions = 1.0, []
    for word in match[2].split():
        name, sign, pattern = word.partition("=")
        if sign:
            conditions.append((_NAMES.get(name.lower(), (name,)), pattern))
        else:
            share = float(word.rstrip("%")) / 100
    if share > 1.0:
        raise ConfigError("content_rules", text, "a share of at most 100%")
    return ContentRule(match[1].lower() == "on", share, tuple(conditions))


def from_setting(value: Any) -> tuple[str, ...]:
    """Texts of rules, each of which can be read.

    Raises:
        ConfigError: one cannot be.
    """
    if isinstance(value, str):
        value = [part.strip() for part in re.split("[;,]", value) if part.strip()]
    if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise ConfigError("content_rules", value, FORM)
    for item in value:
        parse(item)
    return tuple(item.strip() for item in value)


def captures(rules: Sequence[ContentRule], attributes: Mapping[str, Any], trace_id: int) -> bool:
    """Whether the content of a span is recorded: as the first rule says that fits, else yes."""
    return next((rule.captures for rule in rules if rule.fits(attributes, trace_id)), True)
