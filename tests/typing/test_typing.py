"""mypy and basedpyright agree with decorators.py: errors where it says so, and nowhere else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("decorators.py")
ROOT = Path(__file__).parents[2]
EXPECTED = {number for number, line in enumerate(FILE.read_text().splitlines(), 1) if line.endswith("# error")}


def test_mypy() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", "--hide-error-context", str(FILE)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = {int(line) for line in re.findall(r"decorators\.py:(\d+): error", done.stdout)}
    assert found == EXPECTED, done.stdout + done.stderr


def test_basedpyright(tmp_path: Path) -> None:
    pytest.importorskip("basedpyright", reason="basedpyright is not installed")
    config = tmp_path / "pyrightconfig.json"
    config.write_text(json.dumps({
        "include": [str(FILE)], "extraPaths": [str(ROOT / "src"), str(ROOT / "integrations")],
        "typeCheckingMode": "standard", "pythonVersion": "3.11", "reportUnusedCoroutine": False,
        "reportUnusedCallResult": False,
    }))  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--outputjson", "-p", str(config), "--pythonpath", sys.executable],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout)
    errors = [item for item in report["generalDiagnostics"] if item["severity"] == "error"]
    assert report["summary"]["filesAnalyzed"] == 1
    assert {item["range"]["start"]["line"] + 1 for item in errors} == EXPECTED, json.dumps(errors, indent=1)
