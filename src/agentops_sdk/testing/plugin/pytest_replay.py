"""Record and replay for one test: where its file is, in which mode, and when it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agentops_sdk.testing.replay import Recording, answering, failed_path

if TYPE_CHECKING:
    from agentops_sdk.testing.replay import Outcome

_kept: pytest.StashKey[set[Path]] = pytest.StashKey()
"""The recordings of tests that failed in this test run."""


@contextmanager
def replay_for(item: pytest.Item, outcome: Callable[[], Outcome]) -> Iterator[Recording]:
    """Replay, or record if the command line says so.

    A recording is only good, or found wanting, if the ``outcome`` of the test is ``passed``. Of one that ``failed``
    what was recorded is kept apart; of one that was ``skipped`` nothing is.
    """
    marker = item.get_closest_marker("agentops_replay")
    options: dict[str, Any] = dict(marker.kwargs) if marker is not None else {}
    path = item.path.parent / options.pop("path") if options.get("path") else file_of(item)
    options.pop("path", None)
    mode = options.pop("mode", None) or item.config.getini("agentops_replay_mode")
    tools = bool(options.pop("tools", False))
    if options:
        raise TypeError(f"@pytest.mark.agentops_replay takes mode, tools and path, not {', '.join(options)}")
    record = bool(item.config.getoption("agentops_record"))
    kept = item.config.stash.setdefault(_kept, set())
    # A rerun within this test run is there because the model may answer better: it asks anew.
    earlier = None if path in kept else failed_path(path)
    recording = Recording(path, record=record, mode=mode, tools=tools, earlier=earlier)
    with answering(recording):
        yield recording
    ended = outcome()
    if ended == "failed":
        kept.add(path)
    recording.end(ended)


def file_of(item: pytest.Item) -> Path:
    """``replays/MODULE/TEST.json`` beside the test's file; a class and parameters are part of the name."""
    inside = item.nodeid.partition("::")[2]
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", inside.replace("::", ".")).strip("-")[:150]
    return item.path.parent / "replays" / item.path.stem / f"{name}.json"
