"""Makes the sinks that the settings ask for, keeping those that run already."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk._pipeline.registry import FROZEN_WITHOUT, make_exporter
from agentops_sdk._pipeline.sinks import Sink, adapt
from agentops_sdk._recorder.program_provider import of_program
from agentops_sdk.config import Settings, changes, log_once, warn_once
from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_OF_DISKS = ("directory", "traces_", "spool_")


def assemble(settings: Settings, running: Sequence[Sink] = ()) -> tuple[list[Sink], list[Sink]]:
    """The sinks for ``settings.exporters``, and those of ``running`` that are no longer among them.

    Raises:
        ConfigError: one cannot be made; those that run are untouched.
    """
    free = list(running)
    wanted: list[Sink | tuple[str, SpanExporter, Any]] = []
    origin = settings.origins.get("exporters", "")
    automatic = origin.startswith("environment OTEL_")
    for setting in settings.exporters:
        kept = next(
            (sink for sink in free if (sink.setting is setting or sink.setting == setting) and _fits(sink, settings)),
            None,
        )
        if kept is not None:
            free.remove(kept)
            wanted.append(kept)
            continue
        if automatic and setting in ("otlp", "console") and hasattr(of_program(), "add_span_processor"):
            continue  # the program's own provider sends there already: once is enough
        try:
            wanted.append((*make_exporter(setting, settings), setting))
        except ConfigError as error:
            if settings.deployed("exporters"):
                warn_once(f"{origin.split()[-1]}: {setting!r} is ignored: {error}")
            elif origin != "default":
                raise
    if settings.exporters and not wanted:  # what a deployment sets must not leave a program without traces
        quiet = dataclasses.replace(settings, origins={**settings.origins, "exporters": "default"})
        try:
            wanted.append((*make_exporter("jsonl", quiet), "jsonl"))
        except ConfigError:  # a frozen program may hold less of us than was installed
            log_once(f"nothing is written: the sinks {FROZEN_WITHOUT}")
    exporters = [item.exporter if isinstance(item, Sink) else item[1] for item in wanted]
    alone = sum(1 for exporter in exporters if getattr(exporter, "disk", False)) < 2
    sinks = [item if isinstance(item, Sink) else adapt(*item, alone=alone) for item in wanted]
    for sink in sinks:
        sink.settings = settings
    return sinks, free


def _fits(sink: Sink, settings: Settings) -> bool:
    """Whether it would be made the same again: what works on a disk depends on where, and how much."""
    if not isinstance(sink.setting, str) or not getattr(sink.exporter, "disk", False) or sink.settings is None:
        return True
    return not any(name.startswith(_OF_DISKS) for name in changes(sink.settings, settings))
