"""The one table of live runs, for what is patched elsewhere than in the handler."""

from __future__ import annotations

from typing import Any

from agentops_sdk.integration.frameworks import Run, Runs

table: Runs | None = None
"""Set while the integration is installed."""


def get(run_id: Any) -> Run | None:
    """The live run with this id."""
    return table.get(run_id) if table is not None else None


def current() -> Run | None:
    """The live run inside of whose body this is."""
    return table.current() if table is not None else None


def run_of(config: Any) -> Run | None:
    """The live run that a config's callbacks belong to: the one whose body runs with it."""
    return get(getattr(config.get("callbacks"), "parent_run_id", None)) if isinstance(config, dict) else None
