"""Where a run that was replayed went another way than the recorded one, although it asked models the same."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.testing.recordings.json_diff import differences
from agentops_sdk.traces.formats.json_values import parsed

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

__all__ = ["parted", "steps_inside"]

_SETTING: Final = "gen_ai.request."


def steps_inside(trace: Trace, steps: Sequence[SpanRecord], answered: Container[int]) -> set[int]:
    """The steps, by number from 1, below tools that answered instead of running: nothing was done in those.

    Args:
        trace: the recorded run.
        steps: of it.
        answered: which of the tools did, by their place among the tools.
    """
    ids = [span.span_id for span in steps if span.kind == "tool"]
    tools = {span_id for place, span_id in enumerate(ids) if place in answered}
    parents = {span.span_id: span.parent_id for span in trace.spans}
    found = set()
    for number, span in enumerate(steps, 1):
        above, seen = span.parent_id, set[str]()
        while above is not None and above not in seen and above not in tools:
            seen.add(above)
            above = parents.get(above)
        if above in tools:
            found.add(number)
    return found


def parted(steps: Sequence[SpanRecord], inside: set[int], again: Sequence[SpanRecord]) -> str | None:
    """What differs: a tool that did not run again, or a call with other settings; ``None`` where nothing does.

    Args:
        steps: of the recorded run.
        inside: those that could not come again.
        again: the steps of what came of the replay.
    """
    tools = Counter(span.name for span in again if span.kind == "tool")
    for number, span in enumerate(steps, 1):
        if span.kind == "tool" and number not in inside:
            if not tools[span.name]:
                return f"step {number} ({span.name}) did not run again"
            tools[span.name] -= 1
    calls = [(number, span) for number, span in enumerate(steps, 1) if span.kind == "llm" and number not in inside]
    return _other_settings(calls, [span for span in again if span.kind == "llm"])


def _other_settings(recorded: Sequence[tuple[int, SpanRecord]], again: Sequence[SpanRecord]) -> str | None:
    """The first model call that was asked with other settings, such as another model; in any order, for tasks race.

    Only where the same program of ours wrote down both: another one knows other settings.
    """
    spans = [*(span for _, span in recorded), *again]
    if len(recorded) != len(again) or len({repr(span.scope) for span in spans}) > 1:
        return None
    names = {name for span in spans for name in span.attributes if name.startswith(_SETTING)}
    if all(any(semconv.TOOL_DEFINITIONS in span.attributes for span in side) for side in (spans[: len(again)], again)):
        names.add(semconv.TOOL_DEFINITIONS)  # else it may be that one of them was to leave them out
    names -= {name for span in spans for name in span.attributes.get(semconv.TRUNCATED) or ()}
    names.discard(semconv.REQUEST_PREVIOUS_RESPONSE_ID)  # an id that the answer may have got from us

    def settings(span: SpanRecord) -> dict[str, Any]:
        return {name: parsed(span.attributes[name]) for name in sorted(names) if name in span.attributes}

    now = [settings(span) for span in again]
    others = []
    for number, span in recorded:
        try:
            now.remove(settings(span))
        except ValueError:
            others.append((number, span))
    if not others:
        return None
    number, span = others[0]
    lines = "\n".join(f"  {line}" for line in differences(settings(span), now[0]))
    return f"step {number} ({span.name}) was answered, but is asked with other settings:\n{lines}"
