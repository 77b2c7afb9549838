"""Control of a program that runs: the kill switch, and what ``POST /configure`` may change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentops_sdk._audit import audit_log as audit
from agentops_sdk._host.guard import guard
from agentops_sdk._limits import pauses
from agentops_sdk._limits.pause_folder import PauseFolder
from agentops_sdk._pipeline import process_runtime
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


def pause(agent: str | None = None, *, reason: str = "", everywhere: bool = False) -> None:
    """Stop an agent before its next step: what it calls raises :class:`Paused` until :func:`resume`.

    Model calls, tools, retrievals and agents inside of it are refused; what runs is not interrupted.

    Args:
        agent: its name; everything in the process when not given.
        reason: shown in the error and in the trace.
        everywhere: in all processes that write to the same folder, also those that start later. The others learn of it
            with the end of their next step.

    Raises:
        ConfigError: the name is no text; or ``everywhere``, and the program writes no files.
    """
    _switch("pause", agent, reason, "pause()", everywhere)


def resume(agent: str | None = None, *, everywhere: bool = False) -> None:
    """Let what was paused go on: here, or ``everywhere`` as in :func:`pause`.

    Raises:
        ConfigError: the name is no text; or ``everywhere``, and the program writes no files.
    """
    _switch("resume", agent, "", "resume()", everywhere)


def _switch(action: str, agent: str | None, reason: str, by: str, everywhere: bool) -> None:
    if agent is not None and (not isinstance(agent, str) or not agent):
        raise ConfigError("agent", agent, "the name of an agent, or nothing for all of them")
    if not isinstance(reason, str):
        raise ConfigError("reason", reason, "a text")
    name = pauses.ALL if agent is None else agent
    folder, key = _log()
    if everywhere:
        if folder is None:
            raise ConfigError("everywhere", True, "a program that writes files: there is no folder to share")
        shared = PauseFolder(folder)
        with guard("control.pause_folder"):
            if action == "pause":
                shared.pause(name, audit.scrubbed(reason))
            else:
                shared.resume(name)
            pauses.of_folder(shared.found())
    if action == "resume":
        pauses.resume(name)
    elif not everywhere or name not in pauses.why():  # where the folder cannot be written, it holds here at least
        pauses.pause(name, reason)
    audit.record(action, by, {"agent": agent, "reason": reason, "everywhere": everywhere}, folder, key)


def change(body: bytes, by: str) -> dict[str, Any]:
    """Do what a request to change something asks for: ``settings``, ``pause``, ``resume``; all of it or nothing.

    Args:
        body: a JSON object: ``{"settings": {"limits": "5 usd / run"}, "pause": "agent", "reason": "…"}``,
            with ``"everywhere": true`` for all processes that write to the same folder.
        by: who asks.

    Returns:
        what holds now.

    Raises:
        ConfigError: it cannot be read, or may not be changed by others.
    """
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or not asked or len(body) > _MOST_BYTES:
        raise ConfigError("body", None, "a JSON object with settings, pause or resume")
    unknown = sorted(set(asked) - {"settings", "pause", "resume", "reason", "everywhere"})
    if unknown:
        raise ConfigError(unknown[0], None, "no such key: settings, pause, resume, reason, everywhere")
    settings, everywhere = _checked(asked)
    if settings:
        process_runtime.reconfigure(settings, by=by)
    for action in ("pause", "resume"):
        if action in asked:
            agent = None if asked[action] == "*" else asked[action]
            _switch(action, agent, str(asked.get("reason", "")), by, everywhere)
    return {"changed": sorted(settings), "paused": sorted(name or "*" for name in pauses.why())}


def _checked(asked: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """The settings that are to be changed, and whether agents are to be paused or resumed everywhere.

    Raises:
        ConfigError: something has a value that cannot work, or may not be changed by others.
    """
    everywhere = asked.get("everywhere", False)
    if not isinstance(everywhere, bool) or (everywhere and _log()[0] is None):
        raise ConfigError("everywhere", None, "true or false, and a program that writes files")
    settings = asked.get("settings", {})
    if not isinstance(settings, Mapping):
        raise ConfigError("settings", None, "an object of settings by name")
    for name, value in settings.items():
        if value is None:  # which says nothing, and would be answered as a change
            raise ConfigError(name, None, 'a value; "" for no limits')
        if name not in _BY_OTHERS and not (name in _STRICTER and value is _STRICTER[name]):
            raise ConfigError(name, None, "a setting that may be changed by others: " + ", ".join(sorted(_BY_OTHERS)))
    for action in ("pause", "resume"):
        agent = asked.get(action, "*")
        if not isinstance(agent, str) or not agent:
            raise ConfigError(action, None, "the name of an agent, or * for all of them")
    return settings, everywhere


def _log() -> tuple[Path | None, KeySource | None]:
    """The folder of the audit log, and its key."""
    settings = process_runtime.settings_in_force()
    if settings is None or not settings.keeps_files:
        return None, None
    return settings.folder, settings.audit_key
