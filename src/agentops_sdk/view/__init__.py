"""The local page over a directory of traces: a list that is live, the page of each run, two runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk._lazy import make_lazy

if TYPE_CHECKING:
    from agentops_sdk.view.application import application as application

__all__ = ["application"]
make_lazy(__name__, {"application": "application"})
