"""Exceptions whose attributes raise are recorded like any other, and reach the caller as they were."""

from __future__ import annotations

from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.exporters.memory import MemoryExporter


def _raising(self: object) -> Any:
    raise RuntimeError


HOSTILE = {
    name: type("HostileError", (ValueError,), {name: property(_raising)})
    for name in ("args", "__cause__", "__context__", "__traceback__", "__suppress_context__", "__class__", "__dict__")
}
HOSTILE["__str__"] = type("HostileError", (ValueError,), {"__str__": _raising, "__repr__": _raising})
GROUP: Any = type("HostileError", (ExceptionGroup,), {"exceptions": property(_raising)})


@pytest.mark.parametrize("name", [*HOSTILE, "exceptions"])
def test_a_hostile_exception_passes_and_is_told(name: str) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[])
    error: Exception = GROUP("why", [KeyError("k")]) if name == "exceptions" else HOSTILE[name]("why")

    @agentops.track
    def fails() -> None:
        raise error

    caught: BaseException | None = None
    try:
        fails()
    except BaseException as raised:
        caught = raised
    assert caught is error
    agentops.flush()
    (span,) = exporter.finished_spans()
    assert span.attributes is not None
    assert span.attributes[semconv.OUTCOME] == "error"
    assert str(span.attributes[semconv.ERROR_TYPE]).endswith("HostileError")
    (event,) = span.events
    assert event.attributes is not None
    assert "in fails" in str(event.attributes[semconv.EXCEPTION_STACKTRACE])
