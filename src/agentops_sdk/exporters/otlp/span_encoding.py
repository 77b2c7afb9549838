"""Finished spans as OTLP protobuf, written directly: the bytes that OpenTelemetry's own encoder makes of them.

A span is a few dozen fields in a fixed order, most of whose bytes are the same from span to span: no message objects
are built for it. What this encoder does not know how to write is left to OpenTelemetry's. Field numbers are those of
``opentelemetry/proto/trace/v1/trace.proto``; a test compares both encoders, byte for byte. Long
because every field that a span can have is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from struct import Struct, error
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk.traces.formats.official_span import official
from agentops_sdk.traces.formats.wire_values import UNENCODABLE

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, Status

__all__ = ["EncodedSpan", "encode", "requests"]

_MOST_KNOWN: Final = 4_096
_SHORT: Final = 64
"""Characters. Short texts under a name are the same on span after span: they are encoded once."""
_LONG: Final = 8_192
"""Bytes. From there it takes longer to copy a text than to keep its span in parts."""
_BEFORE: Final = len(("tag", "size", "key", "inner", "size"))
"""Parts of an attribute before its text."""
_DOUBLE: Final = Struct("<d").pack
_TIMES: Final = Struct("<BQBQ").pack
_FIXED64: Final = Struct("<BQ").pack
_NOT_REMOTE, _REMOTE = b"\x85\x01\x00\x01\x00\x00", b"\x85\x01\x00\x03\x00\x00"
"""The field ``flags``: whether the parent is in another process is known, and whether it is."""
_LINK_NOT_REMOTE, _LINK_REMOTE = b"\x35\x00\x01\x00\x00", b"\x35\x00\x03\x00\x00"
_TRUE, _FALSE = b"\x02\x10\x01", b"\x02\x10\x00"
_SMALL: Final = 2_048
_TWO_BYTES, _THREE_BYTES = 1 << 14, 1 << 21
"""What takes one byte more."""


_COUNTS: Final = (b"", b"\x12\x02\x18", b"\x12\x03\x18")
"""What stands before a number of one byte, or two, as the value of an attribute."""


def _as_varint(value: int) -> bytes:
    data = bytearray()
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    data.append(value)
    return bytes(data)


_VARINTS: Final = [
    *[bytes((low,)) for low in range(128)],
    *[bytes((low | 128, high)) for high in range(1, _SMALL >> 7) for low in range(128)],
]


def _varint(value: int) -> bytes:
    if value < _SMALL:
        return _VARINTS[value]
    if value < _TWO_BYTES:
        return bytes((value & 127 | 128, value >> 7))
    if value < _THREE_BYTES:
        return bytes((value & 127 | 128, value >> 7 & 127 | 128, value >> 14))
    return _as_varint(value)


_names: dict[str, bytes] = {}
_pairs: dict[tuple[str, str], bytes] = {}
_titles: dict[tuple[str, int], bytes] = {}
"""A span's name and kind."""


class EncodedSpan(NamedTuple):
    """One span's message, in parts where it is long, behind the head that makes it a field; and whose it is."""

    parts: list[bytes]
    size: int
    resource: Resource
    scope: InstrumentationScope | None


def encode(span: ReadableSpan) -> EncodedSpan:
    """One span.

    Raises:
        ValueError, TypeError, AttributeError, …: it holds what this encoder, or OTLP, has no form for.
    """
    try:
        parts, long = _span(span)
    except (*UNENCODABLE, error):
        parts, long = [_by_opentelemetry(official(span))], []
    if long:  # what is long is copied once, into the request; what stands between is put together
        merged, begin = [b""], 0
        for place in long:
            merged += b"".join(parts[begin:place]), parts[place]
            begin = place + 1
        merged.append(b"".join(parts[begin:]))
        size = sum(map(len, merged))
        merged[0] = b"\x12" + _varint(size)
        parts = merged
    else:
        body = b"".join(parts)
        size = len(body)
        parts = [b"\x12" + _varint(size), body]
    return EncodedSpan(parts, size, span.resource, span.instrumentation_scope or None)


def requests(spans: Iterable[EncodedSpan], *, most_bytes: int, most_spans: int) -> Iterator[tuple[bytes, int]]:
    """``ExportTraceServiceRequest`` messages of a bounded size, each with the number of its spans."""
    part: list[EncodedSpan] = []
    size = 0
    for span in spans:
        length = span[1]
        if part and (size + length > most_bytes or len(part) >= most_spans):
            yield _request(part), len(part)
            part, size = [], 0
        part.append(span)
        size += length
    if part:
        yield _request(part), len(part)


