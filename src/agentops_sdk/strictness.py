"""What settings keep private, and whether others keep less so: asked where ``init()`` is called a further time."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agentops_sdk.addresses import sink_parts
from agentops_sdk.config import Settings

__all__ = ["looser", "no_looser"]

_STRICT: Final = {
    "capture_content": False,
    "event_content": False,
    "redact": True,
    "hash_user_id": True,
    "vendor_propagation": False,
    "state_changes": False,
    "blobs": "inline",
}
"""The value of each setting that keeps things private."""


def looser(before: Settings, after: Settings) -> list[str]:
    """Names of the settings that kept more private ``before``."""
    names = [
        name for name, strict in _STRICT.items() if getattr(before, name) == strict and getattr(after, name) != strict
    ]
    if set(before.redact_patterns) - set(after.redact_patterns):
        names.append("redact_patterns")
    if {rule for rule in before.content_rules if rule.lower().startswith("off")} - set(after.content_rules):
        names.append("content_rules")
    if not _pii_covers(after.pii, before.pii):
        names.append("pii")
    if before.encryption_key is not None and after.encryption_key is None:
        names.append("encryption_key")
    return names


def no_looser(settings: Settings, than: Settings, keywords: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """``settings`` as private as ``than`` in whatever ``keywords`` do not name, and what had to change for it."""
    names = [name for name in looser(than, settings) if keywords.get(name) is None]
    origins = {**settings.origins, **{name: than.origins.get(name, "default") for name in names}}
    kept = {name: getattr(than, name) for name in names}
    return dataclasses.replace(settings, **kept, origins=origins), names


def _pii_covers(after: Sequence[Any], before: Sequence[Any]) -> bool:
    """Whether all that was looked for ``before`` still is."""
    names = [{sink_parts(item)[0] if isinstance(item, str) else id(item) for item in each} for each in (after, before)]
    return names[1] <= names[0]
