"""``AGENTOPS_DIR='~/ops'`` is one place: for traces, spool, the command and doctor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.export.receiver import Receiver

import agentops_sdk as agentops

PROGRAM = """
import agentops_sdk as agentops
agentops.init(exporters=["jsonl", "otlp:http://127.0.0.1:9"], integrations=[], shutdown_timeout=0.5)
with agentops.span("run"): pass
"""


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AGENTOPS_", "OTEL_"))}
    return subprocess.run(
        [sys.executable, *arguments], env={**inherited, **environment}, cwd=cwd,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("how", ["environment", "file"])
def test_a_home_is_one_place_for_everything(how: str, tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    environment = {"HOME": str(home), "AGENTOPS_DIR": "~/ops"}
    if how == "file":
        (home / "ops.toml").write_text('directory = "~/ops"\n')
        environment = {"HOME": str(home), "AGENTOPS_CONFIG": "~/ops.toml"}
    done = run("-c", PROGRAM, cwd=work, **environment)
    assert done.returncode == 0, done.stderr
    assert list(work.iterdir()) == []
    assert len(list((home / "ops" / "traces").glob("*.jsonl"))) == 1
    assert len(list((home / "ops" / "spool").glob("*/*/*.seg"))) == 1
    assert "run" in run("-m", "agentops_sdk", "ls", cwd=work, **environment).stdout
    assert "run" in run("-m", "agentops_sdk", "ls", "--dir", "~/ops", cwd=work, HOME=str(home)).stdout
    told = run("-m", "agentops_sdk", "doctor", cwd=work, **environment).stdout
    assert f"{home / 'ops'}: 1 trace file(s)" in told
    assert "1 spans left behind" in told
    receiver = Receiver()
    shipped = run("-m", "agentops_sdk", "ship", "--all", "--to", receiver.url, cwd=work, **environment)
    assert (shipped.returncode, receiver.names) == (0, ["run"]), shipped.stderr
    receiver.close()
    assert list(work.iterdir()) == []


def test_nobodys_home_is_no_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(agentops.ConfigError, match="directory"):
        agentops.init(directory="~nobody-of-that-name/ops")
    monkeypatch.setenv("AGENTOPS_DIR", "~nobody-of-that-name/ops")
    with pytest.warns(UserWarning, match="AGENTOPS_DIR"):
        agentops.init(integrations=[])
    assert agentops.status().settings["directory"].value == "./.agentops"


@pytest.mark.parametrize("given", [Path("~/ops"), "~/ops"])
def test_a_home_in_code(given: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    agentops.init(directory=given, integrations=[])
    assert agentops.status().settings["directory"].value == str(tmp_path / "ops")