def _request(spans: Sequence[EncodedSpan]) -> bytes:
    groups: dict[Resource, dict[InstrumentationScope | None, list[bytes]]] = {}
    last: EncodedSpan | None = None
    datas: list[bytes] = []
    for span in spans:
        # To hash a resource is slow, and nearly always it is the same object.
        if last is None or span[2] is not last[2] or span[3] is not last[3]:
            datas = groups.setdefault(span[2], {}).setdefault(span[3], [])
            last = span
        datas += span[0]
    # What spans hold may be long: it is copied once, when all that stands before it is known.
    parts: list[bytes] = []
    for resource, scopes in groups.items():
        parts += _within(b"\x0a", _resource_spans(resource, scopes))
    return b"".join(parts)


def _within(tag: bytes, parts: list[bytes]) -> list[bytes]:
    return [tag, _varint(sum(map(len, parts))), *parts]


def _resource_spans(resource: Resource, scopes: Mapping[InstrumentationScope | None, list[bytes]]) -> list[bytes]:
    head, end = _of_resource(resource)
    parts = [head]
    for scope, datas in scopes.items():
        head, url = _of_scope(scope)
        parts += _within(b"\x12", [head, *datas, url])
    parts.append(end)
    return parts


# Neither ever changes, and a process has one resource and a handful of scopes: what is written of them is written once.
# Replaced as a whole, so threads are safe.
_resource: tuple[Resource | None, tuple[bytes, bytes]] = (None, (b"", b""))
_scope: tuple[InstrumentationScope | None, tuple[bytes, bytes]] = (None, (b"", b""))


def _of_resource(resource: Resource) -> tuple[bytes, bytes]:
    """What stands before and behind all spans of a resource."""
    global _resource
    known, encoded = _resource
    if known is not resource:
        encoded = _field(b"\x0a", _attributes(b"\x0a", resource.attributes)), _text(b"\x1a", resource.schema_url)
        _resource = resource, encoded
    return encoded


def _of_scope(scope: InstrumentationScope | None) -> tuple[bytes, bytes]:
    """The same of a scope."""
    global _scope
    known, encoded = _scope
    if scope is None:
        return _field(b"\x0a", b""), b""
    if known is not scope:
        names = _text(b"\x0a", scope.name) + _text(b"\x12", scope.version)
        encoded = _field(b"\x0a", names + _attributes(b"\x1a", scope.attributes)), _text(b"\x1a", scope.schema_url)
        _scope = scope, encoded
    return encoded


def _span(span: ReadableSpan) -> tuple[list[bytes], list[int]]:
    """The parts of its message, and the places of long ones among them."""
    context, parent, status = span.context, span.parent, span.status
    if context is None:
        raise ValueError("a span without a context")
    # By place: a tuple that is asked by name takes a call for each.
    parts = [b"\x0a\x10", context[0].to_bytes(16, "big"), b"\x12\x08", context[1].to_bytes(8, "big")]
    if context[4]:
        parts.append(_text(b"\x1a", ",".join(f"{key}={value}" for key, value in context.trace_state.items())))
    if parent:
        parts += b"\x22\x08", parent[1].to_bytes(8, "big")
    title = span.name, span.kind._value_
    parts.append(_titles.get(title) or _title(*title))
    start, end = span.start_time, span.end_time
    if start and end:
        parts.append(_TIMES(0x39, start, 0x41, end))
    else:
        parts += _fixed(0x39, start), _fixed(0x41, end)
    long = _put_attributes(parts, b"\x4a", span.attributes)
    if dropped := span.dropped_attributes:
        parts.append(_count(b"\x50", dropped))
    if events := span.events:
        parts += [_field(b"\x5a", _event(event)) for event in events]
    if dropped := span.dropped_events:
        parts.append(_count(b"\x60", dropped))
    if links := span.links:
        parts += [_field(b"\x6a", _link(link)) for link in links]
    if dropped := span.dropped_links:
        parts.append(_count(b"\x70", dropped))
    if status is _plain_status:
        parts.append(b"\x7a\x00")
    else:
        parts.append(_status(status))
    parts.append(_REMOTE if parent and parent[2] else _NOT_REMOTE)
    return parts, long


_plain_status: Status | None = None
"""The last one that says nothing: ours are one object."""


def _status(status: Status) -> bytes:
    global _plain_status
    message = _text(b"\x12", status.description) + _count(b"\x18", status.status_code.value)
    if not message:
        _plain_status = status
    return _field(b"\x7a", message)


def _title(name: str, kind: int) -> bytes:
    encoded = _text(b"\x2a", name) + b"\x30" + _VARINTS[kind + 1]
    if len(name) <= _SHORT:
        if len(_titles) >= _MOST_KNOWN:
            _titles.clear()
        _titles[name, kind] = encoded
    return encoded


def _event(event: Event) -> bytes:
    return b"".join((
        _fixed(0x09, event.timestamp), _text(b"\x12", event.name), _attributes(b"\x1a", event.attributes),
        _count(b"\x20", event.dropped_attributes),
    ))  # fmt: skip


