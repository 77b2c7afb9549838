"""Which fields a line of a span has, and whether each of them surely has a value of its type."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Final

from agentops_sdk.traces.classify import OUTCOMES

__all__ = ["DEFAULTS", "ENDINGS", "RARE", "USUAL", "has_rare", "is_scope", "own_fields", "shared_fields"]


def is_scope(scope: Any, scopes: list[dict[str, Any]]) -> bool:
    if not _has(scope, _SCOPE):
        return False
    scopes.insert(0, scope)
    del scopes[8:]
    return True


def has_rare(raw: dict[str, Any]) -> bool:
    events, links = raw.get("events", _NONE), raw.get("links", _NONE)
    return (
        (type(events) is list and all(_has(event, _EVENT) for event in events))
        and (type(links) is list and all(_has(link, _LINK) for link in links))
        and ("dropped" not in raw or _has(raw["dropped"], _DROPPED))
        and _has(raw, _OTHERS)
        and raw.get("process") is None
        and raw.get("open_below", _NONE) == _NONE
    )


def _has(item: Any, fields: tuple[tuple[str, Any, tuple[type, ...]], ...]) -> bool:
    """Whether an object's fields have the types they should, where they are there."""
    if type(item) is not dict:
        return False
    return all(type(item.get(name, default)) in kinds for name, default, kinds in fields)


_EMPTY: Final[dict[str, Any]] = {}
_OWN: Final = ("trace_id", "span_id", "parent_id", "name", "start_ns", "end_ns", "attributes", "resource", "scope")
_SHARED: Final[dict[str, Any]] = {
    "v": 1, "kind": "span", "span_kind": "INTERNAL", "status": "unset", "outcome": "ok", "flags": 1,
}  # fmt: skip
own_fields: Final = itemgetter(*_OWN)
shared_fields: Final = itemgetter(*_SHARED)
USUAL: Final = len(_OWN) + len(_SHARED)
DEFAULTS: Final[dict[str, Any]] = {
    **dict.fromkeys(_OWN), "attributes": _EMPTY, "resource": _EMPTY, "scope": _EMPTY, **_SHARED,
}  # fmt: skip
_NONE: Final[list[Any]] = []
ENDINGS: Final = frozenset(OUTCOMES) - {"running"}
_WORD: Final = (str, type(None))
_OTHERS: Final = (("status_message", None, _WORD), ("trace_state", "", (str,)), ("resource_schema_url", None, _WORD))
RARE: Final = frozenset(
    ("events", "links", "dropped", "status_message", "trace_state", "resource_schema_url", "process", "open_below")
)
_SCOPE: Final = (
    ("name", "", (str,)),
    ("version", None, _WORD),
    ("schema_url", None, _WORD),
    ("attributes", _EMPTY, (dict,)),
)
_EVENT: Final = (
    ("name", None, (str,)),
    ("time_ns", None, (int,)),
    ("attributes", _EMPTY, (dict,)),
    ("dropped", 0, (int,)),
)
_LINK: Final = (
    ("trace_id", None, (str,)), ("span_id", None, (str,)), ("trace_state", "", (str,)), ("flags", 0, (int,)),
    ("attributes", _EMPTY, (dict,)), ("dropped", 0, (int,)),
)  # fmt: skip
_DROPPED: Final = (("attributes", 0, (int,)), ("events", 0, (int,)), ("links", 0, (int,)))
