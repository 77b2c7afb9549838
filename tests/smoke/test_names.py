"""The package can be imported and every public name it promises exists."""

from __future__ import annotations

import agentops_sdk


def test_public_names_exist() -> None:
    for name in getattr(agentops_sdk, "__all__", ()):
        assert getattr(agentops_sdk, name) is not None
