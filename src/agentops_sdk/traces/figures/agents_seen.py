"""Which agents there are in traces: what each is, has, calls and takes; from spans alone, whoever recorded them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from agentops_sdk import semconv
from agentops_sdk.traces.figures.table_rows import Row
from agentops_sdk.traces.figures.tables import stats

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace

_NATIVE = (
    ("gcp.vertex.agent", "google-adk"), ("strands", "strands"), ("agent_framework", "agent-framework"),
    ("pydantic-ai", "pydantic-ai"), ("openinference.instrumentation.", ""), ("opentelemetry.instrumentation.", ""),
    ("autogen", "autogen"), ("semantic_kernel", "semantic-kernel"), ("langsmith", "langchain"),
)  # fmt: skip
"""Scopes of other recorders, by how they begin: the framework, or that the rest of the scope's name is it."""


@dataclass(slots=True)
class Agent:
    """One agent, by its name.

    Attributes:
        name: as its spans have it.
        frameworks: what it is built with, as far as the spans tell; empty for agents of the program's own.
        versions: of the agent, as its spans tell.
        providers: who offers it, by its card.
        urls: where it is to be found, by its card.
        skills: what it is for, by its card.
        servers: MCP servers whose tools it called, with their versions and how often.
        tools: those it is said to have, and those that ran, with how often.
        models: whose calls lie below it, with how often.
        calls: agents that ran below it, or that it handed over to, with how often.
        called_by: the other way round.
        figures: runs, errors, durations, tokens and cost: its own, up to the next agent below.
    """

    name: str
    frameworks: set[str] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)
    providers: set[str] = field(default_factory=set)
    urls: set[str] = field(default_factory=set)
    skills: set[str] = field(default_factory=set)
    servers: Counter[str] = field(default_factory=Counter)
    tools: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    called_by: Counter[str] = field(default_factory=Counter)
    figures: Row = field(default_factory=lambda: Row(""))


def agents_in(traces: Iterable[Trace]) -> list[Agent]:
    """The agents that ran in these traces, or that one handed over to; costliest first."""
    traces = list(traces)
    agents: dict[str, Agent] = {}
    for trace in traces:
        for span in trace.agents:
            _describe(_agent(agents, _name(span)), span)
        for caller, called in _relations(trace):
            _agent(agents, caller).calls[called] += 1
            _agent(agents, called).called_by[caller] += 1
        for span in trace.of_kind("tool"):
            owner = _owner(trace, span)
            if owner is not None:
                _agent(agents, owner).tools[str(span.attributes.get(semconv.TOOL_NAME) or span.name)] += 1
                server = [span.attributes.get(name) for name in (semconv.MCP_SERVER_NAME, semconv.MCP_SERVER_VERSION)]
                if server[0] is not None:
                    _agent(agents, owner).servers[" ".join(str(each) for each in server if each is not None)] += 1
        for span in trace.model_calls:
            owner = _owner(trace, span)
            model = span.attributes.get(semconv.RESPONSE_MODEL) or span.attributes.get(semconv.REQUEST_MODEL)
            if owner is not None and isinstance(model, str):
                _agent(agents, owner).models[model] += 1
    rows = {row.key: row for row in stats(traces, "agent").rows}
    for name, agent in agents.items():
        agent.figures = rows.get(name, agent.figures)
    return sorted(agents.values(), key=lambda each: (-each.figures.cost.amount, -each.figures.calls, each.name))


def _agent(agents: dict[str, Agent], name: str) -> Agent:
    return agents.setdefault(name, Agent(name))


def _name(span: SpanRecord) -> str:
    name = span.attributes.get(semconv.AGENT_NAME)
    return name if isinstance(name, str) and name else span.name.removeprefix("invoke_agent ")


def _owner(trace: Trace, span: SpanRecord) -> str | None:
    """The nearest agent above a span."""
    above = _above(trace, span)
    return None if above is None else _name(above)


def _above(trace: Trace, span: SpanRecord) -> SpanRecord | None:
    return next((above for above in trace.ancestors(span) if above.kind == "agent"), None)


def _describe(agent: Agent, span: SpanRecord) -> None:
    for told, name in (
        (agent.versions, semconv.AGENT_VERSION), (agent.providers, semconv.A2A_AGENT_PROVIDER),
        (agent.urls, semconv.A2A_AGENT_URL), (agent.skills, semconv.A2A_AGENT_SKILLS),
    ):  # fmt: skip
        value = span.attributes.get(name)
        told.update([value] if isinstance(value, str) else value if isinstance(value, list | tuple) else ())
    framework = span.attributes.get(semconv.FRAMEWORK)
    if isinstance(framework, str):
        agent.frameworks.add(framework)
    else:
        for start, known in _NATIVE:
            if span.scope.name.startswith(start):
                agent.frameworks.add(known or span.scope.name.removeprefix(start).partition(".")[0])
                break
    for name in _offered(span.attributes.get(semconv.TOOL_DEFINITIONS)):
        agent.tools[name] += 0


def _offered(definitions: Any) -> list[str]:
    if isinstance(definitions, str):
        try:
            definitions = orjson.loads(definitions)
        except ValueError:
            return []
    rows = definitions if isinstance(definitions, list) else []
    return [row["name"] for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str)]


def _relations(trace: Trace) -> list[tuple[str, str]]:
    """Who called whom: an agent ran below another, or one handed over to it. Where it did both, it was one call."""
    around = [(above, span) for span in trace.agents if (above := _above(trace, span)) is not None]
    # An agent elsewhere has a span on both ends: who asks it is its caller, and not its own span there.
    below = [(_name(above), _name(span)) for above, span in around
             if above.span_kind != "CLIENT" or _name(above) != _name(span)]  # fmt: skip
    known = set(below)
    handoffs = [
        (_name(span) if span.kind == "agent" else _owner(trace, span), event.attributes.get(semconv.HANDOFF_TO))
        for span in trace.of_kind("agent", "task")
        for event in span.events
        if event.name == semconv.HANDOFF_EVENT
    ]
    return below + [(caller, str(to)) for caller, to in handoffs if caller is not None and (caller, to) not in known]
