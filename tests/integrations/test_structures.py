"""What integrations hand over are structures, and a decision has one writer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import agentops_integrations
import agentops_sdk

INTEGRATIONS = Path(agentops_integrations.__file__).parent
CORE = Path(agentops_sdk.__file__).parent
_READERS = ("traces", "cli", "testing", "view", "_alerts", "semconv.py")
_WRITER = CORE / "_capture" / "decision_attributes.py"
_ONLY_NAMES = (CORE / "_track" / "function_call.py",)
"""A table of which attribute holds a function's inputs."""


def _sources(folder: Path, *without: str) -> list[Path]:
    return [path for path in sorted(folder.rglob("*.py")) if path.relative_to(folder).parts[0] not in without]


@pytest.mark.parametrize(
    "path", _sources(INTEGRATIONS) + _sources(CORE / "_genai"), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_no_json_text_is_made(path: Path) -> None:
    assert not re.search(r"\bdumps\b|\bjson_text\b", path.read_text())


def test_a_decision_has_one_writer() -> None:
    assert "semconv.DECISION_CHOSEN" in _WRITER.read_text()
    others = [path for path in [*_sources(CORE, *_READERS), *_sources(INTEGRATIONS)] if path != _WRITER]
    naming = [path for path in others if re.search(r"\bDECISION_(?!EVENT\b)[A-Z]", path.read_text())]
    assert naming == list(_ONLY_NAMES)
