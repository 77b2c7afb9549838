"""``agentops doctor``: what works here, what does not, and what to do about it.

Long because each thing that is looked at is a few lines of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agentops_sdk.addresses import without_secrets
from agentops_sdk.encryption import opened_line
from agentops_sdk.errors import ConfigError, TraceError
from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentops_sdk.config import Settings
    from agentops_sdk.integration import Integration

HELP = "Check the installation: versions, what would be captured, sinks, leftovers, clock, permissions."

Grade = Literal["ok", "note", "problem"]
_MARKS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}
_SKEW = 300.0
_NOTICED = 60.0
"""Seconds: what waits longer is no delivery under way."""
_LEAST_FREE = 1 << 20
"""Bytes: with less, the next files cannot be written."""
_LONGEST = 2_000


@dataclass(frozen=True)
class Finding:
    """One thing found; ``remedy`` says what to do about it."""

    grade: Grade
    what: str
    remedy: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print the findings as one JSON list")
    parser.add_argument("--send", action="store_true", help="send one test span to each OTLP endpoint")
    parser.add_argument(
        "--conformance",
        metavar="FILE",
        help="hold the spans of a trace file, of OTLP/JSON or of a folder against OpenTelemetry's GenAI conventions "
        "instead: by type of span what is there, what is missing, what is wrong",
    )
    parser.add_argument(
        "--semconv",
        choices=("pin", "main"),
        help="the state of the conventions for --conformance (default: the one whose names the spans use)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 if one is a problem."""
    if args.conformance is not None:
        from agentops_sdk.cli import _conformance

        return _conformance.examine(args.conformance, args.semconv, as_json=args.json)
    findings = list(examine(send=args.send))
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:  # with words of backends, names of files and values of variables in them
            print(f"{_MARKS[finding.grade]} {line(finding.what, _LONGEST)}")
            if finding.remedy:
                print(f"        -> {line(finding.remedy, _LONGEST)}")
    return 1 if any(finding.grade == "problem" for finding in findings) else 0


def examine(*, send: bool = False) -> Iterator[Finding]:
    """Every finding. Changes nothing, sends nothing unless ``send``, and never raises: what fails is a finding."""
    from agentops_sdk.config import inspect

    settings, sentences = inspect()
    parts: dict[str, Callable[[], Iterator[Finding]]] = {
        "versions": _versions,
        "settings": lambda: _settings(settings, sentences),
        "integrations": lambda: _integrations(settings),
        "sinks": lambda: _sinks(settings, send=send),
        "folder": lambda: _folder(Path(settings.directory)),
        "clock": _clock,
    }
    for name, part in parts.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                for finding in part():
                    yield _printable(finding)
            except Exception as error:  # noqa: BLE001 - whoever asks a doctor wants findings, not a traceback
                what = f"{name}: could not be looked at ({type(error).__name__}: {error})"
                yield _printable(Finding("problem", what, "see the other findings, and report this one"))
        for sentence in dict.fromkeys(str(warning.message) for warning in caught):
            yield _printable(Finding("note", sentence))


def _printable(finding: Finding) -> Finding:
    """Without secrets of addresses, and without what a terminal takes for commands."""
    return Finding(finding.grade, line(without_secrets(finding.what)), line(without_secrets(finding.remedy)))


def _versions() -> Iterator[Finding]:
    from agentops_sdk._version import DISTRIBUTION, VERSION

    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        "ok" if fits else "note",
        f"{DISTRIBUTION} {VERSION} on Python {platform.python_version()} ({platform.system()} {platform.machine()})",
        "" if fits else "tested with Python 3.11 to 3.13",
    )


def _settings(settings: Settings, sentences: list[str]) -> Iterator[Finding]:
    for sentence in sentences:
        yield Finding("problem", sentence, "correct it, or remove it")
    yield from _in_vain()
    if not settings.enabled:
        yield Finding("note", f"recording is off ({settings.origins['enabled']})", "set AGENTOPS_ENABLED=1")
    if not settings.capture_content:
        yield Finding("note", f"content is not recorded ({settings.origins['capture_content']})")
    if not settings.redact:
        yield Finding("note", f"secrets are not redacted ({settings.origins['redact']})")


