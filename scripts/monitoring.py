"""Dashboards and alert rules, from one table each: `make generated` writes deploy/monitoring.

A panel is a row with its question to Prometheus, to ClickHouse (the Collector's table `otel_traces`), or both; an alert
is a row with its runbook. Long because it is the tables.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from agentops_sdk import semconv

ROOT: Final = Path(__file__).parents[1]
RUNBOOKS: Final = os.environ.get("RUNBOOKS", "https://docs.example.com/agentops/runbooks")
"""Where the pages of docs/runbooks are served: set it to your own copy, and write the files again."""
FOLDER: Final = ROOT / "deploy" / "monitoring"


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: its heading.
        promql: by legend, each asked of Prometheus. `{…}` stands after every metric: the job is put in.
        sql: asked of ClickHouse; a column `time` makes a curve.
        unit: as Grafana names it.
        kind: as Grafana names it.
        text: what it tells, for who hovers over it.
        width: of 24.
    """

    title: str
    promql: dict[str, str]
    sql: str = ""
    unit: str = "short"
    kind: str = "timeseries"
    text: str = ""
    width: int = 8


def rate(name: str, by: str, labels: str = "") -> str:
    return f"sum by ({by}) (rate({name}{{{labels}}}[$__rate_interval]))"


def quantile(percent: int, name: str, by: str) -> str:
    return f"histogram_quantile({percent / 100}, {rate(f'{name}_bucket', f'le, {by}')})"


def share(name: str, by: str, failed: str, labels: str = "") -> str:
    both = f"{labels}, {failed}" if labels else failed
    return f"{rate(name, by, both)} / {rate(name, by, labels)}"


_OPERATION = "SpanAttributes['gen_ai.operation.name']"
_AGENT = "SpanAttributes['gen_ai.agent.name']"
_TOOL = "SpanAttributes['gen_ai.tool.name']"
_MODEL = "if(SpanAttributes['gen_ai.response.model'] = '', SpanAttributes['gen_ai.request.model'], SpanAttributes['gen_ai.response.model'])"
_COST = "toFloat64OrZero(SpanAttributes['agentops.cost.amount'])"
_MODEL_CALL = f"{_OPERATION} IN ('chat', 'embeddings', 'text_completion', 'generate_content')"
_FAILED = "StatusCode IN ('Error', 'STATUS_CODE_ERROR')"
CONTENT: Final = (
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result", "agentops.input", "agentops.output",
)  # fmt: skip
_HAS_CONTENT = "(" + " OR ".join(f"mapContains(SpanAttributes, '{name}')" for name in CONTENT) + ")"


def over_time(value: str, by: str, where: str) -> str:
    return (
        f"SELECT $__timeInterval(Timestamp) AS time, {by} AS name, {value} AS value FROM otel_traces "
        f"WHERE $__timeFilter(Timestamp) AND ServiceName IN ($service) AND {where} GROUP BY time, name ORDER BY time"
    )


def table(columns: str, where: str, tail: str) -> str:
    return f"SELECT {columns} FROM otel_traces WHERE $__timeFilter(Timestamp) AND ServiceName IN ($service) AND {where} {tail}"


