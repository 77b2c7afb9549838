"""What integrations hand over are structures, and a decision has one writer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import agentops_integrations
import agentops_sdk

INTEGRATIONS = Path(agentops_integrations.__file__).parent
CORE = Path(agentops_sdk.__file__).parent
_BEFORE_THE_QUEUE = ("_capture", "_genai", "_http", "_limits", "_propagation", "_track", "integration", "")
"""Where attributes are set; what comes after the queue reads them. The last are the public modules."""
_TABLES = (CORE / "semconv.py", CORE / "semconv_metrics.py")
_WRITER = CORE / "_capture" / "decision_attributes.py"
_ONLY_NAMES = tuple(
    CORE / room / name
    for room, name in (
        ("_capture", "pending_questions.py"), ("_capture", "planned_call.py"), ("_track", "function_call.py"),
    )
)  # fmt: skip
"""Whether a call has a decision by now; a table of which attribute holds a function's inputs."""


def _sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def _setting_attributes() -> list[Path]:
    rooms = [CORE / room for room in _BEFORE_THE_QUEUE]
    sources = [path for room in rooms for path in (_sources(room) if room != CORE else sorted(room.glob("*.py")))]
    return [path for path in [*sources, *_sources(INTEGRATIONS)] if path not in (*_TABLES, _WRITER)]


@pytest.mark.parametrize(
    "path", _sources(INTEGRATIONS) + _sources(CORE / "_genai"), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_no_json_text_is_made(path: Path) -> None:
    assert not re.search(r"\bdumps\b|\bjson_text\b", path.read_text())


def test_a_decision_has_one_writer() -> None:
    assert "semconv.DECISION_CHOSEN" in _WRITER.read_text()
    naming = [path for path in _setting_attributes() if re.search(r"\bDECISION_(?!EVENT\b)[A-Z]", path.read_text())]
    assert naming == list(_ONLY_NAMES)
