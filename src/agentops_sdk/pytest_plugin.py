"""The door through which pytest finds agentops: the fixtures ``agentops_traces`` and ``traces``.

Every test run imports this module: it must stay light, and what it needs it imports when it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from agentops_sdk.testing.captured import CapturedTraces


@pytest.fixture
def agentops_traces() -> Iterator[CapturedTraces]:
    """Everything that this test records, in memory: queries and assertions on what the agents did."""
    from agentops_sdk.testing.capturing import capture

    with capture() as traces:
        yield traces


@pytest.fixture
def traces(agentops_traces: CapturedTraces) -> CapturedTraces:
    """The same as ``agentops_traces``, unless the project has a fixture of this name."""
    return agentops_traces
