"""The results of an experiment for people: a table for the terminal, and one HTML page that needs no server."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.experiments.experiment_results import FEWEST
from agentops_sdk.traces.display.terminal_text import line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentops_sdk.experiments.experiment_comparison import ExperimentComparison
    from agentops_sdk.experiments.experiment_results import CaseResult, Results

__all__ = ["as_html", "as_text", "comparison_text", "shares"]

_MOST_LABELS: Final = 6
_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1c2021;background:#fff}
table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.3rem .6rem;vertical-align:top;
border-bottom:1px solid #d5dbdb}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}pre{white-space:pre-wrap;
margin:0;max-height:12rem;overflow:auto;font-size:13px}.worse,.error{color:#b00020}.better{color:#00695c}.dim{color:#667}
@media(prefers-color-scheme:dark){body{color:#e4e8e8;background:#16191a}th,td{border-color:#3a4142}.worse,.error{
color:#ff8a80}.better{color:#80cbc4}}
"""


def as_text(results: Results) -> str:
    """The summary, with the cases whose task failed."""
    rows = [("score", "mean", "95 % interval", "known", "agreement")]
    for row in results.summary():
        interval = "" if "labels" in row else _interval(row["low"], row["high"], row["known"], "")
        known = f"{row['known']}" + (f" ({row['unknown']} unknown)" if row["unknown"] else "")
        agreement = ""
        if row.get("agreement_cases"):
            shown = "undefined" if row["kappa"] is None else f"{row['kappa']:.2f}"
            agreement = f"kappa {shown} on {row['agreement_cases']}"
        mean = shares(row["labels"]) if "labels" in row else "unknown" if row["mean"] is None else f"{row['mean']:.4g}"
        rows.append(
            (row["name"] + (" (less is better)" if row["lower_is_better"] else ""), mean, interval, known, agreement)
        )
    head = f"{results.name}, run {results.run}: {len(results.rows)} of {results.count} cases, version {results.cases}"
    judges, unknown = results.judges_cost
    tail = [f"judges cost {judges:.4g}" + (f", {unknown} unknown" if unknown else "")] if judges or unknown else []
    tail += [f"failed: {line(row.case_id)}: {line(row.error or '')}" for row in results.errors[:10]]
    if len(results.errors) > 10:
        tail.append(f"and {len(results.errors) - 10} more failed")
    return "\n".join([line(head), "", *_aligned(rows), *([""] if tail else []), *tail])


def comparison_text(both: ExperimentComparison) -> str:
    """What changed, as text."""
    rows = [("score", "before", "after", "change", "95 % interval", "p (Holm)", "smallest seen", "better", "worse")]
    for row in both.scores:
        interval = _interval(row.low, row.high, row.pairs, "+")
        smallest = "" if row.smallest is None else f"{row.smallest:.3g}"
        p = f"{row.p:.3f}" + (" *" if row.significant else "")
        rows.append(
            (row.name, f"{row.before:.4g}", f"{row.after:.4g}", f"{row.change:+.4g}", interval, p, smallest,
             str(len(row.better)), str(len(row.worse)))
        )  # fmt: skip
    tail = []
    for row in both.scores:
        if row.name not in ("seconds", "cost") and row.worse:
            shown = ", ".join(map(line, row.worse[:10])) + (" ..." if len(row.worse) > 10 else "")
            tail.append(f"worse in {row.name}: {shown}")
    if not both.same_cases:
        tail.append("the cases are not the same version: only those with the same id are compared")
    for where, ids in (("the baseline", both.only_before), ("this run", both.only_after)):
        if ids:
            tail.append(f"{len(ids)} case(s) are in {where} only")
    return "\n".join([*_aligned(rows), *([""] if tail else []), *tail])


def shares(labels: Mapping[str, int]) -> str:
    """How labels are distributed, the most frequent first."""
    total = sum(labels.values())
    often = sorted(labels.items(), key=lambda each: (-each[1], each[0]))
    listed = [f"{line(label, 40)} {count / total:.0%}" for label, count in often[:_MOST_LABELS]]
    return ", ".join([*listed, *([f"{len(labels) - _MOST_LABELS} more"] if len(labels) > _MOST_LABELS else [])])


def _interval(low: float | None, high: float | None, count: int, sign: str) -> str:
    if low is None or high is None:
        return "" if not count else "too few cases" if count < FEWEST else "all the same"
    return f"{low:{sign}.3g} to {high:{sign}.3g}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    kept = [i for i in range(len(rows[0])) if any(row[i] for row in rows[1:]) or i < 2]
    widths = {i: max(len(line(row[i])) for row in rows) for i in kept}
    for row in rows:
        yield "  ".join(line(row[i]).ljust(widths[i]) for i in kept).rstrip()


def as_html(results: Results, baseline: Results | None = None) -> str:
    """The page."""
    parts = [f"<h1>{escape(results.name)}</h1>", f"<pre>{escape(as_text(results))}</pre>"]
    changed: dict[str, str] = {}
    if baseline is not None:
        both = results.compare(baseline)
        parts += [f"<h2>Against run {escape(baseline.run)}</h2>", f"<pre>{escape(comparison_text(both))}</pre>"]
        for row in both.scores:
            if row.name not in ("seconds", "cost"):
                changed |= dict.fromkeys(row.better, "better") | dict.fromkeys(row.worse, "worse")
    names = results.score_names
    head = "".join(f"<th{' class=n' if name in names else ''}>{escape(name)}</th>"
                   for name in ("case", "input", "expected", "output", *names, "seconds", "cost"))  # fmt: skip
    body = "".join(_row(row, names, changed.get(row.case_id, "")) for row in results.rows)
    parts.append(f"<h2>Cases</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(results.name)}</title><style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )


def _row(row: CaseResult, names: Sequence[str], style: str) -> str:
    output = f'<pre class="error">{escape(row.error)}</pre>' if row.error is not None else _content(row.output)
    trace = f'<br><span class="dim">{escape(row.trace_id[:8])}</span>' if row.trace_id else ""
    cells = [f'<td class="{style}">{escape(row.case_id)}{trace}</td>', f"<td>{_content(row.input)}</td>"]
    cells += [f"<td>{_content(row.expected)}</td>", f"<td>{output}</td>"]
    for name in names:
        score = row.scores.get(name)
        label = escape(score.label) if score is not None and score.label else ""
        value = f"{score.value:.3g}" if score is not None and score.value is not None else "" if label else "unknown"
        title = f' title="{escape(score.comment, quote=True)}"' if score is not None and score.comment else ""
        cells.append(f'<td class="n"{title}>{value}{" " if value and label else ""}{label}</td>')
    cost = "unknown" if row.cost is None else f"{row.cost:.4g}"
    cells += [f'<td class="n">{row.seconds:.3g}</td>', f'<td class="n">{cost}</td>']
    return f"<tr>{''.join(cells)}</tr>"


def _content(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"<pre>{escape(text)}</pre>"
