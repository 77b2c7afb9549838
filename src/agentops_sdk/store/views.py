"""The named views, in the SQL that both engines understand, over each engine's own ``spans`` and ``span_events``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["VIEWS", "Words", "definitions"]


@dataclass(frozen=True, slots=True)
class Words:
    """What the engines call differently.

    Attributes:
        first: of a value and what it is sorted by, the value with the smallest.
        names: all different values of a text column, sorted, as one text.
        nullable: a value that an outer join may leave out.
        attribute: by its name the text of an attribute, from the column ``attributes``.
    """

    first: str
    names: str
    nullable: str
    attribute: Callable[[str], str]


VIEWS: Final = ("spans", "llm_calls", "tool_calls", "decisions", "traces", "feedback", "agents")
"""What people ask; every one is there in both engines with the same columns."""

_ROOT: Final = "CASE WHEN s.parent_id IS NULL THEN 0 ELSE 4000000000000000000 END + s.start_ns"


def definitions(words: Words) -> dict[str, str]:
    """Each view's query by its name, in an order in which each only needs those before it.

    The engine adds ``spans`` (a row for each span) and ``span_events`` (a row for each event) before them.
    """
    return {
        "model_calls": _MODEL_CALLS,
        "llm_calls": "SELECT * FROM model_calls WHERE kind = 'llm'",
        "tool_calls": (
            f"SELECT *, {words.attribute('gen_ai.tool.call.id')} AS call_id,"
            f" {words.attribute('gen_ai.tool.call.arguments')} AS arguments,"
            f" {words.attribute('gen_ai.tool.call.result')} AS result FROM spans WHERE kind = 'tool'"
        ),
        "agents": "SELECT * FROM spans WHERE kind = 'agent'",
        "decisions": _decisions(words),
        "feedback": _FEEDBACK,
        "figures": _FIGURES,
        "traces": _traces(words),
    }


# A call that a framework and a provider's client both recorded stands in the file twice, the one below the other or
# with one plain step between them; it counts once, where more is known of it: as the readers' accounts have it.
_MODEL_CALLS: Final = """
WITH known AS (
  SELECT *, (CASE WHEN input_tokens IS NULL AND output_tokens IS NULL THEN 0
                  WHEN usage_source IN ('counted', 'estimated') THEN 4 ELSE 12 END)
            + (CASE WHEN response_id IS NULL THEN 0 ELSE 2 END) + (CASE WHEN cost IS NULL THEN 0 ELSE 1 END) AS worth
  FROM spans WHERE kind IN ('llm', 'embedding') AND (cached IS NULL OR NOT cached)
),
pairs AS (
  SELECT outside.trace_id AS pair_trace, outside.span_id AS outer_id, inside.span_id AS inner_id,
         outside.worth AS outer_worth, inside.worth AS inner_worth
  FROM known AS inside
  JOIN known AS outside ON outside.trace_id = inside.trace_id AND outside.span_id = inside.parent_id
  UNION ALL
  SELECT outside.trace_id AS pair_trace, outside.span_id AS outer_id, inside.span_id AS inner_id,
         outside.worth AS outer_worth, inside.worth AS inner_worth
  FROM known AS inside
  JOIN (SELECT trace_id, span_id, parent_id FROM spans WHERE kind = 'span') AS step
    ON step.trace_id = inside.trace_id AND step.span_id = inside.parent_id
  JOIN known AS outside ON outside.trace_id = step.trace_id AND outside.span_id = step.parent_id
),
outers AS (SELECT pair_trace, outer_id, max(inner_worth) AS most, max(outer_worth) AS own FROM pairs
           GROUP BY pair_trace, outer_id)
SELECT * FROM known
WHERE (trace_id, span_id) NOT IN (SELECT pair_trace, outer_id FROM outers WHERE most >= own)
  AND (trace_id, span_id) NOT IN (
    SELECT pairs.pair_trace, pairs.inner_id FROM pairs
    JOIN outers ON outers.pair_trace = pairs.pair_trace AND outers.outer_id = pairs.outer_id
    WHERE outers.most < outers.own)
"""

_FEEDBACK: Final = """
SELECT coalesce(feedback_trace_id, trace_id) AS trace_id, coalesce(feedback_span_id, span_id) AS span_id,
       event_ns AS time_ns, evaluation AS name, score, label, comment, coalesce(feedback_target, 'span') AS target,
       session_id, trace_id AS recorded_in
FROM span_events WHERE event = 'gen_ai.evaluation.result'
"""

# What adds up: model calls once, other steps' own price, and where nobody recorded a call what the agent says.
_FIGURES: Final = """
WITH calls AS (SELECT trace_id, span_id, input_tokens, output_tokens, cost, currency,
                      CASE WHEN outcome = 'error' AND input_tokens IS NULL AND output_tokens IS NULL THEN 1 ELSE 0 END
                      AS refused
               FROM model_calls),
