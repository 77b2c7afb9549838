"""Every integration passes a door at which limits are asked before a model, a tool or a store is; a new one as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import agentops_integrations
from agentops_sdk._pipeline.registry import find_integrations

DOORS = frozenset(
    (
        "GeneratedClient", "MethodClient", "MethodCalls", "StoreCalls", "PlannedCall", "AdoptingTracer", "adopt",
        "adopt_module", "around", "around_async", "insist", "listen", "refusal", "tracked_in",
    )
)  # fmt: skip
"""Each of them asks, or is what asks; see ``agentops_sdk.integration``. That they do is seen with the libraries."""
NEEDS_NONE = {"celery": "it runs tasks, and makes no call of a model or a tool by itself"}
INTEGRATIONS = Path(str(agentops_integrations.__file__)).parent
NAMES = sorted({path.stem for path in INTEGRATIONS.iterdir()} & find_integrations().keys())


def sources(name: str) -> Iterator[Path]:
    folder = INTEGRATIONS / name
    yield from folder.rglob("*.py") if folder.is_dir() else (INTEGRATIONS / f"{name}.py",)


@pytest.mark.parametrize("name", NAMES)
def test_it_passes_a_door_at_which_limits_are_asked(name: str) -> None:
    used = {
        node.id
        for path in sources(name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert bool(used & DOORS) is (name not in NEEDS_NONE), f"{name}: limits are asked by none of {sorted(DOORS)}"
    print(f"{name}: {', '.join(sorted(used & DOORS)) or NEEDS_NONE[name]}")
