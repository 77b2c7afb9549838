"""How the contract's tests drive CrewAI: the events of a crew around one request.

Crews, flows, agents and tools are in ``test_programs.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.integrations.framework_driver import FrameworkDriver


class CrewAIDriver(FrameworkDriver):
    span = "invoke_workflow ask"
    packages = ("crewai.events.event_bus",)
    warnings = ("ignore:Cannot set an attribute:ImportWarning",)

    @contextmanager
    def run(self) -> Iterator[None]:
        from crewai.events.event_bus import crewai_event_bus
        from crewai.events.types import crew_events as events

        crewai_event_bus.emit(self, events.CrewKickoffStartedEvent(crew_name="ask", inputs=None))
        try:
            yield
        except BaseException as error:
            crewai_event_bus.emit(self, events.CrewKickoffFailedEvent(crew_name="ask", error=str(error)))
            raise
        crewai_event_bus.emit(self, events.CrewKickoffCompletedEvent(crew_name="ask", output="done"))


driver = CrewAIDriver()
