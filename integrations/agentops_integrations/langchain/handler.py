"""The callback handler: LangChain tells it when runs start and end, it starts and ends their calls."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from langchain_core.callbacks.base import BaseCallbackHandler

from agentops_integrations.langchain import (
    chains,
    context_attachment,
    graph,
    interrupts,
    models,
    retrieval,
    stream_readers,
    tool_bodies,
)
from agentops_integrations.langchain.run_description import common, name_of
from agentops_sdk.integration import guard, semconv, setting, snapshot
from agentops_sdk.integration.frameworks import Run, Runs

F = TypeVar("F", bound=Callable[..., None])
Metadata = Mapping[str, Any]


def _guarded(method: F) -> F:
    """LangChain logs what a handler raises; what ours raises is ours alone to count."""
    site = f"langchain.{method.__name__}"

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> None:
        with guard(site):
            method(*args, **kwargs)

    return call  # type: ignore[return-value]  # it has the method's signature


class TraceHandler(BaseCallbackHandler):
    """One for the whole program; LangChain hands it down from run to run.

    It runs inline: in the task or thread of the run itself, so that what it reads of the context is the run's.
    """

    run_inline = True

    def __init__(self) -> None:
        self.runs = Runs("langchain")
        self._alive = True

    def close(self) -> None:
        """Callback managers that are still alive keep the handler; it does nothing from now on."""
        self._alive = False
        self.runs.end_all("interrupted")

    def __deepcopy__(self, memo: Any) -> TraceHandler:
        return self

    def __copy__(self) -> TraceHandler:
        return self

    @property
    def ignore_llm(self) -> bool:
        return not self._alive

    @property
    def ignore_chat_model(self) -> bool:
        return not self._alive

    @property
    def ignore_chain(self) -> bool:
        return not self._alive

    @property
    def ignore_agent(self) -> bool:
        return not self._alive

    @property
    def ignore_retriever(self) -> bool:
        return not self._alive

    # --- chains, graphs, nodes ------------------------------------------------------------------

    @_guarded
    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Sequence[str] | None = None,
        metadata: Metadata | None = None,
        **kwargs: Any,
    ) -> None:
        name = name_of(serialized, kwargs.get("name"), "chain")
        chains.begin(self.runs, name, inputs, run_id, parent_run_id, tags or (), metadata or {})

    @_guarded
    def on_chain_end(self, outputs: Any, *, run_id: UUID, inputs: Any = None, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        if run is not None:
            chains.end(run, outputs, inputs)
            outcome = interrupts.outcome(run)
            self.runs.finish(run_id, "abandoned" if outcome == "ok" and stream_readers.abandoned() else outcome)

    @_guarded
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        if run is not None:
            chains.end(run, None, kwargs.get("inputs"))
            self._failed(run, error)

    # --- models ---------------------------------------------------------------------------------

    @_guarded
    def on_chat_model_start(
        self,
        serialized: Any,
        messages: list[list[Any]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Sequence[str] | None = None,
        metadata: Metadata | None = None,
        **kwargs: Any,
    ) -> None:
        about = common(tags or (), metadata or {})
        run = models.begin(
            self.runs, "chat", serialized, messages[0] if messages else [], run_id, parent_run_id, about,
            metadata or {}, kwargs,
        )  # fmt: skip
        context_attachment.note_started(run)

    @_guarded
    def on_llm_start(
        self,
        serialized: Any,
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Sequence[str] | None = None,
        metadata: Metadata | None = None,
        **kwargs: Any,
    ) -> None:
        about = common(tags or (), metadata or {})
        run = models.begin(
            self.runs, "text_completion", serialized, prompts[:1], run_id, parent_run_id, about, metadata or {}, kwargs
        )
        context_attachment.note_started(run)

    @_guarded
    def on_llm_new_token(self, token: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._chunk(run_id)

    @_guarded
    def on_stream_event(self, event: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._chunk(run_id)

    def _chunk(self, run_id: UUID) -> None:
        run = self.runs.get(run_id)
        if run is not None:
            run.chunk()

    @_guarded
    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        if run is not None:
            models.end(run, response, finished=True)
            self.runs.finish(run_id)

    @_guarded
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        if run is not None:
            models.end(run, kwargs.get("response"), finished=False)
            self._failed(run, error)

    # --- tools and retrievers -------------------------------------------------------------------

    @_guarded
    def on_tool_start(
        self,
        serialized: Any,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Sequence[str] | None = None,
        metadata: Metadata | None = None,
        inputs: Any = None,
        **kwargs: Any,
    ) -> None:
        name = name_of(serialized, kwargs.get("name"), "tool")
        about = serialized.get("description") if isinstance(serialized, dict) else None
        attributes = {
            semconv.TOOL_CALL_ID: kwargs.get("tool_call_id"),
            semconv.TOOL_DESCRIPTION: about if isinstance(about, str) else None,
            **common(tags or (), metadata or {}),
        }
        if setting("capture_content"):
            arguments = inputs if inputs is not None else input_str
            attributes[semconv.TOOL_CALL_ARGUMENTS] = snapshot(arguments).decode()
        self.runs.begin("tool", name, run_id, parent_run_id, attributes=attributes, bodies=tool_bodies.bodies())

    @_guarded
    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        if run is None:
            return
        own = vars(output) if type(output).__name__ == "ToolMessage" else {}
        run.call.set(semconv.TOOL_CALL_ID, own.get("tool_call_id"))
        result = own.get("content", output)
        if setting("capture_content"):
            run.call.set(semconv.TOOL_CALL_RESULT, snapshot(result).decode())
        graph.handed_over(run, output)
        # A tool that turns its own errors into messages has failed all the same.
        self.runs.finish(run_id, "error" if own.get("status") == "error" else "ok")

    @_guarded
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        if run is not None:
            self._failed(run, error)

    @_guarded
    def on_retriever_start(
        self,
        serialized: Any,
        query: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Sequence[str] | None = None,
        metadata: Metadata | None = None,
        **kwargs: Any,
    ) -> None:
        name = retrieval.source(name_of(serialized, kwargs.get("name"), "retriever"), metadata or {})
        attributes = {**retrieval.asked(query, metadata or {}), **common(tags or (), metadata or {})}
        run = self.runs.begin("retriever", name, run_id, parent_run_id, attributes=attributes)
        context_attachment.note_started(run)

    @_guarded
    def on_retriever_end(self, documents: Any, *, run_id: UUID, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        if run is not None:
            work = retrieval.found(documents)
            if work is not None:
                run.call.defer(work)
            self.runs.finish(run_id)

    @_guarded
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        if run is not None:
            self._failed(run, error)

    # --- everything else ------------------------------------------------------------------------

    @_guarded
    def on_custom_event(self, name: str, data: Any, *, run_id: UUID, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        if run is not None:
            fields = {semconv.OUTPUT: snapshot(data).decode()} if setting("capture_content") else {}
            run.call.event(name, fields)

    @_guarded
    def on_retry(self, retry_state: Any, *, run_id: UUID, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        if run is not None:
            attempt = getattr(retry_state, "attempt_number", None)
            run.call.event("retry", {"attempt": attempt} if isinstance(attempt, int) else {})

    def _failed(self, run: Run, error: BaseException) -> None:
        outcome = interrupts.bubbled(run, error) or interrupts.left(run, error)
        if outcome is not None:  # LangGraph steers by exceptions; those are no errors
            self.runs.finish(run.key, outcome)
        else:
            self.runs.fail(run.key, error)
