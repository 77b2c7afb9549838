"""What a user gets: the wheel's contents, the public names, the number of distributions."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.shared import AS_STARTED

import agentops_integrations
import agentops_sdk
from agentops_sdk._version import DISTRIBUTION, VERSION

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel under test where there is one, else a fresh build."""
    if tested := os.environ.get("TESTED_WHEEL"):
        return Path(tested)
    target = tmp_path_factory.mktemp("dist")
    _pip("wheel", "-q", "--no-deps", "-w", str(target), str(ROOT))
    return next(target.glob("*.whl"))


def _pip(*arguments: str) -> None:
    """The pip of the interpreter that this environment was made from: an environment made by uv has none."""
    base = getattr(sys, "_base_executable", sys.executable)
    result = subprocess.run(
        [base, "-m", "pip", "--disable-pip-version-check", *arguments],
        env=AS_STARTED, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def _resolved(tmp_path: Path, what: str) -> set[str]:
    report = tmp_path / "report.json"
    _pip("install", "-q", "--dry-run", "--ignore-installed", "--report", str(report), what)
    return {item["metadata"]["name"].lower() for item in json.loads(report.read_text())["install"]}


@pytest.mark.slow
def test_the_wheel_holds_both_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"agentops_sdk/py.typed", "agentops_integrations/py.typed", "agentops_sdk/__init__.py"} <= set(names)
    tops = {name.split("/")[0] for name in names}
    info = {top for top in tops if top.endswith(".dist-info")}
    assert tops - info == {"agentops_sdk", "agentops_integrations"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    shipped = {name for name in names if name.split("/")[0] in {"agentops_sdk", "agentops_integrations"}}
    tracked = {
        str(path.relative_to(base))
        for base in (ROOT / "src", ROOT / "integrations")
        for path in base.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped == tracked


@pytest.mark.slow
def test_few_distributions(wheel: Path, tmp_path: Path) -> None:
    """At most 26 distributions in a clean environment, at most 14 of them beyond what the openai client brings."""
    ours, openai = _resolved(tmp_path, str(wheel)), _resolved(tmp_path, "openai")
    print(f"{len(ours)} distributions, {len(ours - openai)} beyond openai: {sorted(ours - openai)}")
    assert len(ours) <= 26
    assert len(ours - openai) <= 14


@pytest.mark.skipif("TESTED_WHEEL" not in os.environ, reason="TESTED_WHEEL is not set: this run tests the checkout")
def test_the_tests_run_against_the_wheel() -> None:
    for package in (agentops_sdk, agentops_integrations):
        assert Path(sys.prefix) in Path(package.__file__ or "").parents


def test_public_names_are_sorted_and_exist() -> None:
    names = list(agentops_sdk.__all__)
    assert names == sorted(set(names))
    assert not [name for name in names if name.startswith("_")]
    assert not [name for name in names if not hasattr(agentops_sdk, name)]
    assert set(names) <= set(dir(agentops_sdk))


def test_the_name_on_the_box() -> None:
    metadata = importlib.metadata.metadata(DISTRIBUTION)
    assert (metadata["Name"], metadata["Version"]) == (DISTRIBUTION, VERSION)
    extras = set(metadata.get_all("Provides-Extra") or ())
    combined = [line for line in metadata.get_all("Requires-Dist") or () if 'extra == "all"' in line.replace("'", '"')]
    assert extras
    assert combined
    for line in combined:  # a build backend may write the extra of an extra out
        assert line.startswith(f"{DISTRIBUTION}[") or "agentops" not in line, line

    # Names that belong to other people's distributions: whoever follows a hint with one of them gets their program.
    foreign = re.compile(r"agentops-otel|agentops-sdk|pip3? install[^`\n]*?[\s\"']agentops(?![\w-])")
    hint = re.compile(r"(?:\{DISTRIBUTION\}|(agentops[\w.-]*))\[([\w-]+(?:,[\w-]+)*)\]")
    texts = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml", "mkdocs.yml", "Makefile")]
    for folder in ("src", "integrations", "docs", "examples", "scripts", "benchmarks"):
        texts += [path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in {".py", ".md", ".sh", ".json"}]
    hints = 0
    for path in texts:
        text = path.read_text()
        assert not foreign.search(text), f"{path} names somebody else's distribution"
        for name, wanted in hint.findall(text):
            if name in {"", DISTRIBUTION}:
                hints += 1
                assert set(wanted.split(",")) <= extras, f"{path} names an extra that there is not: {wanted}"
    assert hints >= 2  # the extra `all`, and the hint of the metrics page
