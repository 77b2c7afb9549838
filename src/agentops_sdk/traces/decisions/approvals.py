"""The halves of a run that stopped to ask a person: the trace that asked, and the one that the answer set going."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from agentops_sdk import semconv

if TYPE_CHECKING:
    from agentops_sdk.traces.decisions.model import Decision
    from agentops_sdk.traces.files import Traces
    from agentops_sdk.traces.trace import Trace


def asked_in(decision: Decision, traces: Traces | None = None) -> list[str]:
    """Ids of the traces that asked what the person answered in ``made``.

    Args:
        traces: where they may be; without it, those that a link of the span names.
    """
    checkpoint = decision.span.attributes.get(semconv.GRAPH_RESUMED_FROM)
    if decision.by != "human" or checkpoint is None:
        return []
    linked = [link.trace_id for link in decision.span.links if semconv.GRAPH_RESUMED_FROM in link.attributes]
    stopped = traces.stopped_at(str(checkpoint)) if traces is not None else []
    return [each for each in dict.fromkeys([*linked, *stopped]) if each != decision.span.trace_id]


def answered_in(trace: Trace, decision: Decision, traces: Traces | None) -> list[str]:
    """Ids of the traces in which what ``made`` asked a person was answered, as far as ``traces`` has them."""
    if traces is None or decision.kind != "approval" or decision.made:
        return []
    around = chain((decision.span,), trace.ancestors(decision.span))
    ids = (above.attributes.get(semconv.GRAPH_CHECKPOINT_ID) for above in around)
    resumed = [each for checkpoint in ids if checkpoint is not None for each in traces.resumed_from(str(checkpoint))]
    return [each for each in dict.fromkeys(resumed) if each != trace.trace_id]
