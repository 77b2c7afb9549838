"""Pages that are made from the code, or list what the code has, are up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from agentops_sdk import semconv

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the help texts stand as argparse of Python 3.11 sets them")
def test_generated_pages_are_current() -> None:
    """Settings, integrations and sinks as the registry finds them, help texts, schema, the picture of the demo."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_name_of_ours_is_documented() -> None:
    page = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
    documented = {name.removesuffix("*") for name in re.findall(r"^\| `(agentops\.[\w.*]+)`", page, re.MULTILINE)}
    names = {v for v in vars(semconv).values() if isinstance(v, str) and v.startswith("agentops.")}
    assert documented - names == set()
    assert names - documented == set()
