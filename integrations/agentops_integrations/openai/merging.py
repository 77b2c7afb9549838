"""Deltas of a stream merged into the object they build up, whatever fields a provider puts in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
        made: dict[str, Any] = {}
        merge_delta(made, value)
        return made
    if isinstance(value, list):
        entries: list[Any] = []
        _merge_list(entries, value, calls=name == "tool_calls")
        return entries
    return value


def _merge_list(have: list[Any], entries: list[Any], *, calls: bool) -> None:
    for entry in entries:
        if not isinstance(entry, Mapping):
            have.append(entry)
            continue
        known = _same(have, entry, calls=calls)
        if known is not None:
            merge_delta(known, entry)
        else:
            have.append(_fresh(entry, ""))


def _same(have: list[Any], entry: Mapping[str, Any], *, calls: bool) -> dict[str, Any] | None:
    """The entry that ``entry`` continues, or ``None`` for a new one."""
    index, ident = entry.get("index"), entry.get("id")
    if calls and index is None and not ident:  # a provider without indices: what has no id goes on with the last
        return have[-1] if have else None
    for known in reversed(have):
        if not isinstance(known, dict):
            continue
        if index is not None and known.get("index") == index:
            # Servers that number every call 0 still tell them apart by id.
            return (
                known if not calls or not ident or not known.get("id") or known["id"] == ident else _by_id(have, ident)
            )
        if index is None and ident and known.get("id") == ident:
            return known
    if index is None and not calls and not ident and have:
        return _continued(have[-1], entry)
    return None


def _by_id(have: list[Any], ident: Any) -> dict[str, Any] | None:
    return next(
        (known for known in have if isinstance(known, dict) and known.get("id") == ident),
        None,
    )


def _continued(last: Any, entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """Blocks of text in a list, as Mistral streams them: one more piece of the block before."""
    kind = entry.get("type")
    texts = isinstance(last, dict) and last.get("type") == kind and kind in ("text", "thinking")
    return last if texts else None
