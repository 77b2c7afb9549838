"""Haystack, at the one place where all of it asks for spans: beside the program's own tracer, whichever that is.

The library has room for one tracer, which a program may set at any time, so ours does not take that room.

Long because of a table, and of what each kind of span holds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from agentops_sdk.integration import (
    Call,
    NullCall,
    Patches,
    current_call,
    decision_attributes,
    guard,
    refusal,
    semconv,
    start,
)
from agentops_sdk.integration.frameworks import content, model_reply, tool_definitions

Attributes = dict[str, Any]
Tags = Mapping[str, Any]
_SITE = "haystack"
_STRATEGY = "haystack.agent.hook.human_in_the_loop.strategy"
_DECISIONS = ("confirm", "modify", "reject")


def _nothing(tags: Tags) -> Attributes:
    return {}


class RunType(NamedTuple):
    """What a span of the library's is: one row.

    Attributes:
        kind: one of ``semconv.KINDS``.
        name: its name, given its tags.
        start: attributes that are known when it starts.
        internal: a step of the library's own.
    """

    kind: str
    name: Callable[[Tags], str | None]
    start: Callable[[Tags], Attributes] = _nothing
    internal: bool = False


def _tag(name: str, otherwise: str | None = None) -> Callable[[Tags], str | None]:
    def named(tags: Tags) -> str | None:
        value = tags.get(name)
        return value if type(value) is str else otherwise

    return named


def _pipeline(tags: Tags) -> str:
    metadata = tags.get("haystack.pipeline.metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return name if type(name) is str else "pipeline"


def _agent(tags: Tags) -> Attributes:
    tools = tags.get("haystack.agent.tools")
    found = list(tools) if isinstance(tools, list | tuple) else []
    return tool_definitions((getattr(tool, "name", None), getattr(tool, "description", None)) for tool in found)


def _tool(tags: Tags) -> Attributes:
    return {semconv.TOOL_DESCRIPTION: _tag("haystack.tool.description")(tags)}


_COMPONENT = _tag("haystack.component.name", "component")
RUN_TYPES = {
    "haystack.pipeline.run": RunType(
        "workflow", _pipeline, lambda tags: content(semconv.INPUT, tags.get("haystack.pipeline.input_data"))
    ),
    "haystack.agent.run": RunType("agent", lambda tags: None, _agent),
    "haystack.agent.step": RunType("task", lambda tags: f"step {tags.get('haystack.agent.step')}", internal=True),
    "haystack.agent.step.llm": RunType("llm", lambda tags: None),
    "haystack.chat_generator.run": RunType("llm", lambda tags: None),
    "haystack.agent.step.tool": RunType("tool", _tag("haystack.tool.name"), _tool),
    "haystack.agent.hook": RunType("task", _tag("haystack.agent.hook.name", "hook"), internal=True),
    _STRATEGY: RunType("task", lambda tags: f"confirm {tags.get('haystack.tool.name')}"),
    "haystack.component.run": RunType("task", _COMPONENT),
}
_COMPONENTS = {
    "Retriever": RunType("retriever", _COMPONENT),
    "Generator": RunType("llm", lambda tags: None),
    "Agent": RunType("task", _COMPONENT, internal=True),
}
"""Components by the end of their class's name: what the library's own are called, and what it asks of others."""
_OTHER = RunType("task", lambda tags: None)


def _row(operation: str, tags: Tags) -> RunType:
    if operation == "haystack.component.run":
        kind = tags.get("haystack.component.type")
        for end, row in _COMPONENTS.items():
            if type(kind) is str and kind.endswith(end):
                return row
    return RUN_TYPES.get(operation, _OTHER)


class HaystackIntegration:
    """Wraps the tracer through which the library asks whatever tracer is set."""

    name = "haystack"
    target = "haystack"
    distribution = "haystack-ai"
    requires = ">=2.20,<4"

    def is_library(self, module: ModuleType) -> bool:
        """An older distribution has a module of that name as well."""
        return hasattr(module, "Pipeline")

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the proxy."""

        def trace(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            parent = kwargs.get("parent_span")
            if isinstance(parent, _Span):  # the program's tracer knows its own
                kwargs = {**kwargs, "parent_span": parent.theirs}
            theirs = wrapped(*args, **kwargs)
            with guard(_SITE):
                values = dict(zip(("operation_name", "tags"), args, strict=False)) | kwargs
                return _Traced(theirs, values["operation_name"], values.get("tags") or {}, parent)
            return theirs

        patches.when_imported(
            "haystack.tracing.tracer", lambda tracer: patches.wrap(tracer.ProxyTracer, "trace", trace)
        )

        def tools(found: ModuleType) -> None:
            if hasattr(found, "_create_tool_span"):  # came with agents that make a span of each call
                patches.wrap(found, "_create_tool_span", _tool_span)

        patches.when_imported("haystack.components.agents.tool_calling", tools)
        patches.when_imported(
            "haystack.core.pipeline.base",
            lambda base: patches.wrap(base.PipelineBase, "_create_component_span", _component_span),
        )


def _tool_span(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Which of the model's calls it is, which the span's tags leave out."""
    traced = wrapped(*args, **kwargs)
    with guard(_SITE):
        called = kwargs.get("tool_call", args[1] if len(args) > 1 else None)
        if isinstance(traced, _Traced) and type(call_id := getattr(called, "id", None)) is str:
            traced.first[semconv.TOOL_CALL_ID] = call_id
    return traced


def _component_span(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Which model a generator asks, which the span's tags leave out: what it has been given, in its own variables."""
    traced = wrapped(*args, **kwargs)
    with guard(_SITE):
        component = kwargs.get("instance", args[1] if len(args) > 1 else None)
        if isinstance(traced, _Traced) and type(model := getattr(component, "__dict__", {}).get("model")) is str:
            traced.asked = model
    return traced


class _Traced:
    """One span: the program's, with a call of ours inside."""

    def __init__(self, theirs: Any, operation: str, tags: Tags, parent: Any) -> None:
        self._theirs = theirs
        self._operation = operation
        self._tags = tags
        self._parent = parent
        self.first: dict[str, Any] = {}
        """What else is known of it before it begins."""
        self.asked: str | None = None
        """The model, where a component has one."""
        self._span: _Span | None = None
        self._token: Any = None

    def __enter__(self) -> Any:
        span = self._theirs.__enter__()
        with guard(_SITE):
            self._span = _Span(span, self._begin(), self._operation)
        if self._span is None:
            return span
        call = self._span.call
        if self._span.kind in ("llm", "tool", "agent") and (refused := refusal(_SITE, call)) is not None:
            call.fail(refused)
            self._span = None
            self._theirs.__exit__(type(refused), refused, refused.__traceback__)
            raise refused
        self._token = call.attach()
        return self._span

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> Any:
        with guard(_SITE):
            self._end(error)
        return self._theirs.__exit__(kind, error, trace)

    def _begin(self) -> Call | NullCall:
        row, tags = _row(self._operation, self._tags), self._tags
        name = row.name(tags) if row.kind != "llm" else self.asked
        if row.kind == "agent":  # the library gives agents no names: in a pipeline they have their component's
            around = current_call()
            inside = around is not None and around.reporters == (_SITE,) and around.kind == "task"
            name = around.name if inside and around is not None else "agent"
        attributes = {**row.start(tags), **self.first, **({semconv.INTERNAL: True} if row.internal else {})}
        outer = self._parent.call.context if isinstance(self._parent, _Span) and current_call() is None else None
        return start(
            row.kind, name, attributes=attributes, parent=outer, reporter=_SITE,
            span_name=(name or self._operation) if row.kind == "task" else None,
        )  # fmt: skip

    def _end(self, error: BaseException | None) -> None:
        span = self._span
        if span is None:
            return
        span.call.detach(self._token)
        with guard("haystack.tags"):
            span.end()
        if error is not None and type(error).__name__ == "BreakpointException":
            span.call.finish("interrupted")
        elif (failure := error or span.error) is not None:
            span.call.fail(failure)
        else:
            span.call.finish()


class _Span:
    """What the library is handed: tells the program's span everything, and keeps what our call is to tell."""

    def __init__(self, theirs: Any, call: Any, operation: str) -> None:
        self.theirs = theirs
        self.call = call
        self.kind = call.kind
        self.error: BaseException | None = None
        self._operation = operation
        self._kept: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.theirs, name)

    def set_tag(self, key: str, value: Any) -> None:
        self.theirs.set_tag(key, value)
        with guard(_SITE):
            self._told(key, value)

    def set_tags(self, tags: dict[str, Any]) -> None:
        self.theirs.set_tags(tags)

    def set_content_tag(self, key: str, value: Any) -> None:
        self.theirs.set_content_tag(key, value)
        with guard(_SITE):
            self._told(key, value)

    def _told(self, key: str, value: Any) -> None:
        end = key.rpartition(".")[2].removesuffix("_data")
        if key == "haystack.tool.error":
            raised = sys.exception()  # the agent goes on: the model is told
            self.error = raised.__cause__ or raised if raised is not None else None
        elif key == f"{_STRATEGY}.decision":
            options = [{"name": name} for name in _DECISIONS]
            self.call.update(decision_attributes(value, name=str(self.call.name), options=options, by="human"))
        elif end in ("input", "output"):
            self._kept[end] = value
            if end == "input":  # the library's own values change while the work is done
                self._input(value)

    def _input(self, value: Any) -> None:
        if self.kind == "tool":
            self.call.update(content(semconv.TOOL_CALL_ARGUMENTS, value))
        elif self.kind == "retriever" and isinstance(value, Mapping):
            self.call.update(content(semconv.RETRIEVAL_QUERY, value.get("query")))
            top = value.get("top_k")
            self.call.set(semconv.RETRIEVAL_TOP_K, top if type(top) is int else None)
        elif self.kind not in ("llm", "workflow"):
            self.call.update(content(semconv.INPUT, _plain(value)))

    def end(self) -> None:
        """Add what came out."""
        output = self._kept.get("output")
        if self.kind == "llm":
            _reply(self.call, self._kept.get("input"), output)
        elif self.kind == "tool":
            self.call.update(content(semconv.TOOL_CALL_RESULT, output if self.error is None else None))
        elif self.kind == "retriever" and isinstance(output, Mapping):
            documents = output.get("documents")
            if isinstance(documents, list):
                self.call.update(content(semconv.RETRIEVAL_DOCUMENTS, [_document(each) for each in documents]))
        else:
            self.call.update(content(semconv.OUTPUT, _plain(output)))


def _reply(call: Any, given: Any, output: Any) -> None:
    replies = output.get("replies") if isinstance(output, Mapping) else None
    first = replies[0] if isinstance(replies, list) and replies else None
    meta = getattr(first, "meta", None)
    meta = meta if isinstance(meta, Mapping) else {}
    if type(meta.get("model")) is str:
        call.set(semconv.RESPONSE_MODEL, meta["model"])
        if call.name is None and "gen_ai.request.model" not in call.span.attributes:
            call.rename(f"chat {meta['model']}")
    given = given if isinstance(given, Mapping) else {}
    messages, options = given.get("messages"), given.get("generation_kwargs")
    model_reply(
        call, messages=[_message(each) for each in messages] if isinstance(messages, list) else None,
        reply=_message(first) if first is not None else None, finish_reason=meta.get("finish_reason"),
        usage=meta.get("usage"), tools=_offered(given.get("tools")),
        tool_choice=options.get("tool_choice") if isinstance(options, Mapping) else None,
    )  # fmt: skip


def _offered(tools: Any) -> list[Attributes] | None:
    """The tools as OpenAI's definitions; none where one of them is a set, which may not be looked into."""
    rows = list(tools) if isinstance(tools, list | tuple) else []
    if not rows or any(type(getattr(tool, "name", None)) is not str for tool in rows):
        return None
    return [{"type": "function", "function": {"name": tool.name, "description": tool.description}} for tool in rows]


def _message(message: Any) -> Attributes:
    if isinstance(message, str):
        return {"role": "assistant", "content": message}
    role = getattr(message, "role", None)
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.tool_name, "arguments": call.arguments}}
        for call in getattr(message, "tool_calls", None) or ()
    ]
    text = getattr(message, "text", None)
    result = getattr(message, "tool_call_result", None)
    row: Attributes = {"role": getattr(role, "value", "user"), "content": text if result is None else result.result}
    if result is not None:
        row["tool_call_id"] = getattr(result.origin, "id", None)
    return {**row, **({"tool_calls": calls} if calls else {})}


def _document(document: Any) -> Attributes:
    row = {name: getattr(document, name, None) for name in ("id", "content", "score")}
    meta = getattr(document, "meta", None)
    return {name: value for name, value in {**row, "metadata": meta or None}.items() if value is not None}


def _plain(value: Any) -> Any:
    """Inputs and outputs by name, their messages as texts; what is not given is left out."""
    if not isinstance(value, Mapping):
        return value
    return {name: _texts(each) for name, each in value.items() if each is not None}


def _texts(value: Any) -> Any:
    if isinstance(value, list) and value and hasattr(value[0], "role"):
        return [_message(each) for each in value]
    return value


integration = HaystackIntegration()
