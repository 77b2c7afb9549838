"""The page: the document as escaped JSON, the script and the style that show it, and a policy that allows no more.

Every text of a trace reaches the browser as data and is shown by text nodes; nothing of it is ever markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.errors import ConfigError
from agentops_sdk.private_files import open_private
from agentops_sdk.report.document import of_traces
from agentops_sdk.traces.display.render import text
from agentops_sdk.traces.display.terminal_text import block, line
from agentops_sdk.traces.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["content", "html", "save"]

_ASSETS: Final = Path(__file__).with_name("assets")
_ESCAPES: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def html(traces: Trace | Iterable[Trace], *, home: str = "", live: str = "") -> str:
    """The page as text, to be written as UTF-8.

    Args:
        traces: what to show; several share the page, and a list on it chooses among them.
        home: the address of a list of all runs, where the page is served beside one.
        live: the address at which a server tells how the run goes on: server-sent events of :func:`content`.

    Raises:
        ConfigError: there is no trace.
        TraceError: a line of a very large trace cannot be read again.
    """
    runs = [traces] if isinstance(traces, Trace) else list(traces)
    if not runs:
        raise ConfigError("traces", "[]", "at least one trace")
    script, style = _asset("report.js"), _asset("report.css")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            *(["connect-src 'self'"] if live else ()),
        )
    )
    title = line(runs[0].name, 120) + (f" and {len(runs) - 1} more" if len(runs) > 1 else "")
    overview, details = of_traces(runs)
    overview |= {"home": home, "live": live}
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">',
            '<link rel="icon" href="data:,">',
            f"<title>{_ascii(title)} - agentops</title>",
            f"<style>{style}</style></head><body>",
            '<div id="page"></div>',
            f"<noscript><pre>{_ascii(_plain(runs))}</pre></noscript>",
            _data("overview", overview),
            *(_data(f"details-{number}", lines) for number, lines in enumerate(details)),
            f"<script>{script}</script>",
            "</body></html>\n",
        )
    )


def content(trace: Trace, *, home: str, live: str) -> str:
    """What the page of one run is made of, as one line of JSON."""
    overview, details = of_traces([trace])
    return _json({"overview": {**overview, "home": home, "live": live}, "details": details})


def save(traces: Trace | Iterable[Trace], path: str | os.PathLike[str]) -> Path:
    """Write the page to a file that only its owner can read; returns its path.

    Raises:
        ConfigError: there is no trace.
        OSError: the file cannot be written.
    """
    target, page = Path(path), html(traces)
    with open(target, "w", encoding="utf-8", newline="\n", opener=open_private) as file:
        file.write(page)
    return target


def _data(name: str, value: Any) -> str:
    """A block of data that no browser takes for anything else: nothing in it can end the element or begin another."""
    return f'<script type="application/json" id="{name}">{_json(value).translate(_ESCAPES)}</script>'


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _plain(runs: Iterable[Trace]) -> str:
    """What a reader without scripts sees: the trees."""
    return "\n".join(block(text(trace, whole=False, messages=False)) for trace in runs)


def _ascii(content: str) -> str:
    return escape(content).encode("ascii", "xmlcharrefreplace").decode()


@cache
def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8").strip()


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
