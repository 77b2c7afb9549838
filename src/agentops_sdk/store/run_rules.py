"""Which runs are plain, so that an engine adds them up, and what each of a file's is: asked when the file is packed.

A run is plain where every model call counts for itself: none lies below another, every step has ended, no agent tells
a total, nothing was read again in the background, and all was recorded by us. Nothing has to be inferred in it where
there is also no retry, fallback, refusal, handoff, verdict or person, no tool that may have been called the same way
twice, and no swarm of agents.
"""

from __future__ import annotations

from typing import Final

from agentops_sdk import semconv
from agentops_sdk.store.duckdb_dialect import any_named
from agentops_sdk.traces.classify import OUTCOMES, OWN_SCOPE
from agentops_sdk.traces.figures.accounts import MODEL_KINDS
from agentops_sdk.traces.trace import LARGE
from agentops_sdk.traces.usage import ATTRIBUTES

__all__ = [
    "BEHIND", "FIGURES", "LISTED", "MODEL", "NO_RUNS", "ODD", "RUN_COLUMNS", "STATED", "TOKEN_COLUMNS", "USED",
    "figures_of", "inferred_of", "run_statements", "unusual_of",
]  # fmt: skip

TOKEN_COLUMNS: Final = {name: f"{name}_tokens" for name in ATTRIBUTES}
"""Of each kind of token the column."""
LISTED: Final = ", ".join(TOKEN_COLUMNS.values())
MODEL: Final = f"kind IN ({', '.join(map(repr, MODEL_KINDS))})"
USED: Final = f"coalesce({LISTED}) IS NOT NULL"
BEHIND: Final = "(usage_of IS NOT NULL OR operation = 'fetch_response')"
_BELOW_ZERO: Final = " OR ".join(f"coalesce({column} < 0, false)" for column in TOKEN_COLUMNS.values())
ODD: Final = f"""
outcome NOT IN ({", ".join(map(repr, semconv.OUTCOMES))}) OR kind NOT IN ({", ".join(map(repr, semconv.KINDS))})
OR missing_spans IS NOT NULL OR sampled_elsewhere OR cached OR trained_tokens IS NOT NULL OR {BEHIND}
OR coalesce(scope, '{OWN_SCOPE}') <> '{OWN_SCOPE}' OR {_BELOW_ZERO} OR cost < 0 OR cost > 1e15 OR cost <> cost
OR (NOT {MODEL} AND ({USED} OR cost IS NOT NULL OR coalesce(cost_unknown_reason, '') <> ''))
"""
assert set(semconv.OUTCOMES) < set(OUTCOMES)
_SWAPS: Final = 4
_RULES: Final = 1
"""Raised where one of the rules here changes: what was packed by others is then looked at span by span."""
_DECIMAL: Final = "TRY_CAST(CASE WHEN cost <= 1e15 THEN CAST(cost AS VARCHAR) END AS DECIMAL(38, 18))"
FIGURES: Final = {
    "outcome": "min(CASE WHEN parent_id IS NULL THEN outcome END)",
    "took_ns": "greatest(max(end_ns), max(start_ns)) - min(start_ns)",
    "calls": f"count(*) FILTER (WHERE {MODEL})",
    "tools": "count(*) FILTER (WHERE kind = 'tool')",
    "used": f"count(*) FILTER (WHERE {MODEL} AND {USED})",
    "unsized": f"count(*) FILTER (WHERE {MODEL} AND outcome <> 'error' AND NOT ({USED}))",
    "priced": f"count(cost) FILTER (WHERE {MODEL})",
    "unpriced": (
        f"count(*) FILTER (WHERE {MODEL} AND cost IS NULL AND (outcome <> 'error' OR {USED}"
        " OR coalesce(cost_unknown_reason, '') <> ''))"
    ),
    "amount": f"sum({_DECIMAL}) FILTER (WHERE {MODEL})",
    "input": f"TRY_CAST(sum(input_tokens) FILTER (WHERE {MODEL}) AS BIGINT)",
    "output": f"TRY_CAST(sum(output_tokens) FILTER (WHERE {MODEL}) AS BIGINT)",
}
"""What is asked of a plain run, from its spans."""
RUN_COLUMNS: Final = {name: f"run{_RULES}_{name}" for name in ("unusual", "inferred", "behind", *FIGURES)}
"""What a packed file says of each run in it, in one of the run's rows: whether it is not plain, whether something has
to be inferred, whether it fetched what was done in the background, and :data:`FIGURES`; in all others they are null."""
_RUN_TYPES: Final = {
    "outcome": "VARCHAR",
    "amount": "DECIMAL(38, 18)",
    **dict.fromkeys(("unusual", "inferred", "behind"), "BOOLEAN"),
}
_NO_VALUES: Final = ", ".join(f"NULL::{_RUN_TYPES.get(key, 'BIGINT')} AS {name}" for key, name in RUN_COLUMNS.items())
NO_RUNS: Final = f"SELECT NULL::VARCHAR AS trace_id, {_NO_VALUES} WHERE false"
"""A query for these columns of no run: with types, as where no file has them nothing else says which they are."""
_TELLS: Final = any_named("attribute_names", semconv.DECISION_CHOSEN, semconv.DECISION_OPTIONS, semconv.DECISION_NAME)
_REFUSED: Final = " OR ".join(f"contains(lower(finish_reasons), '{word}')" for word in sorted(semconv.REFUSAL_REASONS))
STATED: Final = f"kind = 'decision' OR {_TELLS}"
_INFERRED: Final = f"""
kind = 'guardrail' OR outcome = 'interrupted' OR reveals IS NOT NULL OR feedback_target IS NOT NULL
OR (kind = 'llm' AND ({_REFUSED}))
OR (({STATED}) AND kind <> 'decision' AND NOT (kind = 'llm' AND coalesce(decided_by, '') = 'model'))
OR (({STATED}) AND {any_named("attribute_names", semconv.GUARDRAIL_NAME, semconv.GRAPH_NODE)})
OR {any_named("event_names", semconv.DECISION_EVENT, semconv.HANDOFF_EVENT, semconv.GUARDRAIL_EVENT,
         semconv.TOOL_CALL_DECISION_EVENT)}
"""  # fmt: skip


