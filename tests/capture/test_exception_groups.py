"""What a failed span tells of an exception group: its members, theirs, and what each came from; all of it bounded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.cli import main


async def look_up(order: str) -> None:
    try:
        {}[order]
    except KeyError as error:
        raise ValueError(f"no order {order}") from error


async def nested() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(look_up("99"))


@agentops.agent
async def clerk() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(look_up("17"))
        group.create_task(nested())


def failing(error: BaseException, folder: Path) -> Any:
    """The record of a span that failed with ``error``."""
    agentops.init(directory=folder, integrations=[])
    with pytest.raises(type(error)), agentops.span("work"):
        raise error
    agentops.shutdown()
    (trace,) = agentops.traces.load(folder)
    return trace.spans[0]


def test_a_task_group_shows_what_failed_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    agentops.init(integrations=[])
    with pytest.raises(ExceptionGroup):
        asyncio.run(clerk())
    agentops.shutdown()
    assert main(["show", "latest"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert (
        "ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions) [ValueError: no order 17; "
        "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception) [ValueError: no order 99]]"
    ) in shown
    (trace,) = agentops.traces.load(tmp_path / ".agentops" / "traces")
    (event,) = trace.spans[0].events
    assert event.attributes["exception.type"] == trace.spans[0].attributes["error.type"] == "ExceptionGroup"
    assert event.attributes["exception.message"] == trace.spans[0].status_message
    stack = event.attributes["exception.stacktrace"]
    assert "  Member 1 of 2:\n" in stack
    assert "      Member 1 of 1:\n" in stack
    assert stack.count("The above exception was the direct cause") == 2
    # What a member came from stands with the member, not above the group.
    assert stack.index("Member 1 of 2") < stack.index("KeyError: '17'") < stack.index("ValueError: no order 17")


def test_a_very_large_group_is_bounded(tmp_path: Path) -> None:
    many = ExceptionGroup("many", [ValueError("x" * 5_000) for _ in range(1_000)])
    for _ in range(50):
        many = ExceptionGroup("around", [many, *(KeyError(n) for n in range(20))])
    record = failing(many, tmp_path)
    assert record.status_message.startswith("around (21 sub-exceptions) [ExceptionGroup: around")
    assert record.status_message.endswith("more]")
    assert len(record.status_message) < 8_200
    assert len(record.events[0].attributes["exception.stacktrace"]) < 100_000


def test_a_group_within_its_own_causes_ends(tmp_path: Path) -> None:
    inner = ValueError("inner")
    group = ExceptionGroup("group", [inner])
    inner.__cause__ = group
    record = failing(group, tmp_path)
    assert record.status_message == "group (1 sub-exception) [ValueError: inner]"


def test_members_run_no_code_and_keep_no_secret(tmp_path: Path) -> None:
    class Hostile(Exception):
        def __str__(self) -> str:
            raise SystemExit

    key = "sk-proj-" + "a1B2c3D4" * 6
    record = failing(ExceptionGroup("group", [Hostile("why"), ValueError(f"refused {key}")]), tmp_path)
    assert "Hostile: why; ValueError: refused [redacted" in record.status_message
    assert key not in record.model_dump_json()
