"""What of the contract needs a fresh process: ``python -m tests.integrations.programs PROGRAM NAME …``."""

from __future__ import annotations

import importlib
import logging
import sys

from tests.integrations.driver import driver_of
from tests.integrations.seams import attributes, changed, load
from tests.integrations.traffic import Spans, everything, request, ways
from tests.wire.http import Wire

import agentops_sdk as agentops
from agentops_sdk._host import guard
from agentops_sdk.exporters.memory import MemoryExporter


def imports_nothing(*names: str) -> None:
    """A library that is installed and that the program has not imported is not imported by us either."""
    drivers = [driver_of(name) for name in names]
    agentops.init(exporters=[MemoryExporter()])
    states = {name: agentops.status().integrations[name].state for name in names}
    assert set(states.values()) <= {"waiting for import", "version untested"}, states
    with agentops.span("work"):
        pass
    agentops.flush()
    agentops.shutdown()
    imported = [package for driver in drivers for package in driver.packages if package in sys.modules]
    assert not imported, imported


def import_order(*steps: str) -> None:
    """``init``, and the names of integrations whose libraries are imported, in this order: one call is one span."""
    exporter = MemoryExporter()
    for step in steps:
        if step == "init":
            agentops.init(exporters=[exporter])
        else:
            for package in driver_of(step).packages:
                importlib.import_module(package)
    for name in steps:
        if name != "init":
            _calls_are_recorded(name, exporter)
    agentops.shutdown()


def _calls_are_recorded(name: str, exporter: MemoryExporter) -> None:
    driver = driver_of(name)
    state = agentops.status().integrations[name]
    assert state.state in ("patched", "version untested"), (name, state)
    exporter.clear()
    with Wire(driver.answer) as wire:
        for way in ways(driver):
            seen = request(driver, wire, way)
            assert seen.error is None, (name, seen)
    agentops.flush()
    names = [span.name for span in exporter.finished_spans()]
    assert names == [driver.span] * len(ways(driver)), (name, names)


def undo(name: str) -> None:
    """Every attribute of the library is the very same object after shutdown(), found without asking our own books."""
    driver = driver_of(name)
    load(driver)
    with Wire(driver.answer) as wire:
        everything(driver, wire)
        first = attributes(driver.packages)
        everything(driver, wire)
        before = attributes(driver.packages)
        restless = changed(first, before)  # caches of the library's own
        for _ in range(2):
            spans = Spans(name)
            patched = changed(before, attributes(driver.packages)) - restless
            assert patched or driver.registers, "nothing was patched: does the driver name the right packages?"
            everything(driver, wire)
            assert spans.take()
            agentops.shutdown()
            left = changed(before, attributes(driver.packages)) - restless
            assert not left, sorted(left)
        everything(driver, wire)
        assert not spans.exporter.finished_spans()
    assert not agentops.status().dormant_patches, agentops.status().dormant_patches


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    guard.reraise = True
    program, *arguments = sys.argv[1:]
    {"imports_nothing": imports_nothing, "import_order": import_order, "undo": undo}[program](*arguments)
