"""One HTML page for one or more traces, in one file that needs no network and no server. Names load on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk._lazy import make_lazy

if TYPE_CHECKING:
    from agentops_sdk.report.page import html as html
    from agentops_sdk.report.page import save as save

__all__ = ["html", "save"]
make_lazy(__name__, {"page": "html save"})
