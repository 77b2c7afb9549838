"""Control of a program that runs: the kill switch, and what ``POST /configure`` may change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentops_sdk._audit import audit_log as audit
from agentops_sdk._limits import pauses
from agentops_sdk._limits.scope import keeps_files
from agentops_sdk._pipeline import runtime
from agentops_sdk.errors import ConfigError
from agentops_sdk.key_source import KeySource

__all__ = ["change", "pause", "resume"]

_BY_OTHERS = frozenset(
    ("enabled", "limits", "on_limit", "on_stream", "unknown_price", "sample_ratio", "keep_errors", "pricing",
     "log_level", "max_value_bytes", "internal", "stream_usage")
)  # fmt: skip
"""What may be changed over a network: nothing that sends data elsewhere, runs a program or shows more of it."""
_STRICTER = {"capture_content": False, "state_changes": False, "vendor_propagation": False}
_MOST_BYTES = 65_536


def pause(agent: str | None = None, *, reason: str = "") -> None:
    """Stop an agent before its next step: what it calls raises :class:`Paused` until :func:`resume`.

    Model calls, tools, retrievals and agents inside of it are refused; what runs is not interrupted.

    Args:
        agent: its name; everything in the process when not given.
        reason: shown in the error and in the trace.

    Raises:
        ConfigError: the name is no text.
    """
    _switch("pause", agent, reason, "pause()")


def resume(agent: str | None = None) -> None:
    """Let what was paused go on.

    Raises:
        ConfigError: the name is no text.
    """
    _switch("resume", agent, "", "resume()")


def _switch(action: str, agent: str | None, reason: str, by: str) -> None:
    if agent is not None and (not isinstance(agent, str) or not agent):
        raise ConfigError("agent", agent, "the name of an agent, or nothing for all of them")
    if not isinstance(reason, str):
        raise ConfigError("reason", reason, "a text")
    name = pauses.ALL if agent is None else agent
    if action == "pause":
        pauses.pause(name, reason)
    else:
        pauses.resume(name)
    audit.record(action, by, {"agent": agent, "reason": reason}, *_log())


def change(body: bytes, by: str) -> dict[str, Any]:
    """Do what a request to change something asks for: ``settings``, ``pause``, ``resume``; all of it or nothing.

    Args:
        body: a JSON object: ``{"settings": {"limits": "5 usd / run"}, "pause": "agent", "reason": "…"}``.
        by: who asks.

    Returns:
        what holds now.

    Raises:
        ConfigError: it cannot be read, or may not be changed by others.
    """
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or not asked or len(body) > _MOST_BYTES:
        raise ConfigError("body", None, "a JSON object with settings, pause or resume")
    unknown = sorted(set(asked) - {"settings", "pause", "resume", "reason"})
    if unknown:
        raise ConfigError(unknown[0], None, "no such key: settings, pause, resume, reason")
    settings = asked.get("settings", {})
    if not isinstance(settings, Mapping):
        raise ConfigError("settings", None, "an object of settings by name")
    for name, value in settings.items():
        if name not in _BY_OTHERS and not (name in _STRICTER and value is _STRICTER[name]):
            raise ConfigError(name, None, "a setting that may be changed by others: " + ", ".join(sorted(_BY_OTHERS)))
    for action in ("pause", "resume"):
        agent = asked.get(action, "*")
        if not isinstance(agent, str) or not agent:
            raise ConfigError(action, None, "the name of an agent, or * for all of them")
    if settings:
        runtime.reconfigure(settings, by=by)
    for action in ("pause", "resume"):
        if action in asked:
            _switch(action, None if asked[action] == "*" else asked[action], str(asked.get("reason", "")), by)
    return {"changed": sorted(settings), "paused": sorted(name or "*" for name in pauses.paused)}


def _log() -> tuple[Path | None, KeySource | None]:
    """The folder of the audit log, and its key."""
    settings = runtime.settings_in_force()
    if settings is None or not keeps_files(settings):
        return None, None
    return Path(settings.directory).absolute(), settings.audit_key
