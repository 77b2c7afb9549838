"""What one process finds of a model holds in all that share a folder and have the same rule, also after a crash."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import agentops_sdk as agentops
from agentops_sdk._limits import breakers

CALL = functools.partial(
    agentops.span, "chat", kind="llm", **{"gen_ai.request.model": "m", "gen_ai.provider.name": "p"}
)

PROGRAM = """
import os, sys, time
import agentops_sdk as agentops

agentops.init(directory=sys.argv[1], integrations=[])
agentops.breaker("error rate > 50 %", least=2, cooldown=0.2)
if sys.argv[2] == "works":
    time.sleep(0.3)  # a program may begin faster than a breaker cools down
for _ in range(2):
    try:
        with agentops.span("chat", kind="llm", **{"gen_ai.request.model": "m", "gen_ai.provider.name": "p"}):
            if sys.argv[2] == "fails":
                raise ConnectionError
    except ConnectionError:
        pass
    agentops.flush()
if sys.argv[2] == "fails":
    os.kill(os.getpid(), 9)
"""


def program(folder: Path, what: str) -> int:
    return subprocess.run([sys.executable, "-c", PROGRAM, str(folder), what], cwd=folder, check=False).returncode


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    breakers._of_models.clear()
    yield tmp_path
    for rule in list(breakers.rules):
        breakers.remove(rule)


def look() -> str:
    with agentops.span("anything"):
        pass
    agentops.flush()
    return agentops.Breaker.states().get(("p", "m"), "closed")


def test_what_a_killed_process_opened_is_open_here_until_another_closes_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program(folder, "fails") == -9
    agentops.init(directory=folder, integrations=[])
    agentops.breaker("p95 latency > 9 s", least=2)  # has nothing to do with it
    assert look() == "closed"
    agentops.breaker("error rate > 50 %", least=2, cooldown=0.2)
    assert agentops.Breaker.states()["p", "m"] == "open"
    monkeypatch.setattr(breakers, "clock", lambda: 0.0)  # here, it is never time to see
    breakers._of_models["p", "m"].opened_at = 0.0
    with pytest.raises(agentops.BreakerOpen, match="error rate > 50 % in 60 s"), CALL():
        raise AssertionError("not to be reached")

    assert program(folder, "works") == 0
    assert list((folder / "breakers").iterdir()) == []
    monkeypatch.setattr("agentops_sdk._limits.state_folder._OFTEN", 0)
    assert look() == "closed"
    with CALL():
        pass
    agentops.shutdown()


def test_facts_that_are_none_or_old_open_nothing_and_a_place_that_cannot_be_written_harms_nobody(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentops_sdk._limits.state_folder._OFTEN", 0)
    rule = agentops.breaker("error rate > 50 %", least=1)
    place = folder / "breakers"
    place.mkdir()
    for name, text in {
        "a": "[]",
        "b": '{"provider": 3}',
        "c": json.dumps({"provider": "p", "model": "m", "rule": rule.rule.text, "reason": "", "token": "1", "at": 1}),
    }.items():
        (place / f"{name}.json").write_text(text)
    agentops.init(directory=folder, integrations=[])
    assert look() == "closed"
    for path in place.iterdir():
        path.unlink()
    place.rmdir()
    place.write_text("a file where the folder would be")
    with pytest.raises(ConnectionError), CALL():
        raise ConnectionError
    assert look() == "open"
    assert "other processes are not told" in caplog.text
    agentops.shutdown()
