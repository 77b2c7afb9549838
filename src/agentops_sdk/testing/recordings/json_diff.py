"""How two JSON values differ, in lines that say where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Final

_ABSENT: Final = object()
_AROUND: Final = 40  # characters shown around the first difference of two texts


def differences(recorded: Any, now: Any, at: str = "") -> Iterator[str]:
    """One line per place, nothing for what is equal."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*recorded, *now]):
            yield from differences(recorded.get(key, _ABSENT), now.get(key, _ABSENT), f"{at}.{key}" if at else key)
    elif isinstance(recorded, list) and isinstance(now, list):
        for index, (one, other) in enumerate(zip_longest(recorded, now, fillvalue=_ABSENT)):
            yield from differences(one, other, f"{at}[{index}]")
    elif type(recorded) is not type(now) or recorded != now:
        one, other = _pair(recorded, now)
        yield f"{at or 'the whole'}: recorded {one}, now {other}"


def _pair(recorded: Any, now: Any) -> tuple[str, str]:
    if isinstance(recorded, str) and isinstance(now, str) and max(len(recorded), len(now)) > 2 * _AROUND:
        same = next((index for index, (a, b) in enumerate(zip(recorded, now, strict=False)) if a != b), None)
        start = max(0, (min(len(recorded), len(now)) if same is None else same) - _AROUND)
        return _cut(recorded, start), _cut(now, start)
    return _shown(recorded), _shown(now)


def _cut(text: str, start: int) -> str:
    part = text[start : start + 2 * _AROUND]
    return json.dumps(
        ("…" if start else "") + part + ("…" if start + len(part) < len(text) else ""), ensure_ascii=False
    )


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else text[:159] + "…"
