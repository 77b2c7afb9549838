"""OTLP requests in JSON, for backends that ``OTEL_EXPORTER_OTLP_PROTOCOL=http/json`` is set for."""

from __future__ import annotations

import base64
from typing import Any, Final

from agentops_sdk.exporters.otlp.request_message import request_message

__all__ = ["json_request"]

_IDS: Final = ("traceId", "spanId", "parentSpanId")


def json_request(body: bytes, signal: str) -> bytes:
    """A serialized request of a signal as OTLP/JSON: the same message, ids in hex, enumerations as numbers.

    Raises:
        ValueError: it is no such request.
    """
    import orjson
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]  # protobuf has no types

    try:
        request = MessageToDict(request_message(signal).FromString(body), use_integers_for_enums=True)
    except DecodeError as error:
        raise ValueError(str(error)) from None
    _with_hex_ids(request)
    return orjson.dumps(request)


def _with_hex_ids(value: Any) -> None:
    """Ids are bytes in protobuf, which JSON has as base64 and OTLP/JSON as hex. An attribute is never a field."""
    if isinstance(value, list):
        for item in value:
            _with_hex_ids(item)
    elif isinstance(value, dict):
        for name in _IDS:
            if isinstance(value.get(name), str):
                value[name] = base64.b64decode(value[name]).hex()
        for item in value.values():
            _with_hex_ids(item)
