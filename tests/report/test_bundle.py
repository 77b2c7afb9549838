"""The scripts and styles of the pages are what their sources give, whose types are checked; everybody can use them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser import needs_chromium
from tests.shared import AS_STARTED
from tests.traces.samples import run as sample_run
from tests.traces.samples import troubled
from tests.view.site import PAGES, Site, days, write

from agentops_sdk.report import save
from agentops_sdk.traces import Trace

if TYPE_CHECKING:
    from tests.browser import Browser

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


@needs_chromium
def test_everybody_can_use_the_pages(frontend: Path, browser: Browser, tmp_path: Path) -> None:
    """No page breaks a rule of WCAG 2.2 (A, AA) or a good practice that axe knows, in light and in dark."""
    axe = (frontend / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    broken = []

    def check(page: str) -> None:
        for scheme in ("light", "dark"):
            browser.media(scheme)
            browser.value(f"{axe}; true")
            answer = json.loads(browser.value("axe.run().then((answer) => JSON.stringify(answer))"))
            assert len(answer["passes"]) > 10
            broken.extend(
                f"{page}, {scheme}: {rule['id']}: {rule['help']}: {node['html'][:200]} {node['failureSummary']}"
                for rule in answer["violations"]
                for node in rule["nodes"]
            )

    browser.open(save([Trace(sample_run()), Trace(troubled())], tmp_path / "run.html"))
    check("report")
    for tab in ("Decisions", "Agents"):
        browser.click("[role=tab]", tab)
        browser.wait(f"document.querySelector('[role=tab][aria-selected=true]').textContent.includes('{tab}')")
        check(f"report, {tab}")
    pytest.importorskip("uvicorn", reason="the extra `view` is not installed here")
    folder = tmp_path / "traces"
    folder.mkdir()
    write(folder / "a.jsonl", days())
    site = Site(folder)
    try:
        browser.open(site.address, "document.querySelectorAll('tbody tr').length === 24")
        check("runs")
        browser.key("ArrowDown")
        browser.key("f")
        browser.wait("document.querySelector('dialog[open]')")
        check("feedback")
        for path, ready in PAGES:
            browser.open(f"http://127.0.0.1:{site.port}{path}", ready)
            check(path)
        browser.open("about:blank", "true")
    finally:
        site.close()
    assert not broken, "\n".join(broken)
