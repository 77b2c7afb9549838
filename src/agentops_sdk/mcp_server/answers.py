"""What may be asked: one method is one tool, its docstring what the asking model reads of it.

Everything reads and nothing writes. Without ``content`` no answer holds what people or models wrote. Long because
every tool is a method with its words beside it.
"""

from __future__ import annotations

from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final, Unpack

from pydantic import Field

from agentops_sdk import semconv
from agentops_sdk.errors import ConfigError, TraceError
from agentops_sdk.mcp_server.pages import page_of_rows, page_of_text
from agentops_sdk.traces.display.render import error_of
from agentops_sdk.traces.display.terminal_text import block, line
from agentops_sdk.traces.figures import number_format
from agentops_sdk.traces.search.filters import Filters  # the protocol's library reads annotations
from agentops_sdk.traces.trace import Trace
from agentops_sdk.view.folder import Folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentops_sdk.traces.files import Traces
    from agentops_sdk.traces.record import SpanRecord

__all__ = ["Answers"]

_NAMED: Final = 300
"""Characters of a name, an error or a reason in a list; the step itself shows all of it."""
_STEPS: Final = 500
_REMARKS: Final = 5

TraceId = Annotated[str, Field(description="A trace id, the beginning of one, or 'latest'.")]
Side = Annotated[
    str, Field(description="A trace id, 'latest', a date range 2026-11-01..2026-11-07, or attribute=value.")
]
Limit = Annotated[int, Field(ge=1, le=200, description="How many at most, the latest first.")]
Offset = Annotated[int, Field(ge=0, description="Where to go on: next_offset of the answer before.")]
Place = Annotated[int, Field(ge=0, description="The character to go on from, as the answer before says.")]


