"""Record and replay for one test: where its file is, in which mode, and when it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentops_sdk.testing.replay import replay

if TYPE_CHECKING:
    import pytest

    from agentops_sdk.testing.replay import Recording


@contextmanager
def replay_for(item: pytest.Item, failed: Callable[[], bool]) -> Iterator[Recording]:
    """Replay, or record if the command line says so; of a test that failed, nothing is kept or complained about."""
    marker = item.get_closest_marker("agentops_replay")
    options: dict[str, Any] = dict(marker.kwargs) if marker is not None else {}
    path = item.path.parent / options.pop("path") if options.get("path") else file_of(item)
    options.pop("path", None)
    mode = options.pop("mode", None) or item.config.getini("agentops_replay_mode")
    tools = bool(options.pop("tools", False))
    if options:
        raise TypeError(f"@pytest.mark.agentops_replay takes mode, tools and path, not {', '.join(options)}")
    try:
        with replay(path, record=bool(item.config.getoption("agentops_record")), mode=mode, tools=tools) as recording:
            yield recording
            if failed():
                raise _TestFailedError
    except _TestFailedError:
        pass


def file_of(item: pytest.Item) -> Path:
    """``replays/MODULE/TEST.json`` beside the test's file; a class and parameters are part of the name."""
    inside = item.nodeid.partition("::")[2]
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", inside.replace("::", ".")).strip("-")[:150]
    return item.path.parent / "replays" / item.path.stem / f"{name}.json"


class _TestFailedError(Exception):
    """The test has its own failure: an incomplete recording is no news."""