def _in_vain() -> Iterator[Finding]:
    """Variables of OpenTelemetry's that are set, and do nothing here."""
    from agentops_sdk.otel_variables import ROWS

    for row in ROWS:
        for name in row.names:
            if not row.read and os.environ.get(name, "").strip():
                yield Finding("note", f"{name} is set, and not read: {row.plain}")


def _clock() -> Iterator[Finding]:
    if time.time() < 1_750_000_000:
        yield Finding(
            "problem", f"the clock shows {time.strftime('%Y-%m-%d')}", "set the clock: backends drop old spans"
        )


def _integrations(settings: Settings) -> Iterator[Finding]:
    from agentops_sdk._pipeline import known_libraries, other_recorders
    from agentops_sdk._pipeline.registry import Installed, find_integrations

    available = find_integrations()
    wanted = settings.integrations
    absent: list[str] = []
    for name, integration in sorted(available.items()):
        state = Installed(integration).look()
        if state.state == "not installed":
            absent.append(_distribution(integration))
        elif wanted is not None and name not in wanted:
            yield Finding("note", f"{name}: not captured ({settings.origins['integrations']} leaves it out)")
        elif state.state in ("version untested", "version too old"):
            grade: Grade = "problem" if state.state == "version too old" else "note"
            yield Finding(grade, f"{name}: {state.reason}", _install(integration))
        elif state.version is None:
            what = f"{name}: would be captured, but {state.unknown_version}"
            yield Finding("note", what, _install(integration))
        else:
            yield Finding("ok", f"{name} {state.version}: would be captured")
    if absent:
        yield Finding("note", f"not installed, so not captured: {', '.join(sorted(absent))}")
    for name, version in known_libraries.installed(integration.target for integration in available.values()).items():
        yield Finding("note", f"{name} {version}: installed, and not captured: there is no integration for it")
    for name, version in known_libraries.through_clients().items():
        yield Finding("ok", f"{name} {version}: captured by the clients that it asks through")
    for name, (version, sentence) in other_recorders.installed().items():
        yield Finding("note", f"{name} {version}: another SDK that records", sentence)


def _distribution(integration: Integration) -> str:
    """What ``pip install`` calls the library."""
    return str(getattr(integration, "distribution", None) or integration.target.partition(".")[0])


def _install(integration: Integration) -> str:
    return f'tested are the versions of: pip install "{_distribution(integration)}{integration.requires}"'


def _sinks(settings: Settings, *, send: bool) -> Iterator[Finding]:
    from agentops_sdk._pipeline.registry import make_exporter

    for sink in settings.exporters:
        origin = settings.origins["exporters"]
        try:
            _, exporter = make_exporter(sink, settings)
        except (ConfigError, ImportError) as error:
            yield Finding("problem", f"sink {sink} ({origin}): {error}", "correct the setting, or remove the sink")
            continue
        endpoint = getattr(exporter, "endpoint", None)
        shown = getattr(endpoint, "shown", None)
        yield Finding("ok", f"sink {sink} ({origin})" + (f": {shown}" if shown else ""))
        if endpoint is not None and shown is not None:
            yield from _reach(endpoint, send=send)


