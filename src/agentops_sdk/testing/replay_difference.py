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

__all__ = ["noted_by_one", "parted", "steps_inside"]

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

    Where another program or version wrote down the record, it may know other settings: then those that both noted.
    """
    before = [span for _, span in recorded]
    if len(before) != len(again):
        return None
    names = _compared(before, again)

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


def noted_by_one(steps: Sequence[SpanRecord], again: Sequence[SpanRecord]) -> list[str]:
    """The settings that were not compared: another program or version wrote the record, and one of both noted them."""
    before, now = ([span for span in side if span.kind == "llm"] for side in (steps, again))
    return sorted((_noted(before) | _noted(now)) - _compared(before, now) - _cut(before) - _cut(now))


def _compared(before: Sequence[SpanRecord], now: Sequence[SpanRecord]) -> set[str]:
    """The settings that are compared; tools among them, where both would have noted those that were offered."""
    one, two = _noted(before), _noted(now)
    if len({repr(span.scope) for span in (*before, *now)}) > 1:
        names = one & two
    else:
        names = one | two
        if not (_keeps_content(before) and _keeps_content(now)):
            names.discard(semconv.TOOL_DEFINITIONS)
    return names - _cut(before) - _cut(now)


def _keeps_content(spans: Sequence[SpanRecord]) -> bool:
    """Whether tools would have been noted: they are where messages are."""
    return all(semconv.INPUT_MESSAGES in span.attributes for span in spans)


def _noted(spans: Sequence[SpanRecord]) -> set[str]:
    names = {name for span in spans for name in span.attributes}
    kept = {name for name in names if name.startswith(_SETTING) or name == semconv.TOOL_DEFINITIONS}
    return kept - {semconv.REQUEST_PREVIOUS_RESPONSE_ID}  # an id that the answer may have got from us


def _cut(spans: Sequence[SpanRecord]) -> set[str]:
    return {name for span in spans for name in span.attributes.get(semconv.TRUNCATED) or ()}
