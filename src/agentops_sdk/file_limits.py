"""What ``./pyproject.toml`` may set: whoever owns the directory a program starts in need not be whoever runs it.

A limit says of a value, beside the default, whether it is at least as strict: it records no more,
shows nothing to further readers, writes nowhere else, opens no network and loads no code.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentops_sdk.addresses import sink_parts

Limit = Callable[[Any, Any], bool]
"""``limit(value, default)``: whether a file in the working directory may set this value."""

_LOCAL_SINKS = ("jsonl", "memory")
_SEVERITY = ("debug", "info", "warning", "error", "critical")


def anything(value: Any, default: Any) -> bool:
    return True


def default_only(value: Any, default: Any) -> bool:
    return bool(value == default)


def off_only(value: Any, default: Any) -> bool:
    return not value


def on_only(value: Any, default: Any) -> bool:
    return bool(value)


def no_more(value: Any, default: Any) -> bool:
    return bool(value <= default)


def no_more_talkative(value: Any, default: Any) -> bool:
    return _SEVERITY.index(value) >= _SEVERITY.index(default)


def below_here(value: Any, default: Any) -> bool:
    try:
        return value == default or Path(value).expanduser().resolve().is_relative_to(Path.cwd().resolve())
    except (OSError, RuntimeError):  # a circle of links; nobody's home
        return False


def local_sinks(value: Any, default: Any) -> bool:
    return all(_local(sink) for sink in value)


def _local(sink: Any) -> bool:
    name, _, argument = sink_parts(str(sink))
    if name in _LOCAL_SINKS:
        return name == "memory" or not argument or below_here(argument, None)
    from importlib.metadata import entry_points

    # A name that nobody has is a mistake like any other, and is told as one.
    ours = name.isidentifier() and importlib.util.find_spec(f"agentops_sdk.exporters.{name}") is not None
    return not ours and not any(entry_points(group="agentops_sdk.exporters", name=name))
