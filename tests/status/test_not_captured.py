"""Libraries of the field that are there and not captured are named, not passed over."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


def install(site: Path, module: str, distribution: str, version: str, code: str = "") -> None:
    """A library as pip leaves it behind, as far as anybody looks at it here."""
    place = site.joinpath(*module.split("."))
    place.mkdir(parents=True)
    (place / "__init__.py").write_text(code)
    info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")


def run(code: str, site: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "agentops_sdk", *arguments]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AGENTOPS_", "OTEL_"))}
    return subprocess.run(
        command, env={**inherited, "PYTHONPATH": str(site), **environment}, cwd=site.parent,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


PROGRAM = """
import agentops_sdk as agentops
before = agentops.init(exporters=["memory"])
assert "ai21" not in before.not_captured
import ai21, agents
now = agentops.status()
print(now.not_captured["ai21"], "agents" in now.not_captured)
print(now)
print("ai21" in now._repr_html_())
"""


def test_one_that_is_imported_is_named_by_status(site: Path) -> None:
    install(site, "ai21", "ai21", "9.8.7")
    (site / "agents.py").write_text("# a module of the program's own, whatever it is called")
    done = run(PROGRAM, site)
    assert done.stdout.startswith("9.8.7 False\n"), done.stderr
    assert "  ai21 9.8.7: imported, not captured\n" in done.stdout
    assert done.stdout.endswith("True\n")


def test_init_looks_for_no_library_that_the_program_has_not_imported(site: Path) -> None:
    """To look for all of them on disk takes longer than the rest of ``init()``."""
    code = """
import agentops_sdk as agentops
from agentops_sdk._pipeline import registry
asked, look = [], registry._can_be_imported
registry._can_be_imported = lambda name: asked.append(name) or look(name)
import ai21
status = agentops.init(exporters=["memory"])
print(asked.copy(), status.not_captured)  # which asks all of them
"""
    install(site, "ai21", "ai21", "9.8.7")
    done = run(code, site)
    assert done.stdout == "[] {'ai21': '9.8.7'}\n", done.stdout + done.stderr


def test_one_that_a_setting_leaves_out_is_named_too(site: Path) -> None:
    code = """
import agentops_sdk as agentops
agentops.init(exporters=["memory"], integrations=["langchain"])
import openai
print(list(agentops.status().not_captured))
"""
    done = run(code, site)
    assert "'openai'" in done.stdout, done.stderr
    assert "'openai'" not in run(code.replace('["langchain"]', '["openai"]'), site).stdout


def test_one_that_is_installed_is_named_by_doctor(site: Path) -> None:
    install(site, "ai21", "ai21", "9.8.7")
    done = run("", site, "doctor")
    assert "note    ai21 9.8.7: installed, and not captured: there is no integration for it" in done.stdout
    assert done.stderr == ""


def test_another_sdk_is_named_by_doctor_with_what_works_beside_it(site: Path) -> None:
    install(site, "logfire", "logfire", "5.4.0")
    done = run("", site, "doctor")
    assert "note    logfire 5.4.0: another SDK that records\n        -> Call init() last" in done.stdout


def test_one_whose_integration_waits_for_a_module_inside_of_it_is_captured(site: Path) -> None:
    code = """
import agentops_sdk as agentops
agentops.init(exporters=["memory"])
import mistralai.client, cerebras.cloud.sdk
print(list(agentops.status().not_captured))
"""
    install(site, "mistralai", "mistralai", "3.0.0")
    install(site, "mistralai.client", "mistralai-client", "3.0.0")
    install(site, "cerebras.cloud.sdk", "cerebras-cloud-sdk", "1.91.0")
    done = run(code, site)
    assert done.stdout == "[]\n", done.stdout + done.stderr
    doctor = run("", site, "doctor").stdout
    assert "mistralai 3.0.0: installed, and not captured" not in doctor
    assert "mistral 3.0.0: would be captured" in doctor


def test_one_that_is_too_old_to_have_that_module_is_named_too_old(site: Path) -> None:
    install(site, "mistralai", "mistralai", "1.12.4")
    doctor = run("", site, "doctor").stdout
    assert "PROBLEM mistral: version 1.12.4 is outside of >=2.0" in doctor
    assert '-> tested are the versions of: pip install "mistralai>=2.0,<4"' in doctor
    assert not [line for line in doctor.splitlines() if "not installed" in line and "mistral" in line]


def not_installed(doctor: str) -> list[str]:
    """Those that one line names; some of our own integrations may be among them."""
    (line,) = re.findall(r"^note    not installed, so not captured: (.+)$", doctor, re.MULTILINE)
    return str(line).split(", ")


INTEGRATION = """
class Integration:
    name, target, requires, distribution = {name!r}, {target!r}, ">=1,<2", {distribution!r}
    def install(self, module, patches): ...
