"""The exporter that encodes spans as protobuf requests and puts them into the spool, from which they are shipped."""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from agentops_sdk.errors import ConfigError
from agentops_sdk.exporters._export_result import export_result
from agentops_sdk.exporters.contract import Create, SinkOptions
from agentops_sdk.exporters.otlp.destination import Endpoint, grpc_package, protocol
from agentops_sdk.exporters.otlp.proxy import is_direct
from agentops_sdk.exporters.otlp.shipper import Shipper
from agentops_sdk.exporters.otlp.span_encoding import EncodedSpan, encode, requests
from agentops_sdk.exporters.otlp.spool import Spool
from agentops_sdk.traces.formats.wire_values import UNENCODABLE, encodable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    from agentops_sdk.config import Settings


__all__ = ["OTLPExporter", "create", "spool_name"]

_RECORD_BYTES = 900_000
_RECORD_SPANS = 512
_PLAIN = "agentops_sdk.exporters.otlp.plain_connection"


class OTLPExporter(SinkOptions):
    """OTLP over HTTP with a spool on disk; ``export`` returns once the spans are in the spool.

    A ``SpanExporter`` by shape, not by inheritance: OpenTelemetry's SDK is not loaded for it.

    Args:
        endpoint: where to send; from the standard ``OTEL_EXPORTER_OTLP_*`` variables when not given.
        directory: the spool lives below it; ``None`` keeps it in memory.
        max_bytes: the spool's bound on disk.
        max_age: how many seconds spans may wait.
        memory_bytes: the bound where there is no disk.

    Raises:
        ConfigError: the endpoint or a variable cannot work.
    """

    inline = True
    disk = True
    lean = True
    imports: tuple[str, ...] = ()

    def __init__(
        self,
        endpoint: Endpoint | str | None = None,
        *,
        directory: str | os.PathLike[str] | None = ".agentops/spool",
        max_bytes: int = 256 * 1_048_576,
        max_age: float = 7 * 86_400.0,
        memory_bytes: int = 16 * 1_048_576,
    ) -> None:
        self.endpoint = endpoint if isinstance(endpoint, Endpoint) else Endpoint.resolve(endpoint)
        direct = is_direct(self.endpoint.url)
        self.background_imports = (_PLAIN,) if direct else ("httpcore2", "urllib.request")
        # Absolute from the start: the host may change its working directory later.
        base = None if directory is None else Path(directory).expanduser().absolute()
        self.folder = None if base is None else base / spool_name(self.endpoint.url, self.endpoint.signal)
        self._bounds = {"max_bytes": max_bytes, "max_age": max_age, "memory_bytes": memory_bytes}
        for name, value in self._bounds.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                raise ConfigError(name, value, "a number above 0")
        self._closed = False
        self._begin()

    @classmethod
    def by_settings(cls, endpoint: Endpoint, settings: Settings) -> Self:
        """One whose spool lies where the settings say, and is as large."""
        return cls(
            endpoint,
            directory=Path(settings.directory) / "spool",
            max_bytes=settings.spool_max_bytes,
            max_age=settings.spool_max_days * 86_400,
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Encode and spool. Only called by one thread at a time. What cannot be encoded is lost alone, counted."""
        if self._closed:
            return export_result(success=False)
        if self._pid != os.getpid():  # nobody told us of the fork
            self.after_fork()
        most = min(self.endpoint.most_items or _RECORD_SPANS, _RECORD_SPANS)
        for data, count in requests(self._encoded(spans), most_bytes=_RECORD_BYTES, most_spans=most):
            self._spool.append(data, count)
        self._shipper.wake()
        return export_result(success=True)

    def _encoded(self, spans: Sequence[ReadableSpan]) -> Iterator[EncodedSpan]:
        """Each as it is asked for: no more is held than goes into one request."""
        for span in spans:
            try:
                encoded = encode(encodable(span))
            except UNENCODABLE as error:
                self._spool.lose(1, "unencodable", error)
            else:
                yield encoded

    def submit(self, payload: bytes, spans: int) -> None:
        """Spool an encoded request (``ExportTraceServiceRequest`` or ``TracesData``) of ``spans`` spans."""
        self._spool.append(payload, spans)
        self._shipper.wake()

    def adopt(self, folder: Path | None = None) -> int:
        """Take over what dead processes left, here or in another endpoint's spool; the number of spans.

        What was damaged, or is no segment, is told by :attr:`remarks`.

        Raises:
            OSError: the spool cannot be read or written.
        """
        count = self._spool.adopt(folder)
        if count:
            self._shipper.wake()
        return count

    def take_file(self, path: Path) -> int:
        """Send a segment file that no process owns, such as one that was refused; it is moved.

        Raises:
            OSError: it cannot be read or moved.
            ValueError: it is no segment.
        """
        count = self._spool.take(path)
        self._shipper.wake()
        return count

    @property
    def remarks(self) -> list[str]:
        """What was found in spools that is damaged, or no segment: the path and what is the matter."""
        return [f"{path}: {remark}" for path, remark in self._spool.remarks.items()]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits; ``True`` if the backend took (or refused) it all within the time."""
        return self._shipper.drain(timeout_millis / 1000)

    def shutdown(self, timeout: float = 3.0) -> None:
        """Try to send what waits for at most ``timeout`` seconds; the rest stays for the next process."""
        if self._closed:
            return
        self._closed = True
        deadline = time.monotonic() + timeout
        if self._shipper.begun:
            self._shipper.adopt()  # what a child left since the last look
        self._shipper.drain(timeout)
        self._shipper.stop(min(0.2, max(0.0, deadline - time.monotonic())))
        self._spool.close()

    @property
    def disk_error(self) -> str | None:
        """Why the spool cannot be on disk now."""
        return self._spool.disk_error

    def stats(self) -> dict[str, Any]:
        """Exact accounting: accepted = exported + pending + all dropped; what was adopted is counted apart."""
        spool, connection = self._spool, self._shipper.stats()
        return {
            "accepted": spool.appended,
            "exported": spool.exported,
            "pending": spool.own_pending,
            "dropped": dict(spool.dropped),
            "adopted": {
                "spans": spool.adopted,
                "exported": spool.adopted_exported,
                "pending": spool.pending - spool.own_pending,
                "dropped": dict(spool.adopted_dropped),
            },
            "spooled_bytes": spool.pending_bytes,
            "spool": str(self.folder) if self.folder is not None else None,
            "durable": spool.durable,
            "disk_error": spool.disk_error,
            "torn_records": spool.torn,
            **connection,
            "last_error": connection["last_error"] or spool.last_loss,
        }

    def watch_children(self) -> None:
        """This process has started another: should that die, what it had spooled is sent from here, within seconds."""
        self._shipper.begin()

    def after_fork(self) -> None:
        """In a child: start empty. What is spooled so far is the parent's, and so are its locks."""
        self._spool.forget()
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        packs = self.endpoint.compression == "gzip" and not self.endpoint.json
        self._spool = Spool(self.folder, packs=packs, **self._bounds)  # type: ignore[arg-type]  # one mapping for three types
        self._shipper = Shipper(self.endpoint, self._spool, linger=self.endpoint.delay)


def spool_name(url: str, signal: str = "traces") -> str:
    """The directory name of one endpoint: readable, and different for every URL, and every signal that goes there."""
    host = re.sub(r"[^A-Za-z0-9.-]", "_", urlsplit(url).netloc)[:60]
    name = f"{host}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
    return name if signal == "traces" else f"{name}-{signal}"


def create(argument: str | None, settings: Settings) -> OTLPExporter | SpanExporter:
    """``"otlp"`` sends where ``OTEL_EXPORTER_OTLP_*`` say, ``"otlp:URL"`` to a URL.

    Where ``OTEL_EXPORTER_OTLP_PROTOCOL`` says ``grpc``, OpenTelemetry's own exporter does it, without a spool.
    """
    if argument is None and protocol("traces") == "grpc":
        with grpc_package("traces"):
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # type: ignore[import-not-found,unused-ignore]  # an extra
                OTLPSpanExporter,
            )
        official: SpanExporter = OTLPSpanExporter()
        return official
    return OTLPExporter.by_settings(Endpoint.resolve(argument, deployed=settings.deployed("exporters")), settings)


_CREATE: Create = create  # a type checker sees here that it keeps the contract
