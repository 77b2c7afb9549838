"""Log lines of a run as events of the spans that they are written in: when asked, bounded, scrubbed."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

KEY = "sk-proj-" + "a1B2c3D4e5F6g7H8" * 3


class Odd:
    """What an object says of itself is not asked for twice."""

    asked = 0

    def __repr__(self) -> str:
        Odd.asked += 1
        return "odd"


def _lines(**options: Any) -> Any:
    """The spans of a run that writes lines, and the lines."""
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], **options)
    logger = logging.getLogger("shop.orders")
    logger.setLevel("DEBUG")
    logger.handlers = [logging.NullHandler()]  # pytest has others, which raise
    logger.propagate = False
    logger.warning("before any span")
    with agentops.span("checkout"):
        logger.debug("too low")
        logger.info("order %s of %d", "7", 12)
        logger.info("named %(order)s", {"order": "8"})
        logger.info("object %s", Odd())
        logger.info("wrong %d", "x")
        logger.info("key %s", KEY)
        logging.getLogger("agentops_sdk.test").error("ours")
        try:
            raise LookupError("no such order")
        except LookupError:
            logger.exception("failed")
    logger.handlers = []
    assert agentops.flush()
    (span,) = exporter.finished_spans()
    agentops.shutdown()
    return span, [event for event in span.events if event.name == "agentops.log"]


def test_lines_are_events() -> None:
    span, events = _lines(log_events="info")
    bodies = [event.attributes["agentops.log.body"] for event in events]
    assert bodies[:2] == ["order 7 of 12", "named 8"]
    assert bodies[3] == "wrong %d"
    assert KEY not in str(bodies)
    assert bodies[-1] == "failed"
    assert Odd.asked == 0
    last = events[-1].attributes
    assert (last["agentops.log.severity"], last["agentops.log.logger"]) == ("ERROR", "shop.orders")
    assert last["exception.type"] == "builtins.LookupError"
    assert span.attributes["agentops.log.lines"] == len(events) == 6


def test_off_by_default_and_by_level() -> None:
    assert _lines()[1] == []
    assert [event.attributes["agentops.log.severity"] for event in _lines(log_events="error")[1]] == ["ERROR"]


def test_content_stays_out() -> None:
    events = _lines(log_events="info", capture_content=False)[1]
    assert len(events) == 6
    assert not any("agentops.log.body" in event.attributes for event in events)


def test_what_is_too_much_is_counted() -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], log_events="warning")
    with agentops.span("loop"):
        for number in range(130):
            logging.getLogger("shop").warning("line %s", "x" * 10_000 if number == 0 else number)
    assert agentops.flush()
    (span,) = exporter.finished_spans()
    assert (len(span.events), span.attributes["agentops.log.dropped_lines"]) == (100, 30)
    assert len(span.events[0].attributes["agentops.log.body"]) <= 2_000


def test_a_wrong_level_is_refused() -> None:
    with pytest.raises(agentops.ConfigError, match="log_events"):
        agentops.init(log_events="loud")


def test_a_record_that_is_made_anew_is_no_line() -> None:
    """As what receives records from other processes makes them: their level comes afterwards."""
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], log_correlation=True, log_events="info")
    with agentops.span("checkout"):
        record = logging.makeLogRecord({"msg": "from elsewhere", "levelno": 40, "otelTraceID": "theirs"})
    agentops.shutdown()
    assert (record.msg, vars(record)["otelTraceID"]) == ("from elsewhere", "theirs")
    (span,) = exporter.finished_spans()
    assert not span.events