def _reach(endpoint: object, *, send: bool) -> Iterator[Finding]:
    from agentops_sdk.exporters.otlp.destination import Endpoint
    from agentops_sdk.exporters.otlp.http_client import Sender
    from agentops_sdk.exporters.otlp.proxy import ProxyError, proxy_for

    assert isinstance(endpoint, Endpoint)
    try:
        proxy = proxy_for(endpoint.url)
    except ProxyError as error:
        yield Finding("problem", f"{endpoint.shown}: {error}", "see HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY")
        return
    through = f" through the proxy {proxy.shown}" if proxy is not None else ""
    sender = Sender(endpoint)
    started = time.monotonic()
    # An empty request is valid OTLP and stores nothing.
    reply = sender.post(_test_span() if send else b"")
    took = (time.monotonic() - started) * 1000
    sender.close()
    if reply.verdict == "accepted":
        what = "one test span named 'agentops doctor' was taken" if send else "answers"
        yield Finding("ok", f"{endpoint.shown}{through} {what} ({took:.0f} ms)")
        return
    remedies = {
        "misconfigured": "check the URL's path and OTEL_EXPORTER_OTLP_HEADERS",
        "refused": "it may refuse empty requests: try --send; else see what it says",
        "retry": "is it running, and reachable from here? Spans wait in the spool meanwhile",
    }
    grade: Grade = "note" if reply.verdict == "refused" and not send else "problem"
    yield Finding(grade, f"{endpoint.shown}{through}: {reply.reason}", remedies.get(reply.verdict, ""))


def _test_span() -> bytes:
    import secrets

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "agentops doctor"
    span = resource.scope_spans.add().spans.add(name="agentops doctor", kind=1)
    span.trace_id, span.span_id = secrets.token_bytes(16), secrets.token_bytes(8)
    span.start_time_unix_nano = span.end_time_unix_nano = time.time_ns()
    return request.SerializeToString()


def _folder(root: Path) -> Iterator[Finding]:
    from agentops_sdk.exporters.jsonl.jsonl_exporter import obstacle

    error = obstacle(root.absolute() / "traces")
    if error is not None:
        yield Finding(
            "problem", f"{root}: nothing can be written there: {error}", "make it writable, or set AGENTOPS_DIR"
        )
        return
    if not root.exists():
        yield Finding("ok", f"{root} will be created with the first span")
        return
    if (free := shutil.disk_usage(root).free) < _LEAST_FREE:
        yield Finding(
            "problem", f"{root}: its disk is full, {free / 1024:.0f} kB are free", "make room; nothing needs a restart"
        )
    mode = root.stat().st_mode & 0o077
    if mode and os.name == "posix":
        yield Finding("note", f"{root} is open to others ({root.stat().st_mode & 0o777:o})", f"chmod 700 {root}")
    files = list((root / "traces").glob("*.jsonl*")) if (root / "traces").is_dir() else []
    size = sum(path.stat().st_size for path in files) / 1_048_576
    yield Finding("ok", f"{root}: {len(files)} trace file(s), {size:.1f} MB")
    newest = max((path.stat().st_mtime for path in files), default=0.0)
    if newest > time.time() + _SKEW:
        yield Finding("problem", "trace files are from the future: the clock was set back", "check the clock")
    yield from _leftovers(root / "spool")


def _leftovers(spool: Path) -> Iterator[Finding]:
    from agentops_sdk.cli._spools import look
    from agentops_sdk.exporters.otlp.run_directory import REFUSED

    for endpoint in sorted(spool.iterdir()) if spool.is_dir() else ():
        items, waiting, owned, held, began = look(endpoint)
        if owned:
            told = f"spool {endpoint.name}: {owned} live processes use it"
            if held and (waits := time.time() - began) > _NOTICED:
                told = f"{told}; {held} {items} wait there, for up to {waits:.0f} s"
                yield Finding("note", told, "its backend is away, or refuses: agentops doctor --send")
            else:
                yield Finding("ok", told)
        if waiting:
            yield Finding("note", f"spool {endpoint.name}: {waiting} {items} left behind", "agentops ship sends them")
        refused = sorted((endpoint / REFUSED).glob("*.json"))
        if refused:
            try:
                reason = opened_line(str(json.loads(refused[-1].read_text()).get("reason", "")).encode()).decode()
            except (OSError, ValueError, AttributeError, TraceError):  # torn, or gone by now
                reason = "not told"
            yield Finding(
                "problem",
                f"spool {endpoint.name}: {len(refused)} requests were refused; the last one: {reason}",
                "fix the cause, then run agentops ship --refused",
            )