class Answers:
    """Questions about the traces of one directory or file, read again when it has changed.

    Attributes:
        content: whether answers hold messages, arguments, results and reasons.
        most: characters of one answer.
    """

    def __init__(self, path: Path, *, content: bool = False, most: int = 20_000) -> None:
        self._folder = Folder(path)
        self._path = path
        self.content = content
        self.most = most

    @property
    def tools(self) -> list[Callable[..., str]]:
        """Every question that can be answered here, in the order in which an agent is shown them."""
        questions: list[Callable[..., str]] = [
            self.list_traces, self.search_traces, self.show_trace, self.list_steps, self.show_step, self.explain,
            self.decisions, self.compare_traces, self.stats, self.find_errors, self.find_waste,
        ]  # fmt: skip
        # SQL reaches every column: where content is withheld there is none.
        return [*questions, self.sql] if self.content and find_spec("duckdb") is not None else questions

    # --- which runs there are -----------------------------------------------------------------

    def list_traces(self, limit: Limit = 20, offset: Offset = 0, **filters: Unpack[Filters]) -> str:
        """List runs of agents, latest first: id, start, name, outcome, duration, models, tokens, cost, errors."""
        traces = self._traces(filters).runs
        return page_of_rows(
            map(_row, traces), self.most, offset=offset, limit=limit, count=len(traces), **self._remarks()
        )

    def search_traces(  # type: ignore[misc]  # `text`, which has to be given, is one of the filters
        self,
        text: Annotated[str, Field(min_length=1, description="To be found in a step's name, error, messages, …")],
        limit: Limit = 20,
        offset: Offset = 0,
        **filters: Unpack[Filters],
    ) -> str:
        """Find runs in which a step's name, error, messages, arguments or result hold a text; as list_traces."""
        filters["text"] = text
        return self.list_traces(limit, offset, **filters)

    # --- one run --------------------------------------------------------------------------------

    def show_trace(
        self,
        trace: TraceId = "latest",
        messages: Annotated[bool, Field(description="Also what was said, where the server shows content.")] = False,
        internal: Annotated[bool, Field(description="Also the internal steps of frameworks.")] = False,
        offset: Place = 0,
    ) -> str:
        """Show one run as a tree: agents, model calls, tools, decisions, durations, tokens, cost, errors."""
        from agentops_sdk.traces.display.render import Tree

        shown = self._trace(trace)
        lines = Tree(
            shown, 160, messages=messages and self.content, internal=internal, more="list_steps lists them"
        ).lines()
        return page_of_text(f"trace {shown.trace_id}\n" + "\n".join(part.plain for part in lines), self.most, offset)

    def list_steps(
        self,
        trace: TraceId = "latest",
        kind: Annotated[str, Field(description=f"Only of this kind: {', '.join(semconv.KINDS)}.")] = "",
        failed: Annotated[bool, Field(description="Only steps that did not end well.")] = False,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> str:
        """List the steps of one run with their span ids, which show_step takes: parents before children."""
        if kind and kind not in semconv.KINDS:
            raise ConfigError("kind", kind, f"one of {', '.join(semconv.KINDS)}")
        shown = self._trace(trace)
        rows = (
            _step(shown, depth, span)
            for depth, span in shown.walk()
            if (not kind or span.kind == kind) and (not failed or span.outcome != "ok")
        )
        return page_of_rows(rows, self.most, offset=offset, limit=limit, trace=shown.trace_id)

    def show_step(
        self,
        span: Annotated[str, Field(description="A span id, as list_steps gives it.")],
        trace: TraceId = "latest",
        offset: Place = 0,
    ) -> str:
        """Show everything that was recorded of one step: attributes, events, links, and what was said."""
        from agentops_sdk.traces.display.conversation import contents

        shown = self._trace(trace)
        record = shown.get(span)
        if record is None:
            raise TraceError(f"no step {line(span, 40)} in trace {shown.trace_id}; list_steps lists them")
        said = "\n".join(f"{label}: {block(text)}" for label, text in contents(record) if text)
        fields = record.model_dump(mode="json", exclude_unset=True)
        fields["attributes"] = {name: value for name, value in record.attributes.items() if name not in semconv.CONTENT}
        text = block("\n".join(f"{name}: {value}" for name, value in fields.items() if value not in (None, {}, [])))
        return page_of_text(f"{text}\n\n{said}" if said else text, self.most, offset)

    def explain(self, trace: TraceId = "latest", offset: Place = 0) -> str:
        """Tell one run: how it ended, what it took and cost, each decision with its reason, errors, loops, waste."""
        from agentops_sdk.traces.decisions.narrative import story
        from agentops_sdk.traces.figures.loops import loops

        whole = self._found(trace)
        shown = self._without_content(whole)
        usage, cost = shown.sums
        head = (
            f"{line(shown.name)}: {shown.outcome} after {number_format.duration(shown.duration)}, "
            f"{number_format.all_tokens(usage) or 'unknown'} tokens, cost {number_format.cost(cost) or 'unknown'}, "
            f"{len(shown.llm_calls)} model calls, {len(shown.tool_calls)} tool calls (trace {shown.trace_id})"
        )
        lines = [head]
        lines += (f"- {sentence}" for sentence in story(shown.beginning, self._folder.traces()))
        lines += (f"- failed: {line(span.name)} {line(error_of(span))} (step {span.span_id})" for span in shown.errors)
        if not self.content:  # what a tool was called with is compared, and not shown
            lines += (f"- going round: {line(str(loop))}" for loop in loops(whole.beginning))
        if not shown.complete:
            lines.append("- not all of it is here: it is running, was killed, or spans were not kept")
        return page_of_text("\n".join(lines), self.most, offset)

    def decisions(self, trace: TraceId = "latest", offset: Offset = 0) -> str:
        """List the decisions of one run: options, what was chosen, why, how sure, by whom, and what followed."""
        shown = self._trace(trace).beginning
        rows = (
            {
                "name": line(decision.name, _NAMED),
                "kind": decision.kind,
                "options": [line(option, _NAMED) for option in decision.options],
                "chosen": [line(choice, _NAMED) for choice in decision.choices],
                "reason": line(decision.reason, _NAMED) if decision.reason else None,
                "confidence": decision.confidence,
                "by": decision.by_name or decision.by,
                "model": decision.model,
                "step": decision.span.span_id,
                "followed_by": [
                    {"step": span.span_id, "name": line(span.name, _NAMED), "outcome": span.outcome}
                    for span in decision.followed_by
                ],
            }
            for decision in shown.decisions
        )
        return page_of_rows(rows, self.most, offset=offset, trace=shown.trace_id)

    # --- several runs ---------------------------------------------------------------------------

    def compare_traces(self, a: Side, b: Side, offset: Place = 0) -> str:
        """Compare two runs or two sets of runs: cost, duration, tokens, calls, errors, and which decisions differ."""
        import json

        from agentops_sdk.traces.figures.comparison import compare, told_apart_by
        from agentops_sdk.traces.search.selection import selected

        traces = self._folder.traces()
        both = compare(selected(traces, a), selected(traces, b), apart=told_apart_by(a, b))
        return page_of_text(json.dumps(both.as_dict(), ensure_ascii=False, indent=1), self.most, offset)

    def stats(
        self,
        by: Annotated[
            str,
            Field(
                description="model, tool, agent, session, user, service, outcome, day, hour, tag, decision, or an "
                "attribute such as metadata.KEY"
            ),
        ] = "model",
        offset: Offset = 0,
        **filters: Unpack[Filters],
    ) -> str:
        """Add up calls, errors, latency, tokens, cost and waste over runs, by model, tool, agent, user, day or more."""
        from agentops_sdk.traces.figures.tables import stats
        from agentops_sdk.traces.search.attribute_condition import attribute_names

        if not self.content and not semconv.CONTENT.isdisjoint(attribute_names(by)):  # each key of a row is its value
            raise ConfigError("by", by, "an attribute without content, which this server withholds")
        table = stats(self._traces(filters), by)
        return page_of_rows(
            (row.as_dict() for row in table.rows), self.most, offset=offset, by=by, total=table.total.as_dict(),
            **self._remarks(),
        )  # fmt: skip

    def find_errors(self, limit: Limit = 20, offset: Offset = 0, **filters: Unpack[Filters]) -> str:
        """Find what fails, over all runs or those that meet the filters: step, error, how often, in which runs."""
        groups: dict[tuple[str, str], dict[str, Any]] = {}
        for trace in self._traces(filters):
            for span in islice(trace.errors, _STEPS):
                key = (line(span.name, _NAMED), str(span.attributes.get(semconv.ERROR_TYPE) or span.outcome))
                group = groups.setdefault(
                    key,
                    {"step": key[0], "type": key[1], "count": 0, "latest": line(error_of(span), _NAMED), "traces": []},
                )
                group["count"] += 1
                if trace.trace_id not in group["traces"][:5] and len(group["traces"]) < 5:
                    group["traces"].append(trace.trace_id)
        rows = sorted(groups.values(), key=lambda group: -int(group["count"]))
        return page_of_rows(rows, self.most, offset=offset, limit=limit, kinds=len(rows), **self._remarks())

    def find_waste(self, limit: Limit = 20, offset: Offset = 0, **filters: Unpack[Filters]) -> str:
        """Find money spent for nothing, run by run: calls that failed or were given up, tools and agents in loops."""
        from agentops_sdk.traces.figures.tables import stats

        traces = self._traces(filters)
        total = stats(traces, "model").total
        return page_of_rows(
            filter(None, map(_waste, traces)), self.most, offset=offset, limit=limit,
            cost=number_format.cost(total.cost) or "unknown", wasted=number_format.cost(total.wasted) or "nothing",
            **self._remarks(),
        )  # fmt: skip

    def sql(
        self,
        query: Annotated[
            str,
            Field(description="One SELECT over spans, llm_calls, tool_calls, decisions, traces, feedback, agents."),
        ],
        offset: Offset = 0,
    ) -> str:
        """Ask in SQL (DuckDB), read-only; SELECT * FROM llm_calls LIMIT 0 names a view's columns."""
        from agentops_sdk.store.address import MEMORY, SECONDS, open_store

        store = open_store(self._path, seconds=SECONDS, memory=MEMORY)
        try:
            names, rows = store.query(query)
            return page_of_rows(map(list, rows), self.most, offset=offset, columns=names)
        finally:
            store.close()

    # --- reading --------------------------------------------------------------------------------

    def _traces(self, filters: Filters) -> Traces:
        traces = self._folder.traces()
        asked = {name: value for name, value in filters.items() if value is not None}
        return traces.where(**asked) if asked else traces  # type: ignore[arg-type]  # a part of the same keywords

    def _remarks(self) -> dict[str, Any]:
        """What of the folder is not in an answer over all of it, such as a file whose key is not here."""
        remarks = [line(remark, _NAMED) for remark in islice(self._folder.traces().remarks, _REMARKS)]
        return {"remarks": remarks} if remarks else {}

    def _found(self, trace: str) -> Trace:
        traces = self._folder.traces()
        if not traces:
            raise TraceError("no traces yet where this server looks; a program with agentops.init() writes them")
        return traces.get(trace)

    def _trace(self, trace: str) -> Trace:
        return self._without_content(self._found(trace))

    def _without_content(self, trace: Trace) -> Trace:
        """The trace, of a very large one the beginning, without what people or models wrote."""
        if self.content:
            return trace
        return Trace(map(_bare, trace.beginning.spans), missing=trace.outcome if trace.outcome in _OPEN else None)


_OPEN: Final = semconv.NOT_ENDED


def _bare(span: SpanRecord) -> SpanRecord:
    """The span without content; of its events, too."""
    events = [event.model_copy(update={"attributes": _shown(event.attributes)}) for event in span.events]
    return span.model_copy(update={"attributes": _shown(span.attributes), "events": events})


def _shown(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name not in semconv.CONTENT}


def _row(trace: Trace) -> dict[str, Any]:
    usage, cost = trace.sums
    row = {
        "trace": trace.trace_id,
        "start": trace.start.isoformat(timespec="seconds"),
        "name": line(trace.name, _NAMED),
        "outcome": trace.outcome,
        "seconds": round(trace.duration, 3),
        "models": trace.models,
        "model_calls": trace.outline.llm_calls,
        "errors": len(trace.outline.errors),
        "tokens": number_format.all_tokens(usage),
        "cost": number_format.cost(cost),
        "session": trace.session_id,
        "user": trace.user_id,
    }
    return {name: value for name, value in row.items() if value not in (None, "", [])}


def _step(trace: Trace, depth: int, span: SpanRecord) -> dict[str, Any]:
    share = trace.share(span)
    row = {
        "step": span.span_id,
        "depth": depth,
        "kind": span.kind,
        "name": line(span.name, _NAMED),
        "outcome": span.outcome,
        "took": number_format.duration(span.duration),
        "tokens": number_format.tokens(share.usage, span.kind) if share.usage is not None else None,
        "cost": number_format.cost(share.cost) if share.cost is not None else None,
        "error": line(error_of(span), _NAMED) if span.outcome != "ok" else None,
    }
    return {name: value for name, value in row.items() if value not in (None, "")}


def _waste(trace: Trace) -> dict[str, Any] | None:
    """What a run spent for nothing, or None."""
    from agentops_sdk.traces.figures.loops import loops
    from agentops_sdk.traces.figures.tables import stats

    wasted = stats([trace], "model").total.wasted
    rounds = [line(str(loop), _NAMED) for loop in loops(trace.beginning)]
    if not wasted.known and not rounds:
        return None
    row = {"trace": trace.trace_id, "name": line(trace.name, _NAMED), "outcome": trace.outcome}
    return (
        row | ({"wasted": number_format.cost(wasted)} if wasted.known else {}) | ({"loops": rounds} if rounds else {})
    )