_CALL = "gen_ai_client_operation_duration_seconds"
ROWS: Final[dict[str, list[Panel]]] = {
    "Agents": [
        Panel("Agent runs by outcome", {"{{outcome}}": rate("agentops_spans_total", "outcome", 'kind="agent"')},
              over_time("count()", "SpanAttributes['agentops.outcome']", f"{_OPERATION} = 'invoke_agent'"), "ops"),
        Panel("Agents: p95 duration", {"{{gen_ai_agent_name}}": quantile(95, "gen_ai_invoke_agent_duration_seconds", "gen_ai_agent_name")},
              over_time("quantile(0.95)(Duration) / 1e9", _AGENT, f"{_OPERATION} = 'invoke_agent'"), "s"),
        Panel("Runs that go on", {"running": "sum(agentops_running_runs{})", "oldest, s": "max(agentops_oldest_open_run_seconds{})"},
              text="A run whose age grows for hours waits for something, or goes round."),
        Panel("Tools: share that fails", {"{{gen_ai_tool_name}}": share("gen_ai_execute_tool_duration_seconds_count", "gen_ai_tool_name", 'error_type!=""')},
              over_time(f"countIf({_FAILED}) / count()", _TOOL, f"{_OPERATION} = 'execute_tool'"), "percentunit"),
        Panel("Tool calls of one agent run: p95", {"{{gen_ai_agent_name}}": quantile(95, "gen_ai_invoke_agent_tool_calls", "gen_ai_agent_name")},
              text="An agent that goes round shows here first."),
        Panel("Decisions by choice", {"{{agentops_decision_name}}: {{agentops_decision_chosen}}": rate("agentops_decisions_total", "agentops_decision_name, agentops_decision_chosen")},
              over_time("count()", "concat(SpanAttributes['agentops.decision.name'], ': ', SpanAttributes['agentops.decision.chosen'])",
                        "SpanAttributes['agentops.decision.name'] != ''"), "ops"),
    ],
    "Models": [
        Panel("Model calls", {"{{gen_ai_response_model}}": rate(f"{_CALL}_count", "gen_ai_response_model")},
              over_time("count()", _MODEL, _MODEL_CALL), "ops"),
        Panel("Share that fails, by provider", {"{{gen_ai_provider_name}}": share(f"{_CALL}_count", "gen_ai_provider_name", 'error_type!=""')},
              over_time(f"countIf({_FAILED}) / count()", "SpanAttributes['gen_ai.provider.name']", _MODEL_CALL), "percentunit"),
        Panel("p95 latency", {"{{gen_ai_response_model}}": quantile(95, _CALL, "gen_ai_response_model")},
              over_time("quantile(0.95)(Duration) / 1e9", _MODEL, _MODEL_CALL), "s"),
        Panel("Tokens a second", {"{{gen_ai_token_type}}": rate("gen_ai_client_token_usage_sum", "gen_ai_token_type")},
              over_time("sum(toUInt64OrZero(SpanAttributes['gen_ai.usage.input_tokens']) + toUInt64OrZero(SpanAttributes['gen_ai.usage.output_tokens']))", _MODEL, _MODEL_CALL)),
        Panel("First chunk: p95", {"{{gen_ai_request_model}}": quantile(95, "gen_ai_client_operation_time_to_first_chunk_seconds", "gen_ai_request_model")}, unit="s"),
        Panel("Breakers (2 is open)", {"{{gen_ai_provider_name}} {{gen_ai_request_model}}": "max by (gen_ai_provider_name, gen_ai_request_model) (agentops_breaker_state{})"}),
    ],
    "Cost": [
        Panel("Cost an hour", {"{{gen_ai_response_model}} {{currency}}": f"{rate('agentops_cost_total', 'gen_ai_response_model, currency')} * 3600"},
              over_time(f"sum({_COST})", _MODEL, _MODEL_CALL), "currencyUSD", width=12),
        Panel("Cost in the last day", {"{{currency}}": "sum by (currency) (increase(agentops_cost_total{}[1d]))"}, unit="currencyUSD", kind="stat", width=6),
        Panel("Calls of unknown cost", {"{{gen_ai_request_model}}": "sum by (gen_ai_request_model) (increase(agentops_cost_unknown_calls_total{}[1d]))"},
              kind="stat", width=6, text="What is shown as cost is a lower bound by these calls."),
        Panel("Costliest runs", {}, table("TraceId, any(ServiceName) AS service, min(Timestamp) AS start, round(sum(" + _COST + "), 6) AS cost, count() AS calls",
              _MODEL_CALL, "GROUP BY TraceId ORDER BY cost DESC LIMIT 20"), kind="table", width=12),
        Panel("Paid for and failed", {}, table(f"{_MODEL} AS model, count() AS calls, round(sum({_COST}), 6) AS wasted", f"{_MODEL_CALL} AND {_FAILED}",
              "GROUP BY model ORDER BY wasted DESC LIMIT 20"), kind="table", width=12),
    ],
    "Errors": [
        Panel("What fails", {}, table("SpanName AS step, SpanAttributes['error.type'] AS error, count() AS times, any(TraceId) AS trace", _FAILED,
              "GROUP BY step, error ORDER BY times DESC LIMIT 20"), kind="table", width=12),
        Panel("Steps that carry content", {}, over_time("count()", "ServiceName", _HAS_CONTENT), width=12,
              text="Messages, arguments and results that reached the store. Zero where content is meant to stay out."),
    ],
    "The SDK itself": [
        Panel("Health (2 ok, 1 degraded, 0 failing)", {"{{instance}}": "min by (instance) (agentops_health{})"}, width=6),
        Panel("Spans lost", {"{{sink}} {{reason}}": "sum by (sink, reason) (agentops_sink_spans_lost_total{})", "dropped": "sum(agentops_spans_dropped_total{})"}, width=6),
        Panel("Waiting for a sink", {"{{sink}}": "sum by (sink) (agentops_sink_spans_pending{})", "queued": "sum(agentops_spans_queued{})"}, width=6),
        Panel("Spool", {"{{instance}} {{sink}}": "max by (instance, sink) (agentops_sink_spooled_bytes{})"}, unit="bytes", width=6),
        Panel("Spans", {"started": "sum(rate(agentops_spans_started_total{}[$__rate_interval]))", "ended": "sum(rate(agentops_spans_ended_total{}[$__rate_interval]))"}, unit="ops", width=6),
        Panel("CPU of the consumer thread", {"{{instance}}": rate("agentops_consumer_cpu_seconds_total", "instance")}, unit="percentunit", width=6),
        Panel("Requests to backends: mean time", {"{{sink}}": f"{rate('agentops_sink_request_seconds_sum', 'sink')} / {rate('agentops_sink_request_seconds_count', 'sink')}"}, unit="s", width=6),
        Panel("Contained errors", {"{{site}}": "sum by (site) (agentops_contained_errors_total{})"}, width=6, text="Bugs of the SDK that reached nobody's program. Please report them."),
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Alert:
    """One alert rule; `runbook` is a page of docs/runbooks."""

    name: str
    expr: str
    lasts: str
    severity: str
    summary: str
    runbook: str


ALERTS: Final = [
    Alert("AgentCostSpike",
          "sum by (job) (rate(agentops_cost_total[15m])) > 3 * sum by (job) (rate(agentops_cost_total[1d] offset 15m)) "
          "and sum by (job) (rate(agentops_cost_total[15m])) * 3600 > 1",
          "10m", "warning", "Agents of {{ $labels.job }} cost more than three times what they did in the last day.", "cost-spike"),
    Alert("AgentGoesRound",
          "sum by (job, gen_ai_agent_name) (increase(gen_ai_invoke_agent_tool_calls_count[15m])) "
          '- sum by (job, gen_ai_agent_name) (increase(gen_ai_invoke_agent_tool_calls_bucket{le="64.0"}[15m])) > 0.5',
          "0m", "warning", "A run of {{ $labels.gen_ai_agent_name }} called tools more than 64 times.", "loop"),
    Alert("AgentRunDoesNotEnd", "agentops_oldest_open_run_seconds > 3600", "10m", "warning",
          "A run on {{ $labels.instance }} has been open for {{ $value | humanizeDuration }}.", "loop"),
    Alert("ModelProviderDown",
          'sum by (job, gen_ai_provider_name) (rate(gen_ai_client_operation_duration_seconds_count{error_type!=""}[5m])) '
          "/ sum by (job, gen_ai_provider_name) (rate(gen_ai_client_operation_duration_seconds_count[5m])) > 0.5 "
          "and sum by (job, gen_ai_provider_name) (rate(gen_ai_client_operation_duration_seconds_count[5m])) * 300 > 10",
          "5m", "critical", "More than half of the calls to {{ $labels.gen_ai_provider_name }} fail.", "provider-down"),
    Alert("ModelBreakerOpen", "agentops_breaker_state == 2", "5m", "warning",
          "Calls to {{ $labels.gen_ai_provider_name }} {{ $labels.gen_ai_request_model }} are refused by an open breaker.", "provider-down"),
    # A counter that appears with its first loss has no earlier value: increase() alone would not see that one.
    Alert("SpansLost",
          "increase(agentops_sink_spans_lost_total[10m]) > 0 "
          "or (agentops_sink_spans_lost_total > 0 unless agentops_sink_spans_lost_total offset 10m)",
          "0m", "critical", "Sink {{ $labels.sink }} on {{ $labels.instance }} lost spans: {{ $labels.reason }}.", "spans-lost"),
    Alert("SpansDropped", "increase(agentops_spans_dropped_total[10m]) > 0", "0m", "critical",
          "{{ $labels.instance }} dropped spans before any sink had them.", "spans-lost"),
    Alert("SpansWait", "agentops_sink_spans_pending > 0 and on (job, instance) agentops_health < 2", "15m", "warning",
          "{{ $value }} spans on {{ $labels.instance }} wait for {{ $labels.sink }}.", "spans-lost"),
    Alert("SpoolFills", "agentops_sink_spooled_bytes > 0.8 * 268435456", "5m", "warning",
          "The spool of {{ $labels.sink }} on {{ $labels.instance }} is at four fifths of spool_max_bytes; then the oldest go.", "disk-full"),
    Alert("TracesDiskFull",
          'agentops_sink_spans_lost_total{reason=~"disk_full|read_only|no_access"} > 0 and on (job, instance) agentops_health < 2',
          "1m", "critical", "{{ $labels.instance }} cannot write traces: {{ $labels.reason }}.", "disk-full"),
]  # fmt: skip

LEAK: Final = (
    f"SELECT ServiceName AS service, count() AS value FROM otel_traces WHERE Timestamp > now() - INTERVAL 15 MINUTE "
    f"AND ResourceAttributes['deployment.environment.name'] = 'production' AND {_HAS_CONTENT} GROUP BY service"
)
"""What Prometheus cannot know: content in the store, where there is to be none."""


def dashboard(title: str, uid: str, source: str) -> dict[str, Any]:
    """One dashboard, of every panel that has a question for this source."""
    panels: list[dict[str, Any]] = []
    top = 0
    for name, row in ROWS.items():
        asked = [panel for panel in row if (panel.sql if source == "clickhouse" else panel.promql)]
        if not asked:
            continue
        panels.append(
            {
                "type": "row",
                "title": name,
                "collapsed": False,
                "gridPos": {"x": 0, "y": top, "w": 24, "h": 1},
                "panels": [],
            }
        )
        top, left = top + 1, 0
        for panel in asked:
            if left + panel.width > 24:
                left, top = 0, top + 8
            panels.append(drawn(panel, source, left, top))
            left += panel.width
        top += 8
    for number, drawing in enumerate(panels, 1):
        drawing["id"] = number
    return {
        "uid": uid, "title": title, "tags": ["agentops"], "schemaVersion": 39, "version": 1, "editable": True,
        "refresh": "1m", "time": {"from": "now-6h", "to": "now"}, "timezone": "utc",
        "templating": {"list": variables(source)}, "annotations": {"list": []}, "panels": panels,
    }  # fmt: skip


def variables(source: str) -> list[dict[str, Any]]:
    kind = "grafana-clickhouse-datasource" if source == "clickhouse" else "prometheus"
    chosen = {"name": "datasource", "type": "datasource", "query": kind, "label": "Data source"}
    name, query = (
        ("job", "label_values(agentops_up, job)")
        if source == "prometheus"
        else ("service", "SELECT DISTINCT ServiceName FROM otel_traces")
    )
    every = {"name": name, "type": "query", "query": query, "includeAll": True, "multi": True, "refresh": 2,
             "datasource": {"type": kind, "uid": "${datasource}"}, "current": {"text": "All", "value": "$__all"}}  # fmt: skip
    return [chosen, every]


def drawn(panel: Panel, source: str, left: int, top: int) -> dict[str, Any]:
    if source == "clickhouse":
        kind = {"type": "grafana-clickhouse-datasource", "uid": "${datasource}"}
        form = (
            {"format": 0, "queryType": "timeseries"} if "AS time," in panel.sql else {"format": 1, "queryType": "table"}
        )
        targets: list[dict[str, Any]] = [
            {"refId": "A", "datasource": kind, "editorType": "sql", "rawSql": panel.sql, **form}
        ]
    else:
        kind = {"type": "prometheus", "uid": "${datasource}"}
        targets = [
            {"refId": chr(65 + number), "datasource": kind, "expr": of_job(expr), "legendFormat": legend}
            for number, (legend, expr) in enumerate(panel.promql.items())
        ]
    return {
        "id": 0, "type": panel.kind if panel.kind != "stat" or source == "prometheus" else "timeseries",
        "title": panel.title, "description": panel.text, "datasource": kind, "targets": targets,
        "gridPos": {"x": left, "y": top, "w": panel.width, "h": 8},
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []}, "options": {},
    }  # fmt: skip


def of_job(expr: str) -> str:
    """The question, of the chosen jobs alone."""
    return re.sub(r", }", "}", expr.replace("{", '{job=~"$job", '))


def rules() -> dict[str, Any]:
    """The alerts as Prometheus reads them."""
    return {"groups": [{"name": "agentops", "rules": [
        {"alert": row.name, "expr": row.expr, "for": row.lasts, "labels": {"severity": row.severity},
         "annotations": {"summary": row.summary, "runbook_url": f"{RUNBOOKS}/{row.runbook}/"}}
        for row in ALERTS
    ]}]}  # fmt: skip


def content_alert() -> dict[str, Any]:
    """The one alert that only the store can raise, as Grafana provisions it."""
    return {"apiVersion": 1, "groups": [{"orgId": 1, "name": "agentops", "folder": "Agents", "interval": "5m", "rules": [{
        "uid": "agentops-content-leak", "title": "ContentInStore", "condition": "B", "for": "0m", "noDataState": "OK",
        "labels": {"severity": "critical"},
        "annotations": {"summary": "Messages or arguments of {{ $labels.service }} reached the store.", "runbook_url": f"{RUNBOOKS}/content-leak/"},
        "data": [
            {"refId": "A", "relativeTimeRange": {"from": 900, "to": 0}, "datasourceUid": "clickhouse",
             "model": {"refId": "A", "editorType": "sql", "queryType": "table", "format": 1, "rawSql": LEAK}},
            {"refId": "B", "relativeTimeRange": {"from": 900, "to": 0}, "datasourceUid": "__expr__",
             "model": {"refId": "B", "type": "threshold", "expression": "A", "conditions": [{"evaluator": {"type": "gt", "params": [0]}}]}},
        ],
    }]}]}  # fmt: skip


WITHOUT_CONTENT: Final = """\
# A second line of defence: what people and models wrote does not leave, whatever a program sends.
#   otelcol-contrib --config gateway.yaml --config no-content.yaml
"""


def no_content() -> dict[str, Any]:
    """What the Collector deletes: each attribute that holds content."""
    deleted = [{"action": "delete", "key": name} for name in sorted(semconv.CONTENT)]
    processors = ["memory_limiter", "attributes/no-content", "tail_sampling", "batch"]
    return {
        "processors": {"attributes/no-content": {"actions": deleted}},
        "service": {"pipelines": {"traces": {"processors": processors}}},
    }


def files() -> dict[Path, str]:
    """Everything that is written, by where."""
    head = "# Written by scripts/monitoring.py; change it there.\n"
    written = yaml.safe_dump(rules(), sort_keys=False, width=1000)
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "agent"},
        "spec": rules(),
    }
    return {
        FOLDER / "grafana-prometheus.json": as_json(dashboard("Agents", "agentops-prometheus", "prometheus")),
        FOLDER / "grafana-clickhouse.json": as_json(dashboard("Agents: traces", "agentops-clickhouse", "clickhouse")),
        FOLDER / "grafana-alerts.yaml": head + yaml.safe_dump(content_alert(), sort_keys=False, width=1000),
        FOLDER / "rules.yaml": head + written,
        ROOT / "deploy" / "collector" / "no-content.yaml": head
        + WITHOUT_CONTENT
        + yaml.safe_dump(no_content(), sort_keys=False),
        ROOT / "deploy" / "kubernetes" / "prometheus-rule.yaml": head
        + yaml.safe_dump(rule, sort_keys=False, width=1000),
        ROOT / "deploy" / "helm" / "agent" / "rules.yaml": head + written,
    }


def as_json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
