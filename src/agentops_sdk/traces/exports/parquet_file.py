"""Parquet, a row for each step, for dataframes and DuckDB; needs pyarrow (the extra ``parquet``)."""

from __future__ import annotations

import json
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from agentops_sdk import semconv
from agentops_sdk.errors import AgentOpsError
from agentops_sdk.traces.trace import model_of, session_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentops_sdk.traces.trace import Trace

SUFFIX: Final = ".parquet"
_ROWS: Final = 10_000


def write(traces: Iterable[Trace], file: BinaryIO) -> None:
    """Write the rows, some thousands at a time.

    Raises:
        AgentOpsError: pyarrow is not installed.
    """
    try:
        pyarrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError:
        raise AgentOpsError('Parquet needs pyarrow: pip install "agentops-recorder[parquet]"') from None
    schema = pyarrow.schema([(name, getattr(pyarrow, kind)(*more)) for name, (kind, *more) in _SCHEMA.items()])
    rows = _rows(traces)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while some := list(islice(rows, _ROWS)):
            writer.write_table(pyarrow.Table.from_pylist(some, schema=schema))


_SCHEMA: Final[dict[str, tuple[Any, ...]]] = {
    **dict.fromkeys(("trace_id", "span_id", "parent_id", "name", "kind", "outcome", "status_message"), ("string",)),
    "start": ("timestamp", "ns", "UTC"),
    "end": ("timestamp", "ns", "UTC"),
    **dict.fromkeys(("service", "session", "user", "agent", "tool", "model"), ("string",)),
    "is_call": ("bool_",),
    "input_tokens": ("int64",),
    "output_tokens": ("int64",),
    "cost": ("float64",),
    "currency": ("string",),
    "cost_unknown_reason": ("string",),
    **dict.fromkeys(("attributes", "events", "links", "resource"), ("string",)),
}
"""The columns. Tokens and cost stand on the span that counts: their sums are those of the run; unknown is null."""


def _rows(traces: Iterable[Trace]) -> Iterator[dict[str, Any]]:
    for trace in traces:
        for span in trace:
            share, told = trace.share(span), span.attributes.get
            usage, cost = share.usage, share.cost
            fields = span.model_dump(include={"attributes", "events", "links", "resource"})
            known = cost is not None and cost.known
            yield {
                **{name: getattr(span, name) for name in ("trace_id", "span_id", "parent_id", "kind", "outcome")},
                "name": _text(span.name),
                "status_message": _text(span.status_message),
                "start": span.start_ns,
                "end": span.end_ns if span.ended else None,
                "service": _text(span.resource.get(semconv.SERVICE_NAME)),
                "session": _text(session_of(span)),
                "user": _text(told(semconv.USER_ID)),
                "agent": _text(told(semconv.AGENT_NAME)),
                "tool": _text(told(semconv.TOOL_NAME)),
                "model": _text(model_of(span)),
                "is_call": share.call,
                "input_tokens": usage.input if usage is not None and usage.by_source else None,
                "output_tokens": usage.output if usage is not None and usage.by_source else None,
                "cost": float(cost.amount) if cost is not None and known else None,
                "currency": cost.currency if cost is not None and known else None,
                "cost_unknown_reason": "; ".join(cost.unknowns) if cost is not None and cost.unknowns else None,
                **{name: json.dumps(value, default=str) for name, value in fields.items()},
            }


def _text(value: Any) -> str | None:
    """Text as UTF-8 has it: half a surrogate pair becomes an escape."""
    return None if value is None else str(value).encode("utf-8", "backslashreplace").decode()