totals AS (SELECT trace_id, span_id, parent_id, input_tokens, output_tokens, cost, currency FROM spans
           WHERE kind NOT IN ('llm', 'embedding') AND (input_tokens IS NOT NULL OR output_tokens IS NOT NULL)
             AND trace_id NOT IN (SELECT trace_id FROM calls
                                  WHERE input_tokens IS NOT NULL OR output_tokens IS NOT NULL))
SELECT trace_id, span_id, input_tokens, output_tokens, cost, currency,
       CASE WHEN cost IS NULL AND refused = 0 THEN 1 ELSE 0 END AS unpriced FROM calls
UNION ALL
SELECT trace_id, span_id, input_tokens, output_tokens, cost, currency,
       CASE WHEN cost IS NULL THEN 1 ELSE 0 END AS unpriced FROM totals
WHERE (trace_id, span_id) NOT IN (SELECT trace_id, parent_id FROM totals WHERE parent_id IS NOT NULL)
UNION ALL
SELECT trace_id, span_id, NULL AS input_tokens, NULL AS output_tokens, cost, currency, 0 AS unpriced FROM spans
WHERE kind NOT IN ('llm', 'embedding', 'agent', 'workflow', 'span') AND cost IS NOT NULL
  AND (cost_is_total IS NULL OR NOT cost_is_total) AND input_tokens IS NULL AND output_tokens IS NULL
"""


def _decisions(words: Words) -> str:
    return f"""
SELECT trace_id, span_id, coalesce(decision, name) AS name, chosen, {words.attribute("agentops.decision.options")}
       AS options, {words.attribute("agentops.decision.reason")} AS reason, confidence, decided_by, start_ns AS time_ns,
       kind AS kind, agent, session_id, user_id
FROM spans WHERE kind = 'decision' OR chosen IS NOT NULL OR decision IS NOT NULL
UNION ALL
SELECT trace_id, span_id, coalesce(event_decision, name) AS name, event_chosen AS chosen, event_options AS options,
       event_reason AS reason, event_confidence AS confidence, event_decided_by AS decided_by, event_ns AS time_ns,
       kind AS kind, agent, session_id, user_id
FROM span_events WHERE event = 'agentops.decision'
"""


def _traces(words: Words) -> str:
    def first(value: str, order: str) -> str:
        return words.first.format(value=value, order=order)

    return f"""
WITH runs AS (
  SELECT s.trace_id AS trace_id, {first("s.name", _ROOT)} AS name, min(s.start_time) AS start_time,
         max(s.end_time) AS end_time, (max(coalesce(s.end_ns, s.start_ns)) - min(s.start_ns)) / 1e9 AS duration_s,
         min(CASE WHEN s.parent_id IS NULL THEN s.outcome END) AS outcome, count(*) AS spans,
         sum(CASE WHEN s.kind = 'tool' THEN 1 ELSE 0 END) AS tool_calls,
         sum(CASE WHEN s.outcome = 'error' THEN 1 ELSE 0 END) AS errors,
         {first("s.session_id", "s.start_ns")} AS session_id, {first("s.user_id", "s.start_ns")} AS user_id,
         {first("s.service", _ROOT)} AS service, {first("s.service_version", _ROOT)} AS service_version
  FROM spans AS s GROUP BY s.trace_id HAVING count(*) > count(s.feedback_target)
),
called AS (
  SELECT s.trace_id AS trace_id, {words.nullable.format(value="sum(CASE WHEN s.kind = 'llm' THEN 1 ELSE 0 END)")}
         AS llm_calls, {words.nullable.format(value=words.names.format(value="s.model"))} AS models
  FROM model_calls AS s GROUP BY s.trace_id
),
summed AS (
  SELECT s.trace_id AS trace_id, sum(s.input_tokens) AS input_tokens, sum(s.output_tokens) AS output_tokens,
         sum(s.cost) AS cost, max(s.currency) AS currency, {words.nullable.format(value="sum(s.unpriced)")}
         AS cost_unknown
  FROM figures AS s GROUP BY s.trace_id
),
rated AS (
  SELECT s.trace_id AS trace_id, {words.nullable.format(value="count(*)")} AS ratings, avg(s.score) AS score
  FROM feedback AS s GROUP BY s.trace_id
)
SELECT runs.trace_id AS trace_id, runs.name AS name, runs.start_time AS start_time, runs.end_time AS end_time,
       runs.duration_s AS duration_s, runs.outcome AS outcome, runs.spans AS spans,
       coalesce(called.llm_calls, 0) AS llm_calls, runs.tool_calls AS tool_calls, runs.errors AS errors,
       coalesce(called.models, '') AS models, summed.input_tokens AS input_tokens,
       summed.output_tokens AS output_tokens, summed.cost AS cost, summed.currency AS currency,
       coalesce(summed.cost_unknown, 0) AS cost_unknown, runs.session_id AS session_id, runs.user_id AS user_id,
       runs.service AS service, runs.service_version AS service_version, coalesce(rated.ratings, 0) AS ratings,
       rated.score AS score
FROM runs
LEFT JOIN called ON called.trace_id = runs.trace_id
LEFT JOIN summed ON summed.trace_id = runs.trace_id
LEFT JOIN rated ON rated.trace_id = runs.trace_id
"""
