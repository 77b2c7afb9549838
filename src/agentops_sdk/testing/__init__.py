"""Test agents: capture what a run did, query it, make assertions on it. Names load on first use.

::

    with agentops.testing.capture() as traces:
        run_my_agent()
    traces.assert_tool_called("search", times=1)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk._lazy import make_lazy
from agentops_sdk.testing.anything import ANY as ANY
from agentops_sdk.testing.refusals import NetworkModelError as NetworkModelError
from agentops_sdk.testing.refusals import ReplayError as ReplayError

if TYPE_CHECKING:
    from agentops_sdk.testing.capture_session import capture as capture
    from agentops_sdk.testing.determinism import FrozenClock as FrozenClock
    from agentops_sdk.testing.determinism import frozen_clock as frozen_clock
    from agentops_sdk.testing.determinism import incremental_ids as incremental_ids
    from agentops_sdk.testing.records import LlmCall as LlmCall
    from agentops_sdk.testing.records import Spans as Spans
    from agentops_sdk.testing.records import ToolCall as ToolCall
    from agentops_sdk.testing.replay import Recording as Recording
    from agentops_sdk.testing.replay import replay as replay
    from agentops_sdk.testing.results import CapturedTrace as CapturedTrace
    from agentops_sdk.testing.results import CapturedTraces as CapturedTraces
    from agentops_sdk.testing.run_replay import RunReplay as RunReplay
    from agentops_sdk.testing.run_replay import replay_run as replay_run

__all__ = [
    "ANY",
    "CapturedTrace",
    "CapturedTraces",
    "FrozenClock",
    "LlmCall",
    "NetworkModelError",
    "Recording",
    "ReplayError",
    "RunReplay",
    "Spans",
    "ToolCall",
    "capture",
    "frozen_clock",
    "incremental_ids",
    "replay",
    "replay_run",
]
make_lazy(
    __name__,
    {
        "results": "CapturedTrace CapturedTraces",
        "capture_session": "capture",
        "records": "LlmCall Spans ToolCall",
        "determinism": "FrozenClock frozen_clock incremental_ids",
        "replay": "Recording replay",
        "run_replay": "RunReplay replay_run",
    },
)
