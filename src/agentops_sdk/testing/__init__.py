"""Agents tested like code: capture what a run did, ask it, assert on it. Names load on first use.

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
    from agentops_sdk.testing.captured import CapturedTrace as CapturedTrace
    from agentops_sdk.testing.captured import CapturedTraces as CapturedTraces
    from agentops_sdk.testing.capturing import capture as capture
    from agentops_sdk.testing.elements import LlmCall as LlmCall
    from agentops_sdk.testing.elements import Spans as Spans
    from agentops_sdk.testing.elements import ToolCall as ToolCall
    from agentops_sdk.testing.repeatable import FrozenClock as FrozenClock
    from agentops_sdk.testing.repeatable import frozen_clock as frozen_clock
    from agentops_sdk.testing.repeatable import incremental_ids as incremental_ids
    from agentops_sdk.testing.replay import Recording as Recording
    from agentops_sdk.testing.replay import replay as replay

__all__ = [
    "ANY",
    "CapturedTrace",
    "CapturedTraces",
    "FrozenClock",
    "LlmCall",
    "NetworkModelError",
    "Recording",
    "ReplayError",
    "Spans",
    "ToolCall",
    "capture",
    "frozen_clock",
    "incremental_ids",
    "replay",
]
make_lazy(
    __name__,
    {
        "captured": "CapturedTrace CapturedTraces",
        "capturing": "capture",
        "elements": "LlmCall Spans ToolCall",
        "repeatable": "FrozenClock frozen_clock incremental_ids",
        "replay": "Recording replay",
    },
)
