"""LlamaIndex, through the spans and events of its own instrumentation, which reports runs by ids.

Workflows run their steps in tasks of their own. An agent's turn is several steps, so agents are runs that stand between
a workflow and its steps: each begins where a step is handed to it and ends where another one takes over.

Long because a table needs the functions that its rows name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import ModuleType
from typing import Any, NamedTuple

from agentops_sdk.integration import (
    Call,
    Patches,
    current_call,
    decision_attributes,
    guard,
    refusal,
    semconv,
    tracked_in,
)
from agentops_sdk.integration.frameworks import (
    PendingQuestions,
    Run,
    Runs,
    content,
    is_recorded,
    model_reply,
    offer_handoff,
    tool_definitions,
)

Attributes = dict[str, Any]
_CORE = "llama_index.core"
_SITE = "llama_index.limits"
_STEP_OF_AGENTS = "llama_index.core.agent.workflow"
_WAITING = ("WaitingForEvent", "WorkflowCancelledByUser")
_questions = PendingQuestions()
_CLIENTS = {
    "anthropic": "anthropic", "azure_openai": "openai", "bedrock_converse": "bedrock", "cohere": "cohere",
    "deepseek": "openai", "google_genai": "google_genai", "groq": "openai", "litellm": "litellm",
    "mistralai": "mistral", "ollama": "ollama", "openai": "openai", "openai_like": "openai", "openrouter": "openai",
    "together": "openai",
}  # fmt: skip
"""By the last part of a package of LlamaIndex's: the client that it asks, by the name of the integration of that."""


def _nothing(instance: Any, arguments: Mapping[str, Any]) -> Attributes:
    return {}


def _no_end(run: Run, result: Any) -> None:
    """What ends says no more."""


class RunType(NamedTuple):
    """One row: what a method of a class is.

    Attributes:
        kind: one of ``semconv.KINDS``.
        name: the run's name, given the object.
        start: attributes that are known when it starts.
        end: adds to the run what its result tells.
    """

    kind: str
    name: Callable[[Any], Any]
    start: Callable[[Any, Mapping[str, Any]], Attributes] = _nothing
    end: Callable[[Run, Any], None] = _no_end


def _class(instance: Any) -> str:
    return type(instance).__name__


def _text(value: Any) -> Any:
    """A query or an answer, as the text that it holds."""
    for name in ("query_str", "response"):
        text = getattr(value, name, None)
        if type(text) is str:
            return text
    return value


def _first(arguments: Mapping[str, Any]) -> Any:
    return next(iter(arguments.values()), None)


def _asked(attribute: str) -> Callable[[Any, Mapping[str, Any]], Attributes]:
    return lambda instance, arguments: content(attribute, _text(_first(arguments)))


def _answered(run: Run, result: Any) -> None:
    run.call.update(content(semconv.OUTPUT, _text(result)))


def _tool(instance: Any, arguments: Mapping[str, Any]) -> Attributes:
    description = getattr(instance.metadata, "description", None)
    given = {**arguments, **arguments.get("kwargs", {})}
    given = {name: value for name, value in given.items() if name not in ("args", "kwargs", "ctx") or not value}
    given = {name: value for name, value in given.items() if name not in ("args", "kwargs")}
    positional = arguments.get("args")
    return {
        semconv.TOOL_DESCRIPTION: description if type(description) is str else None,
        **content(semconv.TOOL_CALL_ARGUMENTS, given or list(positional or ())),
    }


def _tool_result(run: Run, result: Any) -> None:
    run.call.update(content(semconv.TOOL_CALL_RESULT, getattr(result, "content", result)))
    if getattr(result, "is_error", False) is True:
        run.notes["outcome"] = "error"


def _documents(run: Run, result: Any) -> None:
    if isinstance(result, list):
        run.call.update(content(semconv.RETRIEVAL_DOCUMENTS, [_document(each) for each in result]))


