"""What metrics and events have in common on their way out by OTLP: the spool and the account of spans."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from agentops_sdk.exporters.otlp.otlp_exporter import OTLPExporter
from agentops_sdk.traces.formats.wire_values import UNENCODABLE

__all__ = ["SignalExporter"]

_RECORD_BYTES = 900_000
_RECORD_ITEMS = 2_000


class SignalExporter(OTLPExporter):
    """The same as for spans, of other items. A subclass says how they are encoded."""

    def encode(self, items: Sequence[Any]) -> bytes:
        """One request.

        Raises:
            ValueError, TypeError, …: see ``UNENCODABLE``; one of them cannot be encoded.
        """
        raise NotImplementedError

    def export(self, items: Sequence[Any]) -> Any:
        """Encode and spool. Only called by one thread at a time. What cannot be encoded is lost alone, counted."""
        if self._closed:
            return False
        if self._pid != os.getpid():  # nobody told us of the fork
            self.after_fork()
        most = min(self.endpoint.most_items or _RECORD_ITEMS, _RECORD_ITEMS)
        parts = [items[start : start + most] for start in range(0, len(items), most)][::-1]
        while parts:
            part = parts.pop()
            data = None
            try:
                data = self.encode(part)
            except UNENCODABLE as error:
                if len(part) == 1:
                    self._spool.lose(1, "unencodable", error)
                    continue
            if data is not None and (len(data) <= _RECORD_BYTES or len(part) == 1):
                self._spool.append(data, len(part))
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
        self._shipper.wake()
        return True
