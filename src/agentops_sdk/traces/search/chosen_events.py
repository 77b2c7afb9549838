"""Of what happens, what happens in the runs that meet filters: from the moment on at which a run does."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final

from agentops_sdk.traces.places import load
from agentops_sdk.traces.search.filters import conditions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.follower import Event
    from agentops_sdk.traces.search.filters import Filters

__all__ = ["ChosenEvents"]

_MOST_RUNS: Final = 1_000
_MOST_EVENTS: Final = 1_000
_MOST_CHOSEN: Final = 100_000


class ChosenEvents:
    """Holds back what happens in a run until what is known of it meets the filters; then all of it is let through.

    A run that has once met them stays chosen. What is held back is bounded: 1,000 runs, of each the latest 1,000
    events; ``dropped`` counts what was given up.
    """

    def __init__(self, filters: Filters) -> None:
        """Begin.

        Args:
            filters: none lets everything through.

        Raises:
            ConfigError: a filter's value is wrong.
        """
        conditions(filters)
        self._filters = filters
        self._chosen: OrderedDict[str, None] = OrderedDict()
        self._held: OrderedDict[str, deque[Event]] = OrderedDict()
        self.dropped = 0

    def of(self, events: Iterable[Event]) -> list[Event]:
        """What may be shown now: of these, and of what was held back before."""
        if not self._filters:
            return list(events)
        passed, changed = [], dict[str, None]()
        for event in events:
            trace_id = event.record.trace_id
            if trace_id in self._chosen:
                passed.append(event)
            else:
                self._hold(trace_id, event)
                changed[trace_id] = None
        for trace_id in changed:
            held = self._held.get(trace_id)
            if held is not None and self._meets(held):
                passed += self._held.pop(trace_id)
                self._chosen[trace_id] = None
                if len(self._chosen) > _MOST_CHOSEN:
                    self._chosen.popitem(last=False)
        return passed

    def _hold(self, trace_id: str, event: Event) -> None:
        held = self._held.setdefault(trace_id, deque(maxlen=_MOST_EVENTS))
        self._held.move_to_end(trace_id)
        self.dropped += len(held) == _MOST_EVENTS
        held.append(event)
        if len(self._held) > _MOST_RUNS:
            _, given_up = self._held.popitem(last=False)
            self.dropped += len(given_up)

    def _meets(self, held: Iterable[Event]) -> bool:
        latest = {event.record.span_id: event.record for event in held}
        return bool(load(latest.values()).where(**self._filters))
