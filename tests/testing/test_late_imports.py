"""Nothing of ours is imported late in a test: it may have broken imports by then, and many runs may begin at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from examples.local_model import LocalModel

from agentops_sdk._host.patches import Patches

BROKEN = """
import sys
import openai, pytest
import agentops_sdk as agentops
from model_agent import chat

@agentops.tool
def search(q):
    raise ValueError("nothing")

@pytest.fixture(autouse=True)
def nothing_more_can_be_imported(agentops_traces, monkeypatch):
    chat("warm up the client")
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [])
    before = set(sys.modules)
    yield
    assert set(sys.modules) - before == set()

@pytest.mark.agentops_replay
@pytest.mark.agentops(max_cost=1, max_llm_calls=5)
def test_passes(agentops_traces):
    assert chat("one") == "You said: one"
    with pytest.raises(ValueError), agentops.context(tags=["a"]), agentops.decision("way", options=["x"]) as way:
        way.choose("x")
        search("x")
    agentops_traces.assert_tool_called("search")
    agentops_traces.assert_cost_below(1)
    agentops_traces.assert_no_loops()
    agentops_traces.assert_no_secrets()
    assert agentops_traces.cost.amount > 0
    assert agentops_traces.snapshot() and str(agentops_traces)
    assert not agentops.status().guard_errors

def test_fails(agentops_traces):
    chat("two")
    agentops_traces.assert_tool_called("search")

@pytest.mark.agentops(max_llm_calls=0)
def test_is_too_dear(agentops_traces):
    chat("three")
"""


def test_a_test_that_breaks_imports_breaks_nothing_of_ours(
    run: Any, pytester: pytest.Pytester, model: LocalModel
) -> None:
    pytester.makepyfile(test_broken=BROKEN)
    result = run("--agentops-record", "--agentops-report", "--agentops-traces=kept", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=2)
    output = result.stdout.str()
    assert "expected tool `search` to be called, it never was" in output
    assert "expected at most 0 model calls, there were 2" in output
    assert "contained an internal error" not in output
    assert "ImportError" not in output
    assert "ModuleNotFoundError" not in output
    assert (pytester.path / "replays/test_broken/test_passes.json").exists()


SLOW = """
import threading
half = threading.Event()
whole = threading.Event()

import sys
sys.half.set()
assert sys.whole.wait(30)

class Transport:
    def send(self): return "sent"
"""


def test_a_module_that_another_thread_is_importing_is_patched_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_imported.py").write_text(SLOW)
    monkeypatch.syspath_prepend(str(tmp_path))
    half, whole = threading.Event(), threading.Event()
    monkeypatch.setattr(sys, "half", half, raising=False)
    monkeypatch.setattr(sys, "whole", whole, raising=False)

    def load() -> None:
        import half_imported  # type: ignore[import-not-found]  # noqa: F401 - written by this test

    importing = threading.Thread(target=load)
    importing.start()
    assert half.wait(30)
    patches, seen = Patches("test"), []
    patching = threading.Thread(
        target=lambda: patches.when_imported("half_imported", lambda module: seen.append(hasattr(module, "Transport")))
    )
    patching.start()
    patching.join(0.3)  # long enough for a hook that does not wait
    early = list(seen)
    whole.set()
    importing.join(30)
    patching.join(30)
    assert (early, seen) == ([], [True])
    patches.undo()
    del sys.modules["half_imported"]


PARALLEL = """
import sys
import pytest

sys.setswitchinterval(1e-5)  # threads meet in the middle of everything

@pytest.mark.agentops_replay
@pytest.mark.parametrize("number", range(4))
def test_it(number, traces):
    from model_agent import chat  # the client is imported while the run is being captured
    import agentops_sdk as agentops
    assert chat(f"question {number}") == f"You said: question {number}"
    assert traces.cost.amount > 0
    assert not agentops.status().guard_errors
"""


@pytest.mark.slow
def test_three_recording_runs_at_once(run: Any, pytester: pytest.Pytester, model: LocalModel) -> None:
    processes = []
    for number in range(3):
        folder = pytester.path / f"project{number}"
        folder.mkdir()
        (folder / "test_parallel.py").write_text(PARALLEL)
        (folder / "model_agent.py").write_text((pytester.path / "model_agent.py").read_text())
        plugins = ("agentops_sdk.pytest_plugin", "xdist")
        options = ["-q", "-n", "2", "--agentops-record", "--agentops-report", "-p", "no:cacheprovider"]
        command = [sys.executable, "-W", "error", "-m", "pytest", *options]
        command += [part for name in plugins for part in ("-p", name)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ["PYTHONPATH"]])}
        processes.append(
            subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        )
    outputs = [process.communicate(timeout=300)[0].decode() for process in processes]
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == 0, output
        assert "4 passed" in output
        assert "contained an internal error" not in output
    recorded = list(pytester.path.glob("project*/replays/test_parallel/*.json"))
    assert len(recorded) == 12
    assert len(model.requests) == 12