def _document(scored: Any) -> Attributes:
    node = getattr(scored, "node", scored)
    row = {
        "id": getattr(node, "node_id", None), "score": getattr(scored, "score", None),
        "content": getattr(node, "text", None), "metadata": getattr(node, "metadata", None) or None,
    }  # fmt: skip
    return {name: value for name, value in row.items() if value is not None}


def _agent(instance: Any, arguments: Mapping[str, Any] | None = None) -> Attributes:
    tools = getattr(instance, "tools", None) or ()
    about = [getattr(tool, "metadata", None) for tool in tools]
    description = getattr(instance, "description", None)
    return {
        semconv.AGENT_DESCRIPTION: description if type(description) is str else None,
        **tool_definitions((getattr(each, "name", None), getattr(each, "description", None)) for each in about),
    }


def _started(instance: Any, arguments: Mapping[str, Any]) -> Attributes:
    event = arguments.get("start_event")
    asked = getattr(event, "user_msg", None)
    inner = getattr(event, "_data", None)
    return content(semconv.INPUT, asked if type(asked) is str else inner or None)


def _finished(run: Run, result: Any) -> None:
    value = getattr(result, "result", None)
    response = getattr(value, "response", value)
    run.call.update(content(semconv.OUTPUT, getattr(response, "content", response)))


def _model(instance: Any, arguments: Mapping[str, Any]) -> Attributes:
    model = getattr(instance, "model", None)
    return {semconv.REQUEST_MODEL: model if type(model) is str else None}


_WORKFLOW = RunType("workflow", _class, _started, _finished)
_AGENT = RunType(
    "agent", lambda agent: agent.name, lambda agent, given: {**_agent(agent), **_started(agent, given)}, _finished
)
_LLM = RunType("llm", lambda instance: getattr(instance, "model", None) or _class(instance), _model)
_TOOL = RunType("tool", lambda tool: tool.metadata.name, _tool, _tool_result)
_RETRIEVER = RunType("retriever", _class, _asked(semconv.RETRIEVAL_QUERY), _documents)
_ENGINE = RunType("task", _class, _asked(semconv.INPUT), _answered)
_RERANKER = RunType("task", _class, end=_documents)
_EMBEDDING = RunType("embedding", lambda instance: instance.model_name)

RUN_TYPES: dict[tuple[str, str], RunType] = {
    **{("BaseWorkflowAgent", name): _AGENT for name in ("run",)},
    **{("Workflow", name): _WORKFLOW for name in ("run",)},
    **{("BaseLLM", name): _LLM for name in ("chat", "achat", "stream_chat", "astream_chat", "complete", "acomplete",
                                            "stream_complete", "astream_complete")},
    **{("BaseTool", name): _TOOL for name in ("call", "acall")},
    **{("BaseRetriever", name): _RETRIEVER for name in ("retrieve", "aretrieve")},
    **{("BaseQueryEngine", name): _ENGINE for name in ("query", "aquery")},
    **{("BaseChatEngine", name): _ENGINE for name in ("chat", "achat", "stream_chat", "astream_chat")},
    **{("BaseNodePostprocessor", name): _RERANKER for name in ("postprocess_nodes", "apostprocess_nodes")},
    **{("BaseEmbedding", name): _EMBEDDING for name in (
        "get_query_embedding", "aget_query_embedding", "get_text_embedding", "aget_text_embedding",
        "get_text_embedding_batch", "aget_text_embedding_batch")},
}  # fmt: skip
"""By the class that brings a method, and the method; what is not here is a step of the library's own."""
_CLASSES = tuple(dict.fromkeys(name for name, _ in RUN_TYPES))


def _row(instance: Any, method: str) -> RunType | None:
    names = {base.__name__ for base in type(instance).__mro__}
    row = next((RUN_TYPES[name, method] for name in _CLASSES if name in names and (name, method) in RUN_TYPES), None)
    if row is not None and row.kind in ("llm", "embedding"):
        for base in type(instance).__mro__:
            family, _, package = base.__module__.rpartition(".base")[0].rpartition(".")
            if family in ("llama_index.llms", "llama_index.embeddings") and is_recorded(_CLIENTS.get(package, "")):
                return None  # the client tells, also of a stream, which is not over when its span is
    return row