def unusual_of(spans: str) -> str:
    """A query for the runs that addition does not do, among these spans."""
    return f"""
SELECT trace_id FROM (
  SELECT trace_id, bool_or(coalesce({ODD}, false)) AS odd, count(*) FILTER (WHERE parent_id IS NULL) AS roots,
         count(*) AS spans, count(DISTINCT span_id) AS ids
  FROM {spans} AS s WHERE trace_id IS NOT NULL GROUP BY trace_id
) WHERE odd OR roots = 0 OR spans <> ids
UNION
SELECT trace_id FROM {spans} AS s WHERE {MODEL}
  AND span_id IN (SELECT parent_id FROM {spans} AS s WHERE parent_id IS NOT NULL)
"""


def inferred_of(spans: str) -> str:
    """A query for the runs in which something has to be inferred, among these spans."""
    return f"""
SELECT trace_id FROM (
  SELECT trace_id, bool_or(coalesce({_INFERRED}, false)) AS inferred, count(*) AS spans,
         count(*) FILTER (WHERE parent_id IS NULL) AS roots, count(*) FILTER (WHERE kind = 'agent') AS agents,
         list(hash(span_id)) AS ids, list(hash(parent_id)) FILTER (WHERE parent_id IS NOT NULL) AS parents
  FROM {spans} AS s WHERE trace_id IS NOT NULL GROUP BY trace_id
) WHERE inferred OR roots <> 1 OR spans > {LARGE} OR agents >= {_SWAPS} OR NOT list_has_all(ids, coalesce(parents, []))
UNION
SELECT trace_id FROM {spans} AS s WHERE kind = 'tool' AND arguments_key IS NOT NULL
GROUP BY trace_id, coalesce(tool, name), arguments_key HAVING count(*) > 1
UNION
SELECT failed.trace_id FROM {spans} AS failed JOIN {spans} AS second ON second.trace_id = failed.trace_id
WHERE failed.kind = 'llm' AND failed.outcome = 'error' AND second.kind = 'llm' AND second.start_ns >= failed.end_ns
  AND coalesce(second.question_key = failed.question_key, true)
"""


def figures_of(spans: str) -> str:
    """A query for :data:`FIGURES` of each run among these spans."""
    listed = ", ".join(f"{value} AS {name}" for name, value in FIGURES.items())
    return f"SELECT trace_id, {listed} FROM {spans} AS s WHERE trace_id IS NOT NULL GROUP BY trace_id"


def run_statements(spans: str, beside: str) -> tuple[str, ...]:
    """What makes a table of :data:`RUN_COLUMNS` with a row for each row of a table of spans, in its order."""
    columns = ", ".join(f"figures.{name} AS {RUN_COLUMNS[name]}" for name in FIGURES)
    return (
        f"CREATE TEMP TABLE unusual AS {unusual_of(spans)}",
        f"CREATE TEMP TABLE inferred AS {inferred_of(spans)}",
        f"CREATE TEMP TABLE figures AS {figures_of(spans)}",
        f"""
CREATE TEMP TABLE runs AS
SELECT placed.row, unusual.trace_id IS NOT NULL OR NOT whole AS {RUN_COLUMNS["unusual"]},
       inferred.trace_id IS NOT NULL AS {RUN_COLUMNS["inferred"]}, placed.behind AS {RUN_COLUMNS["behind"]}, {columns}
FROM (SELECT trace_id, min(rowid) AS row, bool_or(coalesce({BEHIND}, false)) AS behind,
             bool_and(cost IS NULL OR {_DECIMAL} IS NOT NULL)
             AND coalesce(sum(input_tokens) < 9e18, true) AND coalesce(sum(output_tokens) < 9e18, true) AS whole
      FROM {spans} WHERE trace_id IS NOT NULL GROUP BY trace_id) AS placed
JOIN figures USING (trace_id) LEFT JOIN unusual USING (trace_id) LEFT JOIN inferred USING (trace_id)
""",
        f"""
CREATE TEMP TABLE {beside} AS
SELECT runs.* EXCLUDE (row) FROM {spans} LEFT JOIN runs ON runs.row = {spans}.rowid ORDER BY {spans}.rowid
""",
    )
