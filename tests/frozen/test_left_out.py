"""A program that holds less of us than was installed says what it cannot do. Real ones are made before a release."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import importlib.metadata, importlib.util, pkgutil
real_spec, real_modules = importlib.util.find_spec, pkgutil.iter_modules
importlib.util.find_spec = lambda name, *more: None if name == "agentops_integrations" else real_spec(name, *more)
pkgutil.iter_modules = lambda path=None, *more: [
    module for module in real_modules(path, *more)
    if not any(str(each).endswith(("agentops_sdk/exporters", "agentops_integrations")) for each in path or ())
]
importlib.metadata.entry_points = lambda **_: importlib.metadata.EntryPoints()
import agentops_sdk as agentops
agentops.init()
with agentops.span("work"):
    print("worked")
print(agentops.status())
print(agentops.health())
"""


def test_what_is_not_in_a_program_is_said(tmp_path: Path) -> None:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AGENTOPS_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=inherited, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("worked\n")
    assert "no library is captured: the integrations are not in this program" in done.stderr
    assert "nothing is written: the sinks are not in this program" in done.stderr
    assert "delivery: no sink could be made" in done.stdout
