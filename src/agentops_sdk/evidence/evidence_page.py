"""The evidence as one page for people, without scripts and without addresses of others, and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html import escape
from typing import Any

from agentops_sdk._version import VERSION
from agentops_sdk.evidence.evidence_rows import Evidence, Figure
from agentops_sdk.evidence.framework_map import DOES_NOT_SHOW, HELPS_WITH

__all__ = ["as_html", "as_json"]

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;margin:.5em 0}td,th{border:1px solid #9999;padding:.2em .6em;text-align:left}"
    "code{font-size:85%;overflow-wrap:anywhere}"
)


def as_json(evidence: Evidence) -> str:
    """All of it for programs."""
    document = {
        "version": VERSION,
        "since": _moment(evidence.since_ns),
        "until": _moment(evidence.until_ns),
        "figures": [vars(figure) for figure in evidence.figures],
        "audit_log": evidence.audit,
        "remarks": evidence.remarks,
        "helps_with": [dict(zip(("framework", "sections", "how"), row, strict=True)) for row in HELPS_WITH],
        "does_not_show": list(DOES_NOT_SHOW),
    }
    return json.dumps(document, indent=2, default=str)


def as_html(evidence: Evidence) -> str:
    """All of it on one page."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Evidence</title>',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<style>{_STYLE}</style></head><body><h1>Evidence</h1>",
        f"<p>From {_moment(evidence.since_ns)} until {_moment(evidence.until_ns)}, by agentops {escape(VERSION)}.</p>",
        _listed(evidence.remarks),
    ]
    section = ""
    for figure in evidence.figures:
        if figure.section != section:
            section = figure.section
            parts.append(f"<h2>{escape(section)}</h2>")
        parts.append(_figure(figure))
    faults = evidence.audit["faults"]
    verdict = "NOT whole" if faults else "whole"
    parts += [
        "<h2>Audit log</h2>",
        f"<p>{evidence.audit['records']} records, {evidence.audit['signed']} signed: {verdict}.</p>",
        f"<p><code>{escape(evidence.audit['query'])}</code></p>",
        _listed([*faults, *evidence.audit["limits"]]),
        "<h2>What it helps with</h2>",
        _table(["Framework", "Sections", "How"], [list(row) for row in HELPS_WITH]),
        "<h2>What it does not show</h2>",
        _listed(list(DOES_NOT_SHOW)),
        "</body></html>",
    ]
    return "\n".join(parts)


def _figure(figure: Figure) -> str:
    body = f"<p>{escape(figure.problem)}</p>" if figure.problem else _table(figure.columns, figure.rows)
    omitted = f"<p>{figure.omitted:,} more rows, which the query gives.</p>" if figure.omitted else ""
    return f"<h3>{escape(figure.title)}</h3>{body}{omitted}<p><code>{escape(figure.query)}</code></p>"


def _table(columns: list[str], rows: list[list[Any]]) -> str:
    if not rows:
        return "<p>None.</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_cell(n, v)}</td>" for n, v in zip(columns, row, strict=True)) + "</tr>"
                   for row in rows)  # fmt: skip
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "unknown"
    if name.endswith("_ns"):
        return _moment(int(value))
    return _moment(int(float(value) * 1e9)) if name == "time" else escape(str(value))


def _listed(sentences: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>" if sentences else ""


def _moment(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
