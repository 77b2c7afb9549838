"""What a backend's answer means: delivered, for later, a wrong setting, or refused."""

from __future__ import annotations

import json
import math
import re
import time
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urljoin, urlsplit

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    from agentops_sdk.exporters.otlp.destination import Endpoint

__all__ = ["ANSWER_BYTES", "Answer", "NoAnswerError", "Reply", "judge"]

Verdict = Literal["accepted", "too_large", "retry", "misconfigured", "refused"]
ANSWER_BYTES: Final = 65_536
"""Of an answer no more is read, and unpacked to no more."""

_SETTING_WRONG = frozenset({300, 301, 302, 303, 307, 308, 401, 402, 403, 404, 405, 407, 411, 415, 426, 431, 501, 511})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_PAUSE = 3600.0
_SECRET_LENGTH = 8
_COURTESY = lazy_pattern(
    r"""[\s"]{0,4}(ok|okay|accepted|success|successful|created|received|done|true|null|none|2\d\d)?[\s".!]{0,4}""",
    re.IGNORECASE,
)
_FAULTS = ("error", "errors", "detail", "fault", "exception")
_REJECTED = (
    "rejectedSpans",
    "rejected_spans",
    "rejectedDataPoints",
    "rejected_data_points",
    "rejectedLogRecords",
    "rejected_log_records",
)  # fmt: skip - as protobuf, all three are one field
_WORDS = ("message", "msg", "status", "result", "success", "ok")


class Answer(NamedTuple):
    """An answer as it came in: ``body`` is its beginning, all of it if ``whole``."""

    status: int
    headers: Any
    body: bytes
    whole: bool = True


class NoAnswerError(Exception):
    """There is none; ``kind`` says in which step it failed, in the words of ``httpcore2``."""

    def __init__(self, kind: str, error: object) -> None:
        super().__init__(str(error))
        self.kind = kind


class Reply(NamedTuple):
    """What came back. ``reason`` is empty when all is well, else one line that is safe to print."""

    verdict: Verdict
    reason: str = ""
    status: int = 0
    rejected: int = 0
    retry_after: float | None = None


def judge(answer: Answer, endpoint: Endpoint) -> Reply:
    """The meaning of an answer to a request that went to ``endpoint``."""
    status = answer.status
    if 200 <= status < 300:
        return _accepted(answer, endpoint)
    reason = f"HTTP {status}: {_words(answer, endpoint)}"
    if status in _REDIRECTS and (target := _target(answer, endpoint)):
        reason = f"HTTP {status}: sent on to {target}, which is not followed; set the endpoint to where it really is"
    pause = _pause(answer.headers)
    if status == 413:
        return Reply("too_large", reason, status)
    if status in _SETTING_WRONG:
        return Reply("misconfigured", reason, status, retry_after=pause)
    if status in (408, 421, 425, 429) or status >= 500 or status < 200:
        return Reply("retry", reason, status, retry_after=pause)
    return Reply("refused", reason, status, retry_after=pause)


def _accepted(answer: Answer, endpoint: Endpoint) -> Reply:
    """A success only if it is OTLP's: a login page and a web server's greeting say 200 as well."""
    partial = _partial_success(answer)
    if partial is None:
        kind = line(answer.headers.get("content-type", "") or "no content type", 60)
        reason = f"HTTP {answer.status}, but no answer of OTLP ({kind}): {_words(answer, endpoint)}"
        return Reply("misconfigured", reason, answer.status)
    rejected, message = partial
    return Reply("accepted", _without_headers(line(message, 300), endpoint), answer.status, rejected=rejected)


def _partial_success(answer: Answer) -> tuple[int, str] | None:
    """Rejected spans and why, (0, "") for a plain success, ``None`` for something else than OTLP's answer."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("application/grpc") or answer.headers.get("grpc-status", "0").strip() != "0":
        return None
    if not answer.body:
        return (0, "") if answer.whole else None
    if not answer.whole:
        return None
    if kind in ("application/x-protobuf", "application/protobuf", "application/octet-stream", ""):
        parsed = _protobuf(answer.body)
        if parsed is not None or kind.endswith("protobuf"):
            return parsed
    text = answer.body.decode("utf-8", "replace")
    if text.lstrip()[:1] == "{":
        return _json(text)
    return (0, "") if kind != "text/html" and _COURTESY.fullmatch(text) else None


def _protobuf(body: bytes) -> tuple[int, str] | None:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]  # protobuf has no types
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    try:
        partial = ExportTraceServiceResponse.FromString(body).partial_success
    except DecodeError:
        return None
    return max(0, partial.rejected_spans), partial.error_message


def _json(text: str) -> tuple[int, str] | None:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or any(fields.get(name) for name in _FAULTS):
        return None
    partial = fields.get("partialSuccess", fields.get("partial_success"))
    if not isinstance(partial, dict):
        polite = all(_COURTESY.fullmatch(str(fields[name])) for name in _WORDS if name in fields)
        return (0, "") if polite else None
    rejected = next((str(partial[name]) for name in _REJECTED if name in partial), "0")
    count = int(rejected) if re.fullmatch(r"[0-9]{1,18}", rejected) else 0
    return count, str(partial.get("errorMessage", partial.get("error_message", "")))


def _words(answer: Answer, endpoint: Endpoint) -> str:
    body = answer.body
    if "protobuf" in answer.headers.get("content-type", ""):
        body = bytes(byte for byte in body if 32 <= byte < 127)
    text = body.decode("utf-8", "replace")
    if title := re.search(r"<title[^>]*>([^<]{1,200})", text, re.IGNORECASE):
        text = title.group(1)
    return _without_headers(line(text, 300), endpoint) or "no explanation"


def _target(answer: Answer, endpoint: Endpoint) -> str:
    """Where a redirect points, without what may be secret in it."""
    try:
        parts = urlsplit(urljoin(endpoint.url, answer.headers.get("location", "")))
        return line(f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}", 200)
    except ValueError:
        return ""


def _without_headers(text: str, endpoint: Endpoint) -> str:
    """Backends like to quote the key that they do not know."""
    for value in endpoint.headers.values():
        for secret in {value, value.rpartition(" ")[2]}:
            if len(secret) >= _SECRET_LENGTH:
                text = text.replace(secret, "…")
    return text


def _pause(headers: Any) -> float | None:
    """Seconds that ``Retry-After`` asks for, as a number or a date; within reason."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        import email.utils

        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError, IndexError, OSError):
            return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE) if math.isfinite(seconds) else None
