"""Internal steps fold away in trees; what went wrong in it does not."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.cli import main


@pytest.fixture(autouse=True)
def _here(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def record(*, fails: bool) -> None:
    agentops.init(integrations=[])
    with (
        agentops.span("top", kind="workflow"),
        contextlib.suppress(LookupError),
        agentops.span("pipe") as pipe,
    ):
        pipe.set("agentops.internal", True)
        with agentops.span("step"):
            pass
        if fails:
            raise LookupError
    agentops.shutdown()


def test_children_of_internal_steps_move_up(capsys: pytest.CaptureFixture[str]) -> None:
    record(fails=False)
    assert main(["show", "latest"]) == 0
    shown = capsys.readouterr().out
    assert "step" in shown
    assert "pipe" not in shown
    assert main(["show", "latest", "--internal"]) == 0
    assert "pipe" in capsys.readouterr().out


def test_an_internal_step_that_failed_by_itself_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    record(fails=True)
    assert main(["show", "latest"]) == 0
    assert "pipe" in capsys.readouterr().out
