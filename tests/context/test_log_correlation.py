"""Ids of the trace in the records of ``logging``: where asked for, and gone with us."""

from __future__ import annotations

import logging
from typing import Any

import agentops_sdk as agentops

LOG = logging.getLogger("shop")


def _records(caplog: Any) -> list[Any]:
    return [record for record in caplog.records if record.name == "shop"]


def test_records_have_the_ids_of_their_span(caplog: Any) -> None:
    before = logging.getLogRecordFactory()
    agentops.init(exporters=["memory"], integrations=[], log_correlation=True)
    LOG.warning("outside")
    with agentops.span("work") as span:
        LOG.warning("inside", extra={"trace_id": "the program's own"})
    agentops.shutdown()
    assert logging.getLogRecordFactory() is before
    LOG.warning("afterwards")
    outside, inside, afterwards = _records(caplog)
    assert (outside.otelTraceID, outside.otelSpanID, outside.otelTraceSampled) == ("0", "0", False)
    assert (inside.otelTraceID, inside.otelSpanID, inside.otelTraceSampled) == (span.trace_id, span.span_id, True)
    assert inside.trace_id == "the program's own"
    assert not hasattr(afterwards, "otelTraceID")


def test_a_factory_that_is_set_later_stays(caplog: Any) -> None:
    before = logging.getLogRecordFactory()
    agentops.init(exporters=["memory"], integrations=[], log_correlation=True)
    ours = logging.getLogRecordFactory()

    def theirs(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = ours(*args, **kwargs)
        record.theirs = True
        return record

    logging.setLogRecordFactory(theirs)
    try:
        agentops.shutdown()
        LOG.warning("afterwards")
    finally:
        logging.setLogRecordFactory(before)
    (record,) = _records(caplog)
    assert record.theirs
    assert not hasattr(record, "otelTraceID")


def test_only_where_asked_for() -> None:
    before = logging.getLogRecordFactory()
    agentops.init(exporters=["memory"], integrations=[])
    assert logging.getLogRecordFactory() is before
