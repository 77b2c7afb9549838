"""The integration of one's own is installed with pip beside our wheel, is found by its name, and passes its tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from tests.shared import AS_STARTED

ROOT = Path(__file__).parents[2]
PROGRAM = """
import agentops_sdk as agentops
agentops.init(integrations=["acme_talk"], exporters=["memory"])
import acme_talk
print(agentops.status().integrations["acme_talk"].state)
"""


def _run(*command: str | Path, cwd: Path) -> str:
    environment = {k: v for k, v in AS_STARTED.items() if not k.startswith(("AGENTOPS_", "PYTEST_", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_it_is_installed_and_its_tests_pass(tmp_path: Path) -> None:
    pip = [getattr(sys, "_base_executable", sys.executable), "-m", "pip", "--disable-pip-version-check"]
    build = ["--no-compile", "--build-constraint", str(ROOT / "constraints" / "build.txt")]
    if "--build-constraint" not in _run(*pip, "help", "install", cwd=tmp_path):
        build = ["--no-compile"]
    source = tmp_path / "source"  # a build leaves nothing in the checkout
    shutil.copytree(ROOT / "examples" / "own_integration", source, ignore=shutil.ignore_patterns("__pycache__"))
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    sdk = os.environ.get("TESTED_WHEEL") or str(ROOT)
    constraints = ["-c", str(ROOT / "constraints" / "dev.txt")]
    _run(*pip, "--python", python, "install", "-q", *build, *constraints, sdk, source, "pytest", cwd=tmp_path)
    assert _run(python, "-c", PROGRAM, cwd=tmp_path) == "patched\n"
    shutil.rmtree(source / "src")  # what is tested is what is installed
    print(_run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", source / "tests", cwd=tmp_path))
