"""Looks at ended spans, as they go to the sinks, and says what in their runs the rules find. Consumer thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agentops_sdk import semconv
from agentops_sdk._findings import signs
from agentops_sdk._findings.finding_rules import Finding
from agentops_sdk._host.bounded_map import BoundedMap

__all__ = ["FindingWatch", "event_of"]

_MOST_RUNS: Final = 1_000
_MOST_SOURCES: Final = 50
_MOST_AGENTS: Final = 200
_MOST_HOSTS: Final = 1_000
_ENOUGH_RUNS: Final = 20
_QUIET_RUNS: Final = 10
_SOURCES: Final = frozenset(("tool", "retriever"))
_RESULTS: Final = (semconv.TOOL_CALL_RESULT, semconv.RETRIEVAL_DOCUMENTS, semconv.OUTPUT)
_ARGUMENTS: Final = (semconv.TOOL_CALL_ARGUMENTS, semconv.INPUT, semconv.RETRIEVAL_QUERY)
_REFUSED: Final = frozenset(
    ("refusal", "content_filter", "safety", "prohibited_content", "blocklist", "guardrail_intervened")
)
_ACTS: Final = frozenset(("tell", "remove", "pay", "run", "allow", "book"))
"""What is done to others, or cannot be taken back."""
_HANDOFF: Final = ("transfer_to_", "handoff")


@dataclass(slots=True)
class _Source:
    """A span whose result is not to be trusted, or not to be told on."""

    span_id: int
    end_ns: int
    hosts: frozenset[str] = frozenset()
    redacted: frozenset[str] = frozenset()
    fragments: frozenset[int] = frozenset()
    tools_before: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Run:
    """What is known of one run: hashes, hosts and names, and none of its texts."""

    ordered: deque[_Source] = field(default_factory=lambda: deque(maxlen=_MOST_SOURCES))
    named: deque[_Source] = field(default_factory=lambda: deque(maxlen=_MOST_SOURCES))
    secret: deque[_Source] = field(default_factory=lambda: deque(maxlen=_MOST_SOURCES))
    tools: set[str] = field(default_factory=set)
    hosts_of_user: set[str] = field(default_factory=set)
    named_by_user: set[int] = field(default_factory=set)
    wishes: set[str] = field(default_factory=set)
    """What the user asked to be done."""
    offered: dict[str, set[str]] = field(default_factory=dict)
    hosts: dict[str, set[str]] = field(default_factory=dict)
    """What its agents have called."""


@dataclass(slots=True)
class _Agent:
    """What is usual of an agent: the domains that its runs have called."""

    domains: set[str] = field(default_factory=set)
    runs: int = 0
    since_new: int = 0


_runs: BoundedMap[int, _Run] = BoundedMap(_MOST_RUNS)
_agents: BoundedMap[str, _Agent] = BoundedMap(_MOST_AGENTS)


class FindingWatch:
    """Remembers of each run in progress what the rules ask for, bounded, and of each agent what it calls."""

    def look(
        self,
        trace_id: int,
        span_id: int,
        attributes: Mapping[str, Any],
        start_ns: int,
        end_ns: int,
        *,
        outermost: bool,
    ) -> list[Finding]:
        """What is found at the end of a span, whose attributes are as its sinks get them: scrubbed, and cut to size."""
        run = _runs.get(trace_id)
        if run is None:
            run = _runs[trace_id] = _Run()
        kind = attributes.get(semconv.KIND)
        found: list[Finding] = []
        if kind == "llm":
            found += self._model(run, attributes, start_ns)
        elif kind in _SOURCES:
            if kind == "tool":
                found += self._tool(run, attributes, start_ns)
            self._remember(run, span_id, attributes, end_ns)
        elif kind == "agent":
            self._heard(run, signs.text_of(attributes.get(semconv.INPUT)))
        if outermost:
            self._learn(run)
            _runs.pop(trace_id, None)
        return found

    # --- model calls ------------------------------------------------------------------------------

    def _model(self, run: _Run, attributes: Mapping[str, Any], start_ns: int) -> Iterator[Finding]:
        asked = signs.words_of_user(attributes.get(semconv.INPUT_MESSAGES))
        self._heard(run, asked)
        offered = signs.names_of_tools(attributes.get(semconv.TOOL_DEFINITIONS))
        if offered:
            run.offered.setdefault(str(attributes.get(semconv.AGENT_NAME, "")), set()).update(offered)
        answer, said = (
            signs.text_of(attributes.get(semconv.OUTPUT_MESSAGES)),
            signs.answers(attributes.get(semconv.OUTPUT_MESSAGES)),
        )
        reasons = attributes.get(semconv.RESPONSE_FINISH_REASONS) or ()
        reported = (
            any(str(reason).lower().replace("-", "_") in _REFUSED for reason in reasons) or '"type":"refusal"' in answer
        )
        beyond = signs.BEYOND_RULES.search(asked) is not None
        if reported:
            why = "the provider reports a refusal" + (" of a request to act without rules" if beyond else "")
            yield Finding("jailbreak_refused", 0.9 if beyond else 0.5, why)
        elif beyond and any(map(signs.REFUSAL.match, said)):
            yield Finding("jailbreak_refused", 0.6, "a request to act without rules was refused in words")
        if (run.ordered or run.secret) and (shown := signs.pictures("\n".join(said))):
            yield from self._shows(run, shown, start_ns)

    def _shows(self, run: _Run, shown: str, start_ns: int) -> Iterator[Finding]:
        """An answer in which pictures or links stand: whoever opens it calls them."""
        hosts, words = signs.addresses(shown), signs.spread(shown)
        for source in reversed(run.ordered):
            if source.end_ns <= start_ns and (hosts & source.hosts) - run.hosts_of_user:
                why = "the answer calls an address that stands in a result with orders, and in no message of the user"
                yield Finding("injection_followed", 0.9, why, source.span_id)
                break
        for source in reversed(run.secret):
            if source.end_ns <= start_ns and words & source.fragments:
                yield Finding(
                    "secret_leaves", 0.9, "an address in the answer holds a part of what was read", source.span_id
                )
                return

    def _heard(self, run: _Run, words: str) -> None:
        run.hosts_of_user |= signs.addresses(words)
        run.wishes |= signs.wishes(words)
        run.named_by_user |= signs.named(words)

    # --- tools ------------------------------------------------------------------------------------

    def _tool(self, run: _Run, attributes: Mapping[str, Any], start_ns: int) -> Iterator[Finding]:
        tool, agent = str(attributes.get(semconv.TOOL_NAME, "")), str(attributes.get(semconv.AGENT_NAME, ""))
        arguments = _text(attributes, _ARGUMENTS)
        hosts = signs.addresses(arguments)
        yield from self._after_orders(run, tool, arguments, hosts, start_ns)
        offered = run.offered.get(agent)
        if offered and tool and tool not in offered and not tool.startswith(_HANDOFF):
            by_model = semconv.TOOL_CALL_ID in attributes
            yield Finding("tool_outside_list", 0.8 if by_model else 0.4, f"{tool} was not among the tools offered")
        yield from self._carries(run, tool, arguments, hosts, start_ns)
        if (address := attributes.get(semconv.SERVER_ADDRESS)) and isinstance(address, str):
            hosts |= {address.lower()}
        yield from self._calls(run, agent, hosts)
        run.tools.add(tool)

    def _after_orders(
        self, run: _Run, tool: str, arguments: str, hosts: frozenset[str], start_ns: int
    ) -> Iterator[Finding]:
        for source in reversed(run.ordered):
            if source.end_ns > start_ns:
                continue
            if (hosts & source.hosts) - run.hosts_of_user:
                why = f"{tool} calls an address that stands in a result with orders, and in no message of the user"
                yield Finding("injection_followed", 0.9, why, source.span_id)
                return
            if signs.deeds(tool) - run.wishes and tool not in source.tools_before:
                why = f"{tool}, which the run had not used and the user not asked for, ran after a result with orders"
                yield Finding("injection_followed", 0.6, why, source.span_id)
                return
        unasked = (signs.deeds(tool) & _ACTS) - run.wishes
        names = signs.named(arguments) - run.named_by_user if unasked and run.named else frozenset()
        for source in reversed(run.named):
            if source.end_ns <= start_ns and names & source.fragments and tool not in source.tools_before:
                why = f"{tool}, which the user had not asked for, acts on what only a result has named"
                yield Finding("injection_followed", 0.4, why, source.span_id)
                return

    def _carries(self, run: _Run, tool: str, arguments: str, hosts: frozenset[str], start_ns: int) -> Iterator[Finding]:
        if not run.secret or not (hosts or signs.talks(tool)):
            return
        words, redacted = signs.spread(arguments), signs.redactions(arguments)
        for source in reversed(run.secret):
            if source.end_ns > start_ns:
                continue
            if words & source.fragments:
                yield Finding("secret_leaves", 0.9, f"{tool} sends a part of what was read there", source.span_id)
                return
            if redacted & source.redacted:
                yield Finding("secret_leaves", 0.7, f"{tool} sends a secret of the sort that was read", source.span_id)
                return

    def _calls(self, run: _Run, agent: str, hosts: frozenset[str]) -> Iterator[Finding]:
        if not hosts:
            return
        domains = {signs.domain_of(host) for host in hosts}
        usual, called = _agents.get(agent), run.hosts.setdefault(agent, set())
        if usual is not None and usual.runs >= _ENOUGH_RUNS and usual.since_new >= _QUIET_RUNS:
            new = domains - usual.domains - called
            if new:
                yield Finding("new_host", 0.4, f"{len(new)} host(s) that no run of this agent had called")
        called |= domains

    # --- what is kept -----------------------------------------------------------------------------

    def _remember(self, run: _Run, span_id: int, attributes: Mapping[str, Any], end_ns: int) -> None:
        result = _text(attributes, _RESULTS)
        if signs.asks(result) and (names := signs.named(result)):
            run.named.append(_Source(span_id, end_ns, fragments=names, tools_before=frozenset(run.tools)))
        if signs.has_orders(result):
            run.ordered.append(
                _Source(span_id, end_ns, hosts=signs.addresses(result), tools_before=frozenset(run.tools))
            )
        redacted = signs.redactions(result)
        if (
            redacted
            or signs.keeps_secrets(str(attributes.get(semconv.TOOL_NAME, "")))
            or signs.SECRET_PLACE.search(_text(attributes, _ARGUMENTS))
        ):
            run.secret.append(_Source(span_id, end_ns, redacted=redacted, fragments=signs.fragments(result)))

    def _learn(self, run: _Run) -> None:
        for agent, domains in run.hosts.items():
            usual = _agents.get(agent)
            if usual is None:
                usual = _agents[agent] = _Agent()
            usual.runs += 1
            usual.since_new = usual.since_new + 1 if domains <= usual.domains else 0
            if len(usual.domains) < _MOST_HOSTS:
                usual.domains |= domains


def _text(attributes: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return "\n".join(signs.text_of(attributes[name]) for name in names if name in attributes)


def event_of(finding: Finding) -> tuple[str, dict[str, Any]]:
    """The event that tells of a finding: an evaluation's attributes, and its own name, for no person judged."""
    about: dict[str, Any] = {
        semconv.EVALUATION_NAME: f"security/{finding.rule}",
        semconv.EVALUATION_SCORE_VALUE: finding.confidence,
        semconv.EVALUATION_SCORE_LABEL: _label(finding.confidence),
        semconv.EVALUATION_EXPLANATION: finding.why,
    }
    if finding.source:
        about[semconv.FINDING_SOURCE] = f"{finding.source:016x}"
    return semconv.FINDING_EVENT, about


def _label(confidence: float) -> str:
    return "high" if confidence >= 0.8 else "medium" if confidence >= 0.5 else "low"
