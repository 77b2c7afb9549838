"""The figures of the evidence, each with its query: over the traces in SQL, over the audit log by action."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentops_sdk._audit.chain import files, records_of
from agentops_sdk.errors import AgentOpsError, ConfigError

if TYPE_CHECKING:
    from agentops_sdk.key_source import KeySource

__all__ = ["Evidence", "Figure", "gather"]

_PERIOD: Final = "start_ns >= {since} AND start_ns < {until}"
_MOST_ROWS: Final = 500
_NO_LOG: Final = "there is no audit log"


class _Question(NamedTuple):
    section: str
    title: str
    sql: str = ""
    actions: tuple[str, ...] = ()


QUESTIONS: Final = (
    _Question("Systems", "Agents, and how often they ran",
              "SELECT agent, count(*) AS runs, min(start_ns) AS first_ns, max(start_ns) AS last_ns FROM spans "
              "WHERE kind = 'agent' AND {period} GROUP BY agent ORDER BY runs DESC, agent"),
    _Question("Systems", "Models and providers, by agent",
              "SELECT agent, provider, coalesce(response_model, request_model) AS used_model, count(*) AS calls "
              "FROM llm_calls WHERE {period} GROUP BY agent, provider, used_model ORDER BY calls DESC, used_model"),
    _Question("Systems", "Prompts by name, version and fingerprint",
              "SELECT prompt_name, prompt_version, prompt_fingerprint, count(*) AS calls FROM llm_calls "
              "WHERE {period} GROUP BY prompt_name, prompt_version, prompt_fingerprint ORDER BY calls DESC"),
    _Question("Systems", "Tools", "SELECT tool, count(*) AS calls, count(error_type) AS errors FROM tool_calls "
              "WHERE {period} GROUP BY tool ORDER BY calls DESC, tool"),
    _Question("Systems", "Places: environments and versions of services",
              "SELECT environment, service_version, count(*) AS spans FROM spans WHERE {period} "
              "GROUP BY environment, service_version ORDER BY spans DESC"),
    _Question("Systems", "First uses of models and prompts, from the audit log", actions=("in use",)),
    _Question("Decisions", "Decisions, and who made them",
              "SELECT decision, chosen, decided_by, count(*) AS times FROM spans "
              "WHERE decision IS NOT NULL AND {period} GROUP BY decision, chosen, decided_by ORDER BY "
              "times DESC, decision"),
    _Question("Human oversight", "Answers of people, and seconds that were waited for them, from spans",
              "SELECT decision, chosen, count(*) AS times, "
              "avg(CAST(json_extract(attributes, '/agentops.decision.waited') AS DOUBLE)) AS mean_wait, "
              "max(CAST(json_extract(attributes, '/agentops.decision.waited') AS DOUBLE)) AS longest_wait "
              "FROM spans WHERE decided_by = 'human' AND "
              "coalesce(error_type, '') <> 'agentops_sdk.errors.Paused' AND {period} "
              "GROUP BY decision, chosen ORDER BY times DESC"),
    _Question("Human oversight", "Calls that were not made because somebody had paused their agent, from spans",
              "SELECT agent, count(*) AS calls FROM spans WHERE error_type = 'agentops_sdk.errors.Paused' AND {period} "
              "GROUP BY agent ORDER BY calls DESC, agent"),
    _Question("Human oversight", "Approvals and overrides, from the audit log", actions=("approval", "override")),
    _Question("Human oversight", "Pauses and changes of settings, from the audit log",
              actions=("pause", "resume", "configure", "start")),
    _Question("Incidents", "Errors by kind of step and type",
              "SELECT kind, error_type, count(*) AS times FROM spans WHERE error_type IS NOT NULL AND {period} "
              "GROUP BY kind, error_type ORDER BY times DESC"),
    _Question("Incidents", "Security findings by rule and agent: signs, some of which are wrong; none says nothing",
              "SELECT rule, agent, count(*) AS times FROM (SELECT agent, unnest(CAST(json_extract(attributes, "
              "'/agentops.findings') AS VARCHAR[])) AS rule FROM spans WHERE {period}) "
              "GROUP BY rule, agent ORDER BY times DESC, rule"),
    _Question("Incidents", "Alerts, from the audit log", actions=("alert",)),
    _Question("Limits", "Limits that were reached, from the audit log", actions=("limit",)),
    _Question("Data", "Spans that are kept, and the oldest",
              "SELECT count(*) AS spans, count(DISTINCT trace_id) AS traces, min(start_ns) AS oldest_ns FROM spans"),
    _Question("Data", "Erased and handed out, from the audit log", actions=("erase", "export")),
    _Question("Cost", "Cost by currency and model; calls of unknown cost are counted, not added",
              "SELECT currency, coalesce(response_model, request_model) AS used_model, sum(cost) AS cost, "
              # A call that failed and used nothing, such as one that a limit stopped, costs nothing: as in `stats`.
              "count(CASE WHEN cost IS NULL AND (outcome <> 'error' OR input_tokens IS NOT NULL OR output_tokens "
              "IS NOT NULL) THEN 1 END) AS calls_of_unknown_cost, sum(input_tokens) AS input_tokens, "
              "sum(output_tokens) AS output_tokens FROM llm_calls WHERE {period} GROUP BY currency, "
              "used_model ORDER BY used_model"),
)  # fmt: skip
"""To add a figure, add a row."""


@dataclass(frozen=True)
class Figure:
    """One table of the evidence.

    Attributes:
        query: the command that prints it.
        problem: why there is none.
        omitted: rows that the query gives and the page does not have.
    """

    section: str
    title: str
    query: str
    columns: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    problem: str = ""
    omitted: int = 0


@dataclass(frozen=True)
class Evidence:
    """Figures of a period, in nanoseconds since the epoch, and what the audit log's verification said.

    Attributes:
        remarks: what lies there and is in no figure, such as those of a file that is encrypted: a sentence for each.
    """

    since_ns: int
    until_ns: int
    figures: list[Figure]
    audit: dict[str, Any]
    remarks: list[str]

    @property
    def is_whole(self) -> bool:
        """Whether everything that lies there was read, every question answered, and the audit log, if any, is whole."""
        problems = {figure.problem for figure in self.figures} | {*self.audit["faults"]}
        return not self.remarks and not problems - {"", _NO_LOG}


def gather(base: Path, traces: Path, since_ns: int, until_ns: int, key: KeySource | None = None) -> Evidence:
    """Ask every question.

    Args:
        base: the directory, below which the audit log lies.
        traces: where the traces lie.
        since_ns: the begin of the period.
        until_ns: its end, which is no part of it.
        key: of the audit log's signatures.

    Raises:
        AgentOpsError: DuckDB is not installed.
    """
    from agentops_sdk.store.address import open_store

    records = list(records_of(base / "audit"))
    store = open_store(traces)
    try:
        figures = [
            _asked(store, question, since_ns, until_ns)
            if question.sql
            else _recorded(records, question, since_ns, until_ns)
            for question in QUESTIONS
        ]
    finally:
        store.close()
    return Evidence(since_ns, until_ns, figures, _verified(base / "audit", key), list(dict.fromkeys(store.not_read)))


def _asked(store: Any, question: _Question, since_ns: int, until_ns: int) -> Figure:
    sql = question.sql.replace("{period}", _PERIOD.format(since=since_ns, until=until_ns))
    query = f'agentops sql "{sql}"'
    try:
        names, found = store.query(sql)
        rows = [list(row) for row in found]
        shown = rows[:_MOST_ROWS]
        return Figure(question.section, question.title, query, list(names), shown, omitted=len(rows) - len(shown))
    except AgentOpsError as error:
        return Figure(question.section, question.title, query, problem=str(error))


def _recorded(records: list[dict[str, Any]], question: _Question, since_ns: int, until_ns: int) -> Figure:
    rows = [
        [record["seq"], record.get("time"), record["action"], record.get("by"), json.dumps(record.get("changes"))]
        for record in records
        if record.get("action") in question.actions and since_ns <= float(record.get("time") or 0) * 1e9 < until_ns
    ]
    query = f"agentops audit --json  # action: {', '.join(question.actions)}; time from {since_ns} to {until_ns} ns"
    if not records:
        return Figure(question.section, question.title, query, problem=_NO_LOG)
    columns = ["record", "time", "action", "by", "about"]
    shown = rows[-_MOST_ROWS:]
    return Figure(question.section, question.title, query, columns, shown, omitted=len(rows) - len(shown))


def _verified(folder: Path, key: KeySource | None) -> dict[str, Any]:
    query = "agentops audit verify" if key is None else f"agentops audit verify --key {key.shown}"
    if not files(folder):
        return {"query": query, "records": 0, "signed": 0, "faults": [_NO_LOG], "limits": []}
    from agentops_sdk._audit.signature import signer_of
    from agentops_sdk._audit.verification import verify

    faults: list[str] = []
    signer = None
    try:
        signer = signer_of(key)
    except ConfigError as error:
        faults.append(f"the signatures were not checked: {error}")
    found = verify(folder, signer)
    faults += found.faults
    return {"query": query, "records": found.records, "signed": found.signed, "faults": faults, "limits": found.limits}