integration = Integration()
"""


def integrate(site: Path, name: str, target: str, distribution: str) -> None:
    (site / f"{name}_integration.py").write_text(INTEGRATION.format(**locals()))
    install(site, f"{name}_packaging", f"{name}-integration", "1.0")
    entry_points = f"[agentops_sdk.integrations]\n{name} = {name}_integration:integration\n"
    (site / f"{name}_integration-1.0.dist-info" / "entry_points.txt").write_text(entry_points)


def test_doctor_says_what_to_install_by_the_name_that_pip_knows(site: Path) -> None:
    integrate(site, "far_away", "far.client", "far-away-client")
    assert "far-away-client" in not_installed(run("", site, "doctor").stdout)


def test_a_version_that_cannot_be_found_is_told(site: Path) -> None:
    integrate(site, "vendored", "vendored_client", "vendored-client")
    (site / "vendored_client.py").write_text("")
    doctor = run("", site, "doctor").stdout
    unknown = "its version cannot be found: no distribution 'vendored-client' is installed"
    assert f"note    vendored: would be captured, but {unknown}\n" in doctor
    assert '-> tested are the versions of: pip install "vendored-client>=1,<2"' in doctor
    code = """
import agentops_sdk as agentops
agentops.init(exporters=["memory"])
import vendored_client
print(agentops.status().integrations["vendored"])
"""
    assert unknown in run(code, site).stdout


def test_those_that_are_not_installed_are_named_in_one_line(site: Path) -> None:
    for name in ("far_away", "gone_by"):
        (site / f"{name}_integration.py").write_text(
            f"class Integration:\n    name = target = '{name}'\n    requires = '>=1'\n"
            "    def install(self, module, patches): ...\nintegration = Integration()\n"
        )
        install(site, f"{name}_packaging", f"{name}-integration", "1.0")
        entry_points = f"[agentops_sdk.integrations]\n{name} = {name}_integration:integration\n"
        (site / f"{name}_integration-1.0.dist-info" / "entry_points.txt").write_text(entry_points)
    assert {"far_away", "gone_by"} <= set(not_installed(run("", site, "doctor").stdout))


def test_a_module_of_the_programs_own_that_is_called_like_a_client_is_imported_as_it_is(site: Path) -> None:
    (site / "ollama.py").write_text("answer = 42")
    code = """
import agentops_sdk as agentops
agentops.init(exporters=["memory"])
import ollama
print(ollama.answer, agentops.status().enabled)
"""
    assert run(code, site).stdout == "42 True\n"


@pytest.mark.parametrize("imported", ["before", "after", "never"])
def test_one_that_is_too_old_is_told_once_in_the_log(imported: str, site: Path) -> None:
    install(site, "openai", "openai", "1.2.3")
    lines = ["import agentops_sdk as agentops", "agentops.init(exporters=['memory'])", "agentops.init(restart=True)"]
    if imported != "never":
        lines.insert(0 if imported == "before" else 2, "import openai")
    lines.append("print(agentops.status().integrations['openai'].state)")
    done = run("\n".join(lines), site)
    assert done.stdout == "version too old\n", done.stderr
    told = [line for line in done.stderr.splitlines() if "too old" in line]
    assert len(told) == 1
    assert "openai is not captured: version 1.2.3 is outside of >=1.50" in told[0]