class LlamaIndexIntegration:
    """Adds one span handler and one event handler to the root dispatcher, which all others pass on to."""

    name = "llama_index"
    target = "llama_index.core"
    distribution = "llama-index-core"
    requires = ">=0.14,<1"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Register, by the library's own way; and where a step that waited has what a person answered."""
        handler = Handler()
        patches.when_imported(
            "llama_index_instrumentation", lambda found: _register(found.root_dispatcher, handler, patches)
        )
        patches.when_imported(
            "llama_index_instrumentation.dispatcher",
            lambda found: patches.wrap(found.Dispatcher, "span_enter", _Gate(handler.runs, found.active_span_id)),
        )
        patches.when_imported(
            "workflows.context.internal_context",
            lambda found: patches.wrap(found.InternalContext, "wait_for_event", handler.waited),
        )


def _register(root: Any, handler: Handler, patches: Patches) -> None:
    before = root.span_handlers, root.event_handlers
    root.span_handlers = [*root.span_handlers, handler]
    root.event_handlers = [*root.event_handlers, handler]
    after = root.span_handlers, root.event_handlers

    def undo() -> None:
        for name, old, ours in zip(("span_handlers", "event_handlers"), before, after, strict=True):
            now = getattr(root, name)
            if now is ours and len(now) == len(old) + 1:
                setattr(root, name, old)
            elif handler in now:
                now.remove(handler)
        handler.runs.end_all("interrupted")

    patches.on_undo(undo)


_ENTERED = ("id_", "bound_args", "instance", "parent_id")
"""What a span is entered with; the library names them, others may not."""


