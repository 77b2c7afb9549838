"""The scripts and styles of the pages are what their sources give, whose types are checked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.shared import AS_STARTED

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.once,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm here"),
]


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, env=AS_STARTED, capture_output=True, text=True, check=False)
    if done.returncode and command[1] == "ci":
        pytest.skip(f"npm has no registry here: {done.stderr[:200]}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources, with what they are built by."""
    home = tmp_path_factory.mktemp("pages") / "frontend"
    shutil.copytree(ROOT / "frontend", home, ignore=shutil.ignore_patterns("node_modules"))
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=home)
    return home


def test_the_bundles_are_what_their_sources_give(frontend: Path, tmp_path: Path) -> None:
    run("npm", "run", "check", cwd=frontend)
    run("node", "build.mjs", str(tmp_path), cwd=frontend)
    for page in ("report", "view"):
        for path in sorted((tmp_path / page / "assets").iterdir()):
            committed = ROOT / "src" / "agentops_sdk" / page / "assets" / path.name
            assert path.read_bytes() == committed.read_bytes(), "run 'make page' and commit"
    assert '"resolved"' not in (frontend / "package-lock.json").read_text()
