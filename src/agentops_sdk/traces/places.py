"""Where traces lie: in a directory, in a file, or in what a program has at hand."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Unpack

from agentops_sdk.encryption import SealedError, read_with
from agentops_sdk.errors import TraceError
from agentops_sdk.traces.advance import advancing
from agentops_sdk.traces.files import INDEXED, Traces
from agentops_sdk.traces.formats.from_otel import OPEN_SUFFIX
from agentops_sdk.traces.formats.lines import packed_beside
from agentops_sdk.traces.search.attribute_condition import attribute_name
from agentops_sdk.traces.search.filters import Filters, attributes_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.record import SpanRecord

SUFFIXES: Final = (
    ".jsonl", ".jsonl.gz", ".json", ".json.gz", ".ndjson", ".ndjson.gz", ".jsonl.zst",
    ".pb", ".pb.gz", ".binpb", ".binpb.gz", ".jsonl.parquet",
)  # fmt: skip
_WRITER = re.compile(r"-(\d+)-[0-9a-f]{8}\.jsonl")


def load(
    source: str | os.PathLike[str] | Iterable[SpanRecord | dict[str, Any] | str | bytes],
    *,
    attributes: Iterable[str] = (),
    key: Any = None,
    **filters: Unpack[Filters],
) -> Traces:
    """Read traces from a file, a directory (``.jsonl`` and ``.jsonl.gz``, subfolders too), or an iterable.

    An iterable may give records, their dictionaries, or lines. A torn line is skipped and counted, foreign
    lines are too; fields that this version does not know are kept. A file with OTLP/JSON on each line (as
    the OpenTelemetry Collector writes) is understood as well.

    Args:
        source: what to read.
        attributes: of spans or their resources, kept in memory for :meth:`Traces.where` and ``stats`` over many
            traces; others are read from the files when they are asked for.
        key: where the key is kept that files are encrypted with: ``env:NAME``, ``file:PATH``, bytes or a function. The
            setting's is known without it.
        filters: only traces that meet all of them, see :meth:`Traces.where`.

    Raises:
        ConfigError: a filter's value is wrong, or the key is none.
        TraceError: the path does not exist, cannot be read, or is a file without a single span. An empty
            directory is no error: the result is empty.
    """
    if key is not None:
        read_with(key)
    asked = (*map(attribute_name, attributes), *(attributes_of(filters) if filters else ()))
    traces = Traces(INDEXED if frozenset(INDEXED).issuperset(asked) else asked)
    _add(traces, source)
    traces.join_messages()
    return traces.where(**filters) if filters else traces


def _add(traces: Traces, source: str | os.PathLike[str] | Iterable[SpanRecord | dict[str, Any] | str | bytes]) -> None:
    if not isinstance(source, (str, os.PathLike)):
        for item in source:
            traces.add(item)
        traces.finish()
        return
    add_place(traces, Path(source))


def add_place(traces: Traces, path: Path) -> None:
    """Add what lies in a directory, or in a file.

    Raises:
        TraceError: it does not exist, cannot be read, or is a file that holds no span.
    """
    if path.is_dir():
        _add_directory(traces, path)
    elif path.exists():
        add_alone(traces, path)
    else:
        raise TraceError(f"{path} does not exist")


def _add_directory(traces: Traces, path: Path) -> None:
    # What is open comes first: what ends while the others are read is in them.
    for file in sorted(path.rglob(f"*{OPEN_SUFFIX}")):
        traces.add_open_file(file)
    sealed: SealedError | None = None
    for file in advancing(trace_files(path), _size):
        sealed = add_listed(traces, file) or sealed
    if sealed is not None and not len(traces):
        raise sealed


def add_listed(traces: Traces, file: Path) -> SealedError | None:
    """Add a file that was in a directory when that was listed; where it cannot be read, that is a remark.

    Returns:
        why it cannot be opened, where it is encrypted and the key is not at hand.
    """
    try:
        traces.add_file(file)
    except SealedError as error:
        traces.unreadable.append(f"{error}; it was left out")
        return error
    except TraceError as error:
        if not isinstance(error.__cause__, FileNotFoundError):  # a writer's retention has deleted it by now
            traces.unreadable.append(f"{error}; it was left out")
        elif (packed := packed_beside(file)) is not None:  # or it was packed
            traces.add_file(packed)
    return None


def _size(path: Path) -> int:
    with suppress(OSError):  # a writer's retention has deleted it by now
        return path.stat().st_size
    return 0


def add_alone(traces: Traces, path: Path) -> None:
    """Add a file, and of what the process has open that wrote it, what belongs to its traces.

    Raises:
        TraceError: it cannot be read, or holds no span.
    """
    opened = _open_beside(path)
    if not traces.add_file(path):
        skipped = f"{traces.foreign} foreign and {traces.torn} torn line(s)"
        counts = skipped if traces.foreign or traces.torn else "it is empty"
        name = traces.named.get(path)
        if traces.holds_messages:
            counts, name = "but log records", "messages of calls; put the spans into the same folder, and read that"
        raise TraceError(f"{path} holds no span records ({counts}){f': {name}' if name else ''}")
    for record in opened:
        if record.trace_id in traces:
            traces.add_record(record)


def _open_beside(path: Path) -> list[SpanRecord]:
    """What the process that wrote a file has open, if it still runs or was killed."""
    writer = _WRITER.search(path.name)
    files = sorted(path.parent.glob(f"*-{writer[1]}-*{OPEN_SUFFIX}")) if writer is not None else []
    if not files:
        return []
    opened = Traces()
    for file in files:
        opened.add_open_file(file)
    return [record for trace_id in opened.ids for record in opened.records(trace_id)]


def trace_files(directory: Path) -> list[Path]:
    """The trace files below a directory, each once: where a packed copy lies beside the original, the original.

    Writers compress closed files at any time. The directory is listed twice, because one listing may
    come too late for the original and too early for its copy.
    """
    listed = {
        path
        for _ in range(2)
        for path in directory.rglob("*")
        if path.name.endswith(SUFFIXES) and os.path.isfile(path)  # noqa: PTH113 - no error where a folder is closed
    }  # fmt: skip
    return sorted(path for path in listed if not _is_copy(path, listed))


def _is_copy(path: Path, listed: set[Path]) -> bool:
    if path.suffix not in (".gz", ".parquet"):
        return False
    original = path.with_suffix("")
    return original in listed or (path.suffix == ".parquet" and original.with_name(f"{original.name}.gz") in listed)
