"""The page of a backend that shows a trace, where the setting ``trace_url`` names one."""

from __future__ import annotations

from agentops_sdk.config import inspect, may_be_set

__all__ = ["backend_page"]


def backend_page(trace_id: str) -> str | None:
    """Its address; ``None`` where no backend is named.

    Raises:
        ConfigError: the setting is wrong in ``pyproject.toml``.
    """
    template = inspect()[0].trace_url if may_be_set("trace_url") else ""
    return template.replace("{trace_id}", trace_id) if template else None
