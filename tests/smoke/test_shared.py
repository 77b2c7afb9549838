"""Data beside the checkout: what is missing is an error where ``CI`` is set, and one place says so."""

from __future__ import annotations

from pathlib import Path

import pytest
import tests.shared
from tests.shared import shared

TESTS = Path(__file__).parents[1]


def test_missing_data_is_an_error_under_ci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tests.shared, "SHARED", tmp_path)
    monkeypatch.delenv("CI", raising=False)
    assert shared("recorded") is None
    monkeypatch.setenv("CI", "true")
    with pytest.raises(FileNotFoundError, match="recorded is missing"):
        shared("recorded")
    (tmp_path / "recorded").mkdir()
    assert shared("recorded") == tmp_path / "recorded"


def test_nobody_else_looks_beside_the_checkout() -> None:
    others = [path for path in TESTS.rglob("*.py") if path.name not in ("shared.py", "test_shared.py")]
    assert len(others) > 50
    assert [str(path) for path in others if '/ "shared"' in path.read_text(encoding="utf-8")] == []