def _link(link: Link) -> bytes:
    context = link.context
    return b"".join((
        b"\x0a\x10", context.trace_id.to_bytes(16, "big"), b"\x12\x08", context.span_id.to_bytes(8, "big"),
        _attributes(b"\x22", link.attributes), _count(b"\x28", link.dropped_attributes),
        _LINK_REMOTE if context.is_remote else _LINK_NOT_REMOTE,
    ))  # fmt: skip


def _attributes(tag: bytes, attributes: Mapping[str, Any] | None) -> bytes:
    parts: list[bytes] = []
    _put_attributes(parts, tag, attributes)
    return b"".join(parts)


def _put_attributes(parts: list[bytes], tag: bytes, attributes: Mapping[str, Any] | None) -> list[int]:
    """The places of long texts among them."""
    long: list[int] = []
    if not attributes:
        return long
    for name, value in (attributes if type(attributes) is dict else dict(attributes)).items():
        kind = type(value)
        if kind is int and 0 <= value < _TWO_BYTES:  # counts, most of them
            data = _VARINTS[value] if value < _SMALL else _varint(value)
            pair = (_names.get(name) or _name(name)) + _COUNTS[len(data)] + data
            parts += tag, _VARINTS[len(pair)] if len(pair) < _SMALL else _varint(len(pair)), pair
        elif kind is not str:
            pair = (_names.get(name) or _name(name)) + _value(b"\x12", value)
            parts += tag, _VARINTS[len(pair)] if len(pair) < _SMALL else _varint(len(pair)), pair
        elif len(value) <= _SHORT:
            parts += tag, _pairs.get((name, value)) or _pair(name, value)
        else:  # not put together before all is: it may be long
            key, data = _names.get(name) or _name(name), value.encode()
            if len(data) > _LONG:
                long.append(len(parts) + _BEFORE)
            size = b"\x0a" + _varint(len(data))
            inner = b"\x12" + _varint(len(size) + len(data))
            parts += tag, _varint(len(key) + len(inner) + len(size) + len(data)), key, inner, size, data
    return long


def _name(name: str) -> bytes:
    encoded = _text(b"\x0a", name)
    if len(name) <= _SHORT:
        if len(_names) >= _MOST_KNOWN:
            _names.clear()
        _names[name] = encoded
    return encoded


def _pair(name: str, value: str) -> bytes:
    """A name and a short text, with how long both are."""
    encoded = _name(name) + _value(b"\x12", value)
    encoded = _varint(len(encoded)) + encoded
    if len(_pairs) >= _MOST_KNOWN:
        _pairs.clear()
    _pairs[name, value] = encoded
    return encoded


def _value(tag: bytes, value: Any) -> bytes:
    """An ``AnyValue`` as a field with ``tag``."""
    kind = type(value)
    if kind is str:
        data = value.encode()
        size = _varint(len(data))
        return b"".join((tag, _varint(1 + len(size) + len(data)), b"\x0a", size, data))
    if kind is bool:
        return tag + (_TRUE if value else _FALSE)
    if kind is int:
        if not -(2**63) <= value < 2**63:
            raise ValueError("a number of more than 64 bits")
        data = _varint(value if value >= 0 else value + 2**64)
        return tag + _VARINTS[1 + len(data)] + b"\x18" + data
    if kind is float:
        return tag + b"\x09\x21" + _DOUBLE(value)
    if kind is list or kind is tuple:  # before it is asked for the abstract types, which takes ten times as long
        return _field(tag, _field(b"\x2a", b"".join([_value(b"\x0a", item) for item in value])))
    if value is None:
        return tag + b"\x00"
    if kind is bytes:
        return _field(tag, _field(b"\x3a", value))
    if isinstance(value, Mapping):
        members = [_field(b"\x0a", _name(str(key)) + _value(b"\x12", item)) for key, item in value.items()]
        return _field(tag, _field(b"\x32", b"".join(members)))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _field(tag, _field(b"\x2a", b"".join([_value(b"\x0a", item) for item in value])))
    raise TypeError(f"no attribute value: {kind.__name__}")


def _field(tag: bytes, data: bytes) -> bytes:
    return b"".join((tag, _varint(len(data)), data))


def _text(tag: bytes, text: str | None) -> bytes:
    return _field(tag, text.encode()) if text else b""


def _count(tag: bytes, count: int) -> bytes:
    return tag + _varint(count) if count else b""


def _fixed(tag: int, value: int | None) -> bytes:
    return _FIXED64(tag, value) if value else b""


def _by_opentelemetry(span: ReadableSpan) -> bytes:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    encoded: bytes = encode_spans([span]).resource_spans[0].scope_spans[0].spans[0].SerializeToString()
    return encoded
