"""Deltas of a stream merged into the object they build up, whatever fields a provider puts in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

# Repeated in full by some providers, sent once by others; never fragments.
_WHOLE = frozenset(("role", "id", "type", "index", "object", "format", "signature_type"))


def merge_delta(known: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Add ``delta`` to ``known`` in place: texts grow, objects merge, list entries find their index."""
    for name, value in delta.items():
        if value is None:
            known.setdefault(name, None)
            continue
        have = known.get(name)
        if have is None:
            known[name] = _fresh(value, name)
        elif isinstance(have, str) and isinstance(value, str):
            known[name] = _text(name, have, value)
        elif isinstance(have, dict) and isinstance(value, Mapping):
            merge_delta(have, value)
        elif isinstance(have, list) and isinstance(value, list):
            _merge_list(have, value, calls=name == "tool_calls")
        elif isinstance(have, str) and isinstance(value, list):
            known[name] = [{"type": "text", "text": have}, *value] if have else list(value)
        elif isinstance(have, list) and isinstance(value, str):
            if value:
                have.append({"type": "text", "text": value})
        else:
            known[name] = value


def _text(name: str, have: str, value: str) -> str:
    if name in _WHOLE:
        return have or value
    if name == "name" and have == value:
        return have
    return have + value


def _fresh(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        copy: dict[str, Any] = {}
        merge_delta(copy, value)
        return copy
    if isinstance(value, list):
        entries: list[Any] = []
        _merge_list(entries, value, calls=name == "tool_calls")
        return entries
    return value


def _merge_list(have: list[Any], entries: list[Any], *, calls: bool) -> None:
    here: list[Any] = []  # entries of one delta are different things
    for entry in entries:
        if not isinstance(entry, Mapping):
            have.append(entry)
            continue
        known = _same_call(have, here, entry) if calls else _same(have, entry)
        if known is None:
            known = _fresh(entry, "")
            have.append(known)
        else:
            merge_delta(known, entry)
        here.append(known)


def _same(have: list[Any], entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """The entry that ``entry`` continues, or ``None`` for a new one."""
    index, ident = entry.get("index"), entry.get("id")
    for known in reversed(have):
        if not isinstance(known, dict):
            continue
        if index is not None and known.get("index") == index:
            return known
        if index is None and ident and known.get("id") == ident:
            return known
    return _continued(have[-1], entry) if index is None and not ident and have else None


# --- tool calls -----------------------------------------------------------------------------------
# An index, an id and a name that come once tell calls apart. Servers leave out any of them, number every call 0, repeat
# the name with each fragment, or make up a new id for each.


def _same_call(have: list[Any], here: list[Any], entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """The tool call that ``entry`` continues, or ``None`` for a new one."""
    index, ident = entry.get("index"), entry.get("id")
    calls = [known for known in reversed(have) if isinstance(known, dict)]
    if index is not None:
        calls = [known for known in calls if known.get("index") == index]
    for known in calls:
        if ident and known.get("id") == ident:
            return known
    if not calls or _begins(calls[0], entry, beside=any(calls[0] is one for one in here)):
        return None
    return calls[0]


def _begins(known: Mapping[str, Any], entry: Mapping[str, Any], *, beside: bool) -> bool:
    """Whether ``entry`` is a call of its own and no fragment of ``known``, whose index it has or has none."""
    name, arguments = _function(entry)
    known_name, known_arguments = _function(known)
    if not name or not known_name:
        return False
    if beside:
        return True
    torn = bool(known_arguments) and not _is_whole(known_arguments)
    if entry.get("id") and known.get("id"):  # two calls, but for a fragment that goes on where one broke off
        return not (torn and name == known_name and not arguments.lstrip().startswith("{"))
    if known_arguments and not torn:
        return bool(arguments) or name != known_name
    # A name may come in fragments too; they bring neither a type nor arguments.
    return name != known_name and bool(torn or arguments or entry.get("type"))


def _function(call: Mapping[str, Any]) -> tuple[str, str]:
    """A call's name and arguments, as far as they have come."""
    for field, content in (("custom", "input"), ("function", "arguments")):
        function = call.get(field)
        if isinstance(function, Mapping):
            arguments = function.get(content)
            text = arguments if isinstance(arguments, str) else "{}" if arguments else ""
            return str(function.get("name") or ""), text
    return "", ""


def _is_whole(arguments: str) -> bool:
    if not arguments.rstrip().endswith("}"):
        return False
    try:
        return isinstance(orjson.loads(arguments), dict)
    except orjson.JSONDecodeError:
        return False


def _continued(last: Any, entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """Blocks of text in a list, as Mistral streams them: one more piece of the block before."""
    kind = entry.get("type")
    texts = isinstance(last, dict) and last.get("type") == kind and kind in ("text", "thinking")
    return last if texts else None