class _Gate:
    """Around the dispatcher's ``span_enter``, which a handler cannot stop: there limits may, before the work begins.

    Args:
        runs: those that the handler has begun.
        active: the library's variable with the id of the span that is current.
    """

    def __init__(self, runs: Runs, active: ContextVar[str | None]) -> None:
        self._runs = runs
        self._active = active

    def __call__(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        wrapped(*args, **kwargs)
        run: Run | None = None
        told = kwargs
        with guard(_SITE):
            told = {**dict(zip(_ENTERED, args, strict=False)), **kwargs} if args else kwargs
            run = self._runs.get(told["id_"])
        if run is None or "row" not in run.notes or (refused := refusal(_SITE, run.call)) is None:
            return
        with guard(_SITE):  # from here on, the library would not end it
            instance.span_drop(**{name: told.get(name) for name in _ENTERED[:3]}, err=refused)
            self._active.set(told.get("parent_id"))
        raise refused


class Handler:
    """By the shapes of the library's ``BaseSpanHandler`` and ``BaseEventHandler``."""

    def __init__(self) -> None:
        self.runs = Runs("llama_index")
        self.open_spans: dict[str, Any] = {}  # asked for as the dispatcher shuts down

    def span_enter(
        self, id_: str, bound_args: Any, instance: Any = None, parent_id: str | None = None, **kwargs: Any
    ) -> None:
        with guard("llama_index.span_enter"):
            self._enter(id_, bound_args.arguments, instance, parent_id)

    def span_exit(self, id_: str, bound_args: Any, instance: Any = None, result: Any = None, **kwargs: Any) -> None:
        with guard("llama_index.span_exit"):
            run = self.runs.get(id_)
            if run is None:
                return
            if hasattr(result, "__next__") or hasattr(result, "__anext__"):
                if run.kind == "llm":
                    return  # a stream is over when an event says so
                result = None
            row: RunType | None = run.notes.get("row")
            with guard("llama_index.result"):
                if row is not None:
                    row.end(run, result)
                elif _is_a(result, "InputRequiredEvent"):
                    _questions.question(run.call, _key(run), _said(result), stops=False)
            outcome = run.notes.get("outcome", "ok")
            self._end_agent(run, None, outcome if outcome == "cancelled" else "ok")
            self.runs.finish(id_, outcome)

    def span_drop(
        self, id_: str, bound_args: Any, instance: Any = None, err: BaseException | None = None, **kwargs: Any
    ) -> None:
        with guard("llama_index.span_drop"):
            run = self.runs.get(id_)
            if run is None:
                return
            self._end_agent(run, err)
            with guard("llama_index.question"):
                waiter = getattr(err, "add", None)
                key = _key(run, getattr(waiter, "waiter_id", None))
                if waiter is not None and key not in _questions:
                    _questions.question(run.call, key, _said(getattr(waiter, "waiter_event", None)))
            if type(err).__name__ in _WAITING:
                self.runs.finish(id_, "interrupted" if type(err).__name__ == _WAITING[0] else "cancelled")
            elif err is None:
                self.runs.finish(id_, "abandoned")
            else:
                self.runs.fail(id_, err)

    def capture_propagation_context(self) -> dict[str, Any]:
        return {}

    def restore_propagation_context(self, context: dict[str, Any]) -> None: ...

    def close(self) -> None: ...

    def handle(self, event: Any, **kwargs: Any) -> None:
        """An event: only ends of streams, failures inside of them, and what is cancelled say more than spans do."""
        with guard("llama_index.event"):
            run, kind = self.runs.get(event.span_id), type(event).__name__
            if run is not None and kind == "SpanCancelledEvent":
                run.notes["outcome"] = "cancelled"  # whose span then exits as if it were done
            if run is None or run.kind != "llm":
                return
            if kind in ("LLMChatInProgressEvent", "LLMCompletionInProgressEvent"):
                run.chunk()
            elif kind in ("LLMChatEndEvent", "LLMCompletionEndEvent"):
                _reply(run, event)
                if run.chunks:
                    run.call.update(run.streamed())
                    self.runs.finish(run.key)
            elif kind == "ExceptionEvent" and run.chunks:
                self.runs.fail(run.key, event.exception)

    async def ahandle(self, event: Any, **kwargs: Any) -> None:
        self.handle(event)

    def _enter(self, key: str, arguments: Mapping[str, Any], instance: Any, parent: str | None) -> None:
        owner, _, method = key[:-37].rpartition(".")  # what follows is the id itself
        above = self.runs.get(parent)
        row = _row(instance, method) if instance is not None else None
        if row is None:
            self._step(key, method, arguments, above, is_step=instance is None and bool(owner))
            return
        name = row.name(instance)
        bodies: tuple[Any, ...] = ()
        if row is _TOOL:
            functions = [getattr(instance, each, None) for each in ("_fn", "_async_fn", "fn", "real_fn")]
            bodies = tuple({id(each): each for function in functions if function is not None
                            for each in tracked_in(function) if each.kind == "tool"}.values())  # fmt: skip
        run = self.runs.begin(
            row.kind, name if type(name) is str else _class(instance), key, parent,
            attributes=row.start(instance, arguments), bodies=bodies,
        )  # fmt: skip
        run.notes.update(row=row, instance=instance)
        if row is _TOOL and above is not None:
            run.call.set(semconv.TOOL_CALL_ID, above.notes.get("tool_id"))
        if row.kind not in ("workflow", "agent"):  # those return before their work is done, in tasks of its own
            run.enter()

    def _step(self, key: str, method: str, arguments: Mapping[str, Any], above: Run | None, *, is_step: bool) -> None:
        """A step of a workflow; or a method of the library's own, which is no span."""
        if not is_step or above is None or "instance" not in above.notes:
            self.runs.begin("task", method, key, above and above.key, record=False)
            return
        workflow = above.notes["instance"]
        of_agents = any(base.__module__.startswith(_STEP_OF_AGENTS) for base in type(workflow).__mro__[:2])
        event = arguments.get("ev")
        agents = getattr(workflow, "agents", None)
        name = getattr(event, "current_agent_name", None)
        agent: Run | None = above.notes.get("agent")
        if (
            isinstance(agents, Mapping)
            and type(name) is str
            and name in agents
            and (agent is None or agent.name != name)
        ):
            self._end_agent(above, None)
            agent = self.runs.begin("agent", str(name), (above.key, key), above.key, attributes=_agent(agents[name]))
            above.notes["agent"] = agent
        attributes: Attributes = {semconv.INTERNAL: True} if of_agents else content(semconv.INPUT, event)
        run = self.runs.begin("task", method, key, agent.key if agent else above.key, attributes=attributes)
        run.enter()
        if method == "call_tool" and type(called := getattr(event, "tool_id", None)) is str:
            run.notes["tool_id"] = called
        if _is_a(event, "HumanResponseEvent"):
            self._answered(run, _key(run), event)
        target = getattr(event, "tool_kwargs", None)
        if method == "call_tool" and agent is not None and getattr(event, "tool_name", None) == "handoff":
            self._handoff(agent, agents, target.get("to_agent") if isinstance(target, Mapping) else None)

    async def waited(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A step is run again and gets the event that it had waited for."""
        event = await wrapped(*args, **kwargs)
        with guard("llama_index.answer"):
            run = self.runs.current()
            if run is not None and _is_a(event, "HumanResponseEvent"):
                done = instance._get_step_ctx("wait_for_event").returns.return_values  # noqa: SLF001 - has no other name
                self._answered(run, _key(run, getattr(done[-1] if done else None, "waiter_id", None)), event)
        return event

    def _answered(self, run: Run, key: str, event: Any) -> None:
        if run.root.notes.get("answer") is not event:
            run.root.notes["answer"] = event
            _questions.resumed(current_call() or run.call, [_questions.answer(key, _said(event))])

    def _handoff(self, agent: Run, agents: Any, target: Any) -> None:
        if type(target) is str and target in agents and isinstance(agent.call, Call):
            options = [{"name": name} for name in agents if name != agent.name]
            agent.call.update(
                decision_attributes(target, name="handoff", options=options, by="model", by_name=agent.name)
            )
            offer_handoff(agent.call, target)

    def _end_agent(self, workflow: Run, error: BaseException | None, outcome: str = "ok") -> None:
        agent: Run | None = workflow.notes.pop("agent", None)
        if agent is not None and error is None:
            self.runs.finish(agent.key, outcome)
        elif agent is not None and error is not None:
            self.runs.fail(agent.key, error)


def _is_a(event: Any, name: str) -> bool:
    return any(base.__name__ == name for base in type(event).__mro__)


def _said(event: Any) -> Any:
    """What a question or an answer holds: its text where that is all."""
    fields = getattr(event, "_data", None)
    if isinstance(fields, Mapping) and len(fields) == 1:
        return next(iter(fields.values()))
    return fields or event


def _key(run: Run, waiter: Any = "input") -> str:
    """Of a question: what the library calls it is the same in every run of a workflow."""
    digest = hashlib.sha256(str(waiter).encode(errors="replace")).hexdigest()  # it holds what is waited for: content
    return f"{run.root.call.span_id}-{digest[:16]}"


def _reply(run: Run, event: Any) -> None:
    response = event.response
    raw = getattr(response, "raw", None)
    usage = raw.get("usage") if isinstance(raw, Mapping) else getattr(raw, "usage", None)
    usage = usage if isinstance(usage, Mapping) else getattr(usage, "__dict__", None)
    messages = [_message(each) for each in getattr(event, "messages", None) or ()]
    if not messages:
        messages = [{"role": "user", "content": getattr(event, "prompt", None)}]
    message = getattr(response, "message", None)
    model_reply(
        run.call, messages=messages, usage=usage,
        reply=_message(message) if message is not None else getattr(response, "text", None),
    )  # fmt: skip


def _message(message: Any) -> Attributes:
    role = getattr(message, "role", "user")
    return {"role": getattr(role, "value", role), "content": getattr(message, "content", None)}


integration = LlamaIndexIntegration()
