"""The one table of live runs, for what is hooked elsewhere than in the handler."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import get_current

from agentops_integrations.langchain.runs import RUN_KEY, Run, Runs

runs: Runs | None = None
"""Set while the integration is installed."""


def current() -> Run | None:
    """The live run inside of whose body this is."""
    return runs.get(get_current().get(RUN_KEY)) if runs is not None else None  # type: ignore[arg-type]


def run_of(config: Any) -> Run | None:
    """The live run that a config's callbacks belong to: the one whose body runs with it."""
    if runs is None or not isinstance(config, dict):
        return None
    return runs.get(getattr(config.get("callbacks"), "parent_run_id", None))
